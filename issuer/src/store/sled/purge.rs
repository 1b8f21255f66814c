//! Forgetting what has expired, in bounded steps.

use super::engine::Engine;
use super::layers::{Batch, Look as _, Span};
use super::room::Room;
use super::{due, layout, reading};
use crate::session::{Session, SessionId};
use crate::store::record::{Count, Record};
use crate::store::{Order, PURGE_STEP, StoreError};
use sled::IVec;
use std::ops::{Bound, Range};
use token::time::UnixTime;

impl Engine {
    pub(super) fn purge_sessions(&mut self, before: UnixTime) -> Result<bool, StoreError> {
        if self.needs(Room::Ample).is_err() {
            return Ok(false); // what goes is written, too
        }
        let span = span(layout::due_before(UnixTime::MIN)..layout::due_before(before));
        let rows = self.rows().rows(&span, Order::OldestFirst, PURGE_STEP).map_err(|error| self.fail(&error))?;
        let (mut batch, mut rest, mut later) = (Batch::default(), PURGE_STEP, Vec::new());
        let mut left_out = false;
        for (key, row) in &rows {
            let sessions = due::sessions(key, row);
            let Some(left) = rest.checked_sub(sessions.len().max(1)) else {
                left_out = true;
                break;
            };
            rest = left;
            batch.remove(key);
            for sid in sessions {
                match self.readable(sid)? {
                    Some(session) if session.expires_at() < before => {
                        batch.remove(layout::session(sid));
                        batch.remove(layout::of_subject(&session.grant.sub, sid));
                    }
                    Some(session) => later.push((session.expires_at(), sid)),
                    None => {}
                }
            }
        }
        self.due.close(before);
        later.sort_unstable_by(|one, other| other.cmp(one)); // a row is looked at when the first that it takes is due
        for (due, sid) in later {
            let (key, row) = self.due.add(due, sid);
            batch.insert(key, row);
        }
        let more = self.apply_if(batch, rows.len());
        Ok(more || left_out)
    }

    pub(super) fn purge_epochs(&mut self, below: u32, pages_below: u32) -> Result<bool, StoreError> {
        if self.needs(Room::Ample).is_err() {
            return Ok(false);
        }
        let range = |kind, below| layout::of_epoch(kind, 0)..layout::of_epoch(kind, below);
        // A start must be able to prove the newest list from the rows, so they outlive it.
        let revocations = self.keys_in(range(layout::REVOCATION, below.min(self.low)))?;
        let pages = self.keys_in(range(layout::PAGES, pages_below))?;
        let mut batch = Batch::default();
        let epochs = pages.iter().filter_map(|key| layout::parse_epoch(key));
        epochs.for_each(|epoch| batch.remove(layout::of_epoch(layout::SWEPT, epoch)));
        revocations.iter().chain(&pages).for_each(|key| batch.remove(key));
        if !pages.is_empty() && pages_below > self.floor {
            batch.insert(layout::FLOOR, Count(pages_below).encode(layout::FLOOR));
            self.floor = pages_below;
        }
        Ok(self.apply_if(batch, revocations.len().max(pages.len())))
    }

    /// Returns a session; a row that cannot be read is left where it is, for whoever mends the store.
    fn readable(&mut self, sid: SessionId) -> Result<Option<Session>, StoreError> {
        let key = layout::session(sid);
        let Some(row) = self.get(&key)? else { return Ok(None) };
        match Session::decode(&key, &row) {
            Ok(session) => Ok(Some(session)),
            Err(fault) => {
                tracing::error!(%sid, reason = %fault, "a session cannot be read and is not purged");
                Ok(None)
            }
        }
    }

    pub(super) fn keys_in(&mut self, range: Range<Vec<u8>>) -> Result<Vec<IVec>, StoreError> {
        reading::keys(self.rows(), &span(range), PURGE_STEP)
    }

    /// Takes in what goes, if anything does, and returns whether there is more.
    fn apply_if(&mut self, batch: Batch, rows: usize) -> bool {
        if rows > 0 {
            self.apply(batch);
        }
        rows == PURGE_STEP
    }
}

fn span(keys: Range<Vec<u8>>) -> Span {
    (Bound::Included(keys.start), Bound::Excluded(keys.end))
}
