//! How numbers and texts lie in a record, and how a record is closed.
//!
//! ```text
//! record   = version:u8 payload crc:u32-le        crc = CRC-32 of key, version and payload
//! number   = unsigned LEB128 of at most 64 bits, in its shortest form
//! bytes    = how many, the bytes             text = the same, in UTF-8
//! option   = %x00 | %x01 value
//! ```
//!
//! The checksum covers the key, so a record under the wrong key is damage too. It guards against accidents, not against
//! somebody who can write to the disk.

use crate::store::StoreError;
use token::time::UnixTime;

/// Builds a record.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins a record of this version.
    pub(crate) fn new(version: u8) -> Self {
        Self { bytes: vec![version] }
    }

    /// Begins what becomes a part of a record, with neither version nor checksum.
    pub(crate) fn of_part() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Returns the part.
    pub(crate) fn into_part(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    pub(crate) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            let [low, ..] = number.to_le_bytes();
            self.byte(low | 0x80);
            number >>= 7;
        }
        let [low, ..] = number.to_le_bytes();
        self.byte(low);
    }

    pub(crate) fn length(&mut self, length: usize) {
        self.number(u64::try_from(length).unwrap_or(u64::MAX)); // no memory holds more
    }

    pub(crate) fn time(&mut self, time: UnixTime) {
        self.number(time.as_secs());
    }

    pub(crate) fn array(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.array(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn texts(&mut self, texts: &[String]) {
        self.length(texts.len());
        texts.iter().for_each(|text| self.text(text));
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, mut write: impl FnMut(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Closes the record that will lie under `key`.
    pub(crate) fn finish(mut self, key: &[u8]) -> Vec<u8> {
        let crc = checksum(key, &self.bytes);
        self.bytes.extend_from_slice(&crc);
        self.bytes
    }
}

/// Why a record could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not what was written.
    Damaged,
    /// Written by another version.
    Version(u8),
}

impl Unreadable {
    /// Returns the store's error for a record of this kind.
    pub(crate) fn into_error(self, kind: &'static str) -> StoreError {
        match self {
            Self::Damaged => StoreError::damaged(format!("a {kind} record does not read as it was written")),
            Self::Version(found) => StoreError::Format { found },
        }
    }
}

/// Reads a record whose checksum has been found right.
pub(crate) struct Reader<'a> {
    version: u8,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Returns the reader of the payload of the record under `key`, of any version from 1 to `newest`.
    pub(crate) fn open(key: &[u8], record: &'a [u8], newest: u8) -> Result<Self, Unreadable> {
        let (body, crc) = record.split_last_chunk::<4>().ok_or(Unreadable::Damaged)?;
        if checksum(key, body) != *crc {
            return Err(Unreadable::Damaged);
        }
        match body.split_first() {
            Some((version, rest)) if (1..=newest).contains(version) => Ok(Self { version: *version, rest }),
            Some((version, _)) => Err(Unreadable::Version(*version)),
            None => Err(Unreadable::Damaged),
        }
    }

    /// Returns the reader of a part that a record of the first version would hold.
    pub(crate) fn of_part(part: &'a [u8]) -> Self {
        Self { version: 1, rest: part }
    }

    /// Returns the version that the record was written in.
    pub(crate) fn version(&self) -> u8 {
        self.version
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Unreadable> {
        let (byte, rest) = self.rest.split_first().ok_or(Unreadable::Damaged)?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Unreadable> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable::Damaged),
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Unreadable::Damaged);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return if shift == 0 || byte != 0 { Ok(number) } else { Err(Unreadable::Damaged) };
            }
        }
        Err(Unreadable::Damaged)
    }

    pub(crate) fn number_u32(&mut self) -> Result<u32, Unreadable> {
        self.number()?.try_into().map_err(|_| Unreadable::Damaged)
    }

    /// Returns a number of things that take at least one byte each, so no more than there are bytes.
    pub(crate) fn length(&mut self) -> Result<usize, Unreadable> {
        let length = usize::try_from(self.number()?).map_err(|_| Unreadable::Damaged)?;
        if length > self.rest.len() { Err(Unreadable::Damaged) } else { Ok(length) }
    }

    pub(crate) fn time(&mut self) -> Result<UnixTime, Unreadable> {
        UnixTime::from_secs(self.number()?).ok_or(Unreadable::Damaged)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Unreadable::Damaged)?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Unreadable> {
        self.slice().map(<[u8]>::to_vec)
    }

    pub(crate) fn text(&mut self) -> Result<String, Unreadable> {
        std::str::from_utf8(self.slice()?).map(str::to_owned).map_err(|_| Unreadable::Damaged)
    }

    fn slice(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = self.length()?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Unreadable::Damaged)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn texts(&mut self) -> Result<Vec<String>, Unreadable> {
        self.many(Self::text)
    }

    pub(crate) fn many<T>(&mut self, read: impl Fn(&mut Self) -> Result<T, Unreadable>) -> Result<Vec<T>, Unreadable> {
        (0..self.length()?).map(|_| read(self)).collect()
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// Refuses a record that goes on.
    pub(crate) fn finish(self) -> Result<(), Unreadable> {
        if self.rest.is_empty() { Ok(()) } else { Err(Unreadable::Damaged) }
    }
}

