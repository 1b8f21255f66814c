//! The audit log: the events of one group lie together in one row, or a few.

use super::engine::{self, Engine};
use super::room::Room;
use super::rows::Batch;
use super::{SledStore, layout};
use crate::audit::{Act, Event, Extent, Link, Run, Seen};
use crate::store::record::Record;
use crate::store::{Answer, AuditLog, Order, PURGE_STEP, StoreError};
use crate::telemetry::metrics::METRICS;
use sled::{IVec, Tree};
use token::time::UnixTime;

/// Bytes of events in one row, at most, so that rows stay below the 16 KiB that the log was laid out for; an event of the
/// largest size is a row of its own.
const ROW: usize = 12 * 1024;

impl AuditLog for SledStore {
    fn record(&self, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| {
            engine.needs(Room::Ample)?;
            engine.tell(events);
            Ok(())
        })
    }

    fn audit_extent(&self) -> Answer<Extent> {
        self.committer.submit(|engine| Ok(engine.events.extent)) // of the groups before, which are on disk
    }

    fn event_runs(&self, seq: u64, order: Order, most: usize) -> Answer<Vec<Run>> {
        self.read(|tree| runs(tree, seq, order, most))
    }

    fn trim_events(&self, before: UnixTime, keep: u64) -> Answer<bool> {
        self.committer.submit(move |engine| engine.trim_events(before, keep))
    }
}

/// Events told since the last group, and where the log stands.
pub(super) struct Events {
    told: Vec<Event>,
    /// What happened of the events that are written and not durable yet.
    written: Vec<Act>,
    extent: Extent,
}

impl Events {
    /// Returns where the log of an open tree stands.
    pub(super) fn open(tree: &Tree) -> Result<Self, StoreError> {
        let newest = engine::read(tree, layout::AUDIT_HEAD)?.unwrap_or_default();
        let before = engine::read(tree, layout::AUDIT_BEFORE)?.unwrap_or_default();
        Ok(Self { told: Vec::new(), written: Vec::new(), extent: Extent { before, newest } })
    }

    /// Returns the number of the newest event that is written.
    pub(super) fn newest(&self) -> u64 {
        self.extent.newest.seq
    }
}

impl Engine {
    /// Keeps events for the audit log; they are written with the group of changes, and there is none without.
    pub(super) fn tell(&mut self, events: Vec<Event>) {
        self.events.told.extend(events);
    }

    /// Writes what was told since the last call, into the same batch as the changes it tells of.
    pub(super) fn write_events(&mut self) -> Result<(), StoreError> {
        let told = std::mem::take(&mut self.events.told);
        if told.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        let mut head = self.events.extent.newest;
        let (mut run, mut size) = (Run { before: head, events: Vec::new() }, 0_usize);
        for event in told {
            self.events.written.push(event.what());
            let bytes = event.to_bytes();
            if !run.events.is_empty() && size.saturating_add(bytes.len()) > ROW {
                insert(&mut batch, &run);
                (run, size) = (Run { before: head, events: Vec::new() }, 0);
            }
            head = head.then(&bytes);
            size = size.saturating_add(bytes.len());
            run.events.push(bytes);
        }
        insert(&mut batch, &run);
        batch.insert(layout::AUDIT_HEAD, head.encode(layout::AUDIT_HEAD));
        self.apply(batch)?;
        self.events.extent.newest = head;
        Ok(())
    }

    /// Counts the events that are durable by now.
    pub(super) fn count_events(&mut self) {
        self.events.written.drain(..).for_each(|act| METRICS.event(act.name()));
    }

    fn trim_events(&mut self, before: UnixTime, keep: u64) -> Result<bool, StoreError> {
        if self.needs(Room::Ample).is_err() {
            return Ok(false); // what goes is written, too
        }
        let spared = self.events.extent.newest.seq.saturating_sub(keep);
        let rows = self.settled()?.scan_prefix([layout::EVENTS]).take(PURGE_STEP).collect::<Result<Vec<_>, _>>();
        let rows = rows.map_err(|error| self.fail(&error))?;
        let (mut batch, mut end, mut removed) = (Batch::default(), None, 0);
        for (key, row) in &rows {
            // A row that cannot be read stays, and with it all behind it: whoever removed it would hide the damage.
            let run = decode(key, row)?;
            let last = run.end();
            let old = run.events.last().and_then(|event| Seen::of(event)).is_some_and(|event| event.at < before);
            if !old && last.seq > spared {
                break;
            }
            batch.remove(key);
            end = Some(last);
            removed += 1;
        }
        let Some(end) = end else { return Ok(false) };
        batch.insert(layout::AUDIT_BEFORE, end.encode(layout::AUDIT_BEFORE));
        self.apply(batch)?;
        self.events.extent.before = end;
        Ok(removed == PURGE_STEP)
    }
}

fn insert(batch: &mut Batch, run: &Run) {
    let key = layout::events(first(run.before));
    batch.insert(&*key, run.encode(&key));
}

fn first(before: Link) -> u64 {
    before.seq.saturating_add(1)
}

fn runs(tree: &Tree, seq: u64, order: Order, most: usize) -> Result<Vec<Run>, StoreError> {
    let read = |row: sled::Result<(IVec, IVec)>| {
        row.map_err(|error| engine::failed(&error)).and_then(|(key, row)| decode(&key, &row))
    };
    let (lowest, here, highest) = (layout::events(0), layout::events(seq), layout::events(u64::MAX));
    match order {
        Order::NewestFirst => tree.range(lowest..=here).rev().take(most).map(read).collect(),
        Order::OldestFirst => {
            let holding = tree.range(lowest..=here.clone()).next_back().map(read).transpose()?;
            let from =
                holding.filter(|run| run.last_seq() >= seq).map_or(here, |run| layout::events(first(run.before)));
            tree.range(from..=highest).take(most).map(read).collect()
        }
    }
}

fn decode(key: &[u8], row: &[u8]) -> Result<Run, StoreError> {
    let run = Run::decode(key, row)?;
    let misplaced = || StoreError::damaged("events lie under another number than theirs");
    if layout::events(first(run.before)) == key { Ok(run) } else { Err(misplaced()) }
}
