//! The record of some events that follow each other, and of a place in their chain.

use super::{Reader, Record, Unreadable, Writer};
use crate::audit::Link;

/// Events that became durable together; each a JSON object, as it was hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventRow {
    /// The event before the first of them.
    pub(crate) before: Link,
    /// The events, in their order.
    pub(crate) events: Vec<Vec<u8>>,
    /// How many bytes they have together.
    pub(crate) bytes: usize,
}

impl EventRow {
    /// Returns a row that goes on behind `before`, still empty.
    pub(crate) fn after(before: Link) -> Self {
        Self { before, events: Vec::new(), bytes: 0 }
    }

    /// Adds an event.
    pub(crate) fn push(&mut self, event: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(event.len());
        self.events.push(event);
    }
}

impl Record for EventRow {
    const KIND: &'static str = "audit";

    fn write(&self, writer: &mut Writer) {
        self.before.write(writer);
        writer.length(self.events.len());
        self.events.iter().for_each(|event| writer.bytes(event));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (before, events) = (Link::read(reader)?, reader.many(Reader::bytes)?);
        let bytes = events.iter().map(Vec::len).sum();
        if events.is_empty() { Err(Unreadable::Damaged) } else { Ok(Self { before, events, bytes }) }
    }
}

impl Record for Link {
    const KIND: &'static str = "audit chain";

    fn write(&self, writer: &mut Writer) {
        writer.number(self.seq);
        writer.array(&self.hash);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self { seq: reader.number()?, hash: reader.array()? })
    }
}
