//! Who may hold a connection: a cap on all and a cap on each address.

use crate::limits::{Place, Places};
use crate::telemetry::metrics::METRICS;
use std::net::IpAddr;

/// Counts open connections; clones share the count.
#[derive(Clone)]
pub(super) struct Admission(Places);

/// One place among the open connections; dropping it gives the place back.
pub(super) struct Permit(Place);

impl Admission {
    /// Admits `max_all` connections at once, and `max_each` from one address unless that is 0.
    pub(super) fn new(max_all: usize, max_each: usize) -> Self {
        Self(Places::new(max_all, max_each))
    }

    /// Returns a place for a connection from `address`, or `None` when a cap is reached.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Permit> {
        self.0.take(address).map(Permit::of)
    }

    /// Returns a place for a connection of which nobody knows yet whose it is: a proxy speaks for others.
    pub(super) fn admit_anybody(&self) -> Option<Permit> {
        self.0.take_for_anybody().map(Permit::of)
    }
}

impl Permit {
    fn of(place: Place) -> Self {
        METRICS.connected();
        Self(place)
    }

    /// Counts the connection as one from `address`; false when that address has as many as it may have.
    pub(super) fn count(&mut self, address: IpAddr) -> bool {
        self.0.count(address)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        METRICS.disconnected();
    }
}
