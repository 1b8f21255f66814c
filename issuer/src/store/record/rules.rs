//! The record of the rules.

use super::{Reader, Record, Unreadable, Writer};
use crate::rules::Rules;
use std::collections::BTreeMap;
use token::time::UnixTime;

impl Record for Rules {
    const KIND: &'static str = "rules";

    fn write(&self, writer: &mut Writer) {
        writer.number(self.version);
        writer.array(&self.salt);
        writer.number(self.life_secs);
        writer.option(self.all, Writer::time);
        writer.option(self.tokens, Writer::time);
        write_timed(&self.keys, writer);
        write_timed(&self.clients, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            version: reader.number()?,
            salt: reader.array()?,
            life_secs: reader.number()?,
            all: reader.option(Reader::time)?,
            tokens: reader.option(Reader::time)?,
            keys: read_timed(reader)?,
            clients: read_timed(reader)?,
        })
    }
}

fn write_timed(rules: &BTreeMap<String, UnixTime>, writer: &mut Writer) {
    writer.length(rules.len());
    for (name, time) in rules {
        writer.text(name);
        writer.time(*time);
    }
}

/// Names ascend: there is one way to write a map.
fn read_timed(reader: &mut Reader<'_>) -> Result<BTreeMap<String, UnixTime>, Unreadable> {
    let rows = reader.many(|reader| Ok((reader.text()?, reader.time()?)))?;
    let ascend = rows.iter().zip(rows.iter().skip(1)).all(|((name, _), (next, _))| name < next);
    if ascend { Ok(rows.into_iter().collect()) } else { Err(Unreadable::Damaged) }
}
