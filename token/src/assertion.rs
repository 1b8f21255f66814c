//! Client assertions (RFC 7523 §3): a JWS by which a client proves who it is, read as strictly as a token.
//!
//! ```text
//! header   {"alg", "kid"?, "typ"?: "JWT" | "client-authentication+jwt"}
//! claims   iss sub (both the client) aud exp jti nbf? iat?                  at most 8192 bytes in all
//! ```
//!
//! Who claims to be asking must be known before a key can be: [`Assertion::client_id`] is a claim and no more, until
//! [`Assertion::verify`] has found the signature to be one of that client's key. What the claims are worth is decided by
//! the issuer; no clock is read here.

use crate::error::{ClaimFault, JwsFault, Rejection};
use crate::json::{Object, Tape, Value};
use crate::jwk::{Algorithm, MAX_KEY_ID_LENGTH, PublicKey};
use crate::jws::{self, Parts};
use crate::time::UnixTime;

/// Values that `typ` may have; it may also be absent.
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];
/// Bytes that a `jti` or a client id may have.
const MAX_TEXT: usize = 255;

/// A well-formed assertion whose signature has not been checked.
#[derive(Debug)]
pub struct Assertion<'a> {
    signing_input: &'a [u8],
    signature: Vec<u8>,
    kid: Option<String>,
    claims: AssertionClaims,
}

/// What an assertion says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionClaims {
    /// The client: `iss` and `sub`, which are the same.
    pub client_id: String,
    /// For whom it was made: one audience and no other.
    pub audience: String,
    /// The first second at which it is no longer valid.
    pub exp: UnixTime,
    /// The first second at which it is valid.
    pub nbf: Option<UnixTime>,
    /// When it was made.
    pub iat: Option<UnixTime>,
    /// Its name, which the client uses once.
    pub jti: String,
}

impl<'a> Assertion<'a> {
    /// Returns what `text` claims.
    ///
    /// # Errors
    /// [`Rejection`] as for an access token; [`Rejection::Claim`] also where `iss` and `sub` differ and where `aud` names
    /// more than one: an assertion for two could be used by the one at the other.
    pub fn parse(text: &'a [u8]) -> Result<Self, Rejection> {
        let parts = Parts::split(text, jws::MAX_LENGTH, &[])?;
        let (mut header, mut payload, mut signature) = (Vec::new(), Vec::new(), Vec::new());
        parts.header_into(&mut header)?;
        parts.payload_into(&mut payload)?;
        parts.signature_into(&mut signature)?;
        let mut tape = Tape::default();
        let kid = read_header(tape.read_object(&header).map_err(|fault| Rejection::Jws(JwsFault::Header(fault)))?)?;
        let mut tape = Tape::default();
        let claims = AssertionClaims::read(tape.read_object(&payload).map_err(Rejection::Jwt)?)?;
        Ok(Self { signing_input: parts.signing_input, signature, kid, claims })
    }

    /// Returns which client it claims to be of.
    pub fn client_id(&self) -> &str {
        &self.claims.client_id
    }

    /// Returns which key it claims to be signed by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns the claims, now that `key` is found to have signed them.
    ///
    /// # Errors
    /// [`Rejection::Signature`].
    pub fn verify(self, key: &PublicKey) -> Result<AssertionClaims, Rejection> {
        let signature = self.signature.as_slice().try_into().map_err(|_| Rejection::Signature)?;
        if key.verifies(self.signing_input, signature) { Ok(self.claims) } else { Err(Rejection::Signature) }
    }
}

/// Returns the header's `kid`. Either name of the algorithm will do: the key is the client's own and serves nothing else.
fn read_header(header: Object<'_>) -> Result<Option<String>, Rejection> {
    let name = header.get("alg").and_then(Value::as_str).ok_or(Rejection::Jws(JwsFault::Algorithm))?;
    Algorithm::from_name(name).ok_or(Rejection::AlgorithmNotAllowed)?;
    let typed = |typ: Value<'_>| typ.as_str().is_some_and(|typ| TYPES.iter().any(|known| jws::is_type(typ, known)));
    if !header.get("typ").is_none_or(typed) {
        return Err(Rejection::Claim { claim: "typ", reason: ClaimFault::CheckFailed });
    }
    jws::refuse_members(header)?;
    match header.get("kid") {
        None => Ok(None),
        Some(kid) => match kid.as_str() {
            Some(kid) if kid.len() <= MAX_KEY_ID_LENGTH => Ok(Some(kid.to_owned())),
            Some(_) => Err(Rejection::NoMatchingKey),
            None => Err(Rejection::Jws(JwsFault::KeyId)),
        },
    }
}