fn checksum(key: &[u8], body: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(body);
    hasher.finalize().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_texts_survive(number: u64, text: String, flags: [bool; 2]) {
            let mut writer = Writer::new(1);
            writer.number(number);
            writer.text(&text);
            writer.option(flags[0].then_some(flags[1]), Writer::flag);
            let record = writer.finish(b"key");
            let mut reader = Reader::open(b"key", &record, 1).unwrap();
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.text(), Ok(text));
            prop_assert_eq!(reader.option(Reader::flag), Ok(flags[0].then_some(flags[1])));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn a_number_that_reads_is_the_one_way_to_write_it(bytes in proptest::collection::vec(any::<u8>(), 1..12)) {
            let mut reader = Reader { version: 1, rest: &bytes };
            if let Ok(number) = reader.number() {
                let mut writer = Writer { bytes: Vec::new() };
                writer.number(number);
                prop_assert_eq!(&writer.bytes[..], &bytes[..bytes.len() - reader.rest.len()]);
            }
        }
    }

    #[test]
    fn another_key_another_version_and_every_flipped_bit_are_found() {
        let mut writer = Writer::new(1);
        writer.text("session");
        let record = writer.finish(b"key");
        assert!(Reader::open(b"key", &record, 1).is_ok());
        assert_eq!(Reader::open(b"kez", &record, 1).err(), Some(Unreadable::Damaged));
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Reader::open(b"key", &flipped, 1).err(), Some(Unreadable::Damaged), "bit {bit}");
        }
        for length in 0..record.len() {
            assert_eq!(Reader::open(b"key", &record[..length], 1).err(), Some(Unreadable::Damaged));
        }
        let next = Writer { bytes: vec![2, 0] }.finish(b"key");
        assert_eq!(Reader::open(b"key", &next, 1).err(), Some(Unreadable::Version(2)));
        assert_eq!(Reader::open(b"key", &next, 2).map(|reader| reader.version()).ok(), Some(2));
        let zero = Writer { bytes: vec![0, 0] }.finish(b"key");
        assert_eq!(Reader::open(b"key", &zero, 2).err(), Some(Unreadable::Version(0)));
    }

    #[test]
    fn a_length_beyond_the_record_allocates_nothing() {
        let mut writer = Writer::new(1);
        writer.number(u64::MAX);
        let record = writer.finish(b"");
        assert_eq!(Reader::open(b"", &record, 1).unwrap().text(), Err(Unreadable::Damaged));
        assert_eq!(Reader::open(b"", &record, 1).unwrap().texts(), Err(Unreadable::Damaged));
    }
}
