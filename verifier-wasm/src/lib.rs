//! Bindings of [`token::verify::Verifier`] for JavaScript, and nothing else.
//!
//! What crosses the boundary:
//!
//! ```text
//! in    tokens and required scope in places of the desk, for which only numbers are handed over; documents as bytes;
//!       what is asked of every token as asked.rs describes; times as f64 seconds, whole and not negative
//! out   verdicts and refusals as text on the desk, see answer.rs; all else as numbers, see status.rs
//! throw nothing: what is thrown is a trap
//! ```
//!
//! No value of JavaScript's crosses it but the numbers of the status, which may be null, and no function returns more than
//! one value: for each type of function that does, V8 compiles a wrapper with its optimising compiler before the module is there.
//!
//! Claims leave as text because `JSON.parse` makes own members of all of them, `__proto__` included, and is faster than
//! setting members one by one. The callers are pkg/src/desk.js and state.js, which check lengths before anything is copied.

#[cfg(target_arch = "wasm32")]
mod allocator;
mod answer;
mod asked;
mod desk;
mod output;
mod seconds;
mod slots;
mod status;

use answer::Refusal;
use desk::{Call, desk};
use slots::Slots;
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify::{self, Loaded, Policy};
use wasm_bindgen::prelude::*;

/// Returns the address of a place on the desk, by the numbers of desk.rs.
#[wasm_bindgen]
pub fn place(number: u32) -> usize {
    desk().place(number)
}

/// Returns the length of the newest refusal on the desk, which answers a call that has no length to return.
#[wasm_bindgen]
pub fn refused() -> usize {
    desk().refused()
}

/// A verifier of one issuer's tokens, held by JavaScript.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Verifier {
    verifier: verify::Verifier,
    slots: Slots,
}

#[wasm_bindgen]
impl Verifier {
    /// Returns a verifier with these keys and no revocation list yet, that can remember `slots` accepted tokens; nothing
    /// when that is refused, as [`refused`] says then.
    ///
    /// Times are relaxed by `leeway` seconds; a list must have been signed at most `staleness` seconds ago, unless that is
    /// NaN; without `revocations` there is none.
    pub fn of(
        asked: &[u8],
        leeway: u32,
        revocations: bool,
        staleness: f64,
        keys: &[u8],
        slots: usize,
    ) -> Option<Verifier> {
        let max_staleness_secs = seconds::time(staleness).ok().map(UnixTime::as_secs);
        let (leeway_secs, scope) = (leeway.into(), Vec::new());
        let mut policy = Policy { issuer: None, audience: None, leeway_secs, scope, revocations, max_staleness_secs };
        asked::of(asked, &mut policy);
        let refusal = match KeySet::parse(keys).map(|keys| verify::Verifier::new(policy, keys)) {
            Ok(Ok(verifier)) => return Some(Self { verifier, slots: Slots::new(slots) }),
            Ok(Err(misuse)) => misuse.into(),
            Err(rejection) => rejection.into(),
        };
        desk().refuse(&refusal);
        None
    }

    /// Replaces the keys by those of this JWK Set, and returns 1; the list in use stays. When the set is refused, the keys
    /// in use stay, and the length of the refusal on the desk is returned; 0 is a defect.
    #[wasm_bindgen(js_name = loadKeys)]
    pub fn load_keys(&mut self, keys: &[u8]) -> usize {
        match KeySet::parse(keys) {
            Ok(keys) => {
                self.verifier.replace_keys(keys);
                1
            }
            Err(rejection) => desk().refuse(&rejection.into()),
        }
    }

    /// Takes a revocation list, or a delta of the one in use, into use, and returns what became of it: 1 it is in use now;
    /// 2 it is of the state in use, 3 it is older, both were ignored; 4 it is a delta of a newer list that does not lead on
    /// from the one in use; a larger number is the length of its refusal on the desk, and the list in use stays; 0 is a
    /// defect.
    #[wasm_bindgen(js_name = loadRevocations)]
    pub fn load_revocations(&mut self, document: &[u8], now: f64) -> usize {
        let now = match seconds::time(now) {
            Ok(now) => now,
            Err(message) => return desk().refuse(&Refusal::usage(message)),
        };
        match self.verifier.load_revocations(document, now) {
            Ok(Loaded::Newer) => 1,
            Ok(Loaded::Same) => 2,
            Ok(Loaded::Older) => 3,
            Ok(Loaded::Gap) => 4,
            Err(error) => desk().refuse(&error.into()),
        }
    }

    /// Judges the token of `length` bytes on the desk, and returns the length of the answer there; 0 is a defect. A token
    /// that is accepted can be asked about again by its `slot`; from the number of slots on it is not remembered.
    ///
    /// The first `scope` bytes of the desk's scope are scope values, between single spaces, that the token must have
    /// besides those of the options.
    pub fn judge(&mut self, length: usize, scope: usize, now: f64, slot: usize) -> usize {
        desk().judge(&self.verifier, Call { scope, now }, length, &mut self.slots, slot)
    }

    /// Judges the first `count` tokens, which lie on the desk one behind the other, and returns the length of the answer:
    /// an array of what [`Verifier::judge`] answers for each.
    #[wasm_bindgen(js_name = judgeMany)]
    pub fn judge_many(&self, count: usize, scope: usize, now: f64) -> usize {
        desk().judge_many(&self.verifier, Call { scope, now }, count)
    }

    /// Judges again the token that is remembered in `slot`, and returns 0 when nothing is known of it, 1 when it holds, or
    /// the length of the refusal on the desk.
    pub fn recheck(&self, slot: usize, scope: usize, now: f64) -> usize {
        desk().recheck(&self.verifier, Call { scope, now }, &self.slots, slot)
    }

    /// Returns whether every token is refused at `now` for want of a list that may still be used.
    #[wasm_bindgen(js_name = isStale)]
    pub fn is_stale(&self, now: f64) -> bool {
        seconds::time(now).map_or(true, |now| self.verifier.is_stale(now))
    }

    /// Returns what is known of the list in use, a number for each number of status.rs.
    pub fn status(&self, number: u32) -> JsValue {
        status::number(&self.verifier, number)
    }

    /// Lays the `kid` of this key in use, the first being 0, on the desk, and returns its length; 0 when there are not as
    /// many.
    pub fn kid(&self, number: usize) -> usize {
        self.verifier.keys().keys().get(number).map_or(0, |key| desk().answer(key.kid()))
    }
}
