//! What pkg/src/options.js hands over, set one by one: numbers and strings need no reflection to cross.

use crate::seconds;
use token::time::UnixTime;
use token::verify::Policy;
use wasm_bindgen::prelude::*;

/// What is asked of every token; whether that makes sense is for [`token::verify::Verifier::new`] to say.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Options(Policy);

#[wasm_bindgen]
impl Options {
    /// Asks for nothing but the times, which are relaxed by `leeway` seconds, and for a revocation list if so wished.
    #[wasm_bindgen(constructor)]
    pub fn new(leeway: u32, revocations: bool) -> Self {
        let (issuer, audience, scope) = (None, None, Vec::new());
        Self(Policy { issuer, audience, leeway_secs: leeway.into(), scope, revocations, max_staleness_secs: None })
    }

    /// Asks for this `iss`, of tokens and lists.
    pub fn issuer(&mut self, issuer: String) {
        self.0.issuer = Some(issuer);
    }

    /// Accepts this audience too; without any, each one is.
    pub fn audience(&mut self, audience: String) {
        self.0.audience.get_or_insert_default().push(audience);
    }

    /// Asks for this scope value, besides others.
    pub fn scope(&mut self, value: String) {
        self.0.scope.push(value);
    }

    /// Asks for a list that was signed at most so many seconds ago.
    #[wasm_bindgen(js_name = maxStaleness)]
    pub fn max_staleness(&mut self, secs: f64) {
        self.0.max_staleness_secs = seconds::time(secs).ok().map(UnixTime::as_secs);
    }

    pub(crate) fn policy(&self) -> Policy {
        self.0.clone()
    }
}
