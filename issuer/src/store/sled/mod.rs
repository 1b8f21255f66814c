//! The embedded engine: sled 0.34.7, with what it lacks built around it.
//!
//! ```text
//! SledStore ──► committer (one thread) ──► engine ──► journal (fsync)
//!     │                                      │           │ when it is full
//!     └────────────── reads ─────────────► layers ──► mover (one thread) ──► sled tree (fsync)
//! ```
//!
//! `open.rs` mends what a killed process left, `journal.rs` is what an answer waits for, `layers.rs` is what lies above
//! the tree, `mover.rs` and `cleaner.rs` are all that writes into that, `reading.rs` makes records of rows,
//! `durable.rs` syncs, `stuck.rs` lets no flush hang, `fatal.rs` tells when one failed, `room.rs` keeps room on the
//! disk, `layout.rs` says which row lies where; what belongs to one area of the store is in the file of that area.
//! sled's `flush_async` is never called: it deadlocks with eight callers at a time.

mod audit;
mod backup;
mod cleaner;
mod clients;
mod committer;
mod due;
mod durable;
mod engine;
mod fatal;
mod journal;
mod keys;
mod layers;
mod migrate;
mod mover;
mod open;
mod purge;
mod reading;
mod room;
mod sessions;
mod stuck;
mod subject;
#[cfg(test)]
mod tests;
mod users;
mod witness;

pub use backup::Restoring;

use super::{Answer, Pages, Revocations, Store, StoreError, layout};
use crate::audit::Event;
use crate::keys::SealedKey;
use crate::revocations::Publication;
use crate::rules::Rules;
use crate::store::record::{Record, RevokedBy};
use committer::Committer;
use durable::{Durable, Files};
use engine::Engine;
use fatal::Fatal;
use layers::Layers;
use mover::Mover;
use open::Purpose;
use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use token::id::Jti;
use tokio::sync::watch;

/// A store in a directory of this machine, open in one process at a time.
pub struct SledStore {
    // Fields are dropped in this order: the committer ends, the tree closes, the lock goes.
    committer: Committer,
    layers: RwLock<Option<Arc<Layers>>>,
    directory: PathBuf,
    _lock: File,
}

impl SledStore {
    /// Opens the store in `directory`, which is created if it does not exist. Blocks while it recovers.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it open, `Damaged`, `Format` and `Unusable`.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::open_with(directory, |files| Box::new(files))
    }

    fn open_with(directory: &Path, durable: impl FnOnce(Files) -> Box<dyn Durable>) -> Result<Self, StoreError> {
        let open::Opened { db, log, files, above, newest, lock } = open::open(directory, Purpose::Use)?;
        let (leaving, last) = above.leaving.map(|(leaving, last)| (Arc::new(leaving), last)).unzip();
        let layers = Arc::new(Layers::of((*db).clone(), above.recent, leaving.clone()));
        let fatal = Arc::new(Fatal::of(directory));
        let mover = Mover::start(Arc::clone(&layers), db, log, files.claims(), Arc::clone(&fatal))?;
        if let (Some(leaving), Some(last)) = (leaving, last) {
            mover.begin(leaving, last);
        }
        let engine = Engine::open(Arc::clone(&layers), newest, above.foreign)?;
        let committer = Committer::start(engine, durable(files), mover, fatal)?;
        Ok(Self { committer, layers: RwLock::new(Some(layers)), directory: directory.to_owned(), _lock: lock })
    }

    /// Accepts that the files lack what was acknowledged: the next start takes the store for one that was put there, and revokes
    /// everything issued so far. The store must be closed.
    ///
    /// # Errors
    /// [`StoreError::Full`] where closing has left rows in the journal, for want of room in the tree: they are no part
    /// of the loss, and nothing was changed. [`StoreError::Unusable`].
    pub fn accept_damage(&self) -> Result<(), StoreError> {
        if !self.committer.is_settled() {
            return Err(StoreError::Full);
        }
        let left = witness::leave_none(&self.directory)
            .and_then(|()| journal::clear(&self.directory))
            .and_then(|()| durable::sync_directory(&self.directory));
        left.map_err(|error| open::unusable(&error))
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&Layers) -> Result<T, StoreError>) -> Answer<T> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        let result = layers.as_ref().map_or(Err(StoreError::Closed), |layers| read(layers));
        Box::pin(std::future::ready(result))
    }

    fn read_record<R: Record + Send + 'static>(&self, key: &[u8]) -> Answer<Option<R>> {
        self.read(|rows| reading::read(rows, key))
    }
}

