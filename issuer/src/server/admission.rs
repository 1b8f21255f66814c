//! Who may hold a connection: a cap on all and a cap on each address.

use crate::limits::network;
use crate::telemetry::metrics::METRICS;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts open connections; clones share the count.
#[derive(Clone)]
pub(super) struct Admission(Arc<Shared>);

struct Shared {
    max_all: usize,
    max_each: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// One place among the open connections; dropping it gives the place back.
pub(super) struct Permit {
    admission: Admission,
    counted: Option<IpAddr>,
}

impl Admission {
    /// Admits `max_all` connections at once, and `max_each` from one address unless that is 0.
    pub(super) fn new(max_all: usize, max_each: usize) -> Self {
        Self(Arc::new(Shared { max_all, max_each, open: Mutex::default() }))
    }

    /// Returns a place for a connection from `address`, or `None` when a cap is reached.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Permit> {
        let mut permit = self.admit_anybody()?;
        permit.count(address).then_some(permit)
    }

    /// Returns a place for a connection of which nobody knows yet whose it is: a proxy speaks for others.
    pub(super) fn admit_anybody(&self) -> Option<Permit> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.0.max_all {
            return None;
        }
        open.all = open.all.saturating_add(1);
        METRICS.connected();
        Some(Permit { admission: self.clone(), counted: None })
    }
}

impl Permit {
    /// Counts the connection as one from `address`; false when that address has as many as it may have.
    pub(super) fn count(&mut self, address: IpAddr) -> bool {
        let shared = &self.admission.0;
        let Some(source) = (shared.max_each > 0).then(|| source(address)).flatten() else { return true };
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.each.entry(source).or_default();
        if *count >= shared.max_each {
            return false;
        }
        *count = count.saturating_add(1);
        drop(open);
        self.counted = Some(source);
        true
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        METRICS.disconnected();
        let mut open = self.admission.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        let Some(source) = self.counted else { return };
        if let Some(count) = open.each.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.each.remove(&source);
            }
        }
    }
}

/// Returns the network that is counted; nothing for loopback.
fn source(address: IpAddr) -> Option<IpAddr> {
    (!address.to_canonical().is_loopback()).then(|| network(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_cap_on_all_counts_everybody_and_a_closed_connection_gives_its_place_back() {
        let admission = Admission::new(2, 0);
        let first = admission.admit(address("127.0.0.1")).expect("a place");
        let _second = admission.admit(address("192.0.2.1")).expect("a place");
        assert!(admission.admit(address("192.0.2.2")).is_none());
        drop(first);
        assert!(admission.admit(address("192.0.2.2")).is_some());
    }

    #[test]
    fn the_cap_on_each_address_leaves_other_addresses_alone() {
        let admission = Admission::new(100, 1);
        let held = admission.admit(address("192.0.2.1")).expect("a place");
        assert!(admission.admit(address("192.0.2.1")).is_none());
        assert!(admission.admit(address("::ffff:192.0.2.1")).is_none(), "the same address in IPv6 spelling");
        assert!(admission.admit(address("192.0.2.2")).is_some());
        drop(held);
        assert!(admission.admit(address("192.0.2.1")).is_some());
        assert!(admission.0.open.lock().expect("not poisoned").each.is_empty(), "nothing is kept of who has left");
    }

    #[test]
    fn a_place_of_a_proxy_becomes_one_of_whom_it_speaks_for() {
        let admission = Admission::new(2, 1);
        let mut first = admission.admit_anybody().expect("a place");
        let mut second = admission.admit_anybody().expect("a place");
        assert!(admission.admit_anybody().is_none(), "the cap on all counts it from the beginning");
        assert!(first.count(address("192.0.2.1")));
        assert!(!second.count(address("192.0.2.1")));
        drop(first);
        assert!(second.count(address("192.0.2.1")));
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_source_and_loopback_is_none() {
        let admission = Admission::new(100, 1);
        let _held = admission.admit(address("2001:db8::1")).expect("a place");
        assert!(admission.admit(address("2001:db8::ffff:2")).is_none());
        assert!(admission.admit(address("2001:db8:0:1::1")).is_some());
        let loopback: Vec<_> = (0..3).map(|_| admission.admit(address("::1"))).collect();
        assert!(loopback.iter().all(Option::is_some));
    }
}
