//! What has been published: the newest list, some before it, what led from one to the next, and who is told.

use super::super::{Published, Revocation};
use crate::revocations::{self, History, Places, Since};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use token::revocation::{Head, Revoked};
use token::time::UnixTime;
use tokio::sync::broadcast;

/// Published documents that are kept, at most…
const KEPT: usize = 64;
/// … and their bytes together, the newest always.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// Deltas from different lists to the newest that are kept once they were asked for, each of at most 32 KiB.
const KEPT_DELTAS: usize = 256;
/// Steps that a follower may be behind before it misses one, which its verifier notices.
const STEPS: usize = 64;

/// One publication, as those who follow are told of it.
#[derive(Debug)]
pub struct Step {
    /// Number of the list.
    pub seq: u64,
    /// The delta from the list before, compact; none when it would be too long or there is no list before: then the full
    /// list has to be fetched.
    pub delta: Option<Arc<str>>,
    frame: OnceLock<Bytes>,
}

impl Step {
    /// Returns the bytes that `make` makes of this step, made once for all followers.
    pub fn frame(&self, make: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.frame.get_or_init(|| make(self)).clone()
    }
}

/// A subscription to publications. Those between two calls of [`Events::next`] wait, the newest 64 of them: who is
/// slower misses some, and a verifier sees by its `base` that the next delta does not lead on.
#[derive(Debug)]
pub struct Events {
    newest: Arc<Step>,
    steps: broadcast::Receiver<Arc<Step>>,
}

impl Events {
    /// Returns the newest step at the moment of the subscription, or what [`Events::next`] has returned last.
    pub fn newest(&self) -> Arc<Step> {
        Arc::clone(&self.newest)
    }

    /// Returns the next step, `None` when there will be none any more.
    pub async fn next(&mut self) -> Option<Arc<Step>> {
        loop {
            match self.steps.recv().await {
                Ok(step) => {
                    self.newest = Arc::clone(&step); // the one of the subscription is kept for nobody any more
                    return Some(step);
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// The newest published list, opened.
#[derive(Debug, Clone)]
pub(in crate::operations) struct Listed {
    /// Its head.
    pub(in crate::operations) head: Head,
    /// Epochs below have left it.
    pub(in crate::operations) low: u32,
    /// What it lists.
    pub(in crate::operations) revoked: Arc<Revoked>,
}

/// A list that has passed every rule and goes out now.
pub(super) struct Release {
    pub(super) listed: Listed,
    pub(super) document: Arc<[u8]>,
    pub(super) delta: Option<Arc<str>>,
    pub(super) added: Places,
}

/// What has been published.
pub(super) struct Served {
    state: RwLock<State>,
    steps: broadcast::Sender<Arc<Step>>,
}

struct State {
    /// Oldest first.
    documents: VecDeque<Published>,
    newest: Option<Newest>,
    history: History,
    /// From these lists to the newest, signed when they were asked for.
    deltas: HashMap<u64, Published>,
    /// From this list and those before it a delta would be too long, as was found when it was asked for.
    too_long: u64,
}

struct Newest {
    published: Published,
    answer: Revocation,
    listed: Listed,
    step: Arc<Step>,
}

impl Served {
    /// Returns that nothing is published yet, but that `last` was, by the process before this one.
    pub(super) fn after(last: Option<(u64, revocations::State)>) -> Self {
        let mut history = History::default();
        if let Some((seq, state)) = last {
            history.push(seq, state, Places::new());
        }
        let state = State { documents: VecDeque::new(), newest: None, history, deltas: HashMap::new(), too_long: 0 };
        Self { state: RwLock::new(state), steps: broadcast::Sender::new(STEPS) }
    }

    /// Serves a list from now on, and tells everybody who follows; the list before it expires at `effective_by`.
    pub(super) fn release(&self, release: Release, effective_by: UnixTime) -> Revocation {
        let Release { listed, document, delta, added } = release;
        let Head { seq, exp, id, .. } = listed.head;
        let answer = Revocation { seq, effective_by: effective_by.as_secs() };
        let published = Published { seq, document, exp };
        let step = Arc::new(Step { seq, delta, frame: OnceLock::new() });
        let mut state = self.write();
        state.documents.push_back(published.clone());
        let bytes = |state: &State| state.documents.iter().map(|published| published.document.len()).sum::<usize>();
        while state.documents.len() > 1 && (state.documents.len() > KEPT || bytes(&state) > KEPT_BYTES) {
            state.documents.pop_front();
        }
        state.history.push(seq, revocations::State { id, low: listed.low }, added);
        state.deltas.clear();
        state.too_long = 0;
        state.newest = Some(Newest { published, answer, listed, step: Arc::clone(&step) });
        // Within the lock, so that nobody subscribes between the newest step and the next. Without followers it is lost.
        drop(self.steps.send(step));
        answer
    }

    /// Returns the newest published list; none before the first, which is published before anybody can ask.
    pub(super) fn newest(&self) -> Option<Published> {
        self.read().newest.as_ref().map(|newest| newest.published.clone())
    }

    /// Returns the published list with this number, while it is kept.
    pub(super) fn at(&self, seq: u64) -> Option<Published> {
        self.read().documents.iter().find(|published| published.seq == seq).cloned()
    }

    /// Returns the newest published list, opened.
    pub(super) fn listed(&self) -> Option<Listed> {
        self.read().newest.as_ref().map(|newest| newest.listed.clone())
    }

    /// Returns the answer to those whose revocation the newest list contains.
    pub(super) fn answer(&self) -> Option<Revocation> {
        self.read().newest.as_ref().map(|newest| newest.answer)
    }

    /// Returns a subscription.
    pub(super) fn events(&self) -> Events {
        let state = self.read();
        let none = || Arc::new(Step { seq: 0, delta: None, frame: OnceLock::new() });
        let newest = state.newest.as_ref().map_or_else(none, |newest| Arc::clone(&newest.step));
        Events { newest, steps: self.steps.subscribe() }
    }

    /// Returns whether anybody follows.
    pub(super) fn is_followed(&self) -> bool {
        self.steps.receiver_count() > 0
    }

    /// Returns the delta from the list `since` that was signed before, or else what there is to sign; `None` when that
    /// list is not remembered.
    pub(super) fn delta(&self, since: u64) -> Option<Result<Option<Published>, (Since, Listed)>> {
        let state = self.read();
        if since <= state.too_long {
            return Some(Ok(None));
        }
        if let Some(signed) = state.deltas.get(&since) {
            return Some(Ok(Some(signed.clone())));
        }
        Some(Err((state.history.since(since)?, state.newest.as_ref()?.listed.clone())))
    }

    /// Keeps a delta from the list `since` for others, or that it would be too long, if it still leads to the newest list.
    pub(super) fn keep_delta(&self, since: u64, to: u64, signed: &Option<Published>) {
        let mut state = self.write();
        if state.newest.as_ref().is_none_or(|newest| newest.published.seq != to) {
            return;
        }
        match signed {
            None => state.too_long = state.too_long.max(since), // lists before it lack all that it lacks, and more
            Some(signed) if state.deltas.len() < KEPT_DELTAS => drop(state.deltas.insert(since, signed.clone())),
            Some(_) => {}
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
