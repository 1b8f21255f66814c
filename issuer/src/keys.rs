//! The signing keys: which there are, what each may do, and what the JWK Set says of them.
//!
//! ```text
//! next (published) → active (signs) → retired (published until what it signed has expired) → gone
//!                        any of them → withdrawn (published no more, signs nothing, not even again)
//! ```
//!
//! Each key has one purpose: tokens (access and refresh) or revocation lists. `keys/at_rest.rs` seals private keys for
//! the store; nothing here reads a clock, does I/O or prints a key.

mod at_rest;

pub use at_rest::{MasterKey, SealedKey};

use crate::Error;
use crate::env::Env;
use crate::error::KeyFault;
use std::sync::Arc;
use token::issue::SigningKey;
use token::jwk::{Algorithm, KeySet, Purpose};
use token::time::UnixTime;
use zeroize::Zeroizing;

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Published and signs.
    Active,
    /// Published, signs nothing new; an answer it signed may be signed again.
    Retired,
    /// Compromised or given up: neither published nor used.
    Withdrawn,
}

/// The keys of the issuer, with one active for each purpose.
pub struct KeyRing {
    token: SigningKey,
    list: SigningKey,
    /// Token keys that sign nothing new.
    retired: Vec<SigningKey>,
    public: KeySet,
    jwks: Arc<str>,
}

impl KeyRing {
    /// Returns the ring of these stored keys.
    ///
    /// # Errors
    /// [`KeyFault`] when one does not open under the master key or a purpose has no active key. Keys that are given up
    /// are opened too: a row that was changed is never passed over.
    pub fn open(sealed: &[SealedKey], master: &MasterKey) -> Result<Self, KeyFault> {
        let (mut token, mut list, mut retired, mut public) = (None, None, Vec::new(), Vec::new());
        for row in sealed {
            let key = row.open(master)?;
            if row.state != KeyState::Withdrawn {
                public.push(key.public().clone());
            }
            match (row.state, row.purpose) {
                (KeyState::Active, Purpose::Token) => token = Some(key),
                (KeyState::Active, Purpose::Revocations) => list = Some(key),
                (KeyState::Retired, Purpose::Token) => retired.push(key),
                (KeyState::Retired, Purpose::Revocations) | (KeyState::Next | KeyState::Withdrawn, _) => {}
            }
        }
        let missing = |purpose: Purpose| KeyFault::Missing { purpose: purpose.name() };
        let token = token.ok_or(missing(Purpose::Token))?;
        let list = list.ok_or(missing(Purpose::Revocations))?;
        let public = KeySet::from_keys(public).map_err(|_| missing(Purpose::Token))?;
        let jwks = Arc::from(public.to_json());
        Ok(Self { token, list, retired, public, jwks })
    }

    /// Returns a new active key for each purpose, sealed for the store.
    ///
    /// # Errors
    /// [`Error::Entropy`], and [`Error::Signing`] if a seed gave no usable key, which cannot be seen in practice.
    pub fn create(env: &Env, master: &MasterKey, algorithm: Algorithm, now: UnixTime) -> Result<Vec<SealedKey>, Error> {
        let purposes = [Purpose::Token, Purpose::Revocations];
        purposes.into_iter().map(|purpose| created(purpose, env, master, algorithm, now)).collect()
    }

    /// Returns the rows that withdrawing a key changes: its own, and that of a new active key if it was active.
    ///
    /// # Errors
    /// As [`KeyRing::create`].
    pub fn withdraw(
        key: &SealedKey,
        env: &Env,
        master: &MasterKey,
        algorithm: Algorithm,
        now: UnixTime,
    ) -> Result<Vec<SealedKey>, Error> {
        let withdrawn = SealedKey { state: KeyState::Withdrawn, since: now, ..key.clone() };
        let successor = (key.state == KeyState::Active).then(|| created(key.purpose, env, master, algorithm, now));
        std::iter::once(Ok(withdrawn)).chain(successor).collect()
    }

    /// Returns the key that signs new tokens.
    pub fn token_signer(&self) -> &SigningKey {
        &self.token
    }

    /// Returns the key that signs revocation lists.
    pub fn list_signer(&self) -> &SigningKey {
        &self.list
    }

