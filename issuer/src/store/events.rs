//! The audit log as rows, the same in every engine: the events of one group lie together in one row, or a few.

use super::record::Record;
use super::{PURGE_STEP, StoreError, layout};
use crate::audit::{Act, Event, Extent, Link, Run, Seen};
use crate::telemetry::metrics::METRICS;
use token::time::UnixTime;

/// Bytes of events in one row, at most, so that rows stay below the 16 KiB that sled's log was laid out for; an event of the
/// largest size is a row of its own.
const ROW: usize = 12 * 1024;

/// Events told since the last group, and where the log stands.
pub(super) struct Events {
    told: Vec<Event>,
    /// What happened of the events that are written and not durable yet.
    written: Vec<Act>,
    extent: Extent,
}

/// The oldest rows, which go.
pub(super) struct Trimmed {
    /// Their keys, at most [`PURGE_STEP`].
    pub(super) keys: Vec<Vec<u8>>,
    /// The record of where the log begins without them, which lies under [`layout::AUDIT_BEFORE`].
    pub(super) before: Vec<u8>,
    /// Whether there may be more.
    pub(super) more: bool,
}

impl Events {
    /// Returns the log that stands there, with nothing told.
    pub(super) fn of(extent: Extent) -> Self {
        Self { told: Vec::new(), written: Vec::new(), extent }
    }

    /// Returns where the log stands.
    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    /// Keeps events for the next rows.
    pub(super) fn tell(&mut self, events: impl IntoIterator<Item = Event>) {
        self.told.extend(events);
    }

    /// Returns the rows of what was told since the last call, with the log's new head, by which the log stands from now on;
    /// none when nothing was told.
    pub(super) fn rows(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        if self.told.is_empty() {
            return Vec::new();
        }
        let mut rows = Vec::new();
        let mut head = self.extent.newest;
        let (mut run, mut size) = (Run { before: head, events: Vec::new() }, 0_usize);
        for event in self.told.drain(..) {
            self.written.push(event.what());
            let bytes = event.to_bytes();
            if !run.events.is_empty() && size.saturating_add(bytes.len()) > ROW {
                rows.push(row(&run));
                (run, size) = (Run { before: head, events: Vec::new() }, 0);
            }
            head = head.then(&bytes);
            size = size.saturating_add(bytes.len());
            run.events.push(bytes);
        }
        rows.push(row(&run));
        rows.push((layout::AUDIT_HEAD.to_vec(), head.encode(layout::AUDIT_HEAD)));
        self.extent.newest = head;
        rows
    }

    /// Counts the events that are durable by now.
    pub(super) fn count(&mut self) {
        self.written.drain(..).for_each(|act| METRICS.event(act.name()));
    }

    /// Returns which of the oldest rows go: those whose events happened before `before`, and those that `keep` newer events
    /// leave no room for. `None` when none does; else the log begins behind them from now on.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a row that cannot be read: it stays, and with it all behind it, for whoever removed it would
    /// hide the damage.
    pub(super) fn trim<K: AsRef<[u8]>, R: AsRef<[u8]>>(
        &mut self,
        oldest: &[(K, R)],
        before: UnixTime,
        keep: u64,
    ) -> Result<Option<Trimmed>, StoreError> {
        let spared = self.extent.newest.seq.saturating_sub(keep);
        let (mut keys, mut end) = (Vec::new(), None);
        for (key, record) in oldest {
            let run = decode(key.as_ref(), record.as_ref())?;
            let last = run.end();
            let old = run.events.last().and_then(|event| Seen::of(event)).is_some_and(|event| event.at < before);
            if !old && last.seq > spared {
                break;
            }
            keys.push(key.as_ref().to_vec());
            end = Some(last);
        }
        let Some(end) = end else { return Ok(None) };
        self.extent.before = end;
        let more = keys.len() == PURGE_STEP;
        Ok(Some(Trimmed { keys, before: end.encode(layout::AUDIT_BEFORE), more }))
    }
}

/// Returns the number of the first event behind this place.
pub(super) fn first(before: Link) -> u64 {
    before.seq.saturating_add(1)
}

/// Returns the events of a row.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(super) fn decode(key: &[u8], record: &[u8]) -> Result<Run, StoreError> {
    let run = Run::decode(key, record)?;
    let misplaced = || StoreError::damaged("events lie under another number than theirs");
    if layout::events(first(run.before)) == key { Ok(run) } else { Err(misplaced()) }
}

fn row(run: &Run) -> (Vec<u8>, Vec<u8>) {
    let key = layout::events(first(run.before));
    let record = run.encode(&key);
    (key, record)
}
