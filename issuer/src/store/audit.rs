//! The audit log.

mod read;

pub use read::{Found, Query, page, verify};

use super::Answer;
use crate::audit::{Event, Extent, Run};
use token::time::UnixTime;

/// Keeps events, in the order in which they became durable. Their `seq` and hashes are the engine's to count.
pub trait AuditLog {
    /// Appends events that tell of no change of the store.
    fn record(&self, events: Vec<Event>) -> Answer<()>;

    /// Returns which events are kept and on disk.
    fn audit_extent(&self) -> Answer<Extent>;

    /// Returns runs of events as they are kept, at most `most`: the one with event `seq` and those behind it, or, newest
    /// first, the one with event `seq` and those before it.
    fn event_runs(&self, seq: u64, order: Order, most: usize) -> Answer<Vec<Run>>;

    /// Forgets whole runs, from the oldest on, that hold nothing since `before` or nothing of the newest `keep` events; at
    /// most [`super::PURGE_STEP`] of them; returns whether there may be more. What is left begins at a place that is kept.
    fn trim_events(&self, before: UnixTime, keep: u64) -> Answer<bool>;
}

/// In which direction events are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they happened.
    OldestFirst,
    /// Backwards.
    NewestFirst,
}
