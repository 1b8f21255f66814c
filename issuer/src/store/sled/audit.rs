//! The audit log: the events of one group lie together in one row, or a few.

use super::engine::Engine;
use super::{SledStore, layout};
use crate::audit::Event;
use crate::store::record::{EventRow, Record};
use crate::store::{Answer, AuditLog, StoreError};
use sled::Batch;

/// Bytes of events in one row, at most, so that rows stay below the 16 KiB that the log was laid out for; an event of the
/// largest size is a row of its own.
const ROW: usize = 12 * 1024;

impl AuditLog for SledStore {
    fn record(&self, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| {
            engine.tell(events);
            Ok(())
        })
    }
}

impl Engine {
    /// Writes what was told since the last call. It follows the changes of its group and is made durable with them.
    pub(super) fn write_events(&mut self) -> Result<(), StoreError> {
        let told = self.take_told();
        if told.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        let (mut head, mut row) = (self.newest_event, EventRow::after(self.newest_event));
        for event in told {
            let bytes = event.to_bytes();
            if !row.events.is_empty() && row.bytes.saturating_add(bytes.len()) > ROW {
                insert(&mut batch, &row);
                row = EventRow::after(head);
            }
            head = head.then(&bytes);
            row.push(bytes);
        }
        insert(&mut batch, &row);
        batch.insert(layout::AUDIT_HEAD, head.encode(layout::AUDIT_HEAD));
        self.apply(batch)?;
        self.newest_event = head;
        Ok(())
    }
}

fn insert(batch: &mut Batch, row: &EventRow) {
    let key = layout::events(row.before.seq.saturating_add(1));
    batch.insert(&*key, row.encode(&key));
}
