//! Reading everything out for a backup, and a new store out of a backup.
//!
//! Kinds are read one after the other, each straight from the tree: the committer is asked for the head only. The audit
//! log reaches as far as the head says; events behind it came later and are left out when the store is restored, so that its
//! chain is whole. A restored store has no witness of its newest list, as a copy has none: the next start counts
//! everything issued so far as revoked.
//!
//! Half a restored store is none: it says so from before its first row, and opens once everything of it is durable.

use super::due::Due;
use super::durable::{Log, sync_directory};
use super::layers::{Look, behind, of_kind};
use super::open::{Purpose, engine_failed, sync_rows, unusable};
use super::reading::failed;
use super::{SledStore, layout, open, witness};
use crate::store::intake::{FORMAT, Intake, KINDS, Taken};
use crate::store::record::Record;
use crate::store::{Answer, Backups, Order, Row, StoreError};
use sled::Batch;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Rows that are read while nothing else is written above the tree.
const AT_ONCE: usize = 256;

impl Backups for SledStore {
    fn backup_head(&self) -> Answer<Vec<Row>> {
        self.committer.submit(|engine| {
            let rows = engine.rows().rows(&of_kind(layout::STATE), Order::OldestFirst, usize::MAX);
            let rows = rows.map_err(|error| engine.fail(&error))?;
            Ok(rows.into_iter().filter(|(key, _)| key != layout::MOVED).map(made).collect()) // that is of our files alone
        })
    }

    fn backup_rows(&self, after: Option<Vec<u8>>, most_bytes: usize) -> Answer<Vec<Row>> {
        self.read(|layers| {
            let (mut rows, mut bytes) = (Vec::new(), 0_usize);
            let mut last = after;
            let begun = last.as_deref().and_then(<[u8]>::first).copied().unwrap_or_default();
            for kind in KINDS.iter().filter(|kind| **kind >= begun) {
                loop {
                    let seen = last.take_if(|last| last.first() == Some(kind));
                    let found = layers.rows(&behind(*kind, seen), Order::OldestFirst, AT_ONCE);
                    let found = found.map_err(|error| failed(&error))?;
                    let all = found.len() < AT_ONCE;
                    for row in found.into_iter().map(made) {
                        bytes = bytes.saturating_add(row.key.len()).saturating_add(row.record.len());
                        last = Some(row.key.clone());
                        rows.push(row);
                        if bytes >= most_bytes {
                            return Ok(rows);
                        }
                    }
                    if all {
                        break;
                    }
                }
            }
            Ok(rows)
        })
    }

    fn bytes_on_disk(&self) -> Answer<Option<u64>> {
        let bytes =
            bytes_in(&self.directory).and_then(|log| Ok(log.saturating_add(bytes_in(&self.directory.join("blobs"))?)));
        Box::pin(std::future::ready(bytes.map(Some).map_err(|error| unusable(&error))))
    }
}

/// Returns how long the files are that lie in a folder. One that goes away meanwhile, as old snapshots do, counts for nothing.
fn bytes_in(folder: &Path) -> io::Result<u64> {
    let lengths = std::fs::read_dir(folder)?.map(|file| match file?.metadata() {
        Ok(about) => Ok(if about.is_file() { about.len() } else { 0 }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    });
    lengths.sum()
}

fn made((key, record): (sled::IVec, sled::IVec)) -> Row {
    Row { key: key.to_vec(), record: record.to_vec() }
}

/// A new store that is being filled.
pub struct Restoring {
    directory: PathBuf,
    pub(super) db: sled::Db,
    log: Log,
    intake: Intake,
    due: Due,
    _lock: File,
}

impl Restoring {
    /// Makes a new store in `directory`, which must not be there. Until it is finished nobody opens it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(directory: &Path) -> Result<Self, StoreError> {
        let open::Opened { db, log, lock, .. } = open::open(directory, Purpose::Restore)?;
        Ok(Self {
            directory: directory.to_owned(),
            db,
            log,
            intake: Intake::default(),
            due: Due::default(),
            _lock: lock,
        })
    }

    /// Takes rows, in the order of the backup: those of the head first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a row that cannot be read, [`StoreError::Format`] for one of a later version.
    pub fn take(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for row in rows {
            match self.intake.read(&row)? {
                Taken::Nothing => continue,
                Taken::Row | Taken::Announced(_) => {}
                Taken::Session(session) => {
                    let (due, sessions) = self.due.add(session.expires_at(), session.sid);
                    batch.insert(due, sessions);
                    batch.insert(layout::of_subject(&session.grant.sub, session.sid), &[]);
                }
                Taken::User(user) => {
                    for name in user.keys().map(layout::user_name) {
                        let id = user.id.encode(&name);
                        batch.insert(name, id);
                    }
                }
            }
            batch.insert(row.key, row.record);
        }
        self.db.apply_batch(batch).map_err(|error| engine_failed(&error))
    }

    /// Makes the store durable, and lets it be opened where `is_whole` says so of how many rows of each kind there are. Returns
    /// what `is_whole` said.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(self, is_whole: impl FnOnce(&BTreeMap<u8, u64>) -> bool) -> Result<bool, StoreError> {
        let mut counts = BTreeMap::new();
        for key in self.db.iter().keys() {
            let key = key.map_err(|error| failed(&error))?;
            let count: &mut u64 = counts.entry(key.first().copied().unwrap_or_default()).or_default();
            *count = count.saturating_add(1);
        }
        sync_rows(&self.db, &self.log)?;
        witness::leave_none(&self.directory).map_err(|error| unusable(&error))?;
        sync_directory(&self.directory).map_err(|error| unusable(&error))?;
        let whole = is_whole(&counts);
        if whole {
            self.mark_whole()?;
        }
        Ok(whole)
    }

    /// Says that nothing is missing; all of it must be durable.
    fn mark_whole(&self) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.remove(layout::RESTORING);
        batch.insert(layout::FORMAT, FORMAT.encode(layout::FORMAT));
        self.db.apply_batch(batch).map_err(|error| engine_failed(&error))?;
        sync_rows(&self.db, &self.log)
    }
}
