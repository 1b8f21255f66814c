//! One connection, from its first byte to its last.

use super::limits::Limits;
use super::pace::{Pace, PacedBody, PacedStream, Phase, overdue, pace};
use crate::telemetry::field;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// The address at the other end of the connection, as an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves requests on `stream` until the client leaves, a limit passes or the last answer after `stopping` is sent.
pub(super) async fn serve<S, B>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    limits: Arc<Limits>,
    stopping: watch::Receiver<bool>,
) where
    TowerToHyperService<S>: Unpin + Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    <TowerToHyperService<S> as Service<Request<Incoming>>>::Future: Send + 'static,
    B: Body + Unpin + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    drop(stream.set_nodelay(true)); // an answer is written whole; a platform without the option is only slower
    let (pace, phases) = pace();
    let io = TokioIo::new(PacedStream::new(stream, pace.clone(), limits.write_stall));
    let routes = TowerToHyperService::new(service);
    let service = service_fn(move |mut request: Request<Incoming>| {
        pace.enter(Phase::Exchange);
        request.extensions_mut().insert(Peer(peer));
        answer(routes.call(request), pace.clone())
    });
    let mut connection = builder(&limits).serve_connection(io, service);
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => Some(ended),
        phase = overdue(phases.clone(), &limits) => {
            tracing::debug!({ field::PEER } = %peer, { field::PHASE } = ?phase, "connection closed: the client was too slow");
            None
        }
        () = told(stopping) => {
            Pin::new(&mut connection).graceful_shutdown();
            // hyper closes at once what has no request under way; what has begun is held to its limits still.
            tokio::select! {
                ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => Some(ended),
                _ = overdue(phases, &limits) => None,
            }
        }
    };
    if let Some(Err(error)) = &ended {
        tracing::debug!({ field::PEER } = %peer, { field::ERROR } = %error, "connection ended early");
    }
    if ended.is_some() {
        linger(connection.into_parts().io.into_inner().into_inner(), &limits).await;
    }
}

fn builder(limits: &Limits) -> http1::Builder {
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

/// The answer's future, boxed because hyper wants to move it; its body tells `pace` when it ends.
fn answer<B: Send + 'static>(
    reply: impl Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    pace: Pace,
) -> Answer<B> {
    Box::pin(async move { reply.await.map(|response| response.map(|body| PacedBody::new(body, pace))) })
}

async fn told(mut stopping: watch::Receiver<bool>) {
    // An error means that the accept loop is gone, which is the same news.
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Ends our side and reads on for a moment: closing with unread bytes would reset the connection and lose the answer.
async fn linger(mut stream: TcpStream, limits: &Limits) {
    let drained = async {
        stream.shutdown().await?;
        let mut thrown_away = [0_u8; 4096];
        while stream.read(&mut thrown_away).await? > 0 {}
        std::io::Result::Ok(())
    };
    drop(timeout(limits.linger, drained).await); // whichever way it ends, the connection is over
}
