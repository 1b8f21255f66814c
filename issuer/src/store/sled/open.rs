//! Opening a sled directory, whatever the last process left there.
//!
//! Three things sled 0.34 does not do itself: a process killed while opening leaves `snap.*.generating`, which the next
//! open takes for a snapshot and calls corrupt; a damaged snapshot is fatal although the log alone would do; and damaged
//! files make it panic. The lock file keeps two processes from mending the same directory.

use super::durable::{Files, Log, sync_directory};
use super::fatal::{leave, read_anew};
use super::journal::{Above, Place};
use super::stuck::Watch;
use super::witness::Newest;
use super::{layout, migrate, room};
use crate::store::StoreError;
use crate::store::intake::FORMAT;
use crate::store::record::{Count, Record};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Pages kept in memory. The working set is small rows; the operating system caches the file as well.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// sled keeps a leaf of up to some 30 rows in one message and writes messages above a quarter of this to unsynced files of
/// their own: rows are below 16 KiB, so 2 MiB keeps them all in the log.
pub(super) const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

/// sled's workers outlive their store by a moment; so often and so long is waited for them.
const CLOSING_WAITS: usize = 1_000;
const CLOSING_WAIT: Duration = Duration::from_millis(10);

/// An open directory, ours alone.
pub(super) struct Opened {
    pub(super) db: sled::Db,
    /// What sled writes.
    pub(super) log: Log,
    /// What else there is.
    pub(super) files: Files,
    /// What lies above the tree.
    pub(super) above: Above,
    /// What the store must reach to be whole.
    pub(super) newest: Newest,
    /// Held for as long as the store is open.
    pub(super) lock: File,
}

/// What a directory is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be a store, which is made if there is none.
    Use,
    /// To be filled out of a backup: there must be nothing in it.
    Restore,
}

/// Opens `directory`, creating it readable by its owner only.
pub(super) fn open(directory: &Path, purpose: Purpose) -> Result<Opened, StoreError> {
    create(directory).map_err(|error| unusable(&error))?;
    let lock = lock(directory)?;
    let db = warned(directory, open_tree(directory))?;
    refuse(directory, &db, purpose)?;
    match warned(directory, prepare(directory, &lock, &db, purpose)) {
        Ok(Prepared { log, files, newest, above }) => Ok(Opened { db, log, files, above, newest, lock }),
        Err(fault @ StoreError::Unusable { .. }) => {
            abandon(db);
            Err(fault)
        }
        Err(other) => Err(other),
    }
}

/// Leaves word for the next start where this one failed: it may have been a sync.
fn warned<T>(directory: &Path, opened: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(StoreError::Unusable { .. }) = opened {
        leave(directory);
    }
    opened
}

fn open_tree(directory: &Path) -> Result<sled::Db, StoreError> {
    read_anew(directory).and_then(|()| sync_what_was_left(directory)).map_err(|error| unusable(&error))?;
    match open_mended(directory) {
        Err(StoreError::Full) if room::give_up(directory).map_err(|error| unusable(&error))? => {
            tracing::warn!("the disk is full: the store opens in the room that was reserved for it");
            open_mended(directory)
        }
        opened => opened,
    }
}

/// Leaves an engine open whose files failed, for the process to end with: when it is closed it writes and syncs once more,
/// and panics if it cannot.
pub(super) fn abandon<T>(engine: T) {
    Box::leak(Box::new(engine));
}

/// Syncs what a process wrote that was killed before it could: sled takes what it reads for durable, and writes zeros over every
/// segment that is stale by that.
fn sync_what_was_left(directory: &Path) -> std::io::Result<()> {
    match Log::open(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        log => log?.sync(),
    }
}

/// What lies beside an open tree.
struct Prepared {
    log: Log,
    files: Files,
    newest: Newest,
    above: Above,
}

fn prepare(directory: &Path, lock: &File, db: &sled::Db, purpose: Purpose) -> Result<Prepared, StoreError> {
    let log = Log::open(directory).map_err(|error| unusable(&error))?;
    let watch = Watch::over((**db).clone()).map_err(|error| unusable(&error))?;
    watch.during(|| {
        check_format(db, &log, purpose)?;
        db.flush().map_err(|error| engine_failed(&error))
    })?;
    let moved = db.get(layout::MOVED).map_err(|error| engine_failed(&error))?;
    let moved = moved.map_or(Ok(Place::default()), |row| Place::decode(layout::MOVED, &row))?;
    let (files, newest, above) = Files::open(directory, lock, moved).map_err(|error| unusable(&error))?;
    make_names_durable(directory, &log).map_err(|error| unusable(&error))?;
    Ok(Prepared { log, files, newest, above })
}

/// Opens what the last process left, without the snapshots that it did not finish or that do not fit the log.
fn open_mended(directory: &Path) -> Result<sled::Db, StoreError> {
    remove(directory, |name| name.starts_with("snap.") && name.ends_with(".generating"))
        .map_err(|error| unusable(&error))?;
    forget_torn_settings(directory).map_err(|error| unusable(&error))?;
    match open_sled(directory) {
        Err(StoreError::Damaged { .. }) if remove(directory, |name| name.starts_with("snap.")).unwrap_or(0) > 0 => {
            tracing::warn!("a snapshot of the store was damaged; it is rebuilt from the log");
            open_sled(directory)
        }
        opened => opened,
    }
}

