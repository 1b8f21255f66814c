//! The format of a backup: rows of a store, encrypted and authenticated piece by piece.
//!
//! ```text
//! backup = header *frame
//! header = "countersign backup" LF %x01 nonce[24] wrapped[48] prefix[19]
//!          wrapped = XChaCha20-Poly1305(master key, nonce, file key, "countersign backup" %x01)
//! frame  = length:u32-be sealed        highest bit of length: this is the last frame
//!          sealed = STREAM(XChaCha20-Poly1305, file key, prefix; counter and last bit in the nonce), bound to the header
//! rows   = *( key-length:u16-be key record-length:u32-be record )         in every frame but the last
//! end    = *( kind:u8 count:u64-be )                                      in the last frame: rows of each kind
//! ```
//!
//! STREAM (Hoang, Reyhanitabar, Rogaway, Vizar 2015) numbers the pieces and marks the last, so one that is cut, changed,
//! exchanged, repeated or of another backup is refused. The key of each file is random and opens under the master key of
//! the moment it was made; so do the signing keys inside. Pure: whoever reads and writes files calls it.

use crate::Error;
use crate::env::Env;
use crate::keys::MasterKey;
use crate::store::Row;
use chacha20poly1305::aead::stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::aead::{KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"countersign backup\n";
const VERSION: u8 = 1;
const NONCE: usize = 24;
const WRAPPED: usize = 48;
const PREFIX: usize = 19;
/// Bytes of a header.
pub const HEADER: usize = MAGIC.len() + 1 + NONCE + WRAPPED + PREFIX;
/// Bytes of a sealed frame, at most.
pub const MAX_FRAME: usize = 1024 * 1024;
/// Bytes of what stands before each frame.
pub const LENGTH: usize = 4;
const LAST: u32 = 1 << 31;

/// Rows of each kind.
pub type Counts = BTreeMap<u8, u64>;

/// Why a backup is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupFault {
    /// It does not begin as a backup does.
    NoBackup,
    /// It was written in a format that this version does not read.
    Version(u8),
    /// It was made under another master key.
    MasterKey,
    /// It was changed, or its pieces are not in their order.
    Changed,
    /// It ends before its end.
    Cut,
    /// The rows in it are not as many as its end says.
    Counts,
}

/// Encrypts a backup.
pub struct Sealer {
    stream: EncryptorBE32<XChaCha20Poly1305>,
    header: Vec<u8>,
    counts: Counts,
}

/// Decrypts a backup.
pub struct Opener {
    stream: DecryptorBE32<XChaCha20Poly1305>,
    header: Vec<u8>,
    counts: Counts,
}

/// How long a frame is, and whether it is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Bytes that follow.
    pub bytes: usize,
    /// Whether it is the end.
    pub last: bool,
}

impl Sealer {
    /// Begins a backup. Its header goes first.
    ///
    /// # Errors
    /// [`Error::Entropy`], [`Error::Signing`] when nothing can be encrypted.
    pub fn begin(env: &Env, master: &MasterKey) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 32]);
        env.fill(key.as_mut())?;
        let (nonce, prefix): ([u8; NONCE], [u8; PREFIX]) = (env.random()?, env.random()?);
        let wrapped = master.wrap(&key, &nonce, &bound()).ok_or(Error::Signing)?;
        let header = [MAGIC, &[VERSION], &nonce, &wrapped, &prefix].concat();
        let stream = EncryptorBE32::from_aead(cipher(&key), &prefix.into());
        Ok(Self { stream, header, counts: Counts::new() })
    }

    /// Returns the header.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Returns the next frame.
    ///
    /// # Errors
    /// [`Error::Signing`] for rows that no frame can hold.
    pub fn frame(&mut self, rows: &[Row]) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        for Row { key, record } in rows {
            let lengths = u16::try_from(key.len()).ok().zip(u32::try_from(record.len()).ok());
            let (key_length, record_length) = lengths.ok_or(Error::Signing)?;
            text.extend_from_slice(&key_length.to_be_bytes());
            text.extend_from_slice(key);
            text.extend_from_slice(&record_length.to_be_bytes());
            text.extend_from_slice(record);
            let count = self.counts.entry(key.first().copied().unwrap_or_default()).or_default();
            *count = count.saturating_add(1);
        }
        let payload = Payload { msg: &text, aad: &self.header };
        let sealed = self.stream.encrypt_next(payload).map_err(|_| Error::Signing)?;
        framed(&sealed, 0)
    }

    /// Returns the last frame, and how many rows there are.
    ///
    /// # Errors
    /// [`Error::Signing`].
    pub fn end(self) -> Result<(Vec<u8>, Counts), Error> {
        let Self { stream, header, counts } = self;
        let text = told(&counts);
        let sealed = stream.encrypt_last(Payload { msg: &text, aad: &header }).map_err(|_| Error::Signing)?;
        Ok((framed(&sealed, LAST)?, counts))
    }
}

