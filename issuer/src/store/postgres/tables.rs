//! The tables, and how they came to be: versions, each brought about in one transaction.
//!
//! Each kind of row has a table `(key, record)`: the key without the letter of its kind, and the record as any engine writes
//! it, with its version and its checksum. Sessions have two columns more, by which they are found. Only what CockroachDB and
//! YugabyteDB speak too: `BIGINT` (their `INTEGER` has 64 bits as well), no sequences, no extensions.

use super::connect::Connection;
use super::fault::Fault;
use crate::store::{StoreError, layout};
use tokio_postgres::error::SqlState;

/// The version that this daemon reads and writes.
pub(super) const VERSION: i64 = 2;

/// The statements that lead from each version to the next.
const MIGRATIONS: [&str; 2] = [
    // `number` counts changes, `fence` holders, `announced` changes that revoked something. An import is under way (1), is
    // done and was never opened (2), or lies behind (0).
    "CREATE TABLE countersign_head (
        one BIGINT PRIMARY KEY CHECK (one = 1),
        number BIGINT NOT NULL, announced BIGINT NOT NULL, import BIGINT NOT NULL,
        fence BIGINT NOT NULL, holder TEXT NOT NULL, holder_id BYTEA NOT NULL, expires TIMESTAMPTZ NOT NULL
    );
    INSERT INTO countersign_head VALUES (1, 0, 0, 0, 0, '', '', now() - INTERVAL '1 hour');
    CREATE TABLE countersign_session (
        key BYTEA PRIMARY KEY, record BYTEA NOT NULL, subject BYTEA NOT NULL, due BIGINT NOT NULL
    ) WITH (fillfactor = 80);
    CREATE INDEX countersign_session_subject ON countersign_session (subject, key);
    CREATE INDEX countersign_session_due ON countersign_session (due, key);
    CREATE TABLE countersign_revocation (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_pages (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_swept (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_key (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_client (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_assertion (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_event (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_user (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_user_name (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);
    CREATE TABLE countersign_state (key BYTEA PRIMARY KEY, record BYTEA NOT NULL);",
    // Where the others reach the holder: an origin, or nothing. A daemon of version 1 that goes on does not see the column.
    "ALTER TABLE countersign_head ADD COLUMN origin TEXT NOT NULL DEFAULT '';",
];

/// Returns the table of a kind of row.
pub(super) fn of(kind: u8) -> Option<&'static str> {
    match kind {
        layout::SESSION => Some("countersign_session"),
        layout::REVOCATION => Some("countersign_revocation"),
        layout::PAGES => Some("countersign_pages"),
        layout::SWEPT => Some("countersign_swept"),
        layout::KEY => Some("countersign_key"),
        layout::CLIENT => Some("countersign_client"),
        layout::ASSERTION => Some("countersign_assertion"),
        layout::EVENTS => Some("countersign_event"),
        layout::USER => Some("countersign_user"),
        layout::USER_NAME => Some("countersign_user_name"),
        layout::STATE => Some("countersign_state"),
        _ => None,
    }
}

/// Returns the version of the tables, 0 where there are none.
pub(super) async fn version(connection: &Connection) -> Result<i64, Fault> {
    match connection.version().await {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(error) => Err(error.into()),
        Ok(version) => Ok(version),
    }
}

/// Sees to it that the tables are those of this version; older ones are brought up to it if `migrate` says so.
///
/// # Errors
/// [`StoreError::Unusable`], naming the command, for an older version; [`StoreError::Format`] for a newer one.
pub(super) async fn prepare(connection: &Connection, migrate: bool) -> Result<(), Fault> {
    loop {
        let found = version(connection).await?;
        let step = match found.cmp(&VERSION) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Greater => {
                return Err(StoreError::Format { found: u8::try_from(found).unwrap_or(u8::MAX) }.into());
            }
            std::cmp::Ordering::Less => usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found)),
        };
        if !migrate {
            return Err(StoreError::Unusable { detail: outdated(found).into() }.into());
        }
        let step = step.ok_or_else(|| StoreError::damaged("the tables have an odd version"))?;
        match connection.run(&migration(found, step)).await {
            Ok(()) => tracing::info!(version = found + 1, "the tables of the database were brought up to a version"),
            // Another daemon may have done the same at the same time: the version tells.
            Err(fault) => {
                connection.run("ROLLBACK").await?;
                if version(connection).await? == found {
                    return Err(fault);
                }
            }
        }
    }
}

fn outdated(found: i64) -> String {
    let what =
        if found == 0 { "has no tables of countersign".to_owned() } else { format!("has tables of version {found}") };
    format!(
        "the database {what}, and this daemon needs version {VERSION}: run `countersign store migrate`, or set store.migrate"
    )
}

fn migration(from: i64, step: &str) -> String {
    let counted = if from == 0 {
        "CREATE TABLE countersign_version (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL);
         INSERT INTO countersign_version VALUES (1, 1);"
            .to_owned()
    } else {
        format!("UPDATE countersign_version SET version = {} WHERE version = {from};", from + 1)
    };
    format!("BEGIN; {counted} {step} COMMIT;")
}
