//! Reading, beside the committer: a few connections that any number of callers share.
//!
//! A read sees what is committed, also by a holder that came after this one: who must not decide on it asks the committer. One
//! that finds its connection gone is made again on another, until its caller's patience ends. Rows under keys that several
//! callers want at a time are read by one statement: whoever's turn it is asks for all that wait.

use super::connect::{Connection, Connector};
use super::fault::Fault;
use super::load::{Stored, Wanted, load};
use crate::store::StoreError;
use crate::store::record::Record;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// How long a read rests before it is made again.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections for reading.
pub(super) struct Reads {
    connector: Connector,
    slots: Vec<Slot>,
    next: AtomicUsize,
    patience: Duration,
    closed: AtomicBool,
}

/// One connection, and who wants rows over it.
#[derive(Default)]
struct Slot {
    connection: tokio::sync::Mutex<Option<Arc<Connection>>>,
    /// Held by whoever asks for all.
    turn: tokio::sync::Mutex<()>,
    waiting: Mutex<Vec<Asked>>,
}

/// Keys, and who wants what is under them.
struct Asked {
    keys: Vec<Vec<u8>>,
    caller: oneshot::Sender<Result<Vec<Stored>, Fault>>,
}

impl Reads {
    /// Returns so many connections, each of which is made when it is wanted first.
    pub(super) fn new(connector: Connector, connections: usize, patience: Duration) -> Self {
        let slots = (0..connections.max(1)).map(|_| Slot::default()).collect();
        Self { connector, slots, next: AtomicUsize::new(0), patience, closed: AtomicBool::new(false) }
    }

    /// Returns the rows that are wanted.
    ///
    /// # Errors
    /// [`StoreError::Closed`]; [`StoreError::Unreachable`] when the database stays away.
    pub(super) async fn load(&self, wanted: &Wanted) -> Result<Vec<Stored>, StoreError> {
        let mut last = Fault::Conflict;
        let read = async {
            loop {
                match self.attempt(wanted).await {
                    Err(fault @ (Fault::Lost(_) | Fault::Conflict)) => last = fault,
                    Err(fault) => return Err(fault.into_error()),
                    Ok(found) => return Ok(found),
                }
                sleep(PAUSE).await;
            }
        };
        let read = timeout(self.patience, read).await;
        read.unwrap_or_else(|_| Err(last.into_error()))
    }

    /// Lets nobody read any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    async fn attempt(&self, wanted: &Wanted) -> Result<Vec<Stored>, Fault> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(StoreError::Closed.into());
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(self.slots.len()).unwrap_or_default();
        let slot = self.slots.get(turn).ok_or(Fault::Final(StoreError::Closed))?;
        match wanted {
            Wanted::Rows(keys) => self.together(slot, keys.clone()).await,
            Wanted::Range { .. } | Wanted::OfSubject { .. } | Wanted::Due { .. } => {
                load(self.connection(slot).await?.as_ref(), wanted).await
            }
        }
    }

    /// Returns what is under these keys, read with what others want. When whoever read is gone before the answer, everybody
    /// else asks again.
    async fn together(&self, slot: &Slot, keys: Vec<Vec<u8>>) -> Result<Vec<Stored>, Fault> {
        let (caller, mut answer) = oneshot::channel();
        slot.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Asked { keys, caller });
        let turn = slot.turn.lock().await;
        if let Ok(answer) = answer.try_recv() {
            return answer;
        }
        let asked = std::mem::take(&mut *slot.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut all: Vec<Vec<u8>> = asked.iter().flat_map(|asked| asked.keys.iter().cloned()).collect();
        all.sort_unstable();
        all.dedup();
        let found = match self.connection(slot).await {
            Ok(connection) => load(connection.as_ref(), &Wanted::Rows(all)).await,
            Err(fault) => Err(fault),
        };
        let found: Result<HashMap<Vec<u8>, Vec<u8>>, Fault> = found.map(|found| found.into_iter().collect());
        for Asked { keys, caller } in asked {
            let of = |rows: &HashMap<Vec<u8>, Vec<u8>>| {
                keys.into_iter().filter_map(|key| rows.get(&key).cloned().map(|record| (key, record))).collect()
            };
            drop(caller.send(found.as_ref().map(of).map_err(Fault::clone))); // a caller that is gone needs no answer
        }
        drop(turn);
        answer.await.unwrap_or(Err(Fault::Conflict))
    }

    async fn connection(&self, slot: &Slot) -> Result<Arc<Connection>, Fault> {
        let mut connection = slot.connection.lock().await;
        match connection.as_ref().filter(|connection| connection.is_open()) {
            Some(connection) => Ok(Arc::clone(connection)),
            None => {
                let made = Arc::new(self.connector.connect().await?);
                *connection = Some(Arc::clone(&made));
                Ok(made)
            }
        }
    }
}

/// Returns what these rows hold.
pub(super) fn decoded<R: Record>(found: &[Stored]) -> Result<Vec<R>, StoreError> {
    found.iter().map(|(key, record)| R::decode(key, record)).collect()
}

/// Returns what the only row holds, if there is one.
pub(super) fn first<R: Record>(found: &[Stored]) -> Result<Option<R>, StoreError> {
    found.first().map(|(key, record)| R::decode(key, record)).transpose()
}
