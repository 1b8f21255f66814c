//! What is between a new connection and HTTP: the PROXY header of a trusted proxy, and TLS.

use super::admission::Permit;
use super::connection::{self, told};
use super::limits::Limits;
use super::proxies::Proxies;
use super::stream::Handed;
use super::tls::Identity;
use super::{proxy_protocol, secure};
use crate::telemetry::field;
use crate::telemetry::metrics::METRICS;
use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// What stands before HTTP. What may change while the daemon runs is looked at once for each connection.
#[derive(Clone)]
pub struct Front {
    /// Who is believed when it says for whom it speaks. Their connections are not counted as those of one address.
    pub proxies: watch::Receiver<Proxies>,
    /// Trusted proxies begin each connection with a PROXY header.
    pub proxy_protocol: bool,
    /// The server's certificate, and how long a handshake may take; `None` = in the clear.
    pub tls: Option<(watch::Receiver<Identity>, Duration)>,
}

impl Front {
    /// Returns a front that trusts nobody and speaks in the clear.
    pub fn plain() -> Self {
        Self { proxies: watch::channel(Proxies::default()).1, proxy_protocol: false, tls: None }
    }

    /// True when connections from `address` are those of many.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.borrow().trusts(address)
    }
}

/// A connection that has just been admitted.
pub(super) struct Arrival {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) permit: Permit,
}

/// Serves a connection; returns it when it goes on as a stream.
pub(super) async fn enter<S, B>(
    arrival: Arrival,
    service: S,
    limits: Arc<Limits>,
    front: Front,
    stopping: watch::Receiver<bool>,
) -> Option<(Handed, Permit)>
where
    TowerToHyperService<S>: Unpin + Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    <TowerToHyperService<S> as Service<Request<Incoming>>>::Future: Send + 'static,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let Arrival { mut stream, mut peer, mut permit } = arrival;
    if front.proxy_protocol && front.trusts(peer.ip()) {
        let read = tokio::select! {
            () = told(stopping.clone()) => return None,
            read = timeout(limits.header, proxy_protocol::read(&mut stream)) => read,
        };
        let Ok(Ok(source)) = read else {
            tracing::debug!({ field::PEER } = %peer, "connection closed: a trusted proxy sent no PROXY header in time");
            return None;
        };
        peer = source.unwrap_or(peer);
        if source.is_some_and(|source| !permit.count(source.ip())) {
            METRICS.refused_connection();
            tracing::debug!({ field::PEER } = %peer, "connection refused: a connection cap is reached");
            return None;
        }
    }
    // Boxed, so that a connection in the clear does not take the room that one with TLS and HTTP/2 needs.
    match &front.tls {
        None => {
            Box::pin(connection::serve(stream, peer, service, limits, stopping)).await.map(|handed| (handed, permit))
        }
        Some((identity, handshake)) => {
            let identity = identity.borrow().clone();
            Box::pin(secure::serve(stream, peer, service, limits, (identity, *handshake), stopping)).await;
            None
        }
    }
}
