//! What happens once writing or syncing has failed: everybody is told, and the next start is warned.
//!
//! Where a sync fails, Linux takes the pages that it could not write for clean and keeps them, with the new bytes
//! (ext4, XFS). The next process finds these bytes when it reads the file, and its own sync succeeds, since nothing is
//! left to write: it would acknowledge more behind a frame that no disk has. So a store that fails leaves a file, and a
//! start that finds it lets the kernel forget what it holds of the files that answers rely on, and reads what is on the
//! disk. The file is never synced: it is held by the same memory as those pages, and where the power goes, both do.

use super::journal::FILES;
use crate::store::StoreError;
use rustix::fs::{Advice, fadvise};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// The name of the file that is left.
const NAME: &str = "failed";

/// The failure of an open store, if there was one, and whom it is told.
pub(super) struct Fatal {
    directory: PathBuf,
    told: watch::Sender<Option<StoreError>>,
}

impl Fatal {
    /// Returns what waits for a failure of the store in this directory.
    pub(super) fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), told: watch::Sender::new(None) }
    }

    /// Tells that the store has failed: for this process that is final.
    pub(super) fn tell(&self, fault: &StoreError) {
        tracing::error!(reason = %fault, "the store failed: nothing more is acknowledged, the process must end");
        leave(&self.directory);
        self.told.send_replace(Some(fault.clone()));
    }

    /// Returns how the store has failed, if it has.
    pub(super) fn fault(&self) -> Option<StoreError> {
        self.told.borrow().clone()
    }

    /// Returns what sees a failure come.
    pub(super) fn watched(&self) -> watch::Receiver<Option<StoreError>> {
        self.told.subscribe()
    }
}

/// Leaves word for the next start that what it reads may not be what is on the disk.
pub(super) fn leave(directory: &Path) {
    if let Err(error) = File::create(directory.join(NAME)) {
        tracing::warn!(%error, "the next start is not warned that the files of the store failed");
    }
}

/// Lets the kernel forget what it holds of the files if the store failed before, so that what is read is what the disk
/// has. Called before anything is read; where it fails the word is still there.
pub(super) fn read_anew(directory: &Path) -> io::Result<()> {
    let left = directory.join(NAME);
    if !left.try_exists()? {
        return Ok(());
    }
    tracing::warn!("the store failed when it was open last: its files are read from the disk anew");
    let [first, second] = FILES;
    ["db", first, second].into_iter().try_for_each(|name| forget(&directory.join(name)))?;
    std::fs::remove_file(left)
}

fn forget(path: &Path) -> io::Result<()> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()), // a first start failed before it made it
        file => file?,
    };
    file.sync_all()?; // what can be written is; only clean pages are forgotten
    Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_word_that_the_next_start_takes_away_and_no_byte_is_lost_by_it() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join(NAME);
        read_anew(directory.path()).unwrap();
        let fatal = Fatal::of(directory.path());
        assert!(fatal.fault().is_none() && !left.exists());
        std::fs::write(directory.path().join("db"), b"log").unwrap(); // and no journal yet
        fatal.tell(&StoreError::Full);
        assert_eq!((fatal.fault(), fatal.watched().borrow().clone()), (Some(StoreError::Full), Some(StoreError::Full)));
        assert!(left.exists());
        read_anew(directory.path()).unwrap();
        assert!(!left.exists());
        assert_eq!(std::fs::read(directory.path().join("db")).unwrap(), b"log");
    }

    #[test]
    fn where_a_file_cannot_be_synced_the_word_stays() {
        let directory = tempfile::tempdir().unwrap();
        // A device has no data to make durable and says so.
        std::os::unix::fs::symlink("/dev/null", directory.path().join(FILES[1])).unwrap();
        leave(directory.path());
        assert!(read_anew(directory.path()).is_err());
        assert!(directory.path().join(NAME).exists());
    }
}