impl AssertionClaims {
    fn read(object: Object<'_>) -> Result<Self, Rejection> {
        let fault = |claim, reason| Rejection::Claim { claim, reason };
        let text = |claim| {
            let value = object.get(claim).ok_or(fault(claim, ClaimFault::Missing))?;
            let fits = value.as_str().filter(|text| (1..=MAX_TEXT).contains(&text.len()));
            fits.map(str::to_owned).ok_or(fault(claim, ClaimFault::Invalid))
        };
        let time = |claim| match object.get(claim) {
            Some(value) => UnixTime::from_json(value).map(Some).ok_or(fault(claim, ClaimFault::Invalid)),
            None => Ok(None),
        };
        let (issuer, subject) = (text("iss")?, text("sub")?);
        if issuer != subject {
            return Err(fault("sub", ClaimFault::CheckFailed)); // RFC 7523 §3: for a client both are its id
        }
        Ok(Self {
            client_id: subject,
            audience: audience(object)?,
            exp: time("exp")?.ok_or(fault("exp", ClaimFault::Missing))?,
            nbf: time("nbf")?,
            iat: time("iat")?,
            jti: text("jti")?,
        })
    }
}

fn audience(object: Object<'_>) -> Result<String, Rejection> {
    let fault = |reason| Rejection::Claim { claim: "aud", reason };
    let value = object.get("aud").ok_or(fault(ClaimFault::Missing))?;
    if let Some(one) = value.as_str() {
        return Ok(one.to_owned());
    }
    let mut several = value.as_array().ok_or(fault(ClaimFault::Invalid))?;
    let first = several.next().and_then(|first| first.as_str()).ok_or(fault(ClaimFault::Invalid))?;
    if several.next().is_some() { Err(fault(ClaimFault::CheckFailed)) } else { Ok(first.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;
    use serde_json::json;

    fn text(header: &str, claims: &str) -> String {
        format!("{}.{}.AA", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()))
    }

    fn claims() -> serde_json::Value {
        json!({"iss": "c", "sub": "c", "aud": "https://i", "exp": 1_800_000_060, "iat": 1_800_000_000, "jti": "1"})
    }

    fn refusal(header: &str, claims: &serde_json::Value) -> Rejection {
        Assertion::parse(text(header, &claims.to_string()).as_bytes()).map(|read| read.claims).unwrap_err()
    }

    const HEADER: &str = r#"{"alg":"EdDSA"}"#;

    #[test]
    fn what_clients_send_is_read() {
        for header in [
            HEADER,
            r#"{"alg":"Ed25519","typ":"JWT","kid":"k"}"#,
            r#"{"alg":"EdDSA","typ":"jwt"}"#,
            r#"{"alg":"EdDSA","typ":"application/client-authentication+jwt","other":1}"#,
        ] {
            let text = text(header, &claims().to_string());
            let read = Assertion::parse(text.as_bytes()).unwrap();
            assert_eq!((read.client_id(), read.claims.audience.as_str()), ("c", "https://i"), "{header}");
        }
        let mut array = claims();
        array["aud"] = json!(["https://i"]);
        assert!(Assertion::parse(text(HEADER, &array.to_string()).as_bytes()).is_ok());
    }

    #[test]
    fn another_header_is_refused() {
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
            r#"{"alg":"EdDSA","typ":"rt+jwt"}"#,
            r#"{"alg":"EdDSA","typ":null}"#,
            r#"{"alg":"EdDSA","kid":1}"#,
            r#"{"alg":"EdDSA","jwk":{}}"#,
            r#"{"alg":"EdDSA","jku":"https://evil"}"#,
            r#"{"alg":"EdDSA","crit":[]}"#,
            r#"{"alg":"EdDSA","alg":"EdDSA"}"#,
            "[]",
        ] {
            refusal(header, &claims());
        }
    }

    #[test]
    fn a_claim_that_is_missing_or_of_another_form_is_named() {
        let named = |claims: &serde_json::Value| refusal(HEADER, claims).claim();
        for claim in ["iss", "sub", "aud", "exp", "jti"] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(claim);
            assert_eq!(named(&without), Some(claim));
        }
        let long = "x".repeat(256);
        for (claim, value) in [
            ("sub", json!("d")),
            ("iss", json!("")),
            ("iss", json!(long)),
            ("jti", json!(1)),
            ("jti", json!(long)),
            ("exp", json!("1800000060")),
            ("exp", json!(1.8e9)),
            ("exp", json!(1_800_000_060_000_u64)),
            ("nbf", json!(null)),
            ("iat", json!(-1)),
            ("aud", json!([])),
            ("aud", json!(["https://i", "https://other"])),
            ("aud", json!([1])),
            ("aud", json!({})),
        ] {
            let mut wrong = claims();
            wrong[claim] = value;
            let expected = if claim == "iss" && wrong["iss"] == "" { "iss" } else { claim };
            assert_eq!(named(&wrong), Some(expected), "{wrong}");
        }
    }
}
