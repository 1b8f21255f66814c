//! The keys in use. They change as one, so nobody ever sees a signer whose public half is not published.

use super::issuer::Parts;
use super::{Error, Settings};
use crate::audit::{Act, Event, Origin};
use crate::env::Env;
use crate::keys::{KeyRing, KeyState, MasterKey, SealedKey};
use crate::store::{Store, in_time};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use token::jwk::{KeySet, Purpose};
use token::time::UnixTime;
use token::verify::{Policy, Verifier};

/// The ring, the verifier that follows it, and the master key that seals what comes into the ring.
pub(super) struct Signers {
    current: RwLock<Current>,
    master: RwLock<Arc<MasterKey>>,
}

#[derive(Clone)]
struct Current {
    ring: Arc<KeyRing>,
    verifier: Arc<Verifier>,
    /// Since when this process has published each key, on the monotonic clock.
    shown: Arc<BTreeMap<String, Duration>>,
}

/// A ring that is not in use yet, and the rows in which it differs from the one that is.
pub(super) struct NextRing {
    /// Rows to store; none when nothing changes.
    pub(super) rows: Vec<SealedKey>,
    ring: KeyRing,
}

/// What withdrawing a key changes.
pub(super) struct Withdrawal {
    /// What the key is for.
    pub(super) purpose: Purpose,
    /// Whether every live token is one of this key.
    pub(super) is_of_all: bool,
    /// The keys without it.
    pub(super) next: NextRing,
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
            let events = sealed.iter().map(event).collect();
            in_time(store.patience(), store.put_keys(sealed.clone(), events)).await??; // nothing is in memory yet
        }
        let ring = KeyRing::open(&sealed, &master).map_err(Error::Keys)?;
        if ring.token_signer().public().algorithm() != settings.algorithm {
            tracing::warn!(
                "the active keys keep the algorithm name they were made with; the setting goes for new keys"
            );
        }
        let verifier = Arc::new(verifier(settings, ring.public().clone())?);
        let shown = shown(&ring, &BTreeMap::new(), env.monotonic());
        Ok(Self {
            current: RwLock::new(Current { ring: Arc::new(ring), verifier, shown }),
            master: RwLock::new(Arc::new(master)),
        })
    }

    /// Returns the keys in use right now.
    pub(super) fn ring(&self) -> Arc<KeyRing> {
        self.current().ring
    }

    /// Returns what judges access tokens that are introspected or revoked, all but their revocation.
    pub(super) fn verifier(&self) -> Arc<Verifier> {
        self.current().verifier
    }

    /// Returns for how many seconds this process has published a key.
    pub(super) fn shown_secs(&self, kid: &str, env: &Env) -> u64 {
        let since = self.current().shown.get(kid).copied();
        since.map_or(0, |since| env.monotonic().saturating_sub(since).as_secs())
    }

    /// Returns the master key.
    pub(super) fn master(&self) -> Arc<MasterKey> {
        Arc::clone(&self.master.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another master key in use, under which every key must be stored by now.
    pub(super) fn put_master(&self, new: Arc<MasterKey>) {
        *self.master.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// Returns the ring in which these rows have taken the place of what the one in use has of the same name; those of
    /// `gone` are not in it.
    ///
    /// Opened before anything is stored: a ring that does not open must not be what the next start finds.
    ///
    /// # Errors
    /// [`Error::Keys`].
    pub(super) fn next_ring(&self, rows: Vec<SealedKey>, gone: &[String]) -> Result<NextRing, Error> {
        self.ring_under(rows, gone, &self.master())
    }

    /// As [`Signers::next_ring`], under another master key.
    ///
    /// # Errors
    /// [`Error::Keys`].
    pub(super) fn ring_under(
        &self,
        rows: Vec<SealedKey>,
        gone: &[String],
        master: &MasterKey,
    ) -> Result<NextRing, Error> {
        let mut sealed = self.ring().with(&rows);
        sealed.retain(|row| !gone.contains(&row.kid));
        let ring = KeyRing::open(&sealed, master).map_err(Error::Keys)?;
        Ok(NextRing { rows, ring })
    }

    /// Puts a ring in use. What it changes must be durable by now.
    pub(super) fn put(&self, next: NextRing, env: &Env) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut verifier = (*current.verifier).clone();
        verifier.replace_keys(next.ring.public().clone());
        let shown = shown(&next.ring, &current.shown, env.monotonic());
        *current = Current { ring: Arc::new(next.ring), verifier: Arc::new(verifier), shown };
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Parts {
    /// Returns what withdrawing the key `kid` changes; nothing has changed yet. Nobody may be issuing meanwhile.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when there is no such key; [`Error::Entropy`], [`Error::Keys`].
    pub(super) fn withdrawal(&self, kid: &str, now: UnixTime) -> Result<Withdrawal, Error> {
        let unknown = Error::InvalidRequest { field: "key", detail: "is not the kid of a key of this issuer" };
        let Self { settings, env, keys, moments, .. } = self;
        let ring = keys.ring();
        let held = ring.rows().iter().find(|held| held.kid == kid).ok_or(unknown)?;
        let is_of_all = held.state == KeyState::Active && ring.in_state(KeyState::Retired, held.purpose).is_none();
        // Where other keys' tokens are alive, its own are told from them by their dates.
        let until = (held.state == KeyState::Active && !is_of_all).then(|| moments.part());
        let rows = match held.state {
            KeyState::Withdrawn => Vec::new(),
            KeyState::Next | KeyState::Active | KeyState::Retired | KeyState::Kept => {
                ring.withdraw(held, until, (env, &keys.master(), settings.algorithm), now)?
            }
        };
        Ok(Withdrawal { purpose: held.purpose, is_of_all, next: keys.next_ring(rows, &[])? })
    }
}

/// Returns since when each published key has been shown, given what was shown before.
fn shown(ring: &KeyRing, before: &BTreeMap<String, Duration>, now: Duration) -> Arc<BTreeMap<String, Duration>> {
    let since = |kid: &str| before.get(kid).copied().unwrap_or(now);
    Arc::new(ring.public().keys().iter().map(|key| (key.kid().to_owned(), since(key.kid()))).collect())
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
