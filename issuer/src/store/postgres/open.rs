//! Opening: reach the database, see that its tables are ours, take the right to write, read what the committer must know.
//!
//! Everything of one store lives on a thread of its own with its own runtime, so that a burst of requests does not keep the
//! committer from its turn, and the end of the thread is the end of every connection.

use super::PostgresStore;
use super::committer::{Committer, QUEUE};
use super::connect::{Connection, Connector};
use super::engine::{Engine, Opened};
use super::fault::Fault;
use super::folder::Folder;
use super::lease::{self, Holder};
use super::load::{Wanted, load};
use super::read::{Reads, decoded};
use super::settings::PostgresSettings;
use super::tables;
use super::write::IMPORTING;
use crate::env::{Env, Stopwatch};
use crate::keys::SealedKey;
use crate::store::{StoreError, layout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

/// How often a daemon that stands by looks whether it may take over.
const LOOK: Duration = Duration::from_millis(500);

/// What happens when another daemon has the right to write.
pub enum Waiting {
    /// Nothing: the store is in use.
    Refuse,
    /// It is waited for, and told whenever there is another one.
    StandBy(watch::Sender<Option<Holder>>),
}

/// A store that is open, and what must be kept for its committer.
struct Begun {
    committer: Committer,
    reads: Arc<Reads>,
    failed: watch::Receiver<Option<StoreError>>,
}

impl PostgresStore {
    /// Opens the store in a database, as the daemon of this folder. Standing by ends when the answer is dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has the folder or the right to write; [`StoreError::Unusable`],
    /// [`StoreError::Unreachable`], [`StoreError::Format`], [`StoreError::Damaged`].
    pub async fn open(
        settings: PostgresSettings,
        directory: &Path,
        env: &Env,
        waiting: Waiting,
    ) -> Result<Self, StoreError> {
        let folder = Folder::open(directory, env)?;
        let (queue, messages) = mpsc::channel(QUEUE);
        let (ready, opened) = oneshot::channel();
        let patience = settings.patience;
        let closing = Arc::new(AtomicBool::new(false));
        let unusable = |error: std::io::Error| StoreError::Unusable { detail: error.to_string().into() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unusable)?;
        let body = {
            let closing = Arc::clone(&closing);
            move || {
                runtime.block_on(async {
                    let mut ready = ready;
                    let begun = tokio::select! {
                        begun = begin(settings, folder, waiting, closing) => begun,
                        () = ready.closed() => return,
                    };
                    match begun {
                        Ok(Begun { committer, reads, failed }) => {
                            if ready.send(Ok((reads, failed))).is_ok() {
                                committer.run(messages).await;
                            }
                        }
                        Err(error) => drop(ready.send(Err(error))),
                    }
                });
            }
        };
        let thread =
            std::thread::Builder::new().name("countersign-postgres".to_owned()).spawn(body).map_err(unusable)?;
        let (reads, failed) = opened.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(Self { queue: Some(queue), reads, failed, closing, patience, thread: Some(thread) })
    }

    /// Returns the keys in a database, whoever has it; none where there are no tables.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub async fn sealed_keys(settings: &PostgresSettings) -> Result<Vec<SealedKey>, StoreError> {
        let connector = Connector::new(settings, Handle::current())?;
        let read = async {
            let connection = connector.connect().await?;
            match tables::version(&connection).await? {
                0 => Ok(Vec::new()),
                _ => load(&connection, &Wanted::all(layout::KEY, usize::MAX)).await,
            }
        };
        decoded(&read.await.map_err(Fault::into_error)?)
    }

    /// Brings the tables of a database up to the version of this daemon, and returns which that is.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub async fn migrate(settings: &PostgresSettings) -> Result<u8, StoreError> {
        let connector = Connector::new(settings, Handle::current())?;
        let migrated = async {
            let connection = connector.connect().await?;
            tables::prepare(&connection, true).await
        };
        migrated.await.map_err(Fault::into_error)?;
        Ok(u8::try_from(tables::VERSION).unwrap_or(u8::MAX))
    }
}

