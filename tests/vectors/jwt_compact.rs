//! What jwt-compact says of a token: another parser, with the same rule for signatures.

use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, Claims, TimeOptions, UntrustedToken};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::num::NonZeroUsize;
use token::jwk::{KeySet, PublicKey};

/// Ed25519 under one name, judged as `verify_strict` does.
struct Strict(&'static str);

struct Signature([u8; 64]);

impl AlgorithmSignature for Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(64);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.try_into()?))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl Algorithm for Strict {
    type SigningKey = std::convert::Infallible;
    type VerifyingKey = PublicKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.0)
    }

    fn sign(&self, key: &Self::SigningKey, _: &[u8]) -> Signature {
        match *key {}
    }

    fn verify_signature(&self, signature: &Signature, key: &PublicKey, message: &[u8]) -> bool {
        key.verifies(message, &signature.0)
    }
}

/// Whether jwt-compact takes the token under the key that it names, at this time; its claims if so.
///
/// Issuer, audience, scope and revocation are not its business. `None` also where it panics.
pub(crate) fn accepts(token: &str, keys: &KeySet, leeway_secs: u64, now: u64) -> Option<Claims<Map<String, Value>>> {
    std::panic::catch_unwind(|| judged(token, keys, leeway_secs, now)).ok().flatten()
}

/// Whether it panics instead.
pub(crate) fn panics(token: &str, keys: &KeySet, leeway_secs: u64, now: u64) -> bool {
    std::panic::catch_unwind(|| judged(token, keys, leeway_secs, now)).is_err()
}

fn judged(token: &str, keys: &KeySet, leeway_secs: u64, now: u64) -> Option<Claims<Map<String, Value>>> {
    let untrusted = UntrustedToken::new(token).ok()?;
    let key = keys.keys().iter().find(|key| Some(key.kid()) == untrusted.header().key_id.as_deref())?;
    let (_, claims) = Strict(key.algorithm().name()).validator(key).validate(&untrusted).ok()?.into_parts();
    let now = DateTime::<Utc>::from_timestamp(i64::try_from(now).ok()?, 0)?;
    let options = TimeOptions::new(TimeDelta::seconds(i64::try_from(leeway_secs).ok()?), move || now);
    claims.validate_expiration(&options).ok()?;
    if claims.not_before.is_some() {
        claims.validate_maturity(&options).ok()?;
    }
    Some(claims)
}