/// Removes the engine's settings where a first start that failed has not written them whole: they are constants, and the
/// engine writes them again.
fn forget_torn_settings(directory: &Path) -> std::io::Result<()> {
    let path = directory.join("conf");
    match std::fs::read(&path) {
        Ok(bytes) if are_whole(&bytes) => Ok(()),
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn are_whole(settings: &[u8]) -> bool {
    settings.split_last_chunk().is_some_and(|(settings, crc)| crc32fast::hash(settings).to_le_bytes() == *crc)
}

fn create(directory: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join("lock");
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(|error| unusable(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use(directory)),
        Err(TryLockError::Error(error)) => Err(unusable(&error)),
    }
}

/// Removes the files whose name is `unwanted`, and returns how many there were.
fn remove(directory: &Path, unwanted: impl Fn(&str) -> bool) -> std::io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&unwanted) {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Opens sled as the store does, and waits for a store of this process that is being closed.
pub(super) fn open_sled(directory: &Path) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new().path(directory).cache_capacity(CACHE_BYTES).segment_size(SEGMENT_BYTES);
    let config = config.flush_every_ms(None); // no thread of sled's own writes between syncs of ours
    let open = || std::panic::catch_unwind(AssertUnwindSafe(|| config.open()));
    let mut opened = open();
    // We hold the lock file, so what still holds sled's own lock is a worker thread of a store this process has closed.
    for _ in 0..CLOSING_WAITS {
        if !matches!(&opened, Ok(Err(sled::Error::Io(error))) if is_lock_held(error)) {
            break;
        }
        std::thread::sleep(CLOSING_WAIT);
        opened = open();
    }
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(sled::Error::Corruption { .. })) => Err(StoreError::damaged("the engine found corrupted files")),
        // It takes a settings file that does not have its checksum for one of another version.
        Ok(Err(sled::Error::Unsupported(_))) => {
            Err(StoreError::damaged("the engine's settings are not what was written"))
        }
        Ok(Err(sled::Error::Io(error))) if is_lock_held(&error) => Err(in_use(directory)),
        Ok(Err(sled::Error::Io(error))) if error.kind() == ErrorKind::StorageFull => Err(StoreError::Full),
        Ok(Err(error)) => Err(engine_failed(&error)),
        Err(_panic) => Err(StoreError::damaged("the engine gave up while it read its files")),
    }
}

fn is_lock_held(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Refuses half a restored store, and to restore into any.
fn refuse(directory: &Path, db: &sled::Db, purpose: Purpose) -> Result<(), StoreError> {
    let place = directory.display();
    let detail = if db.contains_key(layout::RESTORING).map_err(|error| engine_failed(&error))? {
        format!("a restore into it did not finish: remove {place} and restore again")
    } else if purpose == Purpose::Restore && !db.is_empty() {
        format!("{place} has a store already")
    } else {
        return Ok(());
    };
    Err(StoreError::Unusable { detail: detail.into() })
}

fn check_format(db: &sled::Db, log: &Log, purpose: Purpose) -> Result<(), StoreError> {
    let failed = |error: sled::Error| engine_failed(&error);
    match db.get(layout::FORMAT).map_err(failed)? {
        Some(row) => match Count::decode(layout::FORMAT, &row)? {
            FORMAT => Ok(()),
            Count(1) => migrate::from_1(db, log),
            Count(2 | 3) => migrate::from_2(db, log),
            Count(found) => Err(StoreError::Format { found: u8::try_from(found).unwrap_or(u8::MAX) }),
        },
        None if db.is_empty() => match purpose {
            Purpose::Use => db.insert(layout::FORMAT, FORMAT.encode(layout::FORMAT)).map(drop).map_err(failed),
            // It has no format until it is whole, so that no older daemon opens it either.
            Purpose::Restore => db.insert(layout::RESTORING, &[]).map(drop).map_err(failed),
        },
        None => Err(StoreError::damaged("there are rows but none that says their format")),
    }
}

/// sled syncs neither its new files' names nor its settings file.
fn make_names_durable(directory: &Path, log: &Log) -> std::io::Result<()> {
    log.sync()?;
    File::open(directory.join("conf"))?.sync_all()?;
    sync_directory(directory)?;
    let parent = match directory.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => return Ok(()),
    };
    sync_directory(&parent)
}

/// Makes durable what was written to the tree.
pub(super) fn sync_rows(db: &sled::Db, log: &Log) -> Result<(), StoreError> {
    db.flush().map_err(|error| engine_failed(&error))?;
    log.sync().map_err(|error| unusable(&error))
}

fn in_use(directory: &Path) -> StoreError {
    StoreError::InUse { path: Arc::from(directory.display().to_string()) }
}

pub(super) fn engine_failed(error: &sled::Error) -> StoreError {
    StoreError::Unusable { detail: error.to_string().into() }
}

pub(super) fn unusable(error: &std::io::Error) -> StoreError {
    StoreError::Unusable { detail: Arc::from(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_whole_stay_and_half_ones_are_written_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("conf");
        drop(open(directory.path(), Purpose::Use).unwrap());
        let whole = std::fs::read(&path).unwrap();
        assert!(are_whole(&whole));
        for length in [0, 3, 20, whole.len() - 4, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            drop(open(directory.path(), Purpose::Use).unwrap());
            assert_eq!(std::fs::read(&path).unwrap(), whole, "{length}");
        }
    }
}
