//! From format 1: each session gets its row under its subject. Format 2 had no journal, and 3 a row for
//! each session that says when to look at it; nothing in them changes.
//!
//! Rows are added in batches, each synced before the next, as what the [mover](super::mover) writes, and the format is
//! written once all of them are on the disk. A process that is killed in between leaves a store of format 1 with some
//! of the rows: the next start writes them again, to the same effect.

use super::durable::Log;
use super::layout;
use super::mover::PIECE_ROWS;
use super::open::{engine_failed, sync_rows};
use crate::session::Session;
use crate::store::StoreError;
use crate::store::intake::FORMAT;
use crate::store::record::Record;
use sled::{Batch, Db, IVec};
use std::ops::Bound;

/// Migrates the store; what it wrote is durable.
pub(super) fn from_1(db: &Db, log: &Log) -> Result<(), StoreError> {
    let mut sessions = 0;
    let mut from = Bound::Included(vec![layout::SESSION]);
    loop {
        let end = Bound::Excluded(vec![layout::SESSION + 1]);
        let rows = db.range::<Vec<u8>, _>((from, end)).take(PIECE_ROWS).collect::<Result<Vec<_>, _>>();
        let rows = rows.map_err(|error| engine_failed(&error))?;
        let Some((last, _)) = rows.last() else { break };
        from = Bound::Excluded(last.to_vec());
        sessions += rows.len();
        db.apply_batch(index(&rows)).map_err(|error| engine_failed(&error))?;
        sync_rows(db, log)?; // before sled may write over what these rows have replaced
    }
    tracing::info!(sessions, "each session has its row under its subject");
    from_2(db, log)
}

/// Raises the format, so that no older daemon opens a store whose journal or rows it does not know.
pub(super) fn from_2(db: &Db, log: &Log) -> Result<(), StoreError> {
    db.insert(layout::FORMAT, FORMAT.encode(layout::FORMAT)).map_err(|error| engine_failed(&error))?;
    sync_rows(db, log)
}

/// A session that cannot be read is left where it is, for whoever mends the store: nobody can refresh it either.
fn index(rows: &[(IVec, IVec)]) -> Batch {
    let mut batch = Batch::default();
    for (key, row) in rows {
        match Session::decode(key, row) {
            Ok(session) => batch.insert(layout::of_subject(&session.grant.sub, session.sid), &[]),
            Err(fault) => tracing::error!(reason = %fault, "a session cannot be read and has no row under its subject"),
        }
    }
    batch
}
