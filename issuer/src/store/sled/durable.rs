//! Making the disk keep what sled has written.
//!
//! sled 0.34's `flush` is `pwrite` and `sync_file_range`, never `fsync`: after a power cut the file system may have
//! nothing of it. So the data file is opened a second time and synced after every flush. Values too large for sled's log
//! would go to files of their own, unsynced; records are too small for that, but if one ever did it is synced here too.

use super::room::{Claims, Room};
use super::witness::{Newest, Witness};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Makes everything written so far survive a power cut. An error is final: after a failed sync nobody knows what the
/// disk holds, and a second sync may report success without having written anything.
pub(super) trait Durable: Send {
    fn sync(&mut self) -> io::Result<()>;

    /// Writes the number of the newest event beside the log, which must hold it by now.
    fn note_event(&mut self, event: u64) -> io::Result<()>;

    /// Makes the number of the newest list durable beside the log, and that of the newest event; it must hold both by now.
    fn note_list(&mut self, seq: u64, event: u64) -> io::Result<()>;

    /// Makes all numbers durable.
    fn sync_notes(&mut self) -> io::Result<()>;

    /// Sets room aside for the next group and returns how much there is.
    fn room(&mut self) -> Room;
}

/// Syncs the files of a sled directory.
pub(super) struct SledFiles {
    data: File,
    blobs: PathBuf,
    witness: Witness,
    claims: Claims,
}

impl SledFiles {
    /// Returns the files of an open sled directory with this lock file, and what its log must reach.
    pub(super) fn open(directory: &Path, lock: &File) -> io::Result<(Self, Newest)> {
        let (witness, newest) = Witness::open(directory, lock)?;
        let (data, blobs) = (File::open(directory.join("db"))?, directory.join("blobs"));
        Ok((Self { data, blobs, witness, claims: Claims::open(directory)? }, newest))
    }
}

impl Durable for SledFiles {
    fn sync(&mut self) -> io::Result<()> {
        self.data.sync_data()?;
        let mut any = false;
        for blob in std::fs::read_dir(&self.blobs)? {
            match File::open(blob?.path()) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {} // sled removed it meanwhile
                Err(error) => return Err(error),
            }
            any = true;
        }
        if any { sync_directory(&self.blobs) } else { Ok(()) }
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
        self.claims.room()
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
        std::fs::create_dir(directory.path().join("blobs")).unwrap();
        let lock = File::create(directory.path().join("lock")).unwrap();
        let (mut files, newest) = SledFiles::open(directory.path(), &lock).unwrap();
        assert_eq!(newest, Newest { list: 0, event: 0 });
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
