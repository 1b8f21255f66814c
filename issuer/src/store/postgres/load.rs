//! What is read, by callers and by the committer alike: rows by their keys, or by what they have in common.

use super::connect::{Connection, Parameter};
use super::fault::Fault;
use super::tables;
use crate::store::StoreError;
use std::collections::BTreeMap;

/// A row: its key with the letter of its kind, and its record.
pub(super) type Stored = (Vec<u8>, Vec<u8>);

/// Which rows somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Those under these keys, of whatever kinds.
    Rows(Vec<Vec<u8>>),
    /// Those of one kind from a key on, in their order, up to the key `below`.
    Range {
        /// The first key, with the letter of the kind.
        from: Vec<u8>,
        /// The first key that is not meant.
        below: Vec<u8>,
        /// Backwards, from the end on.
        newest_first: bool,
        /// At most.
        most: usize,
    },
    /// Sessions of a subject behind one.
    OfSubject {
        /// The left half of the subject's hash.
        subject: [u8; 16],
        /// The name of the session; empty for none.
        after: Vec<u8>,
        /// At most.
        most: usize,
    },
    /// Sessions that are to be looked at before a second.
    Due {
        /// The second.
        before: i64,
        /// At most.
        most: usize,
    },
}

impl Wanted {
    /// Returns all rows of a kind, at most so many, from the first on.
    pub(super) fn all(kind: u8, most: usize) -> Self {
        Self::Range { from: vec![kind], below: vec![kind.saturating_add(1)], newest_first: false, most }
    }

    /// Returns the rows of a kind behind this key, or from the first on.
    pub(super) fn behind(kind: u8, after: Option<Vec<u8>>, most: usize) -> Self {
        // The least key that is greater is the same one with a zero behind it.
        let from = after.map_or(vec![kind], |mut key| {
            key.push(0);
            key
        });
        Self::Range { from, below: vec![kind.saturating_add(1)], newest_first: false, most }
    }
}

/// Returns the rows that are wanted, those under keys in no order.
pub(super) async fn load(connection: &Connection, wanted: &Wanted) -> Result<Vec<Stored>, Fault> {
    match wanted {
        Wanted::Rows(keys) => rows(connection, keys).await,
        Wanted::Range { from, below, newest_first, most } => {
            let Some((kind, from)) = from.split_first() else { return Ok(Vec::new()) };
            let table = table(*kind)?;
            let order = if *newest_first { "DESC" } else { "ASC" };
            let most = limit(*most);
            match below.split_first() {
                Some((last, below)) if last == kind => {
                    let sql = format!(
                        "SELECT key, record FROM {table} WHERE key >= $1 AND key < $2 ORDER BY key {order} LIMIT $3"
                    );
                    found(connection, *kind, &sql, &[&from, &below, &most]).await
                }
                Some(_) | None => {
                    let sql = format!("SELECT key, record FROM {table} WHERE key >= $1 ORDER BY key {order} LIMIT $2");
                    found(connection, *kind, &sql, &[&from, &most]).await
                }
            }
        }
        Wanted::OfSubject { subject, after, most } => {
            let sql =
                "SELECT key, record FROM countersign_session WHERE subject = $1 AND key > $2 ORDER BY key LIMIT $3";
            found(connection, b's', sql, &[&subject.as_slice(), after, &limit(*most)]).await
        }
        Wanted::Due { before, most } => {
            let sql = "SELECT key, record FROM countersign_session WHERE due < $1 ORDER BY due, key LIMIT $2";
            found(connection, b's', sql, &[before, &limit(*most)]).await
        }
    }
}

/// One statement for each kind, all under way at once.
async fn rows(connection: &Connection, keys: &[Vec<u8>]) -> Result<Vec<Stored>, Fault> {
    let mut kinds: BTreeMap<u8, Vec<&[u8]>> = BTreeMap::new();
    for key in keys {
        if let Some((kind, key)) = key.split_first() {
            kinds.entry(*kind).or_default().push(key);
        }
    }
    let asked = kinds.iter().map(async |(kind, keys)| {
        let table = table(*kind)?;
        match keys.as_slice() {
            [key] => {
                let sql = format!("SELECT key, record FROM {table} WHERE key = $1");
                found(connection, *kind, &sql, &[key]).await
            }
            keys => {
                let sql = format!("SELECT key, record FROM {table} WHERE key = ANY($1)");
                found(connection, *kind, &sql, &[&keys]).await
            }
        }
    });
    let mut all = Vec::with_capacity(keys.len());
    for stored in futures_util::future::join_all(asked).await {
        all.extend(stored?);
    }
    Ok(all)
}

async fn found(
    connection: &Connection,
    kind: u8,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Stored>, Fault> {
    let rows = connection.rows(sql, parameters).await?;
    let stored = |row: &tokio_postgres::Row| {
        let (key, record): (&[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?);
        Ok::<_, tokio_postgres::Error>(([&[kind], key].concat(), record.to_vec()))
    };
    Ok(rows.iter().map(stored).collect::<Result<_, _>>()?)
}

fn table(kind: u8) -> Result<&'static str, StoreError> {
    tables::of(kind).ok_or_else(|| StoreError::damaged("a row is of no kind there is"))
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
