//! The one thread that writes.
//!
//! ```text
//! callers ──► queue ──► [ up to 256 changes: decide ] ──► one frame of the journal with their events ──► sync ──► answer all
//!                                                                  └── when a file of it is full ──► mover ──► sled's tree
//! ```
//!
//! A group is whatever waits when the one before is done, so nobody waits for company and a burst shares one sync. If
//! writing or syncing fails, the whole group and everything after it is answered [`StoreError::Failed`]: a sync is never
//! tried again, since the kernel may have dropped what it could not write.

use super::durable::Durable;
use super::engine::Engine;
use super::fatal::Fatal;
use super::journal::{CLAIMED, FULL};
use super::mover::Mover;
use super::open::{abandon, unusable};
use super::room::{LAST, Room};
use crate::env::Stopwatch;
use crate::store::{Answer, StoreError};
use crate::telemetry::metrics::METRICS;
use crate::telemetry::traces;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};
use tracing::Instrument as _;

/// Changes that share one sync at most.
const GROUP: usize = 256;
/// Changes that may wait; more are refused, so that a slow disk cannot fill the memory.
const QUEUE: usize = 4096;

/// One change: decided on the committer's thread, answered when its group is durable.
trait Change: Send {
    fn run(&mut self, engine: &mut Engine);
    fn answer(self: Box<Self>, fate: Result<(), StoreError>);
}

struct Typed<T, F> {
    decide: Option<F>,
    result: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&mut Engine) -> Result<T, StoreError> + Send> Change for Typed<T, F> {
    fn run(&mut self, engine: &mut Engine) {
        self.result = self.decide.take().map(|decide| decide(engine));
    }

    fn answer(self: Box<Self>, fate: Result<(), StoreError>) {
        let Self { result, caller, .. } = *self;
        let answer = fate.and_then(|()| result.unwrap_or(Err(StoreError::Closed)));
        drop(caller.send(answer)); // a caller that is gone needs no answer
    }
}

enum Message {
    Change(Box<dyn Change>),
    /// Moves everything into the tree, for tests that look at it.
    #[cfg(test)]
    Settle(oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// The way to the committer's thread.
pub(super) struct Committer {
    queue: Option<SyncSender<Message>>,
    failed: watch::Receiver<Option<StoreError>>,
    full: Arc<AtomicBool>,
    settled: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread, which owns the engine from now on; `mover` begins with what a journal left.
    pub(super) fn start(
        engine: Engine,
        durable: Box<dyn Durable>,
        mover: Mover,
        fatal: Arc<Fatal>,
    ) -> Result<Self, StoreError> {
        let (queue, messages) = sync_channel(QUEUE);
        let failed = fatal.watched();
        let full = Arc::new(AtomicBool::new(false));
        let settled = Arc::new(AtomicBool::new(false));
        let tells = (Arc::clone(&full), Arc::clone(&settled));
        let body = move || Thread { engine, durable, mover, fatal, full: tells.0, settled: tells.1 }.run(&messages);
        let thread = std::thread::Builder::new().name("countersign-committer".to_owned()).spawn(body);
        let thread = thread.map_err(|error| unusable(&error))?;
        Ok(Self { queue: Some(queue), failed, full, settled, thread: Some(thread) })
    }

    /// Queues a change at once; the answer comes when it is durable.
    pub(super) fn submit<T, F>(&self, decide: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Engine) -> Result<T, StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let change = Typed { decide: Some(decide), result: None, caller };
        self.send(Message::Change(Box::new(change)), answer)
    }

    /// Queues the end.
    pub(super) fn close(&self) -> Answer<()> {
        let (caller, answer) = oneshot::channel();
        self.send(Message::Close(caller), answer)
    }

    /// Queues moving everything into the tree.
    #[cfg(test)]
    pub(super) fn settle(&self) -> Answer<()> {
        let (caller, answer) = oneshot::channel();
        self.send(Message::Settle(caller), answer)
    }

    /// Tells when writing or syncing has failed.
    pub(super) fn failed(&self) -> watch::Receiver<Option<StoreError>> {
        self.failed.clone()
    }

    /// Returns whether the disk had no room for every change when the last group was written.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Returns whether the store is closed and the journal has nothing that the tree lacks.
    pub(super) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    fn send<T: Send + 'static>(&self, message: Message, answer: oneshot::Receiver<Result<T, StoreError>>) -> Answer<T> {
        let failed = self.failed.clone();
        let gone = move || failed.borrow().clone().unwrap_or(StoreError::Closed);
        let refused = match self.queue.as_ref().map(|queue| queue.try_send(message)) {
            Some(Ok(())) => None,
            Some(Err(TrySendError::Full(_))) => Some(StoreError::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => Some(gone()),
        };
        let answered = async move {
            match refused {
                Some(refusal) => Err(refusal),
                None => answer.await.unwrap_or_else(|_| Err(gone())),
            }
        };
        Box::pin(answered.instrument(traces::commit()))
    }
}

impl Drop for Committer {
    /// Waits until what is queued is done and the files are closed.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // its panics are caught and told through `failed`
        }
    }
}

