//! The signing keys: which there are, what each may do, and what the JWK Set says of them.
//!
//! ```text
//! next       published, does not sign yet                    until it has been published for as long as keys are cached
//! active     published, signs
//! retired    published, signs nothing new                    until what it signed has expired
//! kept       not published; refresh tokens are told by it    until the longest session it may have signed for is over
//! withdrawn  neither published nor used, for good            any of the others, when it was compromised or given up
//! ```
//!
//! Each key has one purpose: tokens (access and refresh) or revocation lists. `keys/schedule.rs` says what is due,
//! `keys/at_rest.rs` seals keys for the store, `keys/import.rs` reads private keys from elsewhere; nothing here reads a
//! clock, does I/O or prints a key.

mod at_rest;
mod import;
mod mac;
mod rewrap;
mod schedule;
#[cfg(test)]
mod tests;

pub use at_rest::{MasterKey, Opened, SealedKey};
pub use import::{ImportFault, Imported};
pub use mac::keyed;
pub use rewrap::{NewMasterKey, opens, rewrapped};
pub use schedule::{Due, Schedule, View};

use crate::Error;
use crate::env::Env;
use crate::error::KeyFault;
use std::sync::Arc;
use token::issue::SigningKey;
use token::jwk::{Algorithm, KeySet, PublicKey, Purpose};
use token::time::UnixTime;
use zeroize::Zeroizing;

/// Keys that may be published at a time, far below what verifiers take, [`token::jwk::MAX_KEYS`].
pub const MAX_PUBLISHED: usize = 32;
/// Keys there may be at a time before somebody's word makes one more; those that the schedule makes are few.
pub const MAX_HELD: usize = 1_000;

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Published and signs.
    Active,
    /// Published, signs nothing new; an answer it signed may be signed again.
    Retired,
    /// Not published any more; refresh tokens that it signed are still exchanged. Its private half is gone.
    Kept,
    /// Compromised or given up: neither published nor used.
    Withdrawn,
}

impl KeyState {
    /// Returns the name that answers and logs use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Kept => "kept",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Returns whether a key in this state stands in the JWK Set.
    pub const fn is_published(self) -> bool {
        match self {
            Self::Next | Self::Active | Self::Retired => true,
            Self::Kept | Self::Withdrawn => false,
        }
    }
}

/// Which half of a key is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The seed, from which both halves follow.
    Private,
    /// The public key alone: it signs nothing any more.
    Public,
}

/// The dates of what a key has signed, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Nothing is dated earlier.
    pub from: UnixTime,
    /// Nothing is dated later; none while it signs.
    pub until: Option<UnixTime>,
}

/// The keys of the issuer, with one active for each purpose and at most one next.
pub struct KeyRing {
    token: SigningKey,
    list: SigningKey,
    /// Token keys that sign nothing new.
    retired: Vec<SigningKey>,
    public: KeySet,
    /// Token keys by which refresh tokens are told: the published ones, and those kept for it.
    refresh: KeySet,
    jwks: Arc<str>,
    rows: Vec<SealedKey>,
}

