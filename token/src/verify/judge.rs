//! The judgement of one token.

use super::checks::failed;
use super::scratch::{Buffers, Scratch};
use super::{Scope, TYP, Verifier};
use crate::claims::{AccessClaims, Claims, Facts};
use crate::error::{ClaimFault, Rejection};
use crate::id::{self, Jti};
use crate::json::Tape;
use crate::jwk::{PublicKey, Purpose};
use crate::jws::{self, Parts};
use crate::time::UnixTime;
use std::ops::Range;

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

/// As [`Verified`], in memory that is lent.
#[derive(Debug)]
pub struct Judged<'s> {
    pub(super) verifier: &'s Verifier,
    key: &'s PublicKey,
    json: &'s str,
    claims: Claims<'s>,
    /// The token's place in the revocation list; `None` when revocations are off.
    pub(super) jti: Option<Jti>,
}

impl<'s> Judged<'s> {
    /// Returns the claims as the issuer wrote them: strict JSON, an object.
    pub fn json(&self) -> &'s str {
        self.json
    }

    /// Returns the claims, by type.
    pub fn claims(&self) -> &Claims<'s> {
        &self.claims
    }

    /// Returns the `kid` of the key that signed.
    pub fn kid(&self) -> &'s str {
        self.key.kid()
    }

    pub(super) fn facts(&self) -> Facts<'s> {
        self.claims.facts(self.key.kid())
    }

    /// Returns all of it in memory of its own.
    pub fn to_verified(&self) -> Verified {
        Verified { claims: self.claims.to_owned(), json: self.json.to_owned(), kid: self.kid().to_owned() }
    }
}

/// A token that is well-formed and names a key; whether that key signed it is not known.
pub(super) struct Opened<'k, 't> {
    pub(super) key: &'k PublicKey,
    /// Where the key is in its set.
    pub(super) place: usize,
    pub(super) header: &'t [u8],
    pub(super) signing_input: &'t [u8],
    pub(super) signature: [u8; 64],
    /// Where its payload is in [`Buffers::payloads`].
    pub(super) payload: Range<usize>,
}

impl Verifier {
    /// Returns the claims of `token` if it holds at `now` and has the scope `required` besides that of the policy.
    ///
    /// Allocates nothing once `scratch` has grown to tokens of this size.
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
        let Scratch { buffers, tape } = scratch;
        buffers.payloads.clear();
        let opened = self.open(token, buffers, tape)?;
        if !opened.key.verifies(opened.signing_input, &opened.signature) {
            return Err(Rejection::Signature);
        }
        buffers.recent.note(&opened);
        self.weigh(opened.key, buffers.payload(&opened.payload), tape, required, now)
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
        self.judge(token.as_bytes(), Scope::of(required), now, &mut scratch).map(|judged| judged.to_verified())
    }

    /// All that comes before the signature.
    pub(super) fn open<'k, 't>(
        &'k self,
        token: &'t [u8],
        buffers: &mut Buffers,
        tape: &mut Tape,
    ) -> Result<Opened<'k, 't>, Rejection> {
        let parts = Parts::split(token, jws::MAX_LENGTH, buffers.recent.header())?;
        let known = buffers.recent.knows(parts.header);
        buffers.header.clear();
        if known.is_none() {
            parts.header_into(&mut buffers.header)?;
        }
        buffers.signature.clear();
        parts.signature_into(&mut buffers.signature)?;
        let start = buffers.payloads.len();
        parts.payload_into(&mut buffers.payloads)?;
        let (algorithm, kid) = match known {
            Some(known) => known,
            None => jws::read_header(&buffers.header, TYP, tape)?,
        };
        let place = buffers.recent.place();
        let (place, key) =
            self.keys.find_near(place, kid, Purpose::Token, algorithm).ok_or(Rejection::NoMatchingKey)?;
        let signature = buffers.signature.as_slice().try_into().map_err(|_| Rejection::Signature)?;
        let payload = start..buffers.payloads.len();
        Ok(Opened { key, place, header: parts.header, signing_input: parts.signing_input, signature, payload })
    }

    /// All that comes after the signature was found to be one of `key`.
    pub(super) fn weigh<'s>(
        &'s self,
        key: &'s PublicKey,
        payload: &'s [u8],
        tape: &'s mut Tape,
        required: Scope<'_>,
        now: UnixTime,
    ) -> Result<Judged<'s>, Rejection> {
        let object = tape.read_object(payload).map_err(Rejection::Jwt)?;
        let claims = Claims::read(object)?;
        let now = self.now(now);
        let facts = claims.facts(key.kid());
        self.check_issuer(claims.iss)?;
        self.check_audience(&claims)?;
        self.check_times(&facts, now)?;
        let jti = self.check_index(&claims)?;
        self.check_scope(&facts, required)?;
        if let Some(jti) = jti {
            self.check_revocation(jti, &facts, now)?;
        }
        Ok(Judged { verifier: self, key, json: object.text(), claims, jti })
    }

    fn check_audience(&self, claims: &Claims<'_>) -> Result<(), Rejection> {
        match &self.policy.audience {
            Some(audience) if !claims.aud.iter().any(|held| audience.iter().any(|asked| asked == held)) => {
                Err(failed("aud"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the token's place in the revocation list, or `None` when revocations are off.
    fn check_index(&self, claims: &Claims<'_>) -> Result<Option<Jti>, Rejection> {
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
