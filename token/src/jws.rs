//! JWS compact serialization (RFC 7515 §7.1), read strictly and verified with one algorithm.
//!
//! ```text
//! BASE64URL(header) "." BASE64URL(payload) "." BASE64URL(signature)      at most 8192 bytes
//! ```
//!
//! [`Untrusted`] is what parsed; only [`Untrusted::verify`] hands out the payload. Claims are not looked at here.

use crate::base64url;
use crate::error::{ClaimFault, JwsFault, Rejection};
use crate::json::{Object, Tape, Value};
use crate::jwk::{Algorithm, KeySet, MAX_KEY_ID_LENGTH, Purpose};

/// Bytes that a token may have.
pub const MAX_LENGTH: usize = 8192;

/// Characters of an Ed25519 signature's 64 bytes.
const SIGNATURE_LENGTH: usize = 86;

/// What a `typ` may begin with (RFC 7515 §4.1.9).
const APPLICATION: &str = "application/";

/// Header members that would change how the rest is read, or choose a key by other means than `kid`.
const REFUSED_MEMBERS: [&str; 11] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "cty", "enc", "zip"];

/// The parts of a compact serialization, still as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    text: &'a [u8],
    /// What is signed: header, dot and payload.
    pub(crate) signing_input: &'a [u8],
    pub(crate) header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Returns the parts of `text`, which is at most `max_length` bytes. `likely` is a header that it may begin with.
    ///
    /// A dot too many is found by decoding only.
    ///
    /// # Errors
    /// [`JwsFault::TooLong`] and [`JwsFault::Parts`].
    pub(crate) fn split(text: &'a [u8], max_length: usize, likely: &[u8]) -> Result<Self, Rejection> {
        if text.len() > max_length {
            return Err(Rejection::Jws(JwsFault::TooLong));
        }
        let dot = |at: &usize| text.get(*at) == Some(&b'.');
        let parts = || {
            let likely_end = Some(likely.len()).filter(|end| dot(end) && text.starts_with(likely));
            let header_end = likely_end.or_else(|| text.iter().position(|byte| *byte == b'.'))?;
            let likely_start = text.len().checked_sub(SIGNATURE_LENGTH + 1).filter(|at| dot(at) && *at > header_end);
            let signature_start = likely_start.or_else(|| text.iter().rposition(|byte| *byte == b'.'))?;
            Some(Self {
                text,
                signing_input: text.get(..signature_start)?,
                header: text.get(..header_end)?,
                payload: text.get(header_end + 1..signature_start)?,
                signature: text.get(signature_start + 1..)?,
            })
        };
        parts().ok_or(Rejection::Jws(JwsFault::Parts))
    }

    /// Appends the header's bytes to `out`.
    pub(crate) fn header_into(&self, out: &mut Vec<u8>) -> Result<(), Rejection> {
        self.decode(self.header, out)
    }

    /// Appends the payload's bytes to `out`.
    pub(crate) fn payload_into(&self, out: &mut Vec<u8>) -> Result<(), Rejection> {
        self.decode(self.payload, out)
    }

    /// Appends the signature's bytes to `out`, however many there are.
    pub(crate) fn signature_into(&self, out: &mut Vec<u8>) -> Result<(), Rejection> {
        self.decode(self.signature, out)
    }

    fn decode(&self, part: &[u8], out: &mut Vec<u8>) -> Result<(), Rejection> {
        base64url::decode_into(part, out).map_err(|base64url::Malformed| {
            let dots = self.text.iter().filter(|byte| **byte == b'.').count();
            Rejection::Jws(if dots == 2 { JwsFault::Base64url } else { JwsFault::Parts })
        })
    }
}

