//! The audit log: the events of one group lie together in one row, or a few.

use super::PostgresStore;
use super::engine::{Engine, one};
use super::load::{Stored, Wanted};
use super::rows::{Batch, Stop};
use crate::audit::{Act, Event, Extent, Link, Run, Seen};
use crate::store::record::Record;
use crate::store::{Answer, AuditLog, Order, PURGE_STEP, StoreError, layout};
use crate::telemetry::metrics::METRICS;
use std::collections::BTreeMap;
use token::time::UnixTime;

/// Bytes of events in one row, at most; an event of the largest size is a row of its own.
const ROW: usize = 12 * 1024;

impl AuditLog for PostgresStore {
    fn record(&self, events: Vec<Event>) -> Answer<()> {
        self.change(
            |_| Wanted::Rows(Vec::new()),
            move |engine, _| {
                engine.tell(&events);
                Ok(())
            },
        )
    }

    fn audit_extent(&self) -> Answer<Extent> {
        self.change(|_| Wanted::Rows(Vec::new()), |engine, _| Ok(engine.events.extent)) // of the groups before
    }

    fn event_runs(&self, seq: u64, order: Order, most: usize) -> Answer<Vec<Run>> {
        let reads = self.reads();
        let here = Wanted::Range {
            from: layout::events(0),
            below: seq.checked_add(1).map_or(vec![layout::EVENTS + 1], layout::events),
            newest_first: true,
            most: if order == Order::NewestFirst { most } else { 1 },
        };
        Box::pin(async move {
            let found = reads.load(&here).await?;
            let runs = found.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
            if order == Order::NewestFirst {
                return Ok(runs);
            }
            let holding = runs.first().filter(|run| run.last_seq() >= seq);
            let from = layout::events(holding.map_or(seq, |run| first(run.before)));
            let wanted = Wanted::Range { from, below: vec![layout::EVENTS + 1], newest_first: false, most };
            reads.load(&wanted).await?.iter().map(decode).collect()
        })
    }

    fn trim_events(&self, before: UnixTime, keep: u64) -> Answer<bool> {
        self.change(
            |_| Wanted::all(layout::EVENTS, PURGE_STEP),
            move |engine, found| engine.trim_events(before, keep, found),
        )
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
    /// Returns where the log stands by the rows that there is one of.
    pub(super) fn open(state: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Self, StoreError> {
        let newest = one(state, layout::AUDIT_HEAD)?.unwrap_or_default();
        let before = one(state, layout::AUDIT_BEFORE)?.unwrap_or_default();
        Ok(Self { told: Vec::new(), written: Vec::new(), extent: Extent { before, newest } })
    }
}

impl Engine {
    /// Keeps events for the audit log; they are written with the group of changes, and there is none without.
    pub(super) fn tell(&mut self, events: &[Event]) {
        self.events.told.extend_from_slice(events);
    }

    /// Writes what was told since the last call.
    pub(super) fn write_events(&mut self) {
        let told = std::mem::take(&mut self.events.told);
        if told.is_empty() {
            return;
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
        self.apply(batch);
        self.events.extent.newest = head;
    }

    /// Counts the events that are durable by now.
    pub(super) fn count_events(&mut self) {
        self.events.written.drain(..).for_each(|act| METRICS.event(act.name()));
    }

    fn trim_events(&mut self, before: UnixTime, keep: u64, found: &[Stored]) -> Result<bool, Stop> {
        let spared = self.events.extent.newest.seq.saturating_sub(keep);
        let (mut batch, mut end, mut removed) = (Batch::default(), None, 0);
        for row in found {
            // A row that cannot be read stays, and with it all behind it: whoever removed it would hide the damage.
            let run = decode(row)?;
            let last = run.end();
            let old = run.events.last().and_then(|event| Seen::of(event)).is_some_and(|event| event.at < before);
            if !old && last.seq > spared {
                break;
            }
            batch.remove(&*row.0);
            end = Some(last);
            removed += 1;
        }
        let Some(end) = end else { return Ok(false) };
        batch.insert(layout::AUDIT_BEFORE, end.encode(layout::AUDIT_BEFORE));
        self.apply(batch);
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

fn decode((key, record): &Stored) -> Result<Run, StoreError> {
    let run = Run::decode(key, record)?;
    let misplaced = || StoreError::damaged("events lie under another number than theirs");
    if layout::events(first(run.before)) == *key { Ok(run) } else { Err(misplaced()) }
}
