//! The second engine: PostgreSQL 15 and later, and what speaks like it.
//!
//! ```text
//! PostgresStore ──► committer (one task on a thread of its own) ──► one transaction a group
//!     └── reads, over a few connections that all callers share
//! ```
//!
//! One daemon at a time writes: it holds a lease, and each of its transactions moves the head, a row that carries its number
//! (`lease.rs`, `write.rs`). Others stand by and take over. So what the committer has in memory is true as long as its
//! transactions succeed, and a process that stood still for too long can write nothing.

mod audit;
mod backup;
mod change;
mod clients;
mod committer;
mod connect;
mod engine;
mod fault;
mod folder;
mod hosts;
mod keys;
mod lease;
mod load;
mod open;
mod purge;
mod read;
mod restore;
mod rows;
mod sessions;
mod settings;
mod tables;
#[cfg(test)]
mod tests;
mod tls;
mod users;
mod write;

pub use lease::Holder;
pub use open::Waiting;
pub use restore::PostgresRestoring;
pub use settings::{PostgresSettings, PostgresTls};

use super::{Answer, Pages, Revocations, Store, StoreError, in_time, layout};
use crate::audit::Event;
use crate::keys::SealedKey;
use crate::revocations::Publication;
use crate::rules::Rules;
use change::{Message, Typed};
use engine::Engine;
use load::{Stored, Wanted};
use read::{Reads, first};
use rows::Stop;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use token::id::Jti;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

/// A store in a database that this process alone may write to.
pub struct PostgresStore {
    queue: Option<mpsc::Sender<Message>>,
    reads: Arc<Reads>,
    failed: watch::Receiver<Option<StoreError>>,
    closing: Arc<AtomicBool>,
    patience: Duration,
    thread: Option<JoinHandle<()>>,
}

impl PostgresStore {
    /// Queues a change at once; the answer comes when it is durable. `wanted` says what is read for it; `decide` is run over
    /// that, again with more where it needs more.
    fn change<T, W, F>(&self, wanted: W, decide: F) -> Answer<T>
    where
        T: Send + 'static,
        W: Fn(&Engine) -> Wanted + Send + 'static,
        F: FnMut(&mut Engine, &[Stored]) -> Result<T, Stop> + Send + 'static,
    {
        let (fate, patience) = (self.change_for_good(wanted, decide), Some(self.patience));
        Box::pin(async move { in_time(patience, fate).await? })
    }

    /// Does the same, and answers only once it is known whether the change took place, however long that takes: for whoever
    /// has in memory what it changes.
    fn change_for_good<T, W, F>(&self, wanted: W, decide: F) -> Answer<T>
    where
        T: Send + 'static,
        W: Fn(&Engine) -> Wanted + Send + 'static,
        F: FnMut(&mut Engine, &[Stored]) -> Result<T, Stop> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let change = Typed { wanted, decide, result: None, caller };
        self.send(Message::Change(Box::new(change)), answer)
    }

    fn send<T: Send + 'static>(&self, message: Message, answer: oneshot::Receiver<Result<T, StoreError>>) -> Answer<T> {
        let failed = self.failed.clone();
        let gone = move || failed.borrow().clone().unwrap_or(StoreError::Closed);
        let open = self.queue.as_ref().filter(|_| !self.is_closed());
        let refused = match open.map(|queue| queue.try_send(message)) {
            Some(Ok(())) => None,
            Some(Err(TrySendError::Full(_))) => Some(StoreError::Busy),
            Some(Err(TrySendError::Closed(_))) | None => Some(gone()),
        };
        Box::pin(async move {
            match refused {
                Some(refusal) => Err(refusal),
                None => answer.await.unwrap_or_else(|_| Err(gone())),
            }
        })
    }

    fn is_closed(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    fn reads(&self) -> Arc<Reads> {
        Arc::clone(&self.reads)
    }

    fn read<T: Send + 'static>(
        &self,
        wanted: Wanted,
        read: impl FnOnce(Vec<Stored>) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let reads = self.reads();
        Box::pin(async move { read(reads.load(&wanted).await?) })
    }
}

impl Store for PostgresStore {
    fn lease_page(&self, epoch: u32) -> Answer<u32> {
        let key = layout::of_epoch(layout::PAGES, epoch);
        self.change(move |_| Wanted::Rows(vec![key.clone()]), move |engine, _| engine.lease_page(epoch))
    }

    fn pages(&self, epochs: RangeInclusive<u32>) -> Answer<Vec<Pages>> {
        let reads = self.reads();
        Box::pin(async move {
            let leased = reads.load(&engine::of_epochs(layout::PAGES, &epochs)).await?;
            let swept = reads.load(&engine::of_epochs(layout::SWEPT, &epochs)).await?;
            engine::pages(&leased, &swept)
        })
    }

    fn sweep_pages(&self, epochs: RangeInclusive<u32>, skipped: u32) -> Answer<()> {
        let wanted = engine::of_epochs(layout::PAGES, &epochs);
        self.change(move |_| wanted.clone(), move |engine, found| engine.sweep_pages(&epochs, skipped, found))
    }

    fn revoke(&self, jtis: Vec<Jti>, events: Vec<Event>) -> Answer<()> {
        let wanted = Wanted::Rows(jtis.iter().map(|jti| layout::revocation(*jti)).collect());
        self.change(move |_| wanted.clone(), move |engine, _| engine.revoke(&jtis, &events))
    }

    fn is_revoked(&self, jti: Jti) -> Answer<bool> {
        self.read(Wanted::Rows(vec![layout::revocation(jti)]), |found| Ok(!found.is_empty()))
    }

    fn revocations(&self) -> Answer<Revocations> {
        self.change(|_| Wanted::all(layout::REVOCATION, usize::MAX), |engine, found| engine.revocations(found))
    }

    fn publication(&self) -> Answer<Option<Publication>> {
        self.read(Wanted::Rows(vec![layout::PUBLICATION.to_vec()]), |found| first(&found))
    }

    fn put_publication(&self, publication: Publication) -> Answer<()> {
        self.change(
            |_| Wanted::Rows(vec![layout::PUBLICATION.to_vec()]),
            move |engine, _| engine.put_publication(publication),
        )
    }

    fn rules(&self) -> Answer<Option<Rules>> {
        self.read(Wanted::Rows(vec![layout::RULES.to_vec()]), |found| first(&found))
    }

    fn put_rules(&self, rules: Rules, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()> {
        self.change_for_good(
            |_| Wanted::Rows(vec![layout::RULES.to_vec()]),
            move |engine, _| engine.put_rules(&rules, &keys, &events),
        )
    }

    fn purge_epochs(&self, below: u32, pages_below: u32) -> Answer<bool> {
        self.purge_epochs_in_turn(below, pages_below)
    }

    fn failed(&self) -> watch::Receiver<Option<StoreError>> {
        self.failed.clone()
    }

    fn patience(&self) -> Option<Duration> {
        Some(self.patience)
    }

    /// A server whose disk is full refuses everything, and is tried again like one that is away.
    fn is_full(&self) -> bool {
        false
    }

    fn close(&self) -> Answer<()> {
        self.reads.close();
        let (caller, answer) = oneshot::channel();
        let (closed, patience) = (self.send(Message::Close(caller), answer), Some(self.patience));
        self.closing.store(true, Ordering::Relaxed);
        Box::pin(async move { in_time(patience, closed).await? })
    }
}

impl Drop for PostgresStore {
    /// Waits until what is queued is done and the lease is given up.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // its panics are caught and told through `failed`
        }
    }
}