impl KeyRing {
    /// Returns the ring of these stored keys.
    ///
    /// # Errors
    /// [`KeyFault`] when one does not open under the master key, or a purpose has no active key, or two. Keys that are
    /// given up are opened too: a row that was changed is never passed over.
    pub fn open(sealed: &[SealedKey], master: &MasterKey) -> Result<Self, KeyFault> {
        let mut rows = sealed.to_vec();
        rows.sort_by(|one, other| one.kid.cmp(&other.kid)); // the JWK Set is the same after a start
        let (mut token, mut list, mut retired) = (None, None, Vec::new());
        let (mut public, mut refresh): (Vec<PublicKey>, Vec<PublicKey>) = (Vec::new(), Vec::new());
        for row in &rows {
            let key = row.open(master)?;
            if row.state.is_published() {
                public.push(key.public().clone());
            }
            if row.purpose == Purpose::Token && (row.state.is_published() || row.state == KeyState::Kept) {
                refresh.push(key.public().clone());
            }
            match (row.state, row.purpose, key) {
                (KeyState::Active, Purpose::Token, Opened::Private(key)) => only(&mut token, key)?,
                (KeyState::Active, Purpose::Revocations, Opened::Private(key)) => only(&mut list, key)?,
                (KeyState::Retired, Purpose::Token, Opened::Private(key)) => retired.push(key),
                _ => {} // published or kept, and signs nothing
            }
        }
        let missing = |purpose: Purpose| KeyFault::Missing { purpose: purpose.name() };
        let token = token.ok_or(missing(Purpose::Token))?;
        let list = list.ok_or(missing(Purpose::Revocations))?;
        let set = |keys| KeySet::from_keys(keys).map_err(|_| missing(Purpose::Token));
        let (public, refresh) = (set(public)?, set(refresh)?);
        let jwks = Arc::from(public.to_json());
        Ok(Self { token, list, retired, public, refresh, jwks, rows })
    }

    /// Returns a new active key for each purpose, sealed for the store.
    ///
    /// # Errors
    /// [`Error::Entropy`], and [`Error::Signing`] if a seed gave no usable key, which cannot be seen in practice.
    pub fn create(env: &Env, master: &MasterKey, algorithm: Algorithm, now: UnixTime) -> Result<Vec<SealedKey>, Error> {
        let purposes = [Purpose::Token, Purpose::Revocations];
        let active = (KeyState::Active, now);
        purposes.into_iter().map(|purpose| Self::draw(purpose, active, env, master, algorithm)).collect()
    }

    /// Returns a new key in this state.
    ///
    /// # Errors
    /// As [`KeyRing::create`].
    pub fn draw(
        purpose: Purpose,
        state: (KeyState, UnixTime),
        env: &Env,
        master: &MasterKey,
        algorithm: Algorithm,
    ) -> Result<SealedKey, Error> {
        let mut seed = Zeroizing::new([0; 32]);
        env.fill(seed.as_mut())?;
        SealedKey::seal(&seed, purpose, algorithm, state, env.random()?, master)
    }

    /// Returns the next key with the private half that came from elsewhere.
    ///
    /// # Errors
    /// As [`KeyRing::create`].
    pub fn import(
        key: &Imported,
        purpose: Purpose,
        now: UnixTime,
        (env, master, algorithm): (&Env, &MasterKey, Algorithm),
    ) -> Result<SealedKey, Error> {
        SealedKey::seal(&key.0, purpose, algorithm, (KeyState::Next, now), env.random()?, master)
    }

    /// Returns these rows with those of `changed` in place of what they had of the same name.
    pub fn with(&self, changed: &[SealedKey]) -> Vec<SealedKey> {
        let kept = self.rows.iter().filter(|row| changed.iter().all(|changed| changed.kid != row.kid));
        kept.chain(changed).cloned().collect()
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

    /// Returns the keys by which refresh tokens are told.
    pub fn refresh(&self) -> &KeySet {
        &self.refresh
    }

    /// Returns the JWK Set as JSON text.
    pub fn jwks(&self) -> Arc<str> {
        Arc::clone(&self.jwks)
    }

    /// Returns every key as it is stored, ascending by name.
    pub fn rows(&self) -> &[SealedKey] {
        &self.rows
    }

    /// Returns the key of this purpose in this state, the first of several.
    pub fn in_state(&self, state: KeyState, purpose: Purpose) -> Option<&SealedKey> {
        self.rows.iter().find(|row| row.state == state && row.purpose == purpose)
    }
}

/// Two keys that sign for one purpose were never stored: one change makes the one active and retires the other.
fn only(place: &mut Option<SigningKey>, key: SigningKey) -> Result<(), KeyFault> {
    let purpose = key.public().purpose().name();
    match place.replace(key) {
        None => Ok(()),
        Some(_) => Err(KeyFault::Several { purpose }),
    }
}
