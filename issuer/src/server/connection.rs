//! One connection, from its first byte to its last, or to the head of a stream.

use super::head;
use super::limits::Limits;
use super::pace::{Pace, PacedBody, PacedStream, Phase, overdue, pace};
use super::stream::{Framing, Handed};
use super::takeover::{Source, Takeover};
use crate::telemetry::field;
use bytes::Bytes;
use http::HeaderValue;
use http::header::CONNECTION;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1::{self, Parts};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
#[cfg(target_os = "linux")]
use rustix::net::sockopt;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long the other machine may acknowledge nothing of what was sent, in milliseconds (RFC 5482). One that lost its power
/// while it followed the list would otherwise hold its place for a quarter of an hour.
#[cfg(target_os = "linux")]
const SILENCE_MILLIS: u32 = 60_000;

/// The address at the other end of the connection, as an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves requests on `stream` until the client leaves, a limit passes or the last answer after `stopping` is sent.
///
/// Returns the connection when an answer with a [`Takeover`] has begun: the head is sent, the rest is the caller's.
pub(super) async fn serve<S, B>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    limits: Arc<Limits>,
    stopping: watch::Receiver<bool>,
) -> Option<Handed>
where
    TowerToHyperService<S>: Unpin + Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    <TowerToHyperService<S> as Service<Request<Incoming>>>::Future: Send + 'static,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    prepare(&stream);
    let (pace, phases) = pace();
    let taken = Taken::default();
    let io = TokioIo::new(PacedStream::new(stream, pace.clone(), limits.write_stall));
    let (routes, taking) = (TowerToHyperService::new(service), Arc::clone(&taken));
    let service = service_fn(move |mut request: Request<Incoming>| {
        pace.enter(Phase::Exchange);
        request.extensions_mut().insert(Peer(peer));
        head::check(&mut request);
        let framing = Framing::of(request.method(), request.version());
        answer(routes.call(request), pace.clone(), Arc::clone(&taking), framing)
    });
    // Who has sent a whole request and ends its side waits for the answer. Streams, which end when the client does, leave hyper.
    let mut connection = builder(&limits).half_close(true).serve_connection(io, service);
    let poll = |cx: &mut Context<'_>, stop: bool| {
        if stop {
            // hyper closes at once what has no request under way; what has begun is held to its limits still.
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(cx)
    };
    let end = drive(poll, phases, &limits, peer, stopping).await;
    if end == End::Overdue {
        return None;
    }
    let Parts { io, read_buf, .. } = connection.into_parts();
    let socket = io.into_inner().into_inner();
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
    match taken.filter(|_| end == End::Handed && read_buf.is_empty()) {
        Some((source, framing)) => Some(Handed { socket, source, framing, peer }),
        None => {
            linger(socket, &limits).await; // who has sent more behind the request gets no stream: see `stream`
            None
        }
    }
}

/// Sets what the system does with what is sent. One that cannot do it is only slower, or notices later.
pub(super) fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true); // an answer is written whole
    #[cfg(target_os = "linux")]
    let _ = sockopt::set_tcp_user_timeout(stream, SILENCE_MILLIS);
}

/// How hyper's part of a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// In good order, or by a fault of either side.
    Over,
    /// By a limit.
    Overdue,
    /// With the head of a stream.
    Handed,
}

/// Polls the connection until it ends; `poll` is told once that it shall stop.
pub(super) async fn drive(
    mut poll: impl FnMut(&mut Context<'_>, bool) -> Poll<hyper::Result<()>>,
    phases: watch::Receiver<Phase>,
    limits: &Limits,
    peer: SocketAddr,
    stopping: watch::Receiver<bool>,
) -> End {
    let (mut stop, mut stopped) = (pin!(told(stopping)), false);
    let served = poll_fn(|cx| {
        let stops = !stopped && stop.as_mut().poll(cx).is_ready();
        stopped |= stops;
        match poll(cx, stops) {
            Poll::Pending if *phases.borrow() == Phase::Handed => Poll::Ready(Ok(End::Handed)),
            polled => polled.map_ok(|()| End::Over),
        }
    });
    tokio::select! {
        ended = served => ended.unwrap_or_else(|error| {
            tracing::debug!({ field::PEER } = %peer, { field::ERROR } = %error, "connection ended early");
            End::Over
        }),
        phase = overdue(phases.clone(), limits) => {
            tracing::debug!({ field::PEER } = %peer, { field::PHASE } = ?phase, "connection closed: the client was too slow");
            End::Overdue
        }
    }
}

/// The source of the stream that an answer of this connection asked for.
type Taken = Arc<Mutex<Option<(Box<dyn Source>, Framing)>>>;

pub(super) fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // hyper's limit counts the idle time before a request as reading its head; `pace` tells the two apart.
        .header_read_timeout(None)
        .max_header_size(limits.max_head_bytes)
        .max_headers(limits.max_head_fields)
        .max_buf_size(limits.max_head_bytes.saturating_mul(2));
    builder
}

/// What hyper awaits of a handler.
type Answer<B> = Pin<Box<dyn Future<Output = Result<Response<PacedBody<B>>, Infallible>> + Send>>;

/// The answer's future, boxed because hyper wants to move it; its body tells `pace` when it begins and ends. What a
/// stream takes its pieces from is put into `taken`, unless the request asks for no body.
fn answer<B: Send + 'static>(
    reply: impl Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    pace: Pace,
    taken: Taken,
    framing: Option<Framing>,
) -> Answer<B> {
    Box::pin(async move {
        let mut response = reply.await?;
        let Some(takeover) = response.extensions_mut().remove::<Takeover>() else {
            return Ok(response.map(|body| PacedBody::new(Some(body), pace)));
        };
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        *taken.lock().unwrap_or_else(PoisonError::into_inner) = takeover.take().zip(framing);
        Ok(response.map(|_| PacedBody::new(None, pace)))
    })
}

/// Completes when the daemon stops.
pub(super) async fn told(mut stopping: watch::Receiver<bool>) {
    // An error means that the accept loop is gone, which is the same news.
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Ends our side and reads on for a moment: closing with unread bytes would reset the connection and lose the answer.
pub(super) async fn linger(mut stream: TcpStream, limits: &Limits) {
    let drained = async {
        stream.shutdown().await?;
        let mut thrown_away = vec![0_u8; 4096]; // an array would be a part of every open connection
        while stream.read(&mut thrown_away).await? > 0 {}
        std::io::Result::Ok(())
    };
    drop(timeout(limits.linger, drained).await); // whichever way it ends, the connection is over
}