    /// Returns the token key with this name if it may sign again what it has signed: active or retired.
    pub fn signed_with(&self, kid: &str) -> Option<&SigningKey> {
        std::iter::once(&self.token).chain(&self.retired).find(|key| key.kid() == kid)
    }

    /// Returns the published keys.
    pub fn public(&self) -> &KeySet {
        &self.public
    }

    /// Returns the JWK Set as JSON text.
    pub fn jwks(&self) -> Arc<str> {
        Arc::clone(&self.jwks)
    }
}

fn created(
    purpose: Purpose,
    env: &Env,
    master: &MasterKey,
    algorithm: Algorithm,
    now: UnixTime,
) -> Result<SealedKey, Error> {
    let mut seed = Zeroizing::new([0; 32]);
    env.fill(seed.as_mut())?;
    SealedKey::seal(&seed, purpose, algorithm, now, env.random()?, master)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        Env::fixed(UnixTime::from_secs(1_700_000_000).unwrap(), 1).0
    }

    fn created() -> (Vec<SealedKey>, MasterKey) {
        let (master, _) = MasterKey::generate(&env()).unwrap();
        let keys = KeyRing::create(&env(), &master, Algorithm::EdDsa, env().now()).unwrap();
        (keys, master)
    }

    #[test]
    fn a_new_ring_has_one_key_for_each_purpose_and_publishes_both() {
        let (sealed, master) = created();
        let ring = KeyRing::open(&sealed, &master).unwrap();
        assert_eq!(ring.token_signer().public().purpose(), Purpose::Token);
        assert_eq!(ring.list_signer().public().purpose(), Purpose::Revocations);
        assert_eq!(KeySet::parse(ring.jwks().as_bytes()).unwrap().keys().len(), 2);
        assert!(!ring.jwks().contains("\"d\""));
    }

    #[test]
    fn a_withdrawn_key_is_neither_published_nor_signs_again_and_a_retired_one_is_both() {
        let (mut sealed, master) = created();
        let old = sealed[0].kid.clone();
        let (more, _) = Env::fixed(env().now(), 2);
        sealed.push(KeyRing::create(&more, &master, Algorithm::EdDsa, env().now()).unwrap().remove(0));
        sealed[0].state = KeyState::Retired;
        let ring = KeyRing::open(&sealed, &master).unwrap();
        assert!(ring.signed_with(&old).is_some() && ring.public().keys().len() == 3);
        assert_ne!(ring.token_signer().kid(), old);
        sealed[0].state = KeyState::Withdrawn;
        let ring = KeyRing::open(&sealed, &master).unwrap();
        assert!(ring.signed_with(&old).is_none() && ring.public().keys().len() == 2);
        let list_key = ring.list_signer().kid().to_owned();
        assert!(ring.signed_with(&list_key).is_none(), "a list key never signs a token");
    }

    #[test]
    fn withdrawing_an_active_key_brings_a_new_one_of_its_purpose_and_another_none() {
        let (sealed, master) = created();
        let (more, _) = Env::fixed(env().now(), 2);
        let now = env().now().plus_secs(9);
        for key in &sealed {
            let rows = KeyRing::withdraw(key, &more, &master, Algorithm::Ed25519, now).unwrap();
            assert_eq!(rows[0], SealedKey { state: KeyState::Withdrawn, since: now, ..key.clone() });
            let new = (rows[1].purpose, rows[1].state, rows[1].algorithm, rows[1].since);
            assert_eq!(new, (key.purpose, KeyState::Active, Algorithm::Ed25519, now));
            assert!(rows[1].kid != key.kid && rows.len() == 2);
        }
        for state in [KeyState::Next, KeyState::Retired] {
            let key = SealedKey { state, ..sealed[0].clone() };
            assert_eq!(KeyRing::withdraw(&key, &more, &master, Algorithm::EdDsa, now).unwrap().len(), 1);
        }
    }

    #[test]
    fn a_ring_without_an_active_key_for_a_purpose_does_not_open() {
        let (mut sealed, master) = created();
        sealed[1].state = KeyState::Retired;
        assert_eq!(KeyRing::open(&sealed, &master).err(), Some(KeyFault::Missing { purpose: "revocations" }));
        assert_eq!(KeyRing::open(&[], &master).err(), Some(KeyFault::Missing { purpose: "token" }));
    }
}
