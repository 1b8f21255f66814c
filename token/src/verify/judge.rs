//! The judgement of one token.

use super::checks::failed;
use super::{Scope, TYP, Verifier};
use crate::claims::{AccessClaims, Facts};
use crate::error::{ClaimFault, Rejection};
use crate::id::{self, Jti};
use crate::json;
use crate::jwk::Purpose;
use crate::jws::{self, Untrusted};
use crate::time::UnixTime;

/// A token that holds against keys, policy, time and revocations.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The claims, by type.
    pub claims: AccessClaims,
    /// The claims as the issuer wrote them: strict JSON, an object.
    pub json: String,
    /// `kid` of the key that signed.
    pub kid: String,
}

/// Memory that judging reuses from call to call, of at most some times [`jws::MAX_LENGTH`] bytes.
#[derive(Debug, Default)]
pub struct Scratch {
    verified: Option<Verified>,
}

/// As [`Verified`], in memory that is lent.
#[derive(Debug)]
pub struct Judged<'s> {
    verifier: &'s Verifier,
    verified: &'s Verified,
    jti: Option<Jti>,
}

impl<'s> Judged<'s> {
    /// Returns the claims as the issuer wrote them: strict JSON, an object.
    pub fn json(&self) -> &'s str {
        &self.verified.json
    }

    /// Returns the `kid` of the key that signed.
    pub fn kid(&self) -> &'s str {
        &self.verified.kid
    }

    pub(super) fn verifier(&self) -> &'s Verifier {
        self.verifier
    }

    pub(super) fn facts(&self) -> Facts<'s> {
        self.verified.claims.facts(&self.verified.kid)
    }

    /// The token's place in the revocation list; `None` when revocations are off.
    pub(super) fn jti(&self) -> Option<Jti> {
        self.jti
    }
}

impl Verifier {
    /// Returns the claims of `token` if it holds at `now` and has the scope `required` besides that of the policy.
    ///
    /// # Errors
    /// [`Rejection`], the first that applies in the order of docs/protocol.md §6.
    pub fn judge<'s>(
        &'s self,
        token: &[u8],
        required: Scope<'_>,
        now: UnixTime,
        scratch: &'s mut Scratch,
    ) -> Result<Judged<'s>, Rejection> {
        let token = std::str::from_utf8(token).unwrap_or(" . . "); // an interim of the old reader: fails as base64url
        let signed = Untrusted::parse(token, TYP, jws::MAX_LENGTH)?.verify(&self.keys, Purpose::Token)?;
        let object = json::parse_object(&signed.payload).map_err(Rejection::Jwt)?;
        let claims = AccessClaims::from_object(object)?;
        let now = self.now(now);
        let facts = claims.facts(&signed.kid);
        self.check_issuer(&claims.iss)?;
        self.check_audience(&claims)?;
        self.check_times(&facts, now)?;
        let jti = self.check_index(&claims)?;
        self.check_scope(&facts, required)?;
        if let Some(jti) = jti {
            self.check_revocation(jti, &facts, now)?;
        }
        let json = String::from_utf8(signed.payload).map_err(|_| Rejection::Jwt(json::Fault::Syntax))?;
        let verified = scratch.verified.insert(Verified { claims, json, kid: signed.kid });
        Ok(Judged { verifier: self, verified, jti })
    }

    /// Returns the claims of `token` if it holds at `now`.
    ///
    /// # Errors
    /// As [`Verifier::judge`].
    pub fn verify(&self, token: &str, now: UnixTime) -> Result<Verified, Rejection> {
        self.verify_with_scope(token, &[], now)
    }

    /// As [`Verifier::verify`], asking for the scope values `required` besides those of the policy.
    ///
    /// # Errors
    /// As [`Verifier::judge`].
    pub fn verify_with_scope(&self, token: &str, required: &[String], now: UnixTime) -> Result<Verified, Rejection> {
        let mut scratch = Scratch::default();
        self.judge(token.as_bytes(), Scope::of(required), now, &mut scratch).map(|judged| judged.verified.clone())
    }

    fn check_audience(&self, claims: &AccessClaims) -> Result<(), Rejection> {
        match &self.policy.audience {
            Some(audience) if !claims.aud.iter().any(|held| audience.contains(held)) => Err(failed("aud")),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the token's place in the revocation list, or `None` when revocations are off.
    fn check_index(&self, claims: &AccessClaims) -> Result<Option<Jti>, Rejection> {
        if !self.policy.revocations {
            return Ok(None);
        }
        let jti: Jti = claims.jti.parse().map_err(|id::NotAnIndex| Rejection::StatusMissing)?;
        if jti.epoch != id::epoch(claims.exp) {
            return Err(failed("jti"));
        }
        if claims.sid.is_none() {
            return Err(Rejection::Claim { claim: "sid", reason: ClaimFault::Missing });
        }
        Ok(Some(jti))
    }
}
