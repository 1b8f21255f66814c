//! The audit log in sled; `store/events.rs` says how its rows look.

use super::engine::Engine;
use super::layers::{self, Batch, Look};
use super::room::Room;
use super::{SledStore, layout, reading};
use crate::audit::{Event, Extent, Run};
use crate::store::events::{Events, decode, first};
use crate::store::{Answer, AuditLog, Order, PURGE_STEP, StoreError};
use sled::IVec;
use std::ops::Bound;
use token::time::UnixTime;

impl AuditLog for SledStore {
    fn record(&self, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| {
            engine.needs(Room::Ample)?;
            engine.tell(events);
            Ok(())
        })
    }

    fn audit_extent(&self) -> Answer<Extent> {
        self.committer.submit(|engine| Ok(engine.events.extent())) // of the groups before, which are on disk
    }

    fn event_runs(&self, seq: u64, order: Order, most: usize) -> Answer<Vec<Run>> {
        self.read(|rows| runs(rows, seq, order, most))
    }

    fn trim_events(&self, before: UnixTime, keep: u64) -> Answer<bool> {
        self.committer.submit(move |engine| engine.trim_events(before, keep))
    }
}

/// Returns the log as the rows have it.
pub(super) fn open(rows: &impl Look) -> Result<Events, StoreError> {
    let newest = reading::read(rows, layout::AUDIT_HEAD)?.unwrap_or_default();
    let before = reading::read(rows, layout::AUDIT_BEFORE)?.unwrap_or_default();
    Ok(Events::of(Extent { before, newest }))
}

impl Engine {
    /// Keeps events for the audit log; they are written with the group of changes, and there is none without.
    pub(super) fn tell(&mut self, events: Vec<Event>) {
        self.events.tell(events);
    }

    /// Writes what was told since the last call, into the same frame as the changes it tells of.
    pub(super) fn write_events(&mut self) {
        let rows = self.events.rows();
        if rows.is_empty() {
            return;
        }
        let mut batch = Batch::default();
        rows.into_iter().for_each(|(key, record)| batch.insert(key, record));
        self.apply(batch);
    }

    fn trim_events(&mut self, before: UnixTime, keep: u64) -> Result<bool, StoreError> {
        if self.needs(Room::Ample).is_err() {
            return Ok(false); // what goes is written, too
        }
        self.write_events(); // what is trimmed may be what the group tells
        let rows = self.rows().rows(&layers::of_kind(layout::EVENTS), Order::OldestFirst, PURGE_STEP);
        let rows = rows.map_err(|error| self.fail(&error))?;
        let Some(trimmed) = self.events.trim(&rows, before, keep)? else { return Ok(false) };
        let mut batch = Batch::default();
        trimmed.keys.into_iter().for_each(|key| batch.remove(key));
        batch.insert(layout::AUDIT_BEFORE, trimmed.before);
        self.apply(batch);
        Ok(trimmed.more)
    }
}

fn runs(rows: &impl Look, seq: u64, order: Order, most: usize) -> Result<Vec<Run>, StoreError> {
    let found = |from: Vec<u8>, to: Vec<u8>, order, most| {
        let rows = rows.rows(&(Bound::Included(from), Bound::Included(to)), order, most);
        let rows = rows.map_err(|error| reading::failed(&error))?;
        rows.iter().map(|(key, row): &(IVec, IVec)| decode(key, row)).collect::<Result<Vec<_>, _>>()
    };
    let (lowest, here, highest) = (layout::events(0), layout::events(seq), layout::events(u64::MAX));
    match order {
        Order::NewestFirst => found(lowest, here, order, most),
        Order::OldestFirst => {
            let holding = found(lowest, here.clone(), Order::NewestFirst, 1)?.pop();
            let from =
                holding.filter(|run| run.last_seq() >= seq).map_or(here, |run| layout::events(first(run.before)));
            found(from, highest, order, most)
        }
    }
}
