//! The one task that writes.
//!
//! ```text
//! callers ──► queue ──► [ up to 256 changes: read what they want ──► decide ] ──► one transaction ──► answer all
//! ```
//!
//! A group is whatever waits when the one before is done. A change that wants more than rows under known keys is a group of
//! its own, so that it reads what those before it have written. When the connection is lost, a new one tells whether the
//! transaction took place; it is never guessed. So a database that goes away holds changes up and fails none of them; callers
//! stop to wait by themselves.

use super::change::{Change, Message};
use super::connect::{Connection, Connector};
use super::engine::Engine;
use super::fault::{Fault, superseded};
use super::folder::Folder;
use super::load::{Stored, Wanted, load};
use super::write::{self, Head};
use crate::env::Stopwatch;
use crate::store::StoreError;
use crate::telemetry::metrics::METRICS;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

/// Changes of one transaction, at most.
const GROUP: usize = 256;
/// Changes that may wait; more are refused, so that a database that is away cannot fill the memory.
pub(super) const QUEUE: usize = 4096;
/// So long is rested before a lost database is asked again: first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// A store that closes tries no more often than this to reach a database that is away.
const LAST_TRIES: u32 = 8;

/// What the committer owns.
pub(super) struct Committer {
    pub(super) engine: Engine,
    pub(super) connector: Connector,
    pub(super) connection: Option<Connection>,
    pub(super) folder: Folder,
    pub(super) lease: Duration,
    /// Since the lease was renewed last.
    pub(super) renewed: Stopwatch,
    pub(super) closing: Arc<AtomicBool>,
    pub(super) fatal: watch::Sender<Option<StoreError>>,
}

/// A change and what it wants.
type Asked = (Box<dyn Change>, Wanted);

