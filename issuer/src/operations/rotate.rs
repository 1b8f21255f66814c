//! What the life of the keys asks for, done: new keys are published, the next one becomes active, old ones go.
//!
//! `keys/schedule.rs` decides. One change of the store makes the next key active and retires the one before; a process
//! that ends before it has done nothing, one that ends after it starts with the new key. Tokens are parted by their dates:
//! nobody issues while the active token key changes, and what is issued next is dated after all that went out.

use super::issuer::{Issuer, Parts};
use super::{Client, Error, KeyLife};
use crate::audit::{Act, Event, Origin};
use crate::keys::{Due, Imported, KeyRing, KeyState, MAX_HELD, MAX_PUBLISHED, Schedule, SealedKey, View};
use crate::telemetry::traces::TARGET;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use token::jwk::Purpose;
use token::time::UnixTime;
use zeroize::Zeroizing;

/// A private key that came from elsewhere, not read yet.
pub enum PrivateKey {
    /// PKCS#8 as PEM, or its DER in base64.
    Pkcs8(Zeroizing<String>),
    /// A private JWK.
    Jwk(Map<String, Value>),
}

/// What an administrator asks for who brings a key along.
pub struct KeyImport {
    /// What it shall sign.
    pub purpose: Purpose,
    /// The key.
    pub key: PrivateKey,
}

/// A key as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyStatus {
    /// Its name, the RFC 7638 thumbprint.
    pub kid: String,
    /// `token` or `revocations`.
    pub purpose: &'static str,
    /// The name of its algorithm.
    pub algorithm: &'static str,
    /// `next`, `active`, `retired`, `kept` or `withdrawn`.
    pub state: &'static str,
    /// Since when, in seconds since 1970.
    pub since: u64,
    /// When that will change, in seconds since 1970, if nothing holds it up; absent when only somebody's word changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes_at: Option<u64>,
}

impl Issuer {
    /// Does what is due in the life of the keys.
    ///
    /// # Errors
    /// [`Error::NotReady`], [`Error::Store`], [`Error::Entropy`]: it is due again.
    pub(super) async fn turn_keys(&self) -> Result<(), Error> {
        if self.parts.due().is_empty() {
            return Ok(());
        }
        let parts = Arc::clone(&self.parts);
        self.parts.ruling.carry_out(async move { parts.turn_keys().await }).await
    }

    /// Returns every key there is, ascending by name.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks.
    pub fn keys(&self, client: &Client) -> Result<Vec<KeyStatus>, Error> {
        self.parts.administrator(client, "keys")?;
        let schedule = self.parts.schedule();
        Ok(self.parts.keys.ring().rows().iter().map(|row| status(row, &schedule)).collect())
    }

    /// Publishes a next key for this purpose unless there is one, and returns it. It becomes the active one when it has been
    /// published for long enough, without anybody asking again.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks; [`Error::InvalidRequest`] when there are too many keys;
    /// [`Error::NotReady`], [`Error::Store`], [`Error::Entropy`]: there is no new key.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn rotate_key(&self, client: &Client, purpose: Purpose) -> Result<KeyStatus, Error> {
        self.parts.administrator(client, "keys")?;
        let (parts, event) = (Arc::clone(&self.parts), client.did(Act::KeyCreated, self.parts.moments.shown()));
        self.parts.ruling.carry_out(async move { parts.publish_next(purpose, event).await }).await
    }

    /// Publishes a key from elsewhere as the next one, and returns it. Only its private half is taken.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks; [`Error::InvalidRequest`] for what is no key or a weak
    /// one, for a key there is or was, and where there is a next key or no room; [`Error::NotReady`], [`Error::Store`],
    /// [`Error::Entropy`]: it is not taken.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn import_key(&self, client: &Client, import: KeyImport) -> Result<KeyStatus, Error> {
        self.parts.administrator(client, "keys")?;
        let (field, read) = match &import.key {
            PrivateKey::Pkcs8(text) => ("pkcs8", Imported::from_pkcs8(text)),
            PrivateKey::Jwk(jwk) => ("jwk", Imported::from_jwk(jwk)),
        };
        let key = read.map_err(|fault| Error::InvalidRequest { field, detail: fault.detail() })?;
        let (parts, event) = (Arc::clone(&self.parts), client.did(Act::KeyImported, self.parts.moments.shown()));
        self.parts.ruling.carry_out(async move { parts.import(&key, import.purpose, field, event).await }).await
    }
}

impl Parts {
    /// Returns what the settings make of the life of a key.
    pub(super) fn schedule(&self) -> Schedule {
        let Self { settings, ruling, .. } = self;
        let KeyLife { rotate_every_secs, publish_before_secs } = settings.keys;
        let cached_secs = settings.jwks_max_age_secs.saturating_add(KeyLife::MARGIN_SECS);
        // As long as rules last, which no setting that becomes smaller shortens; a repetition is signed by the key it was
        // signed by at first; and a calendar that went back at a start holds at the newest list, which may be so old.
        let life_secs = settings.rule_life_secs().max(ruling.rules().life_secs).max(settings.retry_window_secs);
        let token_secs = life_secs.saturating_add(settings.list_interval_secs);
        let publish_before_secs = publish_before_secs.max(cached_secs);
        Schedule { rotate_every_secs, publish_before_secs, cached_secs, token_secs }
    }

    fn due(&self) -> Vec<Due> {
        let (now, certain) = (self.moments.shown(), self.moments.certain());
        let shown_secs = |kid: &str| self.keys.shown_secs(kid, &self.env);
        self.keys.ring().due(&self.schedule(), &View { now, certain, shown_secs: &shown_secs })
    }

