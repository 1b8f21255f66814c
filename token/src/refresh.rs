//! Refresh tokens: a JWS that only its issuer reads, naming a session and a generation of it.
//!
//! ```text
//! header   {"alg", "typ": "rt+jwt", "kid"}
//! claims   iss aud (= iss) sid gen iat exp
//! ```
//!
//! What a generation is worth is decided by the session; no clock is read here.

use crate::error::{ClaimFault, Rejection};
use crate::json::{Tape, Value};
use crate::jwk::{KeySet, Purpose};
use crate::jws::{self, Untrusted};
use crate::time::UnixTime;

/// `typ` of a refresh token.
pub const TYP: &str = "rt+jwt";

/// The claims of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshClaims {
    /// Issuer, and the only audience.
    pub issuer: String,
    /// Session.
    pub sid: String,
    /// Generation of the session, from 1; written as `gen`.
    pub generation: u64,
    /// When it was issued.
    pub iat: UnixTime,
    /// The first second at which it is no longer valid.
    pub exp: UnixTime,
}

impl RefreshClaims {
    /// Returns the claims of `token`, signed by a token key of `keys` for this issuer.
    ///
    /// Not checked: `exp`, and whether the session still stands.
    ///
    /// # Errors
    /// [`Rejection`] as for an access token.
    pub fn parse(token: &str, keys: &KeySet, issuer: &str) -> Result<Self, Rejection> {
        let signed = Untrusted::parse(token.as_bytes(), TYP, jws::MAX_LENGTH)?.verify(keys, Purpose::Token)?;
        let mut tape = Tape::default();
        let object = tape.read_object(&signed.payload).map_err(Rejection::Jwt)?;
        let invalid = |claim| Rejection::Claim { claim, reason: ClaimFault::Invalid };
        let text = |claim| object.get(claim).and_then(Value::as_str).ok_or(invalid(claim));
        let time = |claim| object.get(claim).and_then(UnixTime::from_json).ok_or(invalid(claim));
        for claim in ["iss", "aud"] {
            if text(claim)? != issuer {
                return Err(Rejection::Claim { claim, reason: ClaimFault::CheckFailed });
            }
        }
        let generation = object.get("gen").and_then(Value::as_u64);
        Ok(Self {
            issuer: issuer.to_owned(),
            sid: text("sid")?.to_owned(),
            generation: generation.ok_or(invalid("gen"))?,
            iat: time("iat")?,
            exp: time("exp")?,
        })
    }
}
