//! The keys in use. They change as one, so nobody ever sees a signer whose public half is not published.

use super::issuer::Parts;
use super::{Error, Settings};
use crate::audit::{Act, Event, Origin};
use crate::env::Env;
use crate::keys::{KeyRing, KeyState, MasterKey, SealedKey};
use crate::store::Store;
use std::sync::{Arc, PoisonError, RwLock};
use token::jwk::{KeySet, Purpose};
use token::time::UnixTime;
use token::verify::{Policy, Verifier};

/// The ring, the verifier that follows it, and the master key that seals what comes into the ring.
pub(super) struct Signers {
    current: RwLock<Current>,
    master: MasterKey,
}

#[derive(Clone)]
struct Current {
    ring: Arc<KeyRing>,
    verifier: Arc<Verifier>,
}

/// What withdrawing a key changes.
pub(super) struct Withdrawal {
    /// What the key is for.
    pub(super) purpose: Purpose,
    /// Rows to store; none when it is withdrawn already.
    pub(super) rows: Vec<SealedKey>,
    ring: KeyRing,
}

impl Signers {
    /// Opens the stored keys, or makes the first.
    ///
    /// # Errors
    /// [`Error::Keys`] when one does not open or a purpose has none; [`Error::Store`].
    pub(super) async fn open(
        settings: &Settings,
        env: &Env,
        store: &dyn Store,
        master: MasterKey,
        in_use: bool,
    ) -> Result<Self, Error> {
        let mut sealed = store.keys().await?;
        // Keys are stored before the first list is, so a store with a list and without keys has lost them.
        if sealed.is_empty() && !in_use {
            sealed = KeyRing::create(env, &master, settings.algorithm, env.now())?;
            let event = |key: &SealedKey| Event::new(Act::KeyCreated, &Origin::internal(), key.since).target(&key.kid);
            store.put_keys(sealed.clone(), sealed.iter().map(event).collect()).await?;
        }
        let ring = KeyRing::open(&sealed, &master).map_err(Error::Keys)?;
        if ring.token_signer().public().algorithm() != settings.algorithm {
            tracing::warn!(
                "the active keys keep the algorithm name they were made with; the setting goes for new keys"
            );
        }
        let verifier = Arc::new(verifier(settings, ring.public().clone())?);
        Ok(Self { current: RwLock::new(Current { ring: Arc::new(ring), verifier }), master })
    }

    /// Returns the keys in use right now.
    pub(super) fn ring(&self) -> Arc<KeyRing> {
        self.current().ring
    }

    /// Returns what judges access tokens that are introspected or revoked, all but their revocation.
    pub(super) fn verifier(&self) -> Arc<Verifier> {
        self.current().verifier
    }

    /// Puts the keys that a withdrawal leaves in use. What it changes must be durable by now.
    pub(super) fn use_ring_of(&self, withdrawal: Withdrawal) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut verifier = (*current.verifier).clone();
        verifier.replace_keys(withdrawal.ring.public().clone());
        *current = Current { ring: Arc::new(withdrawal.ring), verifier: Arc::new(verifier) };
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Parts {
    /// Returns what withdrawing the key `kid` changes; nothing has changed yet.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when there is no such key; [`Error::Store`], [`Error::Entropy`].
    pub(super) async fn withdrawal(&self, kid: &str, now: UnixTime) -> Result<Withdrawal, Error> {
        let unknown = Error::InvalidRequest { field: "key", detail: "is not the kid of a key of this issuer" };
        let Self { settings, env, store, keys: Signers { master, .. }, .. } = self;
        let mut sealed = store.keys().await?;
        let held = sealed.iter().find(|held| held.kid == kid).ok_or(unknown)?;
        let purpose = held.purpose;
        let rows = if held.state == KeyState::Withdrawn {
            Vec::new()
        } else {
            KeyRing::withdraw(held, env, master, settings.algorithm, now)?
        };
        sealed.retain(|held| rows.iter().all(|row| row.kid != held.kid));
        sealed.extend(rows.iter().cloned());
        sealed.sort_by(|one, other| one.kid.cmp(&other.kid)); // as the store has them: the JWK Set is the same after a start
        // Opened before anything is stored: a ring that does not open must not be what the next start finds.
        let ring = KeyRing::open(&sealed, master).map_err(Error::Keys)?;
        Ok(Withdrawal { purpose, rows, ring })
    }
}

fn verifier(settings: &Settings, keys: KeySet) -> Result<Verifier, Error> {
    let policy = Policy {
        issuer: Some(settings.issuer.clone()),
        audience: None,
        leeway_secs: 0, // the issuer's clock is the one that counts
        scope: Vec::new(),
        revocations: false, // the store knows them before any list does
        max_staleness_secs: None,
    };
    Verifier::new(policy, keys).map_err(|_| Error::InvalidRequest { field: "issuer", detail: "must not be empty" })
}