/// A well-formed JWS whose signature has not been checked: nothing in it may be believed.
#[derive(Debug)]
pub struct Untrusted<'a> {
    signing_input: &'a [u8],
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
    pub fn parse(text: &'a [u8], typ: &str, max_length: usize) -> Result<Self, Rejection> {
        let parts = Parts::split(text, max_length, &[])?;
        let (mut header, mut payload, mut signature) = (Vec::new(), Vec::new(), Vec::new());
        parts.header_into(&mut header)?;
        parts.payload_into(&mut payload)?;
        parts.signature_into(&mut signature)?;
        let mut tape = Tape::default();
        let (algorithm, kid) = read_header(&header, typ, &mut tape)?;
        Ok(Self { signing_input: parts.signing_input, kid: kid.to_owned(), algorithm, payload, signature })
    }

    /// Returns the payload, now that the key named by the header is found to have signed it.
    ///
    /// # Errors
    /// [`Rejection::NoMatchingKey`] when `keys` has no key of this name, algorithm and purpose,
    /// [`Rejection::Signature`] when the signature is not one of that key.
    pub fn verify(self, keys: &KeySet, purpose: Purpose) -> Result<Signed, Rejection> {
        let key = keys.find(&self.kid, purpose, self.algorithm).ok_or(Rejection::NoMatchingKey)?;
        let signature = self.signature.as_slice().try_into().map_err(|_| Rejection::Signature)?;
        if key.verifies(self.signing_input, signature) {
            Ok(Signed { kid: self.kid, payload: self.payload })
        } else {
            Err(Rejection::Signature)
        }
    }
}

/// Returns algorithm and key identifier of the header with this JSON text.
///
/// # Errors
/// As [`Untrusted::parse`], and [`Rejection::NoMatchingKey`] without a `kid` that a key could have.
pub(crate) fn read_header<'t>(
    header: &'t [u8],
    typ: &str,
    tape: &'t mut Tape,
) -> Result<(Algorithm, &'t str), Rejection> {
    let header = tape.read_object(header).map_err(|fault| Rejection::Jws(JwsFault::Header(fault)))?;
    let name = header.get("alg").and_then(Value::as_str).ok_or(Rejection::Jws(JwsFault::Algorithm))?;
    let algorithm = Algorithm::from_name(name).ok_or(Rejection::AlgorithmNotAllowed)?;
    if !header.get("typ").and_then(Value::as_str).is_some_and(|value| is_type(value, typ)) {
        return Err(Rejection::Claim { claim: "typ", reason: ClaimFault::CheckFailed });
    }
    refuse_members(header)?;
    let kid = header.get("kid").ok_or(Rejection::NoMatchingKey)?.as_str().ok_or(Rejection::Jws(JwsFault::KeyId))?;
    if kid.len() > MAX_KEY_ID_LENGTH { Err(Rejection::NoMatchingKey) } else { Ok((algorithm, kid)) }
}

/// Returns whether a header's `typ` is `typ` (RFC 7515 §4.1.9): a media type whose "application/" may be left out; media
/// types ignore case.
pub(crate) fn is_type(value: &str, typ: &str) -> bool {
    let is_named = |rest: &str| rest.eq_ignore_ascii_case(typ);
    let parts = value.split_at_checked(APPLICATION.len());
    is_named(value) || parts.is_some_and(|(kind, rest)| kind.eq_ignore_ascii_case(APPLICATION) && is_named(rest))
}

/// Refuses a header with a member that would change how the rest is read.
pub(crate) fn refuse_members(header: Object<'_>) -> Result<(), Rejection> {
    if header.members().any(|(name, _)| REFUSED_MEMBERS.contains(&name)) {
        return Err(Rejection::Jws(JwsFault::RefusedMember));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Result<Untrusted<'static>, Rejection> {
        let text = format!("{}.e30.AA", base64url::encode(header.as_bytes()));
        Untrusted::parse(text.leak().as_bytes(), "at+jwt", MAX_LENGTH)
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
            let rejection = Untrusted::parse(text.as_bytes(), "at+jwt", MAX_LENGTH).unwrap_err();
            assert_eq!((rejection.code(), rejection.reason()), ("ERR_JWS_INVALID", Some(reason)), "{text:?}");
        }
        let long = ".".repeat(MAX_LENGTH + 1);
        assert_eq!(
            Untrusted::parse(long.as_bytes(), "at+jwt", MAX_LENGTH).unwrap_err(),
            Rejection::Jws(JwsFault::TooLong)
        );
    }

    #[test]
    fn a_dot_where_a_signature_of_the_right_length_would_begin_may_be_the_headers() {
        let header = base64url::encode(br#"{"alg":"EdDSA","typ":"at+jwt","kid":"k"}"#);
        for (payload, signature, bytes) in [(83, 2, 1), (82, 3, 2)] {
            let text = format!("{header}.{}.{}", "A".repeat(payload), "A".repeat(signature));
            assert_eq!(payload + 1 + signature, SIGNATURE_LENGTH);
            let parsed = Untrusted::parse(text.leak().as_bytes(), "at+jwt", MAX_LENGTH).unwrap();
            assert_eq!(parsed.signature.len(), bytes);
        }
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
