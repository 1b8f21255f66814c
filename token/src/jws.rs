//! JWS compact serialization (RFC 7515 §7.1), read strictly and verified with one algorithm.
//!
//! ```text
//! BASE64URL(header) "." BASE64URL(payload) "." BASE64URL(signature)      at most 8192 bytes
//! ```
//!
//! [`Untrusted`] is what parsed; only [`Untrusted::verify`] hands out the payload. Claims are not looked at here.

use crate::error::{ClaimFault, JwsFault, Rejection};
use crate::jwk::{Algorithm, KeySet, MAX_KEY_ID_LENGTH, Purpose};
use crate::{base64url, json};
use serde_json::{Map, Value};

/// Bytes that a token may have.
pub const MAX_LENGTH: usize = 8192;

/// Header members that would change how the rest is read, or choose a key by other means than `kid`.
const REFUSED_MEMBERS: [&str; 11] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "cty", "enc", "zip"];

/// A well-formed JWS whose signature has not been checked: nothing in it may be believed.
#[derive(Debug)]
pub struct Untrusted<'a> {
    signing_input: &'a str,
    kid: String,
    algorithm: Algorithm,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The payload of a JWS whose signature was found to be one of the named key.
#[derive(Debug)]
pub struct Signed {
    /// `kid` of the key that signed.
    pub kid: String,
    /// The payload's bytes.
    pub payload: Vec<u8>,
}

impl<'a> Untrusted<'a> {
    /// Returns the parts of `text`, a JWS of at most `max_length` bytes with this `typ` (without `application/`).
    ///
    /// Checks, in this order: length, three parts, base64url of all parts, header JSON, `alg`, `typ`, members that are
    /// refused. Not checked: whether the key exists, the signature, the payload.
    ///
    /// # Errors
    /// [`Rejection::Jws`], [`Rejection::AlgorithmNotAllowed`], and [`Rejection::Claim`] for `typ`.
    pub fn parse(text: &'a str, typ: &str, max_length: usize) -> Result<Self, Rejection> {
        if text.len() > max_length {
            return Err(Rejection::Jws(JwsFault::TooLong));
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(Rejection::Jws(JwsFault::Parts))?;
        let (header, payload) = signing_input.split_once('.').ok_or(Rejection::Jws(JwsFault::Parts))?;
        if payload.contains('.') {
            return Err(Rejection::Jws(JwsFault::Parts));
        }
        let decode = |part: &str| base64url::decode(part.as_bytes()).map_err(|_| Rejection::Jws(JwsFault::Base64url));
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let header = json::parse_object(&header).map_err(|fault| Rejection::Jws(JwsFault::Header(fault)))?;
        let (algorithm, kid) = read_header(&header, typ)?;
        Ok(Self { signing_input, kid, algorithm, payload, signature })
    }

    /// Returns the payload, now that the key named by the header is found to have signed it.
    ///
    /// # Errors
    /// [`Rejection::NoMatchingKey`] when `keys` has no key of this name, algorithm and purpose,
    /// [`Rejection::Signature`] when the signature is not one of that key.
    pub fn verify(self, keys: &KeySet, purpose: Purpose) -> Result<Signed, Rejection> {
        let key = keys.find(&self.kid, purpose, self.algorithm).ok_or(Rejection::NoMatchingKey)?;
        let signature = self.signature.as_slice().try_into().map_err(|_| Rejection::Signature)?;
        if key.verifies(self.signing_input.as_bytes(), signature) {
            Ok(Signed { kid: self.kid, payload: self.payload })
        } else {
            Err(Rejection::Signature)
        }
    }
}

fn read_header(header: &Map<String, Value>, typ: &str) -> Result<(Algorithm, String), Rejection> {
    let name = header.get("alg").and_then(Value::as_str).ok_or(Rejection::Jws(JwsFault::Algorithm))?;
    let algorithm = Algorithm::from_name(name).ok_or(Rejection::AlgorithmNotAllowed)?;
    // RFC 7515 §4.1.9: a media type whose "application/" may be left out; media types ignore case.
    let matches = |value: &str| {
        value.eq_ignore_ascii_case(typ) || strip_application(value).is_some_and(|rest| rest.eq_ignore_ascii_case(typ))
    };
    if !header.get("typ").and_then(Value::as_str).is_some_and(matches) {
        return Err(Rejection::Claim { claim: "typ", reason: ClaimFault::CheckFailed });
    }
    if REFUSED_MEMBERS.iter().any(|member| header.contains_key(*member)) {
        return Err(Rejection::Jws(JwsFault::RefusedMember));
    }
    match header.get("kid") {
        None => Err(Rejection::NoMatchingKey),
        Some(Value::String(kid)) if kid.len() <= MAX_KEY_ID_LENGTH => Ok((algorithm, kid.clone())),
        Some(Value::String(_)) => Err(Rejection::NoMatchingKey),
        Some(_) => Err(Rejection::Jws(JwsFault::KeyId)),
    }
}

fn strip_application(typ: &str) -> Option<&str> {
    let (kind, rest) = typ.split_once('/')?;
    kind.eq_ignore_ascii_case("application").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Result<Untrusted<'static>, Rejection> {
        let text = format!("{}.e30.AA", base64url::encode(header.as_bytes()));
        Untrusted::parse(String::leak(text), "at+jwt", MAX_LENGTH)
    }

