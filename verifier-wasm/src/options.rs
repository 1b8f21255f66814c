//! What pkg/src/options.js hands over, by the names used there.

use crate::refusal::Refusal;
use serde::Deserialize;
use token::verify::Policy;
use wasm_bindgen::JsValue;

/// The options of a verifier that the Rust side has a say in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Options {
    /// `iss` of tokens and lists.
    issuer: Option<String>,
    /// Accepted audiences.
    audience: Option<Vec<String>>,
    /// Seconds.
    leeway: u64,
    /// Required scope values between single spaces.
    scope: Option<String>,
    /// Whether a revocation list decides.
    revocations: bool,
    /// Seconds.
    max_staleness: Option<u64>,
}

impl Options {
    /// Returns the options that `object` holds.
    pub(crate) fn from_js(object: JsValue) -> Result<Self, Refusal> {
        serde_wasm_bindgen::from_value(object).map_err(|error| Refusal::usage(&error.to_string()))
    }

    /// Returns what is asked of tokens; whether that makes sense is for [`token::verify::Verifier::new`] to say.
    pub(crate) fn into_policy(self) -> Policy {
        Policy {
            issuer: self.issuer,
            audience: self.audience,
            leeway_secs: self.leeway,
            scope: scope_values(self.scope),
            revocations: self.revocations,
            max_staleness_secs: self.max_staleness,
        }
    }
}

/// Returns the single values of a scope; none for an absent one.
pub(crate) fn scope_values(scope: Option<String>) -> Vec<String> {
    scope.iter().flat_map(|scope| scope.split(' ')).map(str::to_owned).collect()
}
