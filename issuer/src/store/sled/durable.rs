//! Making the disk keep what was written.
//!
//! sled 0.34's `flush` is `pwrite` and `sync_file_range`, never `fsync`: after a power cut the file system may have
//! nothing of it. So its data file is opened a second time and synced after every flush. Values too large for sled's log
//! would go to files of their own, unsynced; records are too small for that, but if one ever did it is synced here too.

use super::journal::{Above, Journal, Place};
use super::layers::Layer;
use super::room::{Claims, Room};
use super::witness::{Newest, Witness};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What the committer's thread writes itself. An error of the journal is final: after a failed sync nobody knows what the
/// disk holds, and a second sync may report success without having written anything.
pub(super) trait Durable: Send {
    /// Makes the rows of a group survive a power cut.
    fn append(&mut self, group: &Layer) -> io::Result<()>;

    /// Writes the number of the newest event beside the journal, which must hold it by now.
    fn note_event(&mut self, event: u64) -> io::Result<()>;

    /// Makes the number of the newest list durable beside the journal, and that of the newest event; it must hold both by now.
    fn note_list(&mut self, seq: u64, event: u64) -> io::Result<()>;

    /// Makes all numbers durable.
    fn sync_notes(&mut self) -> io::Result<()>;

    /// Sets room aside for the next group and returns how much there is.
    fn room(&mut self) -> Room;

    /// How long the current file of the journal is.
    fn length(&self) -> u64;

    /// Goes on in the journal's other file and returns the last place in this one.
    fn turn(&mut self) -> Place;
}

/// The files beside sled's.
pub(super) struct Files {
    journal: Journal,
    witness: Witness,
    claims: Arc<Mutex<Claims>>,
}

impl Files {
    /// Opens the files of a directory with this lock file, whose tree has everything up to `moved`. Returns with them what
    /// the store must reach to be whole, and what lies above the tree.
    pub(super) fn open(directory: &Path, lock: &File, moved: Place) -> io::Result<(Self, Newest, Above)> {
        let (witness, newest) = Witness::open(directory, lock)?;
        let (journal, above) = Journal::open(directory, moved)?;
        let claims = Arc::new(Mutex::new(Claims::open(directory)?));
        Ok((Self { journal, witness, claims }, newest, above))
    }

    /// The room on the disk, for whatever else writes.
    pub(super) fn claims(&self) -> Arc<Mutex<Claims>> {
        Arc::clone(&self.claims)
    }
}

impl Durable for Files {
    fn append(&mut self, group: &Layer) -> io::Result<()> {
        self.journal.append(group)
    }

    fn note_event(&mut self, event: u64) -> io::Result<()> {
        self.witness.note_event(event)
    }

    fn note_list(&mut self, seq: u64, event: u64) -> io::Result<()> {
        self.witness.note_list(seq, event)
    }

    fn sync_notes(&mut self) -> io::Result<()> {
        self.witness.sync()
    }

    fn room(&mut self) -> Room {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).room(self.journal.length())
    }

    fn length(&self) -> u64 {
        self.journal.length()
    }

    fn turn(&mut self) -> Place {
        self.journal.turn()
    }
}

/// The files that sled writes.
pub(super) struct Log {
    data: File,
    blobs: PathBuf,
}

impl Log {
    /// Returns the files of a sled directory.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        Ok(Self { data: File::open(directory.join("db"))?, blobs: directory.join("blobs") })
    }

    /// Makes what sled has flushed survive a power cut. An error is final.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.data.sync_data()?;
        let blobs = match std::fs::read_dir(&self.blobs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()), // a first start ended before it made it
            blobs => blobs?,
        };
        let mut any = false;
        for blob in blobs {
            match File::open(blob?.path()) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {} // sled removed it meanwhile
                Err(error) => return Err(error),
            }
            any = true;
        }
        if any { sync_directory(&self.blobs) } else { Ok(()) }
    }
}

/// Makes the names in a directory survive a power cut.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_file_is_synced_and_so_are_files_beside_it_and_an_error_of_either_is_told() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("db"), b"log").unwrap();
        Log::open(directory.path()).unwrap().sync().unwrap();
        std::fs::create_dir(directory.path().join("blobs")).unwrap();
        let mut files = Log::open(directory.path()).unwrap();
        files.sync().unwrap();
        std::fs::write(directory.path().join("blobs").join("7"), b"blob").unwrap();
        files.sync().unwrap();
        // What cannot be synced stands for what was not: a device has no data to make durable and says so.
        std::os::unix::fs::symlink("/dev/null", directory.path().join("blobs").join("8")).unwrap();
        assert!(files.sync().is_err());
        std::fs::remove_file(directory.path().join("blobs").join("8")).unwrap();
        files.data = File::open("/dev/null").unwrap();
        assert!(files.sync().is_err());
    }
}
