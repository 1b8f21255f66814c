//! The audit log.

use super::Answer;
use crate::audit::Event;

/// Keeps events, in the order in which they became durable.
pub trait AuditLog {
    /// Appends events that tell of no change of the store.
    fn record(&self, events: Vec<Event>) -> Answer<()>;
}
