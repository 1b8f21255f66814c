//! What a group of changes becomes in the database: one transaction, which moves the head.

use super::connect::{Connection, Parameter};
use super::fault::Fault;
use super::load::Stored;
use super::rows::{Writes, rest};
use super::tables;
use crate::store::{StoreError, layout};
use std::time::Duration;
use tokio_postgres::{Row, Statement};

/// Moves the head, if it is ours and where we left it. One row for everybody: of two writers one finds none.
const MOVE: &str = "UPDATE countersign_head \
    SET number = $1, announced = $2, import = $3, expires = now() + $4::FLOAT8 * INTERVAL '1 millisecond' \
    WHERE one = 1 AND fence = $5 AND number = $6 AND holder_id = $7";

/// Where the head of the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Number of the newest change. With the fence and the holder it names the transaction that wrote it.
    pub(super) number: i64,
    /// Number of the newest change that revoked something.
    pub(super) announced: i64,
    /// Whether what is in the database came out of a file: see [`IMPORTING`], [`IMPORTED`].
    pub(super) import: i64,
    /// Number of the holder. It grows with each, and only the newest can write.
    pub(super) fence: i64,
    /// Who that is. A failover that lost the last moments may give one number to two, of whom one knows the other's changes.
    pub(super) holder: [u8; 16],
}

/// Rows are being imported: nobody may open the database.
pub(super) const IMPORTING: i64 = 1;
/// They all are, and no list has been published since.
pub(super) const IMPORTED: i64 = 2;

/// So many rows are removed in one transaction at most, where all of a kind are.
const SOME: u32 = 10_000;

/// Parameters of one statement, by value.
enum Values {
    None,
    Rows(Vec<Vec<u8>>, Vec<Vec<u8>>),
    Keys(Vec<Vec<u8>>),
    Made { keys: Vec<Vec<u8>>, records: Vec<Vec<u8>>, subjects: Vec<Vec<u8>>, dues: Vec<i64> },
    Moved { keys: Vec<Vec<u8>>, dues: Vec<i64> },
}

/// Writes a group, with the head as it is afterwards.
///
/// # Errors
/// [`Fault::Superseded`] when the head is not where `before` is: nothing was written. [`Fault::Lost`]: nobody knows.
pub(super) async fn commit(
    connection: &Connection,
    writes: &Writes,
    before: Head,
    after: Head,
    lease: Duration,
) -> Result<(), Fault> {
    let sent = statements(connection, writes).await?;
    moving(connection, &sent, before, after, lease).await.map(drop)
}

/// Removes up to [`SOME`] rows of a kind, with the head as it is afterwards; returns how many.
///
/// # Errors
/// As [`commit`].
pub(super) async fn remove_some(
    connection: &Connection,
    kind: u8,
    before: Head,
    after: Head,
    lease: Duration,
) -> Result<u64, Fault> {
    let table = table(kind)?;
    let sql = format!("DELETE FROM {table} WHERE key IN (SELECT key FROM {table} LIMIT {SOME})");
    let sent = [(connection.prepared(&sql).await?, Values::None)];
    Ok(moving(connection, &sent, before, after, lease).await?.into_iter().sum())
}

