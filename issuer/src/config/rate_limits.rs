//! `[rate_limits]`: how often one party may do something; 0 turns a limit off.
//!
//! The defaults are far above what an honest party needs: a backend that mints 5,000 pairs a second meets none of them.
//! Whoever guesses secrets meets the first two.

use super::table::table;
use crate::limits::{Quota, Quotas};
use std::time::Duration;

table! {
    /// Rate limits.
    RateLimitsTable in "rate_limits." {
        /// Failed authentications in a minute from one address (an IPv6 /64 counts as one) as one client; 0 = no limit
        #[arg(id = "rate_limits.failures_per_minute", long = "rate-limits-failures-per-minute", env = "COUNTERSIGN_RATE_LIMITS_FAILURES_PER_MINUTE", value_name = "COUNT")]
        failures_per_minute: u64 = 30, 0..=1_000_000;
        /// Failed authentications in a minute from one address as anybody; 0 = no limit
        #[arg(id = "rate_limits.address_failures_per_minute", long = "rate-limits-address-failures-per-minute", env = "COUNTERSIGN_RATE_LIMITS_ADDRESS_FAILURES_PER_MINUTE", value_name = "COUNT")]
        address_failures_per_minute: u64 = 300, 0..=1_000_000; // ten clients behind one address that all have lost their secrets
        /// Requests of one client in a second, all endpoints together; 0 = no limit
        #[arg(id = "rate_limits.client_per_second", long = "rate-limits-client-per-second", env = "COUNTERSIGN_RATE_LIMITS_CLIENT_PER_SECOND", value_name = "COUNT")]
        client_per_second: u64 = 20_000, 0..=1_000_000;
        /// Requests to token endpoints in a second from one address; 0 = no limit
        #[arg(id = "rate_limits.token_per_second", long = "rate-limits-token-per-second", env = "COUNTERSIGN_RATE_LIMITS_TOKEN_PER_SECOND", value_name = "COUNT")]
        token_per_second: u64 = 20_000, 0..=1_000_000;
        /// Requests to the management API in a second from one address; 0 = no limit
        #[arg(id = "rate_limits.management_per_second", long = "rate-limits-management-per-second", env = "COUNTERSIGN_RATE_LIMITS_MANAGEMENT_PER_SECOND", value_name = "COUNT")]
        management_per_second: u64 = 1_000, 0..=1_000_000;
        /// Requests for what everybody may read (keys, lists, metadata) in a second from one address; 0 = no limit
        #[arg(id = "rate_limits.public_per_second", long = "rate-limits-public-per-second", env = "COUNTERSIGN_RATE_LIMITS_PUBLIC_PER_SECOND", value_name = "COUNT")]
        public_per_second: u64 = 0, 0..=1_000_000; // verifiers behind one address may be thousands, and a cache answers most
    }
}

impl RateLimitsTable {
    /// Returns what is allowed; a setting that is missing is no limit.
    pub(super) fn quotas(&self) -> Quotas {
        let each = |amount: Option<u64>, secs| Quota::new(amount.unwrap_or_default(), Duration::from_secs(secs));
        Quotas {
            failures: each(self.failures_per_minute, 60),
            failures_of_address: each(self.address_failures_per_minute, 60),
            client: each(self.client_per_second, 1),
            token: each(self.token_per_second, 1),
            management: each(self.management_per_second, 1),
            public: each(self.public_per_second, 1),
        }
    }
}
