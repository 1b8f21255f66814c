//! The record of a run of events, and of a place in their chain.

use super::{Reader, Record, Unreadable, Writer};
use crate::audit::{Link, Run};

impl Record for Run {
    const KIND: &'static str = "audit";

    fn write(&self, writer: &mut Writer) {
        self.before.write(writer);
        writer.length(self.events.len());
        self.events.iter().for_each(|event| writer.bytes(event));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (before, events) = (Link::read(reader)?, reader.many(Reader::bytes)?);
        if events.is_empty() { Err(Unreadable::Damaged) } else { Ok(Self { before, events }) }
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
