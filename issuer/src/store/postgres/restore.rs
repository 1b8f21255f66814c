//! A database that is being filled with the rows of a backup.
//!
//! Each part is a transaction of its own, so that memory and transactions stay small whatever there is to import. Until the last
//! one the head says that an import is under way, and no daemon opens the database. Every one of them, also those that remove
//! what an earlier import has left, moves the head: who was superseded meanwhile changes nothing.

use super::connect::{Connection, Connector};
use super::fault::{Fault, superseded};
use super::lease;
use super::load::Stored;
use super::rows::{Batch, Rows, place, rest};
use super::settings::PostgresSettings;
use super::tables;
use super::write::{self, Head, IMPORTED, IMPORTING};
use crate::env::Env;
use crate::store::intake::{Intake, Taken};
use crate::store::record::Record;
use crate::store::{Row, StoreError, layout};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Handle;

/// Rows that are removed of a database before an import that was broken off begins again.
const TABLES: [u8; 11] = *b"acjkmnprswy";

/// A database that is being filled, by one process.
pub struct PostgresRestoring {
    connection: Connection,
    head: Head,
    lease: Duration,
    intake: Intake,
    announced: i64,
}

impl PostgresRestoring {
    /// Begins to fill a database, which must be empty; tables are made where there are none.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a daemon has it; [`StoreError::Unusable`] when there is something in it.
    pub async fn begin(settings: &PostgresSettings, env: &Env) -> Result<Self, StoreError> {
        let id = env.random().map_err(|_| StoreError::Unusable { detail: "there is no randomness".into() })?;
        let connector = Connector::new(settings, Handle::current())?;
        begun(settings, &connector, id).await.map_err(Fault::into_error)
    }

    /// Takes rows, in the order of the backup: those of the head first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a row that cannot be read, [`StoreError::Format`] for one of a later version.
    pub async fn take(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for row in rows {
            match self.intake.read(&row)? {
                Taken::Nothing => continue,
                Taken::Row => {}
                Taken::Announced(number) => {
                    self.announced = self.announced.max(i64::try_from(number).unwrap_or(i64::MAX));
                }
                Taken::Session(session) => batch.place(&*row.key, place(&session.grant.sub, session.expires_at())),
                Taken::User(user) => {
                    for name in user.keys().map(layout::user_name) {
                        let id = user.id.encode(&name);
                        batch.insert(name, id);
                    }
                }
            }
            batch.insert(row.key, row.record);
        }
        self.commit(batch, IMPORTING).await
    }

    /// Ends the import where `is_whole` says so of how many rows of each kind there are: from now on a daemon opens the
    /// database. Otherwise none does, and another import may begin. Returns what `is_whole` said.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish(mut self, is_whole: impl FnOnce(&BTreeMap<u8, u64>) -> bool) -> Result<bool, StoreError> {
        let whole = is_whole(&self.counts().await.map_err(Fault::into_error)?);
        if whole {
            self.commit(Batch::default(), IMPORTED).await?;
        }
        lease::release(&self.connection, self.head).await.map_err(Fault::into_error)?;
        Ok(whole)
    }

    /// Ends an import that failed: no daemon opens the database, and another import may begin at once.
    pub async fn give_up(self) {
        drop(lease::release(&self.connection, self.head).await); // where that fails the lease runs out by itself
    }

    async fn counts(&self) -> Result<BTreeMap<u8, u64>, Fault> {
        let mut counts = BTreeMap::new();
        for kind in TABLES {
            let table = tables::of(kind).unwrap_or_default();
            let rows = self.connection.rows(&format!("SELECT count(*)::BIGINT FROM {table}"), &[]).await?;
            let count: i64 = rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default();
            if count > 0 {
                counts.insert(kind, u64::try_from(count).unwrap_or_default());
            }
        }
        Ok(counts)
    }

    /// Removes what an import has left that was broken off. Like whatever is written, only as long as the database is ours.
    async fn clear(&mut self) -> Result<(), Fault> {
        for kind in TABLES {
            loop {
                let after = self.next(IMPORTING);
                let removed = write::remove_some(&self.connection, kind, self.head, after, self.lease).await?;
                self.head = after;
                if removed == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn next(&self, import: i64) -> Head {
        Head {
            number: self.head.number.saturating_add(1),
            announced: self.announced.max(self.head.announced),
            import,
            ..self.head
        }
    }

    /// An import that loses its connection is broken off, and begins again from the start.
    async fn commit(&mut self, batch: Batch, import: i64) -> Result<(), StoreError> {
        let mut rows = Rows::default();
        rows.apply(batch);
        let after = self.next(import);
        let written = write::commit(&self.connection, &rows.into_writes(), self.head, after, self.lease).await;
        written.map_err(|fault| if fault == Fault::Superseded { superseded() } else { fault.into_error() })?;
        self.head = after;
        Ok(())
    }
}

async fn begun(settings: &PostgresSettings, connector: &Connector, id: [u8; 16]) -> Result<PostgresRestoring, Fault> {
    let connection = connector.connect().await?;
    tables::prepare(&connection, true).await?;
    // A part takes moments, but the first one waits for a file to be opened: a minute is long enough for all of it.
    let lease = settings.lease.max(Duration::from_secs(60));
    let holder = lease::holder(&connection).await?;
    let Some(head) = lease::take(&connection, (&settings.holder, None), id, lease).await? else {
        return Err(StoreError::InUse { path: format!("the database, by {}", holder.name).into() }.into());
    };
    let empty = is_empty(&connection).await;
    if head.import != IMPORTING && !matches!(empty, Ok(true)) {
        lease::release(&connection, head).await?;
        empty?;
        let detail = "the database is not empty: import into one that no daemon has used";
        return Err(StoreError::Unusable { detail: detail.into() }.into());
    }
    let mut restoring = PostgresRestoring { connection, head, lease, intake: Intake::default(), announced: 0 };
    restoring.commit(Batch::default(), IMPORTING).await?; // before anything is removed: from here on no daemon opens it
    restoring.clear().await?;
    Ok(restoring)
}

async fn is_empty(connection: &Connection) -> Result<bool, Fault> {
    for kind in TABLES {
        let first: Vec<Stored> = super::load::load(connection, &super::load::Wanted::all(kind, 1)).await?;
        if first.iter().any(|(key, _)| !rest(key).is_empty()) {
            return Ok(false);
        }
    }
    Ok(true)
}
