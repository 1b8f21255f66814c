//! The other daemons of a database, to which one that stands by passes requests on.

use super::super::Failure;
use super::tls;
use crate::server::Upstream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;

/// How other daemons are reached.
pub(in crate::cli) struct Peers {
    tls: Option<TlsConnector>,
    idle: Duration,
}

impl Peers {
    /// Reaches them over TLS by the authorities in `root_file`, or by those of the system. They close what is idle for longer
    /// than `idle`.
    ///
    /// # Errors
    /// [`Failure::Setting`] when the file cannot be used. A system that trusts nobody is one that reaches nobody over TLS.
    pub(in crate::cli) fn new(root_file: Option<&Path>, idle: Duration) -> Result<Self, Failure> {
        let tls = match (root_file, tls::connector(root_file, "store.advertise_root_file")) {
            (_, Ok(tls)) => Some(tls),
            (Some(_), Err(failure)) => return Err(failure),
            (None, Err(_)) => None,
        };
        Ok(Self { tls, idle: idle / 2 })
    }

    /// Reaches nobody over TLS: there are no others.
    pub(in crate::cli) fn none() -> Self {
        Self { tls: None, idle: Duration::MAX }
    }

    /// Returns the daemon at an origin; one that cannot be reached is told in the log.
    pub(in crate::cli) fn at(&self, origin: &str) -> Option<Arc<Upstream>> {
        let upstream = Upstream::new(origin, self.tls.as_ref(), self.idle);
        upstream.inspect_err(|reason| tracing::warn!(reason, "requests cannot be passed on")).ok()
    }
}
