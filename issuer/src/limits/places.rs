//! Places that parties hold for a while: a cap on all of them, and one on what a network holds.

use super::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts the places that are held; clones share the count.
#[derive(Clone)]
pub struct Places(Arc<Shared>);

struct Shared {
    max_all: usize,
    max_each: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// One place; dropping it gives it back.
pub struct Place {
    places: Places,
    counted: Option<IpAddr>,
}

impl Places {
    /// Gives out `max_all` places, and of them `max_each` to one network unless that is 0.
    pub fn new(max_all: usize, max_each: usize) -> Self {
        Self(Arc::new(Shared { max_all, max_each, held: Mutex::default() }))
    }

    /// Returns a place for `address`, or `None` when a cap is reached.
    pub fn take(&self, address: IpAddr) -> Option<Place> {
        let mut place = self.take_for_anybody()?;
        place.count(address).then_some(place)
    }

    /// Returns a place for somebody of whom nobody knows yet who it is, or that is counted with nobody.
    pub fn take_for_anybody(&self) -> Option<Place> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.all >= self.0.max_all {
            return None;
        }
        held.all = held.all.saturating_add(1);
        Some(Place { places: self.clone(), counted: None })
    }
}

impl Place {
    /// Counts the place as one of `address`; false when its network has as many as it may have.
    pub fn count(&mut self, address: IpAddr) -> bool {
        let shared = &self.places.0;
        let Some(source) = (shared.max_each > 0).then(|| source(address)).flatten() else { return true };
        let mut held = shared.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.each.entry(source).or_default();
        if *count >= shared.max_each {
            return false;
        }
        *count = count.saturating_add(1);
        drop(held);
        self.counted = Some(source);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.all = held.all.saturating_sub(1);
        let Some(source) = self.counted else { return };
        if let Some(count) = held.each.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.each.remove(&source);
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
    fn the_cap_on_all_counts_everybody_and_a_place_is_given_back() {
        let places = Places::new(2, 0);
        let first = places.take(address("127.0.0.1")).expect("a place");
        let _second = places.take(address("192.0.2.1")).expect("a place");
        assert!(places.take(address("192.0.2.2")).is_none());
        drop(first);
        assert!(places.take(address("192.0.2.2")).is_some());
    }

    #[test]
    fn the_cap_on_each_address_leaves_other_addresses_alone() {
        let places = Places::new(100, 1);
        let held = places.take(address("192.0.2.1")).expect("a place");
        assert!(places.take(address("192.0.2.1")).is_none());
        assert!(places.take(address("::ffff:192.0.2.1")).is_none(), "the same address in IPv6 spelling");
        assert!(places.take(address("192.0.2.2")).is_some());
        drop(held);
        assert!(places.take(address("192.0.2.1")).is_some());
        assert!(places.0.held.lock().expect("not poisoned").each.is_empty(), "nothing is kept of who has left");
    }

    #[test]
    fn a_place_of_anybody_becomes_one_of_whom_it_is_for() {
        let places = Places::new(2, 1);
        let mut first = places.take_for_anybody().expect("a place");
        let mut second = places.take_for_anybody().expect("a place");
        assert!(places.take_for_anybody().is_none(), "the cap on all counts it from the beginning");
        assert!(first.count(address("192.0.2.1")));
        assert!(!second.count(address("192.0.2.1")));
        drop(first);
        assert!(second.count(address("192.0.2.1")));
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_source_and_loopback_is_none() {
        let places = Places::new(100, 1);
        let _held = places.take(address("2001:db8::1")).expect("a place");
        assert!(places.take(address("2001:db8::ffff:2")).is_none());
        assert!(places.take(address("2001:db8:0:1::1")).is_some());
        let loopback: Vec<_> = (0..3).map(|_| places.take(address("::1"))).collect();
        assert!(loopback.iter().all(Option::is_some));
    }
}