impl Committer {
    /// Takes changes until it is told to end or nobody is left who could tell it; then gives up the right to write.
    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut closing = None;
        let mut held: Option<Asked> = None;
        while closing.is_none() || held.is_some() {
            let mut group = Vec::new();
            let mut next = match held.take() {
                Some(asked) => Some(Ok(asked)),
                None => match timeout(self.lease / 3, messages.recv()).await {
                    Ok(Some(message)) => Some(self.asked(message)),
                    Ok(None) => break,
                    Err(_idle) => None,
                },
            };
            while let Some(message) = next {
                match message {
                    Ok((change, wanted @ Wanted::Rows(_))) => group.push((change, wanted)),
                    Ok(alone) if group.is_empty() => {
                        group.push(alone);
                        break;
                    }
                    Ok(alone) => {
                        held = Some(alone);
                        break;
                    }
                    Err(caller) => closing = Some(caller),
                }
                if group.len() == GROUP || closing.is_some() {
                    break;
                }
                next = messages.try_recv().ok().map(|message| self.asked(message));
            }
            let fate = self.commit(&mut group).await;
            group.into_iter().for_each(|(change, _)| change.answer(fate.clone()));
        }
        let fate = self.end().await;
        if let Some(caller) = closing {
            drop(caller.send(fate));
        }
    }

    fn asked(&self, message: Message) -> Result<Asked, oneshot::Sender<Result<(), StoreError>>> {
        match message {
            Message::Change(change) => {
                let wanted = change.wanted(&self.engine);
                Ok((change, wanted))
            }
            Message::Close(caller) => Err(caller),
        }
    }

    /// Runs the group and makes it durable; what it says goes for every change of the group.
    async fn commit(&mut self, group: &mut [Asked]) -> Result<(), StoreError> {
        if let Some(fault) = self.fatal.borrow().clone() {
            return Err(fault);
        }
        let watch = Stopwatch::start();
        let done = match self.decide(group).await {
            Ok(()) => self.make_durable().await,
            Err(fault) => Err(fault),
        };
        match &done {
            Ok(wrote) => {
                self.engine.announce();
                self.engine.events.count();
                if *wrote && !group.is_empty() {
                    METRICS.committed(group.len(), watch.elapsed());
                }
            }
            Err(fault) => {
                tracing::error!(reason = %fault, "the store failed: nothing more is acknowledged, the process must end");
                self.fatal.send_replace(Some(fault.clone()));
            }
        }
        done.map(drop)
    }

    /// Reads what the group wants, and lets each change decide, one after the other.
    async fn decide(&mut self, group: &mut [Asked]) -> Result<(), StoreError> {
        let keys: Vec<Vec<u8>> = group.iter().flat_map(|(_, wanted)| named(wanted)).cloned().collect();
        self.learn(keys).await?;
        for (change, wanted) in group {
            let found = match wanted {
                Wanted::Rows(_) => Vec::new(),
                wanted => self.load(wanted).await?,
            };
            loop {
                let engine = &mut self.engine;
                let ran = std::panic::catch_unwind(AssertUnwindSafe(|| change.run(engine, &found)));
                match ran {
                    Ok(Ok(())) => break,
                    Ok(Err(keys)) => self.learn(keys).await?,
                    Err(_panic) => return Err(StoreError::Failed { detail: "a change panicked".into() }),
                }
            }
        }
        self.engine.write_events();
        Ok(())
    }

    async fn learn(&mut self, keys: Vec<Vec<u8>>) -> Result<(), StoreError> {
        let mut keys = self.engine.rows.unknown(keys);
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(());
        }
        let wanted = Wanted::Rows(keys);
        let found = self.load(&wanted).await?;
        self.engine.rows.learn(named(&wanted), found);
        Ok(())
    }

    async fn load(&mut self, wanted: &Wanted) -> Result<Vec<Stored>, StoreError> {
        let mut tries = 0;
        loop {
            let read = match self.connected().await {
                Ok(connection) => load(connection, wanted).await,
                Err(fault) => Err(fault),
            };
            match read {
                Ok(found) => return Ok(found),
                Err(fault) => self.rest(fault, &mut tries).await?,
            }
        }
    }

    /// Writes what the group has changed; now and then also where that is nothing, so that the lease goes on. Returns whether
    /// anything was written.
    async fn make_durable(&mut self) -> Result<bool, StoreError> {
        let writes = self.engine.take_writes();
        if writes.is_empty() && self.renewed.elapsed() < self.lease / 3 {
            return Ok(false);
        }
        let renewed = Stopwatch::start();
        let before = self.engine.written;
        self.engine.head.number = before.number.saturating_add(1);
        let after = self.engine.head;
        let (lease, mut tries) = (self.lease, 0);
        loop {
            let committed = match self.connected().await {
                Ok(connection) => write::commit(connection, &writes, before, after, lease).await,
                Err(fault) => Err(fault),
            };
            match committed {
                Ok(()) => break,
                Err(Fault::Superseded) => {} // by whom, the head tells
                Err(fault) => self.rest(fault, &mut tries).await?,
            }
            if self.took_place(before, after).await? {
                break;
            }
        }
        self.engine.written = after;
        self.renewed = renewed;
        if let Some(seq) = self.engine.take_listed() {
            let failed =
                |error: std::io::Error| StoreError::Failed { detail: format!("the data folder: {error}").into() };
            self.folder.note_list(seq).map_err(failed)?;
        }
        Ok(true)
    }

    /// Looks up whether the transaction that leads to `after` was committed.
    async fn took_place(&mut self, before: Head, after: Head) -> Result<bool, StoreError> {
        let mut tries = 0;
        let found = loop {
            let found = match self.connected().await {
                Ok(connection) => write::head(connection).await,
                Err(fault) => Err(fault),
            };
            match found {
                Ok(head) => break head,
                Err(fault) => self.rest(fault, &mut tries).await?,
            }
        };
        match found {
            found if (found.fence, found.holder) != (after.fence, after.holder) => Err(superseded()),
            found if found.number == after.number => Ok(true),
            found if found.number == before.number => Ok(false),
            _ => Err(StoreError::damaged(
                "the database is not where this daemon left it: it was put back to an earlier state, as by a failover that lost writes",
            )),
        }
    }

    /// Returns once it is worth trying again.
    ///
    /// # Errors
    /// What cannot be helped by trying again; and any loss while the store closes.
    async fn rest(&mut self, fault: Fault, tries: &mut u32) -> Result<(), StoreError> {
        *tries = tries.saturating_add(1);
        match fault {
            Fault::Lost(reason) => {
                self.connection = None;
                if *tries == 1 {
                    tracing::warn!(reason, "the database is away; it is tried again until it answers");
                }
                if self.closing.load(Ordering::Relaxed) && *tries > LAST_TRIES {
                    return Err(StoreError::Unreachable { detail: reason.into() });
                }
                let (first, most) = PAUSES;
                sleep(first.saturating_mul(1 << (*tries).min(8)).min(most)).await;
                Ok(())
            }
            Fault::Conflict => Ok(()),
            fault @ (Fault::Superseded | Fault::Final(_)) => Err(fault.into_error()),
        }
    }

    async fn connected(&mut self) -> Result<&Connection, Fault> {
        if self.connection.as_ref().is_none_or(|connection| !connection.is_open()) {
            self.connection = Some(self.connector.connect().await?);
        }
        self.connection.as_ref().ok_or(Fault::Conflict)
    }

    /// Lets another take over at once.
    async fn end(&mut self) -> Result<(), StoreError> {
        if let Some(fault) = self.fatal.borrow().clone() {
            return Err(fault);
        }
        let ours = self.engine.written;
        let released = match self.connected().await {
            Ok(connection) => super::lease::release(connection, ours).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = released {
            tracing::warn!(reason = %fault.into_error(), "the lease on the database runs out by itself");
        }
        Ok(())
    }
}

fn named(wanted: &Wanted) -> &[Vec<u8>] {
    match wanted {
        Wanted::Rows(keys) => keys,
        Wanted::Range { .. } | Wanted::OfSubject { .. } | Wanted::Due { .. } => &[],
    }
}