impl Store for SledStore {
    fn lease_page(&self, epoch: u32) -> Answer<u32> {
        self.committer.submit(move |engine| engine.lease_page(epoch))
    }

    fn pages(&self, epochs: RangeInclusive<u32>) -> Answer<Vec<Pages>> {
        self.read(|rows| reading::pages(rows, epochs))
    }

    fn sweep_pages(&self, epochs: RangeInclusive<u32>, skipped: u32) -> Answer<()> {
        self.committer.submit(move |engine| engine.sweep_pages(epochs, skipped))
    }

    fn revoke(&self, jtis: Vec<Jti>, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| engine.revoke(jtis, events))
    }

    fn is_revoked(&self, jti: Jti) -> Answer<bool> {
        let key = layout::revocation(jti);
        self.read(|rows| reading::read::<RevokedBy>(rows, &key).map(|row| row.is_some()))
    }

    fn revocations(&self) -> Answer<Revocations> {
        self.committer.submit(Engine::revocations)
    }

    fn publication(&self) -> Answer<Option<Publication>> {
        self.read_record(layout::PUBLICATION)
    }

    fn put_publication(&self, publication: Publication) -> Answer<()> {
        self.committer.submit(move |engine| engine.put_publication(publication))
    }

    fn rules(&self) -> Answer<Option<Rules>> {
        self.read_record(layout::RULES)
    }

    fn put_rules(&self, rules: Rules, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| engine.put_rules(&rules, &keys, events))
    }

    fn purge_epochs(&self, below: u32, pages_below: u32) -> Answer<bool> {
        self.committer.submit(move |engine| engine.purge_epochs(below, pages_below))
    }

    fn failed(&self) -> watch::Receiver<Option<StoreError>> {
        self.committer.failed()
    }

    fn is_full(&self) -> bool {
        self.committer.is_full()
    }

    fn close(&self) -> Answer<()> {
        *self.layers.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.committer.close()
    }
}

/// What damage would do, for the tests of those above.
#[cfg(test)]
impl SledStore {
    pub(crate) fn remove_revocation_for_test(directory: &Path, jti: Jti) {
        let store = Self::open(directory).unwrap();
        let tree = store.layers.read().unwrap().clone().unwrap().tree().clone();
        assert!(tree.remove(layout::revocation(jti)).unwrap().is_some());
        tree.flush().unwrap();
    }

    pub(crate) fn spoil_session_for_test(directory: &Path, sid: crate::session::SessionId) {
        let store = Self::open(directory).unwrap();
        let tree = store.layers.read().unwrap().clone().unwrap().tree().clone();
        assert!(tree.insert(layout::session(sid), b"not one").unwrap().is_some());
        tree.flush().unwrap();
    }

    pub(crate) fn remove_rules_for_test(directory: &Path) {
        let store = Self::open(directory).unwrap();
        let tree = store.layers.read().unwrap().clone().unwrap().tree().clone();
        assert!(tree.remove(layout::RULES).unwrap().is_some());
        tree.flush().unwrap();
    }

    pub(crate) fn remove_keys_for_test(directory: &Path) {
        let store = Self::open(directory).unwrap();
        let tree = store.layers.read().unwrap().clone().unwrap().tree().clone();
        let keys: Vec<_> = tree.scan_prefix([layout::KEY]).keys().map(Result::unwrap).collect();
        keys.into_iter().for_each(|key| assert!(tree.remove(key).unwrap().is_some()));
        tree.flush().unwrap();
    }
}
