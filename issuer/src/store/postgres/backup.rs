//! Reading everything out for a backup.
//!
//! Rows have the keys and records that they have in any engine, so a backup does not tell which one made it.

use super::PostgresStore;
use super::load::{Stored, Wanted};
use crate::store::intake::{FORMAT, KINDS};
use crate::store::record::Record;
use crate::store::{Answer, Backups, Row, layout};

/// Rows that one statement reads.
const STEP: usize = 512;

impl Backups for PostgresStore {
    fn backup_head(&self) -> Answer<Vec<Row>> {
        self.change(
            |_| Wanted::all(layout::STATE, usize::MAX),
            |_, found| {
                let format = Row { key: layout::FORMAT.to_vec(), record: FORMAT.encode(layout::FORMAT) };
                let mut rows: Vec<Row> = found.iter().map(made).chain([format]).collect();
                rows.sort_by(|one, other| one.key.cmp(&other.key));
                Ok(rows)
            },
        )
    }

    fn backup_rows(&self, after: Option<Vec<u8>>, most_bytes: usize) -> Answer<Vec<Row>> {
        let reads = self.reads();
        Box::pin(async move {
            let (mut rows, mut bytes): (Vec<Row>, usize) = (Vec::new(), 0);
            let begun = after.as_deref().and_then(<[u8]>::first).copied().unwrap_or_default();
            for kind in KINDS.iter().copied().filter(|kind| *kind >= begun) {
                let mut last = after.clone().filter(|_| begun == kind);
                loop {
                    let found = reads.load(&Wanted::behind(kind, last.clone(), STEP)).await?;
                    for row in found.iter().map(made) {
                        bytes = bytes.saturating_add(row.key.len()).saturating_add(row.record.len());
                        rows.push(row);
                        if bytes >= most_bytes {
                            return Ok(rows);
                        }
                    }
                    match found.last() {
                        Some((key, _)) if found.len() == STEP => last = Some(key.clone()),
                        Some(_) | None => break,
                    }
                }
            }
            Ok(rows)
        })
    }
}

fn made((key, record): &Stored) -> Row {
    Row { key: key.clone(), record: record.clone() }
}
