//! What stays on this machine: who this daemon is, that one process at a time is it, and the newest list it has published.
//!
//! ```text
//! lock          held for as long as the store is open
//! holder        16 random bytes: a process that is started again after a crash need not wait for its own lease
//! newest-list   seq:u64-le crc:u32-le; written after the database has the list and before it is served
//! ```
//!
//! A database that knows a lower number has been put back to an earlier state: what was revoked since is not in it.

use crate::env::Env;
use crate::store::StoreError;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The open folder.
pub(super) struct Folder {
    /// Which daemon this is.
    pub(super) id: [u8; 16],
    /// The newest list that was noted, 0 for none; the largest number when the note cannot be read.
    pub(super) newest_list: u64,
    notes: File,
    _lock: File,
}

impl Folder {
    /// Opens `directory`, which is made when it is not there.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Unusable`].
    pub(super) fn open(directory: &Path, env: &Env) -> Result<Self, StoreError> {
        let unusable =
            |error: io::Error| StoreError::Unusable { detail: format!("{}: {error}", directory.display()).into() };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
        let lock = opened(&directory.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: directory.display().to_string().into() });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let fresh = env.random().map_err(|_| StoreError::Unusable { detail: "there is no randomness".into() })?;
        let id = id(&directory.join("holder"), fresh).map_err(unusable)?;
        let mut notes = opened(&directory.join("newest-list")).map_err(unusable)?;
        let mut noted = Vec::new();
        Read::take(&mut notes, 64).read_to_end(&mut noted).map_err(unusable)?;
        let newest_list = if noted.is_empty() { 0 } else { parse(&noted).unwrap_or(u64::MAX) };
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(unusable)?;
        Ok(Self { id, newest_list, notes, _lock: lock })
    }

    /// Makes the number of the newest list durable.
    pub(super) fn note_list(&mut self, seq: u64) -> io::Result<()> {
        let number = seq.to_le_bytes();
        let bytes = [&number[..], &crc32fast::hash(&number).to_le_bytes()].concat();
        self.notes.seek(SeekFrom::Start(0))?;
        self.notes.write_all(&bytes)?;
        self.notes.sync_data()
    }
}

fn opened(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

/// Returns the id in the file, or `fresh`, which is then in it.
fn id(path: &Path, fresh: [u8; 16]) -> io::Result<[u8; 16]> {
    match std::fs::read(path) {
        Ok(bytes) => {
            if let Ok(id) = bytes.try_into() {
                return Ok(id);
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = opened(path)?;
    file.set_len(0)?;
    file.write_all(&fresh)?;
    file.sync_all()?;
    Ok(fresh)
}

fn parse(noted: &[u8]) -> Option<u64> {
    let (number, crc) = noted.split_first_chunk::<8>()?;
    (crc32fast::hash(number).to_le_bytes() == *crc).then(|| u64::from_le_bytes(*number))
}
