//! Which phase a connection is in and how long it may stay there.
//!
//! ```text
//! Opened ──request──► Exchange ──answer given──► Idle ──first byte──► Head ──request──► Exchange …
//!                        └──head of a stream written──► Handing ──flushed──► Handed
//!
//! HTTP/2:  Opened ──request──► Exchange ◄──► Sending (some body waits for the client)      all answered ──► Quiet ──request──► Exchange …
//! ```
//!
//! The stream reports bytes and flushes, the service reports requests and the body of an answer reports its beginning and
//! its end. In `Exchange` the handler bounds its own reading of a body, and a client that does not read is bounded by the
//! stream's write stall.

use super::limits::Limits;
use hyper::body::{Body, Frame, SizeHint};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first request of a new connection.
    Opened,
    /// The rest of a request head.
    Head,
    /// The handler, or the sending of its answer.
    Exchange,
    /// The next request.
    Idle,
    /// The sending of the head of a stream.
    Handing,
    /// HTTP/2: the client, which has to take more of a body.
    Sending,
    /// HTTP/2: the next request. Other bytes of the client do not end it.
    Quiet,
    /// Nothing more of hyper: the head of a stream is sent, and what follows is written past it.
    Handed,
}

/// Changes the phase of one connection.
#[derive(Clone)]
pub(super) struct Pace(watch::Sender<Phase>);

/// Starts a connection's life in [`Phase::Opened`].
pub(super) fn pace() -> (Pace, watch::Receiver<Phase>) {
    let (phase, phases) = watch::channel(Phase::Opened);
    (Pace(phase), phases)
}

impl Pace {
    /// Enters `phase`; its limit starts anew.
    pub(super) fn enter(&self, phase: Phase) {
        self.0.send_replace(phase);
    }

    /// Enters `next` if the connection is in `from`.
    fn turn(&self, from: Phase, next: Phase) {
        self.0.send_if_modified(|phase| {
            let turns = *phase == from;
            if turns {
                *phase = next;
            }
            turns
        });
    }
}

/// Completes with the phase that lasted longer than `limits` allow.
pub(super) async fn overdue(mut phases: watch::Receiver<Phase>, limits: &Limits) -> Phase {
    loop {
        let phase = *phases.borrow_and_update();
        let limit = match phase {
            Phase::Opened | Phase::Head => Some(limits.header),
            Phase::Idle | Phase::Quiet => Some(limits.idle),
            Phase::Sending => Some(limits.write_stall),
            Phase::Exchange | Phase::Handing | Phase::Handed => None,
        };
        let expiry = async {
            match limit {
                Some(limit) => sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = expiry => return phase,
            changed = phases.changed() => if changed.is_err() { return phase },
        }
    }
}

/// A stream that reports its first byte of a request and fails when the peer takes no byte for too long.
pub(super) struct PacedStream<S> {
    stream: S,
    pace: Pace,
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> PacedStream<S> {
    pub(super) fn new(stream: S, pace: Pace, stall: Duration) -> Self {
        Self { stream, pace, stall, stalled: None }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    fn bounded<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if self.stalled.take().is_some() {
                // hyper lets go of a body before all of it is sent: who takes the rest slowly is not idle meanwhile.
                self.pace.turn(Phase::Idle, Phase::Idle);
            }
            return written;
        }
        let stall = self.stall;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pace.turn(Phase::Idle, Phase::Head);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            // hyper comes here only with nothing left to write, and it wrote the head before it asked for the body.
            self.pace.turn(Phase::Handing, Phase::Handed);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of an answer; when hyper has taken the last of it and drops it, the connection is idle.
pub(super) struct PacedBody<B> {
    /// `None` stands for a stream: hyper sends a head without a length and waits for a body that it never gets.
    body: Option<B>,
    pace: Pace,
}

impl<B> PacedBody<B> {
    pub(super) fn new(body: Option<B>, pace: Pace) -> Self {
        Self { body, pace }
    }
}

impl<B> Drop for PacedBody<B> {
    fn drop(&mut self) {
        self.pace.enter(Phase::Idle);
    }
}

impl<B: Body + Unpin> Body for PacedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => {
                self.pace.turn(Phase::Exchange, Phase::Handing);
                Poll::Pending // nobody needs waking: the connection looks at the phase after each of its polls
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}
