//! Why something was refused, as JavaScript sees it: pkg/src/errors.js makes an error of the right type from it.

use serde::Serialize;
use token::verify::{LoadError, Misuse};
use token::{KeySetRejection, ListRejection, Rejection};
use wasm_bindgen::JsValue;

/// A refusal that crosses the boundary by being thrown.
#[derive(Debug, Serialize)]
pub(crate) struct Refusal {
    /// At fault: `token`, `keys`, `list`, or the caller (`usage`).
    kind: &'static str,
    /// Stable, `ERR_…`.
    code: &'static str,
    /// The claim that was refused.
    claim: Option<&'static str>,
    /// Stable word that narrows the code.
    reason: Option<&'static str>,
    /// For people. Nothing of what was refused is in it.
    message: String,
}

impl Refusal {
    /// Returns the refusal of a call that makes no sense.
    pub(crate) fn usage(message: &str) -> Self {
        Self { kind: "usage", code: "ERR_USAGE", claim: None, reason: None, message: message.to_owned() }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self {
            kind: "token",
            code: rejection.code(),
            claim: rejection.claim(),
            reason: rejection.reason(),
            message: rejection.to_string(),
        }
    }
}

impl From<KeySetRejection> for Refusal {
    fn from(rejection: KeySetRejection) -> Self {
        let (code, reason) = (rejection.code(), Some(rejection.reason()));
        Self { kind: "keys", code, claim: None, reason, message: rejection.to_string() }
    }
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Misuse(misuse) => misuse.into(),
            LoadError::Rejected(rejection) => rejection.into(),
        }
    }
}

impl From<ListRejection> for Refusal {
    fn from(rejection: ListRejection) -> Self {
        let (code, reason) = (rejection.code(), Some(rejection.reason()));
        Self { kind: "list", code, claim: None, reason, message: rejection.to_string() }
    }
}

impl From<Misuse> for Refusal {
    fn from(misuse: Misuse) -> Self {
        Self::usage(&misuse.to_string())
    }
}

impl From<Refusal> for JsValue {
    fn from(refusal: Refusal) -> Self {
        // Failing to make the object would throw a string instead, which JavaScript takes for a trap: also refused.
        refusal.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or_else(|error| error.into())
    }
}
