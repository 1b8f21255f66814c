//! The judgement of an access token, in the order of docs/protocol.md §6.
//!
//! A [`Verifier`] holds one issuer's keys, what is asked of tokens, and the newest revocation list it has seen. Judging
//! takes `&self`, does no I/O and gives the same verdict for the same bytes and time everywhere. Unknown is never "valid".
//!
//! `policy` and `scope` are what is asked, `lists` takes lists into use, `judge` judges a token, `many` several,
//! `remembered` one that has been judged before, and `checks` and `scratch` are what these have in common.

mod checks;
mod judge;
mod lists;
mod many;
mod policy;
mod remembered;
mod scope;
mod scratch;

pub use judge::{Judged, Verified};
pub use lists::{LoadError, Loaded, MAX_LIST_AHEAD_SECS};
pub use policy::{DEFAULT_LEEWAY_SECS, MAX_LEEWAY_SECS, Misuse, Policy, check_scope};
pub use remembered::{Recheck, Remembered};
pub use scope::Scope;
pub use scratch::Scratch;

use crate::jwk::KeySet;
use crate::revocation::RevocationList;
use crate::time::UnixTime;
use std::sync::Arc;

/// `typ` of an access token (RFC 9068 §2.1).
pub const TYP: &str = "at+jwt";

/// Judges access tokens of one issuer.
#[derive(Debug)]
pub struct Verifier {
    policy: Policy,
    keys: KeySet,
    /// Another one as soon as a key in use has gone or changed: what was remembered under the former is unknown then.
    keys_stand: Arc<()>,
    list: Option<RevocationList>,
    /// The latest time that a list was signed at, of all that were seen.
    floor: UnixTime,
}

impl Verifier {
    /// Returns a verifier with these keys and no list yet.
    ///
    /// # Errors
    /// [`Misuse`] when the policy makes no sense.
    pub fn new(policy: Policy, keys: KeySet) -> Result<Self, Misuse> {
        policy.check()?;
        Ok(Self { policy, keys, keys_stand: Arc::default(), list: None, floor: UnixTime::MIN })
    }

    /// Replaces the keys; the list in use stays.
    ///
    /// Keys that stay keep what has been computed for them. Once a key in use has gone, or has another name, algorithm or
    /// purpose, nothing is known any more of the tokens judged until then.
    pub fn replace_keys(&mut self, mut keys: KeySet) {
        if !keys.holds_all_of(&self.keys) {
            self.keys_stand = Arc::default();
        }
        keys.take_over(&self.keys);
        self.keys = keys;
    }

    /// Returns the keys in use.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Returns the list in use.
    pub fn list(&self) -> Option<&RevocationList> {
        self.list.as_ref()
    }

    /// Returns the first second at which the list in use says nothing any more: its `exp`, or earlier by the policy.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn usable_until(&self) -> Option<UnixTime> {
        let head = self.list.as_ref()?.head();
        let earlier = self.policy.max_staleness_secs.map(|most| head.iat.plus_secs(most.saturating_add(1)));
        Some(earlier.map_or(head.exp, |earlier| earlier.min(head.exp)))
    }

    /// Returns whether every token is refused at `now` for want of a list that may still be used.
    pub fn is_stale(&self, now: UnixTime) -> bool {
        self.policy.revocations && self.usable_until().is_none_or(|until| self.now(now) >= until)
    }

    /// Returns the time that is judged by where the local clock shows `local`: a clock that runs behind what was signed
    /// revives nothing.
    pub fn now(&self, local: UnixTime) -> UnixTime {
        local.max(self.floor)
    }
}

/// A clone is a verifier of its own: what is remembered of tokens that the one judged is unknown to the other.
impl Clone for Verifier {
    fn clone(&self) -> Self {
        Self {
            policy: self.policy.clone(),
            keys: self.keys.clone(),
            keys_stand: Arc::default(),
            list: self.list.clone(),
            floor: self.floor,
        }
    }
}
