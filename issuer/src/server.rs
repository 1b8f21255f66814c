//! The accept loop: connections come in, warp's routes answer, and every wait of a client has a bound.
//!
//! warp's own server has no timeout and no cap, so hyper's connections are driven here: HTTP/1.1 in the clear, HTTP/1.1 or
//! HTTP/2 under TLS. What a request may contain is `http`'s business; this file and its folder bound how long and how many.
//!
//! ```text
//! accept ─► admission (caps) ─► front (PROXY header) ─► connection ─► hyper http1 ─► warp::service(routes)
//!                                     │                      │ └─ pace: which phase the connection is in, and how long it may last
//!                                     │                      └─ takeover ─► stream: an answer that goes on for hours, without hyper
//!                                     └─ secure: TLS ─► hyper http1 or http2; streams stay with hyper (pieces)
//! ```

mod admission;
mod background;
mod connection;
mod front;
mod head;
mod http2;
mod limits;
mod pace;
mod pieces;
mod proxies;
mod proxy_protocol;
mod secure;
mod stream;
mod takeover;
#[cfg(test)]
mod tests;
mod tls;
mod upstream;

pub use background::keep_house;
pub use connection::Peer;
pub use front::Front;
pub use head::BadHead;
pub use limits::Limits;
pub use proxies::Proxies;
pub use takeover::{Next, Source, Takeover};
pub use tls::{Identity, TlsError};
pub use upstream::{Line, Unanswered, Upstream};

use crate::telemetry::field;
use crate::telemetry::metrics::METRICS;
use admission::{Admission, Permit};
use front::{Arrival, enter};
use std::future::Future;
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stream::Handed;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use warp::Reply;
use warp::filters::BoxedFilter;

/// How long the loop rests when the system has no descriptor or memory for a new connection; others end meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a connection over a cap is told, as far as it still listens (RFC 9110 §15.6.4).
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// How the last connections ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request that had begun was answered.
    Whole,
    /// The drain limit passed first and this many connections were cut.
    Cut(usize),
}

/// Serves `routes` behind `front` on `listener` until `shutdown` completes, then lets begun requests end within the drain limit.
///
/// A failed accept never ends the loop. A panic inside a handler ends that connection only.
pub async fn run<R: Reply + Send + 'static>(
    listener: TcpListener,
    routes: BoxedFilter<(R,)>,
    limits: Limits,
    front: Front,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    run_in_turn(listener, routes, limits, front, (std::future::pending(), shutdown)).await
}

/// Does the same, but once `relieved` completes takes no connection any more: somebody else does, who has the socket too. The
/// connections there are go on until `shutdown` completes.
pub async fn run_in_turn<R: Reply + Send + 'static>(
    listener: TcpListener,
    routes: BoxedFilter<(R,)>,
    limits: Limits,
    front: Front,
    (relieved, shutdown): (impl Future<Output = ()>, impl Future<Output = ()>),
) -> Drained {
    let admission = Admission::new(limits.max_connections, limits.max_connections_per_address);
    let (stop, stopping) = watch::channel(false);
    let mut connections = Connections { tasks: JoinSet::new(), limits: Arc::new(limits), front, stopping };
    tokio::pin!(shutdown, relieved);
    let mut listener = Some(listener);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            () = &mut relieved, if listener.is_some() => {
                listener = None;
                continue;
            }
            Some(()) = connections.ended() => continue,
            accepted = accept(listener.as_ref()) => accepted,
        };
        let Some((stream, peer)) = accepted else { continue };
        let trusted = connections.front.trusts(peer.ip());
        match if trusted { admission.admit_anybody() } else { admission.admit(peer.ip()) } {
            Some(permit) => connections.begin(Arrival { stream, peer, permit }, routes.clone()),
            None => turn_away(stream, peer),
        }
    }
    drop(listener);
    stop.send_replace(true);
    connections.drain().await
}

/// Every open connection, each a task.
struct Connections {
    tasks: JoinSet<Option<(Handed, Permit)>>,
    limits: Arc<Limits>,
    front: Front,
    stopping: watch::Receiver<bool>,
}

impl Connections {
    fn begin<R: Reply + Send + 'static>(&mut self, arrival: Arrival, routes: BoxedFilter<(R,)>) {
        let service = warp::service(routes);
        let connection = enter(arrival, service, Arc::clone(&self.limits), self.front.clone(), self.stopping.clone());
        // Boxed, because the socket keeps a waker of this task after it has ended, and a waker keeps the task's own memory.
        self.tasks.spawn(Box::pin(connection));
    }

    /// Waits for the end of a task, `None` if there is none. A stream that was handed over goes on in a task of its own:
    /// the one of its connection is many times as large.
    async fn ended(&mut self) -> Option<()> {
        match self.tasks.join_next().await? {
            Ok(None) => {}
            Ok(Some((handed, permit))) => {
                let stream = stream::send(handed, self.limits.write_stall, self.stopping.clone());
                self.tasks.spawn(async move {
                    stream.await;
                    drop(permit);
                    None
                });
            }
            Err(error) => report(&error),
        }
        Some(())
    }

    /// Lets begun requests end within the drain limit; then cuts the rest.
    async fn drain(mut self) -> Drained {
        let limit = self.limits.drain;
        let ended = async { while self.ended().await.is_some() {} };
        if tokio::time::timeout(limit, ended).await.is_ok() {
            return Drained::Whole;
        }
        let cut = self.tasks.len();
        self.tasks.shutdown().await;
        Drained::Cut(cut)
    }
}

async fn accept(listener: Option<&TcpListener>) -> Option<(TcpStream, SocketAddr)> {
    let Some(listener) = listener else { return std::future::pending().await };
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        // The client gave up between its SYN and our accept (accept(2)): nothing is wrong here.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
            ) =>
        {
            None
        }
        Err(error) => {
            tracing::warn!({ field::ERROR } = %error, "no new connection can be accepted; trying again");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Answers 503 as far as that takes no waiting, and closes.
fn turn_away(stream: TcpStream, peer: SocketAddr) {
    tracing::debug!({ field::PEER } = %peer, "connection refused: a connection cap is reached");
    METRICS.refused_connection();
    if let Ok(mut stream) = stream.into_std() {
        // The stream does not block and its send buffer is empty; who does not get the answer sees the close.
        drop(stream.write(FULL));
    }
}

fn report(error: &JoinError) {
    if error.is_panic() {
        tracing::error!("a request handler panicked; its connection was closed");
    }
}