    fn refusal(header: &str) -> (&'static str, Option<&'static str>) {
        let rejection = parse(header).unwrap_err();
        (rejection.code(), rejection.reason())
    }

    #[test]
    fn a_header_of_the_right_form_parses() {
        for typ in ["at+jwt", "application/at+jwt", "AT+JWT", "Application/At+Jwt"] {
            assert_eq!(parse(&format!(r#"{{"alg":"EdDSA","typ":"{typ}","kid":"k","other":[1]}}"#)).unwrap().kid, "k");
        }
    }

    #[test]
    fn structure_is_judged_before_the_header() {
        let cases = [
            ("", "parts"),
            ("e30", "parts"),
            ("e30.e30", "parts"),
            ("e30.e30.e30.e30", "parts"),
            ("e30.e30.e30.e30.e30", "parts"),
            ("e30=.e30.AA", "base64url"),
            ("e30.e 30.AA", "base64url"),
            ("e30.e30.AB", "base64url"),
            ("e30.e30.A", "base64url"),
            (" e30.e30.AA", "base64url"),
            ("e30.e30.AA\n", "base64url"),
            ("e30\u{ff0e}e30.e30.AA", "base64url"),
            ("e30.e30.+/", "base64url"),
            (".e30.AA", "json"),
            ("bnVsbA.e30.AA", "not_an_object"),
            ("e30.e30.AA", "alg"),
        ];
        for (text, reason) in cases {
            let rejection = Untrusted::parse(text, "at+jwt", MAX_LENGTH).unwrap_err();
            assert_eq!((rejection.code(), rejection.reason()), ("ERR_JWS_INVALID", Some(reason)), "{text:?}");
        }
        let long = ".".repeat(MAX_LENGTH + 1);
        assert_eq!(Untrusted::parse(&long, "at+jwt", MAX_LENGTH).unwrap_err(), Rejection::Jws(JwsFault::TooLong));
    }

    #[test]
    fn header_members_are_judged_in_order() {
        let invalid = |reason| ("ERR_JWS_INVALID", Some(reason));
        assert_eq!(refusal(r#"{"typ":"at+jwt","kid":"k"}"#), invalid("alg"));
        assert_eq!(refusal(r#"{"alg":["EdDSA"],"typ":"at+jwt","kid":"k"}"#), invalid("alg"));
        assert_eq!(refusal(r#"{"alg":"EdDSA","alg":"none"}"#), invalid("duplicate_member"));
        for alg in ["none", "None", "nOnE", "HS256", "RS256", "ES256", "eddsa", "EdDSA ", "Ed448", ""] {
            assert_eq!(
                refusal(&format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"k"}}"#)).0,
                "ERR_JOSE_ALG_NOT_ALLOWED",
                "{alg}"
            );
        }
        for typ in [r#""JWT""#, r#""rt+jwt""#, r#""text/at+jwt""#, "null", "1", r#"["at+jwt"]"#] {
            let rejection = parse(&format!(r#"{{"alg":"EdDSA","typ":{typ},"kid":"k"}}"#)).unwrap_err();
            assert_eq!(
                (rejection.code(), rejection.claim()),
                ("ERR_JWT_CLAIM_VALIDATION_FAILED", Some("typ")),
                "{typ}"
            );
        }
        for member in REFUSED_MEMBERS {
            assert_eq!(
                refusal(&format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"k","{member}":null}}"#)),
                invalid("refused_member")
            );
        }
        assert_eq!(refusal(r#"{"alg":"EdDSA","typ":"at+jwt","kid":["k"]}"#), invalid("kid"));
        assert_eq!(refusal(r#"{"alg":"EdDSA","typ":"at+jwt"}"#).0, "ERR_JWKS_NO_MATCHING_KEY");
    }
}
