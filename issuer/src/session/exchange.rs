//! An access token of a session buys a narrower one for another client (RFC 8693). The new one belongs to the same session
//! and ends with it: it is never signed again, so its place is all that is kept.

use super::{GrantFault, Outcome, Session, Step};
use token::id::Jti;
use token::time::UnixTime;

/// Tokens of one session that clients have got by exchange and that may be unexpired at a time.
pub const MAX_EXCHANGED: usize = 64;

/// An access token that was got by exchange and may not have expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchanged {
    /// When it expires.
    pub exp: UnixTime,
    /// Its index in the expiry epoch of `exp`.
    pub index: u32,
    /// When it was issued.
    pub iat: UnixTime,
    /// The client that got it.
    pub client_id: String,
}

impl Exchanged {
    /// Returns its place in the revocation list.
    pub fn jti(&self) -> Jti {
        Jti::new(self.exp, self.index)
    }
}

impl Session {
    /// Takes in a token that a client gets by exchange, unless the session is over. A token that expired `leeway_secs`
    /// before `certain`, a time that has passed, is forgotten.
    pub fn exchange(mut self, token: Exchanged, leeway_secs: u64, certain: UnixTime) -> Step {
        if self.ended.is_some() {
            return self.unchanged(Outcome::Refused(GrantFault::Ended));
        }
        if token.iat >= self.expires_at() {
            return self.unchanged(Outcome::Refused(GrantFault::Expired));
        }
        let over = |held: &Exchanged| held.exp.plus_secs(leeway_secs);
        if self.exchanged.iter().filter(|held| over(held) > certain).count() >= MAX_EXCHANGED {
            let free = self.exchanged.iter().map(over).filter(|at| *at > certain).min();
            let retry_after_secs = free.map_or(1, |at| at.secs_since(certain)).max(1);
            return self.unchanged(Outcome::Full { retry_after_secs });
        }
        self.exchanged.retain(|held| over(held) > certain);
        self.exchanged.push(token);
        Step { session: self, changed: true, revoked: Vec::new(), outcome: Outcome::Exchanged }
    }
}
