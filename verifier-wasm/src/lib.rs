//! Bindings of [`token::verify::Verifier`] for JavaScript, and nothing else.
//!
//! What crosses the boundary:
//!
//! ```text
//! in    options as an object, documents as bytes, tokens as strings, times as u64 seconds (a BigInt in JavaScript)
//! out   claims as the JSON that was signed; everything else as plain objects
//! throw { kind, code, claim, reason, message }, see refusal.rs; anything else that is thrown is a trap
//! ```
//!
//! Claims leave as text because `JSON.parse` makes own members of all of them, `__proto__` included, and is faster than
//! setting members one by one. The caller is pkg/src/verifier.js, which checks lengths before anything is copied here.

mod options;
mod refusal;
mod status;

use options::Options;
use refusal::Refusal;
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify;
use wasm_bindgen::prelude::*;

/// A verifier of one issuer's tokens, held by JavaScript.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Verifier(verify::Verifier);

#[wasm_bindgen]
impl Verifier {
    /// Returns a verifier with these keys and no revocation list yet.
    ///
    /// # Errors
    /// A refusal of the kind `usage` or `keys`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, keys: &[u8]) -> Result<Verifier, JsValue> {
        let policy = Options::from_js(options)?.into_policy();
        let keys = KeySet::parse(keys).map_err(Refusal::from)?;
        Ok(Self(verify::Verifier::new(policy, keys).map_err(Refusal::from)?))
    }

    /// Replaces the keys by those of this JWK Set; the list in use stays.
    ///
    /// # Errors
    /// A refusal of the kind `keys`; the keys in use stay.
    #[wasm_bindgen(js_name = loadKeys)]
    pub fn load_keys(&mut self, keys: &[u8]) -> Result<(), JsValue> {
        self.0.replace_keys(KeySet::parse(keys).map_err(Refusal::from)?);
        Ok(())
    }

    /// Takes a revocation list, or a delta of the one in use, into use, and returns what became of it: `newer` (it is in
    /// use now), `same`, `older` (both were ignored), or `gap` (a delta of a newer list that does not lead on from the one
    /// in use).
    ///
    /// # Errors
    /// A refusal of the kind `list` or `usage`; the list in use stays.
    #[wasm_bindgen(js_name = loadRevocations)]
    pub fn load_revocations(&mut self, document: &[u8], now: u64) -> Result<String, JsValue> {
        let loaded = self.0.load_revocations(document, time(now)?).map_err(Refusal::from)?;
        Ok(loaded.name().to_owned())
    }

    /// Returns the claims of a token that holds at `now`, as the JSON text that was signed.
    ///
    /// `scope` are scope values, between single spaces, that it must have besides those of the options.
    ///
    /// # Errors
    /// A refusal of the kind `token` or `usage`.
    pub fn verify(&self, token: &str, now: u64, scope: Option<String>) -> Result<String, JsValue> {
        let scope = options::scope_values(scope);
        verify::check_scope(&scope).map_err(Refusal::from)?;
        let verified = self.0.verify_with_scope(token, &scope, time(now)?).map_err(Refusal::from)?;
        Ok(verified.json)
    }

    /// Returns what is known of the keys and the list in use, as a plain object.
    ///
    /// # Errors
    /// Never in practice: its members are numbers and strings.
    pub fn status(&self) -> Result<JsValue, JsValue> {
        status::of(&self.0)
    }
}

fn time(secs: u64) -> Result<UnixTime, Refusal> {
    UnixTime::from_secs(secs).ok_or(Refusal::usage("now must be seconds since 1970, up to the year 9999"))
}