/// Sends statements in one transaction that moves the head; returns how many rows each of them has changed.
async fn moving(
    connection: &Connection,
    sent: &[(Statement, Values)],
    before: Head,
    after: Head,
    lease: Duration,
) -> Result<Vec<u64>, Fault> {
    let lease = lease.as_secs_f64() * 1000.0;
    let holder = before.holder.as_slice();
    let head: [Parameter<'_>; 7] =
        [&after.number, &after.announced, &after.import, &lease, &before.fence, &before.number, &holder];
    let mut pipeline: Vec<(Statement, Vec<Parameter<'_>>)> =
        vec![(connection.prepared("BEGIN").await?, Vec::new()), (connection.prepared(MOVE).await?, head.to_vec())];
    pipeline.extend(sent.iter().map(|(statement, values)| (statement.clone(), values.parameters())));
    let changed = match connection.pipeline(&pipeline).await {
        Ok(changed) => changed,
        Err(fault) => {
            // On a connection that is gone this fails as well, and the server ends the transaction by itself.
            drop(connection.run("ROLLBACK").await);
            return Err(fault);
        }
    };
    if changed.get(1) != Some(&1) {
        connection.run("ROLLBACK").await?;
        return Err(Fault::Superseded);
    }
    connection.change("COMMIT", &[]).await?;
    Ok(changed.into_iter().skip(2).collect())
}

/// Returns where the head is, once whatever was writing it has ended: the row is locked until then.
pub(super) async fn head(connection: &Connection) -> Result<Head, Fault> {
    let sql = "SELECT number, announced, import, fence, holder_id FROM countersign_head WHERE one = 1 FOR UPDATE";
    let rows = connection.rows(sql, &[]).await?;
    Head::of(rows.first().ok_or_else(|| StoreError::damaged("the database has no head"))?)
}

impl Head {
    /// Reads `number, announced, import, fence, holder_id`.
    pub(super) fn of(row: &Row) -> Result<Self, Fault> {
        let holder: &[u8] = row.try_get(4)?;
        Ok(Self {
            number: row.try_get(0)?,
            announced: row.try_get(1)?,
            import: row.try_get(2)?,
            fence: row.try_get(3)?,
            holder: holder.try_into().unwrap_or_default(), // nobody's, which no daemon has drawn
        })
    }
}

async fn statements(connection: &Connection, writes: &Writes) -> Result<Vec<(Statement, Values)>, Fault> {
    let mut statements = Vec::new();
    for (kind, keys) in &writes.removed {
        let sql = format!("DELETE FROM {} WHERE key = ANY($1)", table(*kind)?);
        let keys = keys.iter().map(|key| rest(key).to_vec()).collect();
        statements.push((connection.prepared(&sql).await?, Values::Keys(keys)));
    }
    for (kind, rows) in &writes.put {
        let sql = put(*kind)?;
        let (keys, records) = parted(rows);
        statements.push((connection.prepared(&sql).await?, Values::Rows(keys, records)));
    }
    if !writes.made.is_empty() {
        let sql = "INSERT INTO countersign_session (key, record, subject, due) \
            SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[], $3::BYTEA[], $4::BIGINT[])";
        let values = Values::Made {
            keys: writes.made.iter().map(|(key, _, _)| rest(key).to_vec()).collect(),
            records: writes.made.iter().map(|(_, record, _)| record.clone()).collect(),
            subjects: writes.made.iter().map(|(_, _, place)| place.subject.to_vec()).collect(),
            dues: writes.made.iter().map(|(_, _, place)| place.due).collect(),
        };
        statements.push((connection.prepared(sql).await?, values));
    }
    if !writes.moved.is_empty() {
        let sql = "UPDATE countersign_session AS s SET due = n.due \
            FROM unnest($1::BYTEA[], $2::BIGINT[]) AS n (key, due) WHERE s.key = n.key";
        let values = Values::Moved {
            keys: writes.moved.iter().map(|(key, _)| rest(key).to_vec()).collect(),
            dues: writes.moved.iter().map(|(_, due)| *due).collect(),
        };
        statements.push((connection.prepared(sql).await?, values));
    }
    Ok(statements)
}

/// A session that is there is changed in its place: its other columns, and with them its indices, stay as they are.
fn put(kind: u8) -> Result<String, StoreError> {
    let table = table(kind)?;
    Ok(match kind {
        layout::SESSION => format!(
            "UPDATE {table} AS s SET record = n.record \
             FROM unnest($1::BYTEA[], $2::BYTEA[]) AS n (key, record) WHERE s.key = n.key"
        ),
        _ => format!(
            "INSERT INTO {table} (key, record) SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[]) \
             ON CONFLICT (key) DO UPDATE SET record = excluded.record"
        ),
    })
}

fn table(kind: u8) -> Result<&'static str, StoreError> {
    tables::of(kind).ok_or_else(|| StoreError::damaged("a row is of no kind there is"))
}

fn parted(rows: &[Stored]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    rows.iter().map(|(key, record)| (rest(key).to_vec(), record.clone())).unzip()
}

impl Values {
    fn parameters(&self) -> Vec<Parameter<'_>> {
        match self {
            Self::None => Vec::new(),
            Self::Rows(keys, records) => vec![keys, records],
            Self::Keys(keys) => vec![keys],
            Self::Made { keys, records, subjects, dues } => vec![keys, records, subjects, dues],
            Self::Moved { keys, dues } => vec![keys, dues],
        }
    }
}
