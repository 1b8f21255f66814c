//! Where sessions, revocations, keys and clients live.
//!
//! [`Store`] is a set of domain operations, an area a file, not a key-value interface: an engine decides how rows look and
//! how they are kept. Every change is atomic, and an [`Answer`] that is `Ok` is on disk: after a power cut it is still
//! there. Reads may show a change that is not yet on disk; what must not be decided on such a change is decided inside
//! [`Sessions::update_session`], whose answer waits for the disk.
//!
//! A change takes the [`Event`]s that tell of it, and they are durable with it. There is no acknowledged change without.
//!
//! Dropping an [`Answer`] does not take a change back: what was queued still happens.
//!
//! `conformance.rs` is the suite that every engine runs; `sled/` is the embedded engine, `postgres/` the one for more than one
//! machine. `layout.rs` says which row lies under which key in either.

pub mod audit;
mod backup;
mod clients;
#[cfg(test)]
mod conformance;
mod error;
mod events;
mod intake;
mod keys;
mod layout;
mod postgres;
mod record;
mod sessions;
mod sled;
mod users;

pub use self::postgres::{Holder, PostgresRestoring, PostgresSettings, PostgresStore, PostgresTls, Waiting};
pub use self::sled::{Restoring, SledStore};
pub use audit::{AuditLog, Order};
pub use backup::{Backups, Row};
pub use clients::{AssertionUse, ClientDecision, ClientRecord, Clients, MAX_ASSERTIONS};
pub use error::StoreError;
pub use keys::Keys;
pub use sessions::{OfSubject, SUBJECT_STEP, SUBJECT_STEP_TOKENS, Sessions, SubjectStep, Told, Transition};
pub use users::{ToldOfUser, UserTransition, Users};

use crate::audit::Event;
use crate::keys::SealedKey;
use crate::revocations::Publication;
use crate::rules::Rules;
use std::future::Future;
use std::ops::RangeInclusive;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use token::id::Jti;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// What a store will answer; it does not borrow from the store.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>;

/// Keeps what the issuer must not forget.
pub trait Store: Sessions + Clients + Keys + AuditLog + Users + Backups + Send + Sync {
    /// Returns the next page of an epoch, counted from 0. No page of an epoch is ever returned twice.
    ///
    /// Fails with [`StoreError::NoIndices`] when the epoch's pages are used up or have been forgotten.
    fn lease_page(&self, epoch: u32) -> Answer<u32>;

    /// Returns how many pages have been leased of each of these epochs, ascending; epochs without any are left out.
    fn pages(&self, epochs: RangeInclusive<u32>) -> Answer<Vec<Pages>>;

    /// Counts all pages of these epochs as swept that have been leased so far, after leaving out the next `skipped` of each,
    /// which nobody gets any more. Epochs whose pages have been forgotten are passed over.
    fn sweep_pages(&self, epochs: RangeInclusive<u32>, skipped: u32) -> Answer<()>;

    /// Revokes tokens; one that is revoked already, or whose epoch has left, changes nothing.
    fn revoke(&self, jtis: Vec<Jti>, events: Vec<Event>) -> Answer<()>;

    /// Returns whether a token is revoked.
    fn is_revoked(&self, jti: Jti) -> Answer<bool>;

    /// Returns all revocations and a feed of those that follow, without a gap between the two.
    fn revocations(&self) -> Answer<Revocations>;

    /// Returns what was stored of the newest list.
    fn publication(&self) -> Answer<Option<Publication>>;

    /// Stores what a list will be, before it is served. Fails with [`StoreError::Superseded`] unless
    /// `seq` is above the stored one.
    fn put_publication(&self, publication: Publication) -> Answer<()>;

    /// Returns the rules.
    fn rules(&self) -> Answer<Option<Rules>>;

    /// Stores rules in place of those before, and keys as [`Keys::put_keys`] does, in one atomic change. Fails with
    /// [`StoreError::Superseded`] unless the version is above the stored one.
    fn put_rules(&self, rules: Rules, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()>;

    /// Forgets revocations of epochs below `below` that the newest list has let go, and pages of epochs below `pages_below`,
    /// which from then on are never leased again; at most [`PURGE_STEP`] rows; returns whether there may be more.
    fn purge_epochs(&self, below: u32, pages_below: u32) -> Answer<bool>;

    /// Tells when the store has failed for good: from then on nothing is acknowledged, and the process must end.
    fn failed(&self) -> watch::Receiver<Option<StoreError>>;

    /// Returns whether the disk is so full that some changes are answered [`StoreError::Full`].
    fn is_full(&self) -> bool;

    /// Returns how long callers wait at most for what they ask for; none where they wait for a disk, which answers.
    ///
    /// [`Store::put_rules`], [`Keys::put_keys`] and [`Keys::forget_keys`] have no such limit: they answer only once it is known
    /// whether the change took place. What they change is in memory too, and whoever did not learn of it would go on with what
    /// was before. So whoever asks for them lets its own callers go after so long, and does not stop to wait itself.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Finishes what is queued, makes it durable and closes; whatever follows is answered [`StoreError::Closed`].
    fn close(&self) -> Answer<()>;
}

/// Waits for so long at most, where there is such a limit.
///
/// # Errors
/// [`StoreError::Unreachable`] when it has passed.
pub async fn in_time<T>(patience: Option<Duration>, work: impl Future<Output = T>) -> Result<T, StoreError> {
    let late = || StoreError::Unreachable { detail: "what was asked for is not done in time".into() };
    match patience {
        Some(patience) => timeout(patience, work).await.map_err(|_| late()),
        None => Ok(work.await),
    }
}

/// Rows that one purge removes at most, so that it never holds up others for long.
pub const PURGE_STEP: usize = 256;

/// Pages of one epoch, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// The epoch.
    pub epoch: u32,
    /// So many have been leased or left out, in the order of their numbers.
    pub leased: u32,
    /// So many of them, from the first, hold nothing but what was issued before the last sweep.
    pub swept: u32,
}

/// Revocations that one change made durable. Numbers grow from change to change and survive a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Number of the change.
    pub number: u64,
    /// What it revoked, none of it twice.
    pub jtis: Vec<Jti>,
}

/// All revocations at one moment, and those after it.
pub struct Revocations {
    /// Each with the number of the change that made it.
    pub entries: Vec<(Jti, u64)>,
    /// What follows, announced once it is durable and before its caller is answered. Only the newest feed is served.
    pub feed: mpsc::UnboundedReceiver<Announcement>,
    /// False when the engine knows that it lost writes: then a list may have been served that holds more than `entries`.
    pub whole: bool,
    /// What is known of damage, for which a start is refused. None where the store is `whole`, and where it was restored,
    /// copied or taken over: whoever did that knows that it is older.
    pub damage: Option<Arc<str>>,
}

/// Opens the embedded store in `directory`, which is created if it does not exist. Blocks while it recovers.
///
/// # Errors
/// [`StoreError::InUse`], `Damaged`, `Format` and `Unusable`.
pub fn open(directory: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SledStore::open(directory)?))
}
