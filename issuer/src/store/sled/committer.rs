//! The one thread that writes.
//!
//! ```text
//! callers ──► queue ──► [ up to 256 changes: decide ] ──► one batch with their events ──► flush ──► sync ──► answer all
//! ```
//!
//! A group is whatever waits when the one before is done, so nobody waits for company and a burst shares one sync. If
//! writing or syncing fails, the whole group and everything after it is answered [`StoreError::Failed`]: a sync is never
//! tried again, since the kernel may have dropped what it could not write.

use super::durable::Durable;
use super::engine::Engine;
use super::open::{abandon, unusable};
use super::room::Room;
use super::stuck::Watch;
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
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// The way to the committer's thread.
pub(super) struct Committer {
    queue: Option<SyncSender<Message>>,
    failed: watch::Receiver<Option<StoreError>>,
    full: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread, which owns the engine over this tree from now on.
    pub(super) fn start(tree: sled::Tree, engine: Engine, durable: Box<dyn Durable>) -> Result<Self, StoreError> {
        let (queue, messages) = sync_channel(QUEUE);
        let (fatal, failed) = watch::channel(None);
        let full = Arc::new(AtomicBool::new(false));
        let tells_full = Arc::clone(&full);
        let watch = Watch::over(tree).map_err(|error| unusable(&error))?;
        let body = move || Thread { engine, durable, fatal, full: tells_full }.run(&messages, watch);
        let thread = std::thread::Builder::new().name("countersign-committer".to_owned()).spawn(body);
        let thread = thread.map_err(|error| unusable(&error))?;
        Ok(Self { queue: Some(queue), failed, full, thread: Some(thread) })
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

    /// Tells when writing or syncing has failed.
    pub(super) fn failed(&self) -> watch::Receiver<Option<StoreError>> {
        self.failed.clone()
    }

    /// Returns whether the disk had no room for every change when the last group was written.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
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
    fatal: watch::Sender<Option<StoreError>>,
    full: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self, messages: &Receiver<Message>, watch: Watch) {
        let mut group = Vec::with_capacity(GROUP);
        let mut closing = None;
        while closing.is_none() {
            let Ok(first) = messages.recv() else { break };
            for message in std::iter::once(first).chain(std::iter::from_fn(|| messages.try_recv().ok())) {
                match message {
                    Message::Change(change) => group.push(change),
                    Message::Close(caller) => closing = Some(caller),
                }
                if group.len() == GROUP || closing.is_some() {
                    break;
                }
            }
            let fate = watch.during(|| self.commit(&mut group));
            group.drain(..).for_each(|change| change.answer(fate.clone()));
        }
        let fate = match self.failure() {
            Some(fault) => Err(fault),
            None => watch
                .during(|| self.flush().and_then(|()| self.durable.sync_notes().map_err(|error| sync_failed(&error)))),
        };
        drop(watch);
        match fate {
            Ok(()) => drop(self.engine), // the files are closed before anybody is told so
            Err(_) => abandon(self.engine),
        }
        if let Some(caller) = closing {
            drop(caller.send(fate));
        }
    }

    fn failure(&self) -> Option<StoreError> {
        self.fatal.borrow().clone()
    }

    /// Runs the group and makes it durable; what it says goes for every change of the group.
    fn commit(&mut self, group: &mut [Box<dyn Change>]) -> Result<(), StoreError> {
        if let Some(fault) = self.failure() {
            return Err(fault);
        }
        self.look_for_room();
        let (engine, size) = (&mut self.engine, group.len());
        let ran = std::panic::catch_unwind(AssertUnwindSafe(|| {
            group.iter_mut().for_each(|change| change.run(engine));
            engine.write_events()
        }));
        let done = match (ran, self.engine.take_fault()) {
            (Err(_panic), _) => Err(StoreError::Failed { detail: "a change panicked".into() }),
            (Ok(_), Some(fault)) | (Ok(Err(fault)), None) => Err(fault),
            (Ok(Ok(())), None) if self.engine.wrote() => self.measured_flush(size),
            (Ok(Ok(())), None) => Ok(()),
        };
        match &done {
            Ok(()) => {
                self.engine.announce();
                self.engine.events.count();
            }
            Err(fault) => {
                tracing::error!(reason = %fault, "the store failed: nothing more is acknowledged, the process must end");
                self.fatal.send_replace(Some(fault.clone()));
            }
        }
        done
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

    fn measured_flush(&mut self, changes: usize) -> Result<(), StoreError> {
        let watch = Stopwatch::start();
        self.flush()?;
        METRICS.committed(changes, watch.elapsed());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.engine.flush()?;
        self.make_durable().map_err(|error| sync_failed(&error))
    }

    fn make_durable(&mut self) -> io::Result<()> {
        self.durable.sync()?;
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