struct Thread {
    engine: Engine,
    durable: Box<dyn Durable>,
    mover: Mover,
    fatal: Arc<Fatal>,
    full: Arc<AtomicBool>,
    settled: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self, messages: &Receiver<Message>) {
        let mut group = Vec::with_capacity(GROUP);
        let mut closing = None;
        while closing.is_none() {
            let Ok(first) = messages.recv() else { break };
            for message in std::iter::once(first).chain(std::iter::from_fn(|| messages.try_recv().ok())) {
                match message {
                    Message::Change(change) => group.push(change),
                    #[cfg(test)]
                    Message::Settle(caller) => drop(caller.send(self.settle())),
                    Message::Close(caller) => closing = Some(caller),
                }
                if group.len() == GROUP || closing.is_some() {
                    break;
                }
            }
            while !group.is_empty() {
                let (done, fate) = self.commit(&mut group);
                group.drain(..done).for_each(|change| change.answer(fate.clone()));
            }
        }
        let fate = self.settle().and_then(|()| self.durable.sync_notes().map_err(|error| sync_failed(&error)));
        let settled = fate.is_ok() && !self.mover.is_busy() && self.durable.length() == 0;
        self.settled.store(settled, Ordering::Release);
        let Self { engine, mover, .. } = self;
        drop(mover); // it works on the same files
        match fate {
            Ok(()) => drop(engine), // the files are closed before anybody is told so
            Err(_) => abandon(engine),
        }
        if let Some(caller) = closing {
            drop(caller.send(fate));
        }
    }

    /// Runs changes of the group, mostly all, and makes them durable; what it says goes for each of so many.
    fn commit(&mut self, group: &mut [Box<dyn Change>]) -> (usize, Result<(), StoreError>) {
        if let Some(fault) = self.fatal.fault() {
            return (group.len(), Err(fault));
        }
        self.make_way();
        self.look_for_room();
        let engine = &mut self.engine;
        let ran = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let mut ran = 0;
            for change in group.iter_mut() {
                change.run(engine);
                ran += 1;
                if engine.wrote_much() {
                    break;
                }
            }
            engine.write_events();
            ran
        }));
        let (ran, done) = match (ran, self.engine.take_fault()) {
            (Err(_panic), _) => (group.len(), Err(StoreError::Failed { detail: "a change panicked".into() })),
            (Ok(ran), Some(fault)) => (ran, Err(fault)),
            (Ok(ran), None) if self.engine.wrote() => (ran, self.make_durable(ran)),
            (Ok(ran), None) => (ran, Ok(())),
        };
        match &done {
            Ok(()) => {
                self.engine.announce();
                self.engine.events.count();
            }
            Err(fault) => self.fatal.tell(fault),
        }
        (ran, done)
    }

    /// Goes on in the journal's other file once this one is full; where that one is not empty yet, it waits while there
    /// is something to wait for.
    fn make_way(&mut self) {
        if self.durable.length() < FULL {
            return;
        }
        if self.durable.length() >= CLAIMED - LAST {
            self.mover.wait();
        }
        if !self.mover.is_busy() {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let last = self.durable.turn();
        self.mover.pace(0);
        let layer = self.engine.layers().turn();
        self.mover.begin(layer, last);
    }

    /// Moves everything into the tree. Where the disk has no room for that the rest stays in the journal.
    fn settle(&mut self) -> Result<(), StoreError> {
        self.mover.wait();
        if self.durable.length() > 0 && !self.mover.is_busy() && self.fatal.fault().is_none() {
            self.turn();
            self.mover.wait();
        }
        self.fatal.fault().map_or(Ok(()), Err)
    }

    fn look_for_room(&mut self) {
        let room = self.durable.room();
        self.engine.has(room);
        let full = room != Room::Ample;
        match (self.full.swap(full, Ordering::Relaxed), full) {
            (false, true) => {
                tracing::error!("the disk is full: revocations go on, and nothing else is written until there is room");
            }
            (true, false) => tracing::warn!("there is room on the disk again"),
            (true, true) | (false, false) => {}
        }
    }

    fn make_durable(&mut self, changes: usize) -> Result<(), StoreError> {
        let watch = Stopwatch::start();
        self.durable.append(self.engine.group()).and_then(|()| self.note()).map_err(|error| sync_failed(&error))?;
        self.engine.publish();
        self.mover.pace(self.durable.length());
        METRICS.committed(changes, watch.elapsed());
        Ok(())
    }

    fn note(&mut self) -> io::Result<()> {
        let event = self.engine.newest_event();
        match self.engine.take_listed() {
            Some(seq) => self.durable.note_list(seq, event),
            None => self.durable.note_event(event),
        }
    }
}

fn sync_failed(error: &io::Error) -> StoreError {
    StoreError::Failed { detail: format!("sync: {error}").into() }
}
