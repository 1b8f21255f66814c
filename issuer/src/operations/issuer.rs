//! The issuer as the rest of the daemon sees it: opening, what it shows without being asked, closing.

use super::audit::{Keeper, Refusals};
use super::census::Census;
use super::moments::Moments;
use super::publish::{Events, Publisher};
use super::rule::Ruling;
use super::signers::Signers;
use super::status_list::StatusLists;
use super::users::Desk;
use super::{Error, NotReady, Published, Settings};
use crate::env::Env;
use crate::indices::Indices;
use crate::keys::{MasterKey, NewMasterKey};
use crate::store::{Store, StoreError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The issuer: every use case, over one store. Cheap to clone.
#[derive(Clone)]
pub struct Issuer {
    pub(super) parts: Arc<Parts>,
}

/// What the operations work with.
pub(super) struct Parts {
    pub(super) settings: Settings,
    pub(super) env: Env,
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: Signers,
    pub(super) indices: Indices,
    pub(super) moments: Moments,
    pub(super) ruling: Ruling,
    pub(super) publisher: Publisher,
    pub(super) status_lists: StatusLists,
    pub(super) refusals: Arc<Refusals>,
    pub(super) keeper: Keeper,
    pub(super) census: Census,
    /// What users need; none where they are off.
    pub(super) desk: Option<Desk>,
    /// Backups that may be made at a time: one. Whoever replaces the master key has it, too.
    pub(super) backups: Arc<tokio::sync::Semaphore>,
    /// Where another master key would come from.
    pub(super) new_master_key: OnceLock<Box<dyn NewMasterKey>>,
    closing: AtomicBool,
}

impl Issuer {
    /// Opens the issuer: keys and revocations are loaded or made, and the first revocation list is published.
    ///
    /// # Errors
    /// [`Error`] when a key does not open, the store fails or has lost what was acknowledged, or no list can be published.
    pub async fn open(
        settings: Settings,
        env: Env,
        store: Arc<dyn Store>,
        master_key: MasterKey,
    ) -> Result<Self, Error> {
        let publication = store.publication().await?;
        let revocations = store.revocations().await?;
        if let Some(found) = revocations.damage.clone() {
            return Err(StoreError::Incomplete { found }.into()); // nothing is written before the operator has decided
        }
        let in_use = publication.is_some() || !revocations.whole;
        let moments = Moments::new(env.clone(), publication.map(|publication| publication.iat));
        let keys = Signers::open(&settings, &env, store.as_ref(), master_key, in_use).await?;
        if let Some(until) = keys.ring().parted() {
            moments.cut(until);
        }
        let (publisher, proven) = Publisher::open(revocations, publication)?;
        let ruling = Ruling::open(&settings, &env, store.as_ref(), &moments, publication, proven).await?;
        let status_lists = StatusLists::new();
        let indices = Indices::new(Arc::clone(&store), env.clone());
        let (new_master_key, closing) = (OnceLock::new(), AtomicBool::new(false));
        let (refusals, keeper) = (Arc::<Refusals>::default(), Keeper::default());
        let desk = match settings.users.clone() {
            Some(users) => Some(Desk::open(users, &env, store.as_ref()).await?),
            None => None,
        };
        let parts = Parts {
            settings,
            env,
            store,
            keys,
            indices,
            moments,
            ruling,
            publisher,
            status_lists,
            refusals,
            keeper,
            census: Census::default(),
            desk,
            backups: Arc::new(tokio::sync::Semaphore::new(1)),
            new_master_key,
            closing,
        };
        let issuer = Self { parts: Arc::new(parts) };
        issuer.publish().await?;
        match issuer.parts.tell_start().await {
            Err(fault @ StoreError::Full) => tracing::warn!(error = %fault, "the start is missing in the audit log"),
            told => told?,
        }
        Ok(issuer)
    }

    /// Returns the settings it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// Returns the JWK Set as JSON text.
    pub fn jwks(&self) -> Arc<str> {
        self.parts.keys.ring().jwks()
    }

    /// Returns the newest published revocation list.
    pub fn revocation_list(&self) -> Published {
        self.parts.publisher.newest()
    }

    /// Returns the published list with this number while it is kept: the newest 64, fewer if they are large.
    pub fn revocation_list_at(&self, seq: u64) -> Option<Published> {
        self.parts.publisher.at(seq)
    }

    /// Returns a subscription to every list that is published from now on.
    pub fn events(&self) -> Events {
        self.parts.publisher.events()
    }

    /// Returns why the issuer is not ready; empty when it is.
    pub fn readiness(&self) -> Vec<NotReady> {
        let Parts { moments, publisher, store, settings, closing, .. } = self.parts.as_ref();
        let list_expired = moments.shown() >= publisher.newest().exp;
        let reasons = [
            (store.failed().borrow().is_some(), NotReady::StoreFailed),
            (store.is_full(), NotReady::DiskFull),
            (list_expired, NotReady::ListExpired),
            (publisher.is_stopped(), NotReady::PublicationStopped),
            (moments.now().is_err(), NotReady::ClockJumped),
            (moments.is_behind(settings.list_ttl_secs), NotReady::ClockBehind),
            (closing.load(Ordering::Relaxed), NotReady::Closing),
        ];
        reasons.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect()
    }

    /// Returns when the store has failed for good. The process must then end with an error: nothing more is acknowledged.
    pub async fn failed(&self) -> StoreError {
        let mut failed = self.parts.store.failed();
        loop {
            if let Some(fault) = failed.borrow_and_update().clone() {
                return fault;
            }
            if failed.changed().await.is_err() {
                std::future::pending::<()>().await; // closed in good order: there is nothing left to fail
            }
        }
    }

    /// Finishes what is queued, makes it durable and closes the store.
    pub async fn close(&self) {
        self.parts.closing.store(true, Ordering::Relaxed);
        if let Err(fault) = self.parts.tell_stop().await {
            tracing::warn!(error = %fault, "the end is missing in the audit log");
        }
        if let Err(fault) = self.parts.store.close().await {
            tracing::error!(error = %fault, "the store did not close in good order");
        }
    }
}
