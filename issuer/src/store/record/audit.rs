//! The record of a run of events, and of a place in their chain.

use super::{Reader, Record, Unreadable, Writer};
use crate::audit::{Link, Run};
use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::cell::RefCell;
use std::io::Read;

/// Bytes of the events of a run before they are packed, at most: what is longer when it is unpacked was not written by us.
const UNPACKED: usize = 32 * 1024;

impl Record for Run {
    const KIND: &'static str = "audit";
    /// 1 had the events as they are. They say much the same, so packed (RFC 1951) they take a third of the room and less.
    const VERSION: u8 = 2;

    fn write(&self, writer: &mut Writer) {
        self.before.write(writer);
        let mut events = Writer::of_part();
        events.length(self.events.len());
        self.events.iter().for_each(|event| events.bytes(event));
        writer.bytes(&packed(&events.into_part()));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let before = Link::read(reader)?;
        let events = if reader.version() > 1 {
            let unpacked = unpacked(&reader.bytes()?)?;
            let mut events = Reader::of_part(&unpacked);
            let read = events.many(Reader::bytes)?;
            events.finish()?;
            read
        } else {
            reader.many(Reader::bytes)?
        };
        if events.is_empty() { Err(Unreadable::Damaged) } else { Ok(Self { before, events }) }
    }
}

thread_local! {
    /// One for each thread that writes, since making its tables takes longer than packing a row.
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        let (mut packed, mut rest) = (Vec::with_capacity(bytes.len() / 2 + 64), bytes);
        loop {
            let before = packer.total_in();
            // Memory is read and written: there is nothing in it that can fail.
            let Ok(status) = packer.compress_vec(rest, &mut packed, FlushCompress::Finish) else { return Vec::new() };
            if status == Status::StreamEnd {
                return packed;
            }
            let taken = usize::try_from(packer.total_in().saturating_sub(before)).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            packed.reserve(packed.len().max(64));
        }
    })
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    let most = u64::try_from(UNPACKED).unwrap_or(u64::MAX);
    let read = DeflateDecoder::new(packed).take(most.saturating_add(1)).read_to_end(&mut bytes);
    if read.is_ok() && bytes.len() <= UNPACKED { Ok(bytes) } else { Err(Unreadable::Damaged) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn run(events: Vec<Vec<u8>>) -> Run {
        Run { before: Link::default(), events }
    }

    #[test]
    fn a_run_of_the_first_version_still_reads() {
        let written = run(vec![b"one".to_vec(), b"two".to_vec()]);
        let mut writer = Writer::new(1);
        written.before.write(&mut writer);
        writer.length(2);
        written.events.iter().for_each(|event| writer.bytes(event));
        assert_eq!(Run::decode(b"key", &writer.finish(b"key")), Ok(written));
    }

    #[test]
    fn events_that_say_the_same_take_little_room() {
        let event = br#"{"at":1700000000,"act":"token.refresh","client_id":"admin","sub":"user-1","sid":"AAAAAAAAAAAAAAAAAAAAAA"}"#;
        let record = run(vec![event.to_vec(); 100]).encode(b"key");
        assert!(record.len() < event.len() * 10, "{}", record.len());
    }

    #[test]
    fn what_is_packed_is_itself_again_whatever_was_packed_before_also_where_nothing_can_be_saved() {
        let mut noise = 1_u32;
        let mut byte = |sides: u32| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u8::try_from((noise >> 16) % sides).unwrap()
        };
        let texts: Vec<Vec<u8>> =
            (0..60_usize).map(|n| (0..n * n * 9).map(|_| byte(if n % 2 == 0 { 256 } else { 3 })).collect()).collect();
        let first: Vec<Vec<u8>> = texts.iter().map(|text| packed(text)).collect();
        for (text, packed_first) in texts.iter().zip(&first).rev() {
            assert_eq!(unpacked(packed_first).as_ref(), Ok(text), "{} bytes", text.len());
            assert_eq!(packed(text), *packed_first, "{} bytes, after others", text.len());
        }
    }

    #[test]
    fn what_unpacks_to_more_than_a_run_holds_or_does_not_unpack_is_damage() {
        let closed = |packed: &[u8]| {
            let mut writer = Writer::new(2);
            Link::default().write(&mut writer);
            writer.bytes(packed);
            Run::decode(b"key", &writer.finish(b"key"))
        };
        let of_length = |length| {
            let mut parts = Writer::of_part();
            parts.length(1);
            parts.bytes(&vec![b'x'; length]);
            packed(&parts.into_part())
        };
        assert!(closed(&of_length(UNPACKED - 4)).is_ok());
        assert!(closed(&of_length(UNPACKED - 3)).is_err());
        assert!(closed(b"\xff\xff").is_err());
        assert!(closed(&packed(&[1])).is_err(), "an event less than it says");
        assert!(closed(&packed(&[0])).is_err(), "no event");
        assert!(closed(&packed(&[1, 1, b'x', 0])).is_err(), "a byte too many");
    }
}