    async fn turn_keys(&self) -> Result<(), Error> {
        let _alone = self.ruling.alone().await?; // also of withdrawals, which change keys too
        let now = self.moments.now()?; // a calendar that has jumped dates nothing
        let (ring, due) = (self.keys.ring(), self.due());
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        let by_itself = |act, kid: &str| Event::new(act, &Origin::internal(), now).target(kid);
        for due in &due {
            match due {
                Due::Create(purpose) => rows.push(self.new_key(*purpose, now)?),
                Due::Switch(purpose) => rows.extend(ring.switch(*purpose, self.moments.part())),
                Due::Keep(kid) => rows.extend(ring.keep(kid, &self.env, &self.keys.master(), now)?),
                Due::Forget(kid) => gone.push(kid.clone()),
            }
        }
        let told = rows.iter().filter_map(|row| entered(row).map(|act| by_itself(act, &row.kid)));
        let forgotten = gone.iter().map(|kid| by_itself(Act::KeyForgotten, kid));
        let events = told.chain(forgotten).collect();
        self.change_keys(rows, gone, events).await
    }

    async fn publish_next(&self, purpose: Purpose, event: Event) -> Result<KeyStatus, Error> {
        let _alone = self.ruling.alone().await?;
        if let Some(next) = self.keys.ring().in_state(KeyState::Next, purpose) {
            return Ok(status(next, &self.schedule()));
        }
        self.has_room()?;
        let next = self.new_key(purpose, self.moments.now()?)?;
        let (answer, event) = (status(&next, &self.schedule()), event.target(&next.kid).detail(purpose.name()));
        self.change_keys(vec![next], Vec::new(), vec![event]).await?;
        Ok(answer)
    }

    async fn import(
        &self,
        key: &Imported,
        purpose: Purpose,
        field: &'static str,
        event: Event,
    ) -> Result<KeyStatus, Error> {
        let _alone = self.ruling.alone().await?;
        self.has_room()?;
        let (ring, now) = (self.keys.ring(), self.moments.now()?);
        let master = self.keys.master();
        let tools = (&self.env, &*master, self.settings.algorithm);
        let next = KeyRing::import(key, purpose, now, tools)?;
        if ring.rows().iter().any(|row| row.kid == next.kid) {
            return Err(Error::InvalidRequest { field, detail: "is a key that this issuer has or had" });
        }
        if ring.in_state(KeyState::Next, purpose).is_some() {
            return Err(Error::InvalidRequest {
                field: "purpose",
                detail: "has a next key already: withdraw it first",
            });
        }
        let (answer, event) = (status(&next, &self.schedule()), event.target(&next.kid).detail(purpose.name()));
        self.change_keys(vec![next], Vec::new(), vec![event]).await?;
        Ok(answer)
    }

    /// # Errors
    /// [`Error::InvalidRequest`] when there are as many keys as there may be.
    pub(super) fn has_room(&self) -> Result<(), Error> {
        let ring = self.keys.ring();
        if ring.public().keys().len() < MAX_PUBLISHED && ring.rows().len() < MAX_HELD {
            return Ok(());
        }
        Err(Error::InvalidRequest {
            field: "purpose",
            detail: "has a new key only when an old one has gone: there are too many",
        })
    }

    fn new_key(&self, purpose: Purpose, now: UnixTime) -> Result<SealedKey, Error> {
        KeyRing::draw(purpose, (KeyState::Next, now), &self.env, &self.keys.master(), self.settings.algorithm)
    }

    /// Makes these rows durable and puts the ring in use that they make. Nobody may be issuing meanwhile.
    pub(super) async fn change_keys(
        &self,
        rows: Vec<SealedKey>,
        gone: Vec<String>,
        events: Vec<Event>,
    ) -> Result<(), Error> {
        if rows.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let (with, without) = (self.keys.next_ring(rows.clone(), &[])?, self.keys.next_ring(rows.clone(), &gone)?);
        self.store.put_keys(rows.clone(), events).await?;
        self.keys.put(with, &self.env); // in use also where the others cannot be forgotten yet
        if !gone.is_empty() {
            self.store.forget_keys(gone.clone(), Vec::new()).await?; // if the process ends before it, they are due again
            self.keys.put(without, &self.env);
        }
        for row in rows {
            let (purpose, state) = (row.purpose.name(), row.state.name());
            tracing::info!(kid = row.kid, purpose, state, "a key has entered another state");
        }
        gone.into_iter().for_each(|kid| tracing::info!(kid, "a key is forgotten: nothing it signed can be valid"));
        Ok(())
    }
}

/// Returns what the audit log says of a key that has entered its state; nothing of one that has retired, because the one
/// after it has become active.
fn entered(row: &SealedKey) -> Option<Act> {
    match row.state {
        KeyState::Next => Some(Act::KeyCreated),
        KeyState::Active => Some(Act::KeyActivated),
        KeyState::Kept => Some(Act::KeyUnpublished),
        KeyState::Retired | KeyState::Withdrawn => None,
    }
}

fn status(row: &SealedKey, schedule: &Schedule) -> KeyStatus {
    KeyStatus {
        kid: row.kid.clone(),
        purpose: row.purpose.name(),
        algorithm: row.algorithm.name(),
        state: row.state.name(),
        since: row.since.as_secs(),
        changes_at: schedule.next_change(row).map(UnixTime::as_secs),
    }
}
