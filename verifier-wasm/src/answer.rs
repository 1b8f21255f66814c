//! What JavaScript is told, as JSON text: pkg/src/errors.js makes an error of the right type of a refusal.
//!
//! ```text
//! {…}                                     the claims of a token that holds, as they were signed
//! [kind, code, claim, reason, message]    a refusal; claim and reason may be null
//! ```

use std::fmt::{self, Write as _};
use token::verify::{LoadError, Misuse};
use token::{KeySetRejection, ListRejection, Rejection};
use wasm_bindgen::JsValue;

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal<M = String> {
    /// At fault: `token`, `keys`, `list`, or the caller (`usage`).
    kind: &'static str,
    /// Stable, `ERR_…`.
    code: &'static str,
    /// The claim that was refused.
    claim: Option<&'static str>,
    /// Stable word that narrows the code.
    reason: Option<&'static str>,
    /// For people. Nothing of what was refused is in it.
    message: M,
}

impl Refusal {
    /// Returns the refusal of a call that makes no sense.
    pub(crate) fn usage(message: &str) -> Self {
        Self { kind: "usage", code: "ERR_USAGE", claim: None, reason: None, message: message.to_owned() }
    }
}

/// The refusal of a token: its message is not written before it is told.
impl From<Rejection> for Refusal<Rejection> {
    fn from(message: Rejection) -> Self {
        let (code, claim, reason) = (message.code(), message.claim(), message.reason());
        Self { kind: "token", code, claim, reason, message }
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
        Self::from_str(&refusal.to_string())
    }
}

impl<M: fmt::Display> fmt::Display for Refusal<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, code, claim, reason, message } = self;
        write!(f, "[{},{},{},{},{}]", Quoted(kind), Quoted(code), Word(*claim), Word(*reason), Quoted(message))
    }
}

/// A string of JSON, or null.
struct Word(Option<&'static str>);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(word) => Quoted(word).fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// What it holds, as a string of JSON (RFC 8259 §7).
struct Quoted<T>(T);

impl<T: fmt::Display> fmt::Display for Quoted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        write!(Escaping(f), "{}", self.0)?;
        f.write_char('"')
    }
}

struct Escaping<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '"' | '\\' => write!(self.0, "\\{character}")?,
                '\0'..='\x1f' => write!(self.0, "\\u{:04x}", u32::from(character))?,
                _ => self.0.write_char(character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use token::error::{JwsFault, RevokedBy};

    #[test]
    fn a_refusal_is_an_array_of_strings_and_nulls() {
        let refusal = Refusal::from(Rejection::Jws(JwsFault::Parts));
        assert_eq!(refusal.to_string().split(',').next(), Some(r#"["token""#));
        assert!(refusal.to_string().starts_with(r#"["token","ERR_JWS_INVALID",null,"parts",""#), "{refusal}");
        let refusal = Refusal::from(Rejection::Revoked(RevokedBy::Index));
        assert!(refusal.to_string().starts_with(r#"["token","ERR_TOKEN_REVOKED",null,"index",""#), "{refusal}");
    }

    #[test]
    fn a_string_is_escaped_where_json_asks_for_it() {
        assert_eq!(Quoted("a \"b\" \\ \n é").to_string(), r#""a \"b\" \\ \u000a é""#);
    }
}
