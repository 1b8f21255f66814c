//! Rate limits, as pure data: how often one party may do something, and where it stands. Time is an argument.
//!
//! ```text
//! failures of authentication   each address and claimed client; each address     asked before a secret is looked at
//! requests of a client         each client that has proved itself                all endpoints together
//! requests of an address       each address, apart for token endpoints, management and what is public
//! ```
//!
//! An address stands for its network as one party holds it: an IPv6 /64 is one (see [`network`]). What is counted is a
//! budget that fills up evenly and is full after its window (a token bucket, kept as GCRA: one number a party).

mod buckets;
mod places;
#[cfg(test)]
mod tests;

pub use buckets::{Buckets, Exceeded, Quota, Standing};
pub use places::{Place, Places};

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// Which budget of an address a request is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What issues, renews, judges or takes back tokens.
    Token,
    /// What an administrator does.
    Management,
    /// What everybody may read.
    Public,
}

/// How much is allowed; `None` = without a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Failed authentications from one address as one client.
    pub failures: Option<Quota>,
    /// Failed authentications from one address as anybody.
    pub failures_of_address: Option<Quota>,
    /// Requests of one client.
    pub client: Option<Quota>,
    /// Requests to token endpoints from one address.
    pub token: Option<Quota>,
    /// Requests to the management API from one address.
    pub management: Option<Quota>,
    /// Other requests from one address.
    pub public: Option<Quota>,
}

/// Everybody's budgets. Clones share them.
#[derive(Clone)]
pub struct Limiter {
    quotas: Quotas,
    failures: Arc<Buckets>,
    failures_of_address: Arc<Buckets>,
    client: Arc<Buckets>,
    token: Arc<Buckets>,
    management: Arc<Buckets>,
    public: Arc<Buckets>,
}

impl Limiter {
    /// Gives everybody full budgets.
    pub fn new(quotas: Quotas) -> Self {
        let buckets = |name, quota| Arc::new(Buckets::new(name, quota));
        Self {
            quotas,
            failures: buckets("failures", quotas.failures),
            failures_of_address: buckets("failures-address", quotas.failures_of_address),
            client: buckets("client", quotas.client),
            token: buckets("token", quotas.token),
            management: buckets("management", quotas.management),
            public: buckets("public", quotas.public),
        }
    }

    /// Returns a limiter with other quotas; where a quota stays, everybody's budget stays as it is.
    #[must_use]
    pub fn with(&self, quotas: Quotas) -> Self {
        let mut next = Self::new(quotas);
        let old = &self.quotas;
        let pairs = [
            (old.failures == quotas.failures, &mut next.failures, &self.failures),
            (
                old.failures_of_address == quotas.failures_of_address,
                &mut next.failures_of_address,
                &self.failures_of_address,
            ),
            (old.client == quotas.client, &mut next.client, &self.client),
            (old.token == quotas.token, &mut next.token, &self.token),
            (old.management == quotas.management, &mut next.management, &self.management),
            (old.public == quotas.public, &mut next.public, &self.public),
        ];
        for (same, mine, before) in pairs {
            if same {
                *mine = Arc::clone(before);
            }
        }
        next
    }

    /// Takes one request of `class` from the budget of `address`; returns where it stands, `None` without a limit.
    ///
    /// # Errors
    /// [`Exceeded`]: nothing was taken.
    pub fn request(&self, class: Class, address: IpAddr, now: Duration) -> Result<Option<Standing>, Exceeded> {
        let buckets = match class {
            Class::Token => &self.token,
            Class::Management => &self.management,
            Class::Public => &self.public,
        };
        buckets.take(&network(address), now)
    }

    /// Takes one request from the budget of a client that has proved itself.
    ///
    /// # Errors
    /// [`Exceeded`]: nothing was taken.
    pub fn request_of(&self, client_id: &str, now: Duration) -> Result<(), Exceeded> {
        self.client.take(&client_id, now).map(|_| ())
    }

    /// Asks whether `address` may try to prove that it is `client_id`; its secret must not be looked at otherwise. Attempts
    /// that are under way at the same moment all pass.
    ///
    /// # Errors
    /// [`Exceeded`]: too many attempts have failed.
    pub fn attempt(&self, address: IpAddr, client_id: &str, now: Duration) -> Result<(), Exceeded> {
        let network = network(address);
        self.failures_of_address.ask(&network, now)?;
        self.failures.ask(&(network, client_id), now)
    }

    /// Notes that an attempt has failed.
    pub fn failed(&self, address: IpAddr, client_id: &str, now: Duration) {
        let network = network(address);
        // Whoever is at the limit is told so by the next `attempt`.
        let _ = self.failures_of_address.take(&network, now);
        let _ = self.failures.take(&(network, client_id), now);
    }
}

/// Returns what one party can be taken to hold: an IPv4 address, or an IPv6 /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}
