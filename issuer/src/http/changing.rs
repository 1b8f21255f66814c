//! What may change at the surface while the daemon runs.

use crate::config::ForwardedHeader;
use crate::limits::Limiter;
use crate::server::Proxies;
use std::fmt;

/// What an operator may change about the surface without a restart.
#[derive(Clone)]
pub struct Changing {
    /// Pages of these origins may call the token and the revocation endpoint.
    pub cors_origins: Vec<String>,
    /// Who is believed when it says for whom it speaks.
    pub proxies: Proxies,
    /// In which field it says so.
    pub forwarded_header: ForwardedHeader,
    /// Everybody's budgets.
    pub limiter: Limiter,
}

impl fmt::Debug for Changing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changing")
    }
}