impl Opener {
    /// Begins to read a backup by its header.
    ///
    /// # Errors
    /// [`BackupFault`].
    pub fn begin(header: &[u8; HEADER], master: &MasterKey) -> Result<Self, BackupFault> {
        let rest = header.strip_prefix(MAGIC).ok_or(BackupFault::NoBackup)?;
        let (version, rest) = rest.split_first().ok_or(BackupFault::NoBackup)?;
        if *version != VERSION {
            return Err(BackupFault::Version(*version));
        }
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(BackupFault::NoBackup)?;
        let (wrapped, prefix) = rest.split_first_chunk::<WRAPPED>().ok_or(BackupFault::NoBackup)?;
        let prefix: &[u8; PREFIX] = prefix.try_into().map_err(|_| BackupFault::NoBackup)?;
        let key = master.unwrap(wrapped, nonce, &bound()).ok_or(BackupFault::MasterKey)?;
        let stream = DecryptorBE32::from_aead(cipher(&key), &(*prefix).into());
        Ok(Self { stream, header: header.to_vec(), counts: Counts::new() })
    }

    /// Returns what stands before a frame.
    ///
    /// # Errors
    /// [`BackupFault::Changed`] for more bytes than a frame has.
    pub fn length(bytes: [u8; LENGTH]) -> Result<Length, BackupFault> {
        let number = u32::from_be_bytes(bytes);
        let bytes = usize::try_from(number & !LAST).map_err(|_| BackupFault::Changed)?;
        let last = number & LAST != 0;
        if bytes <= MAX_FRAME { Ok(Length { bytes, last }) } else { Err(BackupFault::Changed) }
    }

    /// Returns the rows of a frame that is not the last.
    ///
    /// # Errors
    /// [`BackupFault::Changed`].
    pub fn frame(&mut self, sealed: &[u8]) -> Result<Vec<Row>, BackupFault> {
        let payload = Payload { msg: sealed, aad: &self.header };
        let text = self.stream.decrypt_next(payload).map_err(|_| BackupFault::Changed)?;
        let rows = rows(&text).ok_or(BackupFault::Changed)?;
        for row in &rows {
            let count = self.counts.entry(row.key.first().copied().unwrap_or_default()).or_default();
            *count = count.saturating_add(1);
        }
        Ok(rows)
    }

    /// Ends the reading with the last frame, and returns how many rows of each kind there were.
    ///
    /// # Errors
    /// [`BackupFault::Changed`], [`BackupFault::Counts`].
    pub fn end(self, sealed: &[u8]) -> Result<Counts, BackupFault> {
        let Self { stream, header, counts } = self;
        let text = stream.decrypt_last(Payload { msg: sealed, aad: &header }).map_err(|_| BackupFault::Changed)?;
        if text == told(&counts) { Ok(counts) } else { Err(BackupFault::Counts) }
    }
}

fn cipher(key: &Zeroizing<[u8; 32]>) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(Key::from_slice(key.as_ref()))
}

fn bound() -> Vec<u8> {
    [MAGIC, &[VERSION]].concat()
}

fn framed(sealed: &[u8], last: u32) -> Result<Vec<u8>, Error> {
    let length = u32::try_from(sealed.len()).ok().filter(|_| sealed.len() <= MAX_FRAME).ok_or(Error::Signing)?;
    Ok([&(length | last).to_be_bytes(), sealed].concat())
}

fn told(counts: &Counts) -> Vec<u8> {
    counts.iter().flat_map(|(kind, count)| std::iter::once(*kind).chain(count.to_be_bytes())).collect()
}

