//! Who is calling: an assertion signed by the client's own key (RFC 7523 §3, `private_key_jwt`).
//!
//! An assertion proves its client once. Its name is in the store before anything is done for the client, so also after a
//! restart it proves nothing again. An unknown client, a disabled one, one without keys and a wrong signature cost the
//! same work, one verification, and read the same.

use super::authenticate::{is_client_id, proved};
use super::issuer::{Issuer, Parts};
use super::{Client, Error};
use crate::audit::Origin;
use crate::clients::{ClientKey, ClientRecord};
use crate::store::AssertionUse;
use crate::telemetry::traces::TARGET;
use sha2::{Digest, Sha256};
use token::assertion::{Assertion, AssertionClaims};
use token::jwk::{Algorithm, PublicKey, Purpose};

/// An assertion that expires later than this is refused: it is remembered until then.
const MAX_LIFE_SECS: u64 = 300;
/// By how much the clock of a client may be ahead of ours.
const SKEW_SECS: u64 = 10;
/// When a caller who met a full memory may come back.
const RETRY_SECS: u64 = 30;

impl Issuer {
    /// Returns the client that signed this assertion; a failure is noted for the audit log. A `client_id` given beside it
    /// must be the same (RFC 7521 §4.2).
    ///
    /// # Errors
    /// [`Error::InvalidClient`] for every fault of the assertion and for one that was used before;
    /// [`Error::TooManyAssertions`]; [`Error::NotReady`], [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn authenticate_by_assertion(
        &self,
        client_id: Option<&str>,
        assertion: &str,
        origin: &Origin,
    ) -> Result<Client, Error> {
        let parts = &self.parts;
        let said = Assertion::parse(assertion.as_bytes()).map_err(|_| parts.disproved(None, origin))?;
        let claimed = said.client_id().to_owned();
        let known = if is_client_id(&claimed) { parts.store.client(claimed).await? } else { None };
        let usable = |record: &ClientRecord| !record.disabled && client_id.is_none_or(|id| id == record.client_id);
        let signed = parts.signed(known.as_ref(), said).filter(|_| known.as_ref().is_some_and(usable));
        let (Some(record), Some(claims)) = (known.as_ref(), signed) else {
            return Err(parts.disproved(known.as_ref(), origin));
        };
        if !parts.is_in_force(&claims)? {
            return Err(parts.disproved(Some(record), origin));
        }
        match parts.store.use_assertion(name(&claims), claims.exp).await? {
            AssertionUse::First => Ok(proved(record.clone(), origin)),
            AssertionUse::Again => Err(parts.disproved(Some(record), origin)),
            AssertionUse::Full => Err(Error::TooManyAssertions { retry_after_secs: RETRY_SECS }),
        }
    }
}

impl Parts {
    /// Returns the claims, if one of the client's keys signed them. One verification is made in every case.
    fn signed(&self, known: Option<&ClientRecord>, said: Assertion<'_>) -> Option<AssertionClaims> {
        let keys = known.map_or(&[][..], |record| &record.keys);
        let meant = match (said.kid(), keys) {
            (Some(kid), _) => keys.iter().find(|key| key.kid == kid),
            (None, [only]) => Some(only),
            (None, _) => None, // which of several is for the client to say
        };
        let nobody = *self.keys.ring().token_signer().public().as_bytes(); // it signs no assertions
        let bytes = meant.map_or(nobody, |ClientKey { public, .. }| *public);
        let key = PublicKey::from_bytes(&bytes, Purpose::Token, Algorithm::EdDsa).ok()?;
        said.verify(&key).ok().filter(|_| meant.is_some())
    }

    /// Returns whether the claims are for this issuer and of this moment (RFC 7523 §3, items 3 to 6).
    fn is_in_force(&self, claims: &AssertionClaims) -> Result<bool, Error> {
        let now = self.moments.now()?;
        let issuer = &self.settings.issuer;
        let endpoint = claims.audience.strip_prefix(issuer.as_str());
        let for_us = endpoint.is_some_and(|path| ["", "/oauth/token"].contains(&path));
        let begun = [claims.nbf, claims.iat].into_iter().flatten().all(|at| at <= now.plus_secs(SKEW_SECS));
        Ok(for_us && begun && now < claims.exp && claims.exp <= now.plus_secs(MAX_LIFE_SECS))
    }
}

/// Returns what the assertion is remembered by: each client names its own.
fn name(claims: &AssertionClaims) -> [u8; 16] {
    let digest = Sha256::new().chain_update(&claims.client_id).chain_update([0]).chain_update(&claims.jti).finalize();
    let (left, _) = digest.split_at(16);
    left.try_into().unwrap_or_default()
}