async fn begin(
    settings: PostgresSettings,
    folder: Folder,
    waiting: Waiting,
    closing: Arc<AtomicBool>,
) -> Result<Begun, StoreError> {
    let connector = Connector::new(&settings, Handle::current())?;
    let (connection, opened) = taken(&settings, &connector, folder.id, &waiting).await.map_err(Fault::into_error)?;
    let newest_list = folder.newest_list.max(opened.newest_list);
    let engine = Engine::open(Opened { newest_list, ..opened })?;
    let reads = Arc::new(Reads::new(connector.clone(), settings.connections, settings.patience));
    let (fatal, failed) = watch::channel(None);
    let committer = Committer {
        engine,
        connector,
        connection: Some(connection),
        folder,
        lease: settings.lease,
        renewed: Stopwatch::start(),
        closing,
        fatal,
    };
    Ok(Begun { committer, reads, failed })
}

/// Returns a connection, and what was read over it once the right to write was ours; the newest list is that of the daemon
/// that had it before, if one was seen.
async fn taken(
    settings: &PostgresSettings,
    connector: &Connector,
    id: [u8; 16],
    waiting: &Waiting,
) -> Result<(Connection, Opened), Fault> {
    let (mut seen, mut stands_by, mut away) = (0, false, false);
    let mut connected: Option<Connection> = None;
    loop {
        let looked = look(settings, connector, connected.take(), id).await;
        if looked.is_ok() && std::mem::take(&mut away) {
            tracing::info!("the database is back");
        }
        match looked {
            Ok((connection, Ok(opened))) => return Ok((connection, Opened { newest_list: seen, ..opened })),
            Ok((connection, Err(holder))) => {
                seen = holder.newest_list.max(seen);
                match waiting {
                    Waiting::Refuse => {
                        let path = format!("the database, by {}", holder.name);
                        return Err(StoreError::InUse { path: path.into() }.into());
                    }
                    Waiting::StandBy(told) => tell(told, holder),
                }
                (connected, stands_by) = (Some(connection), true);
            }
            // Once it stands by, a database that goes away and comes back finds it still there.
            Err(Fault::Lost(reason)) if stands_by => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(reason, "the database is away; standing by goes on once it answers");
                }
            }
            Err(Fault::Conflict) if stands_by => {}
            Err(fault) => return Err(fault),
        }
        sleep(LOOK).await;
    }
}

/// Tells whoever stands by who has the right to write, when it is another one than before.
fn tell(told: &watch::Sender<Option<Holder>>, holder: Holder) {
    told.send_if_modified(|known| {
        let is_new = known.as_ref().is_none_or(|known| known.fence != holder.fence);
        *known = Some(holder);
        is_new
    });
}

/// Tries to take the right to write once and to read what whoever has it must know; returns who has it otherwise.
async fn look(
    settings: &PostgresSettings,
    connector: &Connector,
    connection: Option<Connection>,
    id: [u8; 16],
) -> Result<(Connection, Result<Opened, Holder>), Fault> {
    let connection = match connection.filter(Connection::is_open) {
        Some(connection) => connection,
        None => {
            let connection = connector.connect().await?;
            tables::prepare(&connection, settings.migrate).await?;
            connection
        }
    };
    // Who it is, first: the answer holds the newest list also where the right to write is taken next.
    let holder = lease::holder(&connection).await?;
    match lease::take(&connection, (&settings.holder, settings.origin.as_deref()), id, settings.lease).await? {
        Some(head) if head.import == IMPORTING => {
            lease::release(&connection, head).await?;
            let detail = "an import into this database was not finished: run `countersign store import` again";
            Err(StoreError::Unusable { detail: detail.into() }.into())
        }
        Some(head) => {
            let state = load(&connection, &Wanted::all(layout::STATE, usize::MAX)).await?;
            let assertions = load(&connection, &Wanted::all(layout::ASSERTION, usize::MAX)).await?;
            Ok((connection, Ok(Opened { head, state, assertions, newest_list: 0 })))
        }
        None => Ok((connection, Err(holder))),
    }
}
