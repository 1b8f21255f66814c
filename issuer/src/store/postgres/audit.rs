//! The audit log in PostgreSQL; `store/events.rs` says how its rows look.

use super::PostgresStore;
use super::engine::{Engine, one};
use super::load::{Stored, Wanted};
use super::rows::{Batch, Stop};
use crate::audit::{Event, Extent, Run};
use crate::store::events::{Events, decode, first};
use crate::store::{Answer, AuditLog, Order, PURGE_STEP, StoreError, layout};
use std::collections::BTreeMap;
use token::time::UnixTime;

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
        self.change(|_| Wanted::Rows(Vec::new()), |engine, _| Ok(engine.events.extent())) // of the groups before
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
            let runs = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            if order == Order::NewestFirst {
                return Ok(runs);
            }
            let holding = runs.first().filter(|run| run.last_seq() >= seq);
            let from = layout::events(holding.map_or(seq, |run| first(run.before)));
            let wanted = Wanted::Range { from, below: vec![layout::EVENTS + 1], newest_first: false, most };
            reads.load(&wanted).await?.iter().map(read).collect()
        })
    }

    fn trim_events(&self, before: UnixTime, keep: u64) -> Answer<bool> {
        self.change(
            |_| Wanted::all(layout::EVENTS, PURGE_STEP),
            move |engine, found| engine.trim_events(before, keep, found),
        )
    }
}

/// Returns the log by the rows that there is one of.
pub(super) fn open(state: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Events, StoreError> {
    let newest = one(state, layout::AUDIT_HEAD)?.unwrap_or_default();
    let before = one(state, layout::AUDIT_BEFORE)?.unwrap_or_default();
    Ok(Events::of(Extent { before, newest }))
}

impl Engine {
    /// Keeps events for the audit log; they are written with the group of changes, and there is none without.
    pub(super) fn tell(&mut self, events: &[Event]) {
        self.events.tell(events.iter().cloned());
    }

    /// Writes what was told since the last call.
    pub(super) fn write_events(&mut self) {
        let mut batch = Batch::default();
        self.events.rows().into_iter().for_each(|(key, record)| batch.insert(key, record));
        self.apply(batch);
    }

    fn trim_events(&mut self, before: UnixTime, keep: u64, found: &[Stored]) -> Result<bool, Stop> {
        let Some(trimmed) = self.events.trim(found, before, keep)? else { return Ok(false) };
        let mut batch = Batch::default();
        trimmed.keys.into_iter().for_each(|key| batch.remove(key));
        batch.insert(layout::AUDIT_BEFORE, trimmed.before);
        self.apply(batch);
        Ok(trimmed.more)
    }
}

fn read((key, record): &Stored) -> Result<Run, StoreError> {
    decode(key, record)
}
