//! What JavaScript is told, as JSON text: pkg/src/errors.js makes an error of the right type of a refusal.
//!
//! ```text
//! {…}                                     the claims of a token that holds, as they were signed
//! [kind, code, claim, reason, message]    a refusal; claim and reason may be null
//! ```

use crate::output::Output;
use token::verify::{LoadError, Misuse};
use token::{KeySetRejection, ListRejection, Rejection};

/// Bytes of a refusal at most; a test of the desk holds each of them against it.
pub(crate) const MAX_LENGTH: usize = 256;

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// At fault: `token`, `keys`, `list`, or the caller (`usage`).
    kind: &'static str,
    /// Stable, `ERR_…`.
    code: &'static str,
    /// The claim that was refused.
    claim: Option<&'static str>,
    /// Stable word that narrows the code.
    reason: Option<&'static str>,
    /// For people, in parts. Nothing of what was refused is in it.
    message: [&'static str; 4],
}

impl Refusal {
    /// Returns the refusal of a call that makes no sense.
    pub(crate) fn usage(message: &'static str) -> Self {
        Self::of("usage", "ERR_USAGE", None, message)
    }

    fn of(kind: &'static str, code: &'static str, reason: Option<&'static str>, message: &'static str) -> Self {
        Self { kind, code, claim: None, reason, message: [message, "", "", ""] }
    }

    /// Writes the text of the array. Not by `std::fmt`, which would weigh more in the module than all that is written here.
    pub(crate) fn write(&self, output: &mut Output<'_>) {
        let Self { kind, code, claim, reason, message } = self;
        let mut separator = "[";
        for word in [&Some(*kind), &Some(*code), claim, reason] {
            output.push(separator);
            match word {
                Some(word) => quoted(&[word], output),
                None => output.push("null"),
            }
            separator = ",";
        }
        output.push(separator);
        quoted(message, output);
        output.push("]");
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let (code, claim, reason) = (rejection.code(), rejection.claim(), rejection.reason());
        Self { kind: "token", code, claim, reason, message: rejection.message() }
    }
}

impl From<KeySetRejection> for Refusal {
    fn from(rejection: KeySetRejection) -> Self {
        Self::of("keys", rejection.code(), Some(rejection.reason()), rejection.message())
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
        Self::of("list", rejection.code(), Some(rejection.reason()), rejection.message())
    }
}

impl From<Misuse> for Refusal {
    fn from(misuse: Misuse) -> Self {
        Self::usage(misuse.message())
    }
}

/// Writes these parts, which are printable ASCII, as one string of JSON (RFC 8259 §7).
fn quoted(parts: &[&str], output: &mut Output<'_>) {
    let special = |text: &str| text.bytes().position(|byte| matches!(byte, b'"' | b'\\'));
    output.push("\"");
    for part in parts {
        let mut rest = *part;
        while let Some((plain, behind)) = special(rest).and_then(|at| rest.split_at_checked(at)) {
            output.push(plain);
            output.push("\\");
            let (escaped, behind) = behind.split_at_checked(1).unwrap_or_default();
            output.push(escaped);
            rest = behind;
        }
        output.push(rest);
    }
    output.push("\"");
}

#[cfg(test)]
mod tests {
    use super::*;
    use token::error::{ClaimFault, JwsFault, RevokedBy};

    fn text(refusal: &Refusal) -> String {
        let mut bytes = [0; MAX_LENGTH];
        let mut output = Output::over(&mut bytes);
        refusal.write(&mut output);
        output.text().to_owned()
    }

    #[test]
    fn a_refusal_is_an_array_of_strings_and_nulls() {
        let jws = text(&Rejection::Jws(JwsFault::Parts).into());
        assert_eq!(jws, r#"["token","ERR_JWS_INVALID",null,"parts","the token has not three parts"]"#);
        let revoked = text(&Rejection::Revoked(RevokedBy::Index).into());
        assert!(revoked.starts_with(r#"["token","ERR_TOKEN_REVOKED",null,"index",""#), "{revoked}");
        assert_eq!(text(&Refusal::usage("no")), r#"["usage","ERR_USAGE",null,null,"no"]"#);
    }

    #[test]
    fn a_string_is_escaped_where_json_asks_for_it() {
        let rejection = Rejection::Claim { claim: "aud", reason: ClaimFault::Missing };
        let code = "ERR_JWT_CLAIM_VALIDATION_FAILED";
        let expected = format!(r#"["token","{code}","aud","missing","the token's \"aud\" is missing"]"#);
        assert_eq!(text(&rejection.into()), expected);
        let mut bytes = [0; MAX_LENGTH];
        let mut odd = Output::over(&mut bytes);
        quoted(&[r#"\"#, r#""a"b\c"#, ""], &mut odd);
        assert_eq!(odd.text(), r#""\\\"a\"b\\c""#);
    }
}
