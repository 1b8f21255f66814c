//! HTTP/2 (RFC 9113) on one connection under TLS. What a client can make the daemon hold is bounded:
//!
//! ```text
//! streams at once       limits.max_streams, announced in SETTINGS
//! a request's head      limits.max_head_bytes (HPACK-decoded, 32 bytes a field more) and limits.max_head_fields, else 431
//! resets                20 that no handler has seen (h2 counts rapid resets), 64 that our errors caused; then GOAWAY
//! CONTINUATION, empty   h2 bounds the frames of a head by its size, and empty DATA frames since 0.4.16
//! bodies of requests    64 KiB a stream and 256 KiB a connection in flight; `http` reads 16 KiB
//! answers               64 KiB a stream wait to be sent; a client that takes nothing of any for write_stall is dropped
//! silence               a ping every 20 s, answered within 10 s; no request for limits.idle ends the connection
//! ```

use super::connection::{Peer, drive};
use super::head;
use super::limits::Limits;
use super::pace::{Pace, Phase};
use super::pieces::Sent;
use super::secure::Secured;
use super::takeover::Takeover;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;

/// Bytes of an answer that are given to h2 at once: what a slow client must take within the stall limit.
const PIECE: usize = 16 * 1024;

/// Serves requests on `tls` until the client leaves, a limit passes or the last answer after `stopping` is sent.
pub(super) async fn serve<S, B>(
    tls: Secured,
    peer: SocketAddr,
    routes: S,
    limits: &Limits,
    (pace, phases): (Pace, watch::Receiver<Phase>),
    stopping: watch::Receiver<bool>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let load = Load { pace, counts: Arc::default() };
    let (stop, most_fields) = (stopping.clone(), limits.max_head_fields);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let busy = load.begin();
        request.extensions_mut().insert(Peer(peer));
        head::check(&mut request);
        let asks_for_head = request.method() == Method::HEAD;
        let reply = (request.headers().len() <= most_fields).then(|| routes.call(request));
        let stop = stop.clone();
        async move {
            let answer = match reply {
                Some(reply) if asks_for_head => without_body(reply.await?),
                Some(reply) => Sent::of(reply.await?, stop).map(Some),
                None => too_many_fields(),
            };
            Ok::<_, Infallible>(answer.map(|body| Counted { body, rest: Bytes::new(), busy }))
        }
    });
    let mut connection = builder(limits).serve_connection(TokioIo::new(tls), service);
    let poll = |cx: &mut Context<'_>, stop: bool| {
        if stop {
            Pin::new(&mut connection).graceful_shutdown();
        }
        Pin::new(&mut connection).poll(cx)
    };
    drive(poll, phases, limits, peer, stopping).await;
}

fn builder(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(limits.max_head_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024)
        .max_send_buf_size(64 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

fn too_many_fields<B>() -> Response<Option<B>> {
    let mut answer = Response::new(None);
    *answer.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    answer
}

/// Returns the answer to HEAD, as hyper makes it of one to GET over HTTP/1.1 but not here: how long the body would be, and none.
fn without_body<B: Body>(answer: Response<B>) -> Response<Option<Sent<B>>> {
    let (mut head, body) = answer.into_parts();
    let length = body.size_hint().exact().filter(|_| head.extensions.remove::<Takeover>().is_none());
    if let Some(length) = length {
        head.headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(head, None)
}

/// What goes on at one connection: it decides about the phase.
#[derive(Clone)]
struct Load {
    pace: Pace,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    /// Requests that are not answered whole.
    open: usize,
    /// Bodies of which the client has to take something before more is asked for.
    waiting: usize,
}

/// One request; dropping it ends it, also when the client takes it back.
struct Busy {
    load: Load,
    waiting: bool,
}

impl Load {
    fn begin(&self) -> Busy {
        self.change(|counts| counts.open = counts.open.saturating_add(1));
        Busy { load: self.clone(), waiting: false }
    }

    /// Changes the counts, and enters the phase that follows from them; every change is progress, so its limit starts anew.
    fn change(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut counts);
        self.pace.enter(match (counts.open, counts.waiting) {
            (0, _) => Phase::Quiet,
            (_, 0) => Phase::Exchange,
            _ => Phase::Sending,
        });
    }
}

impl Busy {
    fn wait(&mut self, waiting: bool) {
        if self.waiting == waiting {
            return;
        }
        self.waiting = waiting;
        self.load.change(|counts| {
            counts.waiting = if waiting { counts.waiting.saturating_add(1) } else { counts.waiting.saturating_sub(1) };
        });
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.wait(false);
        self.load.change(|counts| counts.open = counts.open.saturating_sub(1));
    }
}

/// A body in pieces of [`PIECE`] bytes at most. hyper asks for the next one when the client has made room.
struct Counted<B> {
    body: Option<B>,
    rest: Bytes,
    busy: Busy,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Counted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        this.busy.wait(false);
        if this.rest.is_empty() {
            let Some(body) = &mut this.body else { return Poll::Ready(None) };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return other,
            }
        }
        this.busy.wait(true);
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let rest = u64::try_from(self.rest.len()).unwrap_or_default();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}