fn rows(mut text: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while !text.is_empty() {
        let (length, rest) = text.split_first_chunk::<2>()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (record, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        rows.push(Row { key: key.to_vec(), record: record.to_vec() });
        text = rest;
    }
    Some(rows)
}

impl fmt::Display for BackupFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBackup => f.write_str("it is not a backup of countersign"),
            Self::Version(version) => write!(f, "it has format {version}, which this version does not read"),
            Self::MasterKey => f.write_str("it was made under another master key, or its beginning was changed"),
            Self::Changed => f.write_str("it was changed, or its pieces are not in their order"),
            Self::Cut => f.write_str("it ends before its end: it is not whole"),
            Self::Counts => f.write_str("it does not hold as many rows as its end says"),
        }
    }
}

impl std::error::Error for BackupFault {}

#[cfg(test)]
mod tests {
    use super::*;
    use token::time::UnixTime;

    fn env() -> Env {
        Env::fixed(UnixTime::MIN, 1).0
    }

    fn master(byte: u8) -> MasterKey {
        MasterKey::from_bytes(Zeroizing::new([byte; 32]))
    }

    fn row(key: &[u8], record: &[u8]) -> Row {
        Row { key: key.to_vec(), record: record.to_vec() }
    }

    fn made() -> Vec<u8> {
        let mut sealer = Sealer::begin(&env(), &master(1)).unwrap();
        let mut file = sealer.header().to_vec();
        file.extend(sealer.frame(&[row(b"s1", b"one"), row(b"k", b"")]).unwrap());
        file.extend(sealer.frame(&[row(b"s2", &[7; 900])]).unwrap());
        file.extend(sealer.end().unwrap().0);
        file
    }

    fn read(file: &[u8], master: &MasterKey) -> Result<(Vec<Row>, Counts), BackupFault> {
        let (header, mut rest) = file.split_first_chunk().ok_or(BackupFault::Cut)?;
        let mut opener = Opener::begin(header, master)?;
        let mut all = Vec::new();
        loop {
            let (length, behind) = rest.split_first_chunk().ok_or(BackupFault::Cut)?;
            let Length { bytes, last } = Opener::length(*length)?;
            let (sealed, behind) = behind.split_at_checked(bytes).ok_or(BackupFault::Cut)?;
            if last {
                return if behind.is_empty() { Ok((all, opener.end(sealed)?)) } else { Err(BackupFault::Changed) };
            }
            all.extend(opener.frame(sealed)?);
            rest = behind;
        }
    }

    #[test]
    fn a_backup_reads_as_it_was_made_and_shows_nothing() {
        let (rows, counts) = read(&made(), &master(1)).unwrap();
        assert_eq!(rows, [row(b"s1", b"one"), row(b"k", b""), row(b"s2", &[7; 900])]);
        assert_eq!(counts, Counts::from([(b's', 2), (b'k', 1)]));
        assert!(!made().windows(4).any(|window| window == [7; 4]));
        assert_eq!(read(&made(), &master(2)), Err(BackupFault::MasterKey));
    }

    #[test]
    fn a_backup_that_is_cut_anywhere_or_changed_in_any_bit_is_refused() {
        let file = made();
        for length in 0..file.len() {
            assert!(read(&file[..length], &master(1)).is_err(), "cut at {length}");
        }
        for bit in 0..file.len() * 8 {
            let mut changed = file.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&changed, &master(1)).is_err(), "bit {bit}");
        }
        assert!(read(&[file, vec![0]].concat(), &master(1)).is_err());
    }

    #[test]
    fn frames_out_of_order_left_out_or_of_another_backup_are_refused() {
        let mut sealer = Sealer::begin(&env(), &master(1)).unwrap();
        let header = sealer.header().to_vec();
        let frames = [[row(b"a", b"1")], [row(b"b", b"2")]].map(|rows| sealer.frame(&rows).unwrap());
        let end = sealer.end().unwrap().0;
        let (other, _) = Env::fixed(UnixTime::MIN, 2);
        let foreign = Sealer::begin(&other, &master(1)).unwrap().frame(&[row(b"a", b"1")]).unwrap();
        let orders: [&[&Vec<u8>]; 5] = [
            &[&frames[1], &frames[0], &end],
            &[&frames[0], &end],
            &[&frames[0], &frames[0], &frames[1], &end],
            &[&foreign, &frames[1], &end],
            &[&frames[0], &frames[1]],
        ];
        for frames in orders {
            let file: Vec<u8> = header.iter().chain(frames.iter().copied().flatten()).copied().collect();
            assert!(read(&file, &master(1)).is_err());
        }
        let whole = [header, frames.concat(), end].concat();
        assert!(read(&whole, &master(1)).is_ok());
    }
}
