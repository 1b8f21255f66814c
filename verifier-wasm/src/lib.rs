//! Bindings of [`token::verify::Verifier`] for JavaScript, and nothing else.
//!
//! What crosses the boundary:
//!
//! ```text
//! in    tokens and required scope in places of the desk, for which only numbers are handed over; documents as bytes;
//!       what is asked of every token as asked.rs describes; times as f64 seconds, whole and not negative
//! out   verdicts as text on the desk, see answer.rs; the status as arrays, see status.rs; all else as numbers
//! throw a refusal of a document or an option as the text of answer.rs; anything else that is thrown is a trap
//! ```
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

/// A verifier of one issuer's tokens, held by JavaScript.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Verifier {
    verifier: verify::Verifier,
    slots: Slots,
}

#[wasm_bindgen]
impl Verifier {
    /// Returns a verifier with these keys and no revocation list yet, that can remember `slots` accepted tokens.
    ///
    /// Times are relaxed by `leeway` seconds; a list must have been signed at most `staleness` seconds ago, unless that is
    /// NaN; without `revocations` there is none.
    ///
    /// # Errors
    /// A refusal of the kind `usage` or `keys`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        asked: &[u8],
        leeway: u32,
        revocations: bool,
        staleness: f64,
        keys: &[u8],
        slots: usize,
    ) -> Result<Verifier, JsValue> {
        let max_staleness_secs = seconds::time(staleness).ok().map(UnixTime::as_secs);
        let (leeway_secs, scope) = (leeway.into(), Vec::new());
        let mut policy = Policy { issuer: None, audience: None, leeway_secs, scope, revocations, max_staleness_secs };
        asked::of(asked, &mut policy);
        let keys = KeySet::parse(keys).map_err(Refusal::from)?;
        let verifier = verify::Verifier::new(policy, keys).map_err(Refusal::from)?;
        Ok(Self { verifier, slots: Slots::new(slots) })
    }

    /// Replaces the keys by those of this JWK Set; the list in use stays.
    ///
    /// # Errors
    /// A refusal of the kind `keys`; the keys in use stay.
    #[wasm_bindgen(js_name = loadKeys)]
    pub fn load_keys(&mut self, keys: &[u8]) -> Result<(), JsValue> {
        self.verifier.replace_keys(KeySet::parse(keys).map_err(Refusal::from)?);
        Ok(())
    }

    /// Takes a revocation list, or a delta of the one in use, into use, and returns what became of it: 0 it is in use now;
    /// 1 it is of the state in use, 2 it is older, both were ignored; 3 it is a delta of a newer list that does not lead on
    /// from the one in use.
    ///
    /// # Errors
    /// A refusal of the kind `list` or `usage`; the list in use stays.
    #[wasm_bindgen(js_name = loadRevocations)]
    pub fn load_revocations(&mut self, document: &[u8], now: f64) -> Result<u32, JsValue> {
        let now = seconds::time(now).map_err(Refusal::usage)?;
        match self.verifier.load_revocations(document, now).map_err(Refusal::from)? {
            Loaded::Newer => Ok(0),
            Loaded::Same => Ok(1),
            Loaded::Older => Ok(2),
            Loaded::Gap => Ok(3),
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

    /// Returns what is known of the keys and the list in use, as status.rs lays it out.
    ///
    /// # Errors
    /// Never in practice: its members are numbers and strings.
    pub fn status(&self) -> Result<JsValue, JsValue> {
        status::of(&self.verifier)
    }
}
