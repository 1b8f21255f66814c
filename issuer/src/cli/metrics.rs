//! The listener of metrics, apart from the one of clients.

use super::Failure;
use crate::http::metrics_routes;
use crate::operations::Issuer;
use crate::server::{self, Front, Limits};
use crate::telemetry::field;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Connections at once: a monitoring has one, or a few.
const CONNECTIONS: usize = 64;

/// Takes the address, before the daemon is ready; `None` when no metrics are wanted.
///
/// # Errors
/// [`Failure::Machine`] when it cannot be had.
pub(super) async fn listen(address: Option<SocketAddr>) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = address else { return Ok(None) };
    let failed = |error| Failure::Machine(format!("cannot listen on {address} for metrics: {error}"));
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let listen = listener.local_addr().map_err(failed)?;
    tracing::info!({ field::LISTEN } = %listen, "metrics are told");
    Ok(Some(listener))
}

/// Tells metrics, while there is no issuer yet, too; ends only when it is aborted.
pub(super) async fn serve(listener: TcpListener, issuer: watch::Receiver<Option<Issuer>>) {
    let limits = Limits { max_connections: CONNECTIONS, max_connections_per_address: 0, ..Limits::default() };
    server::run(listener, metrics_routes(issuer), limits, Front::plain(), std::future::pending()).await;
}
