//! `countersign store`: what keeps the rows. Everything of one engine goes into a file, and out of it into another.

use super::backup::{self, has_end, restored};
use super::data_dir::{DataDir, sync_name};
use super::reach::runtime;
use super::remote::Peers;
use super::said::{Ended, Said};
use super::{Failure, Options, input, master_key, secrets};
use crate::config::{Config, Database, Engine};
use crate::env::Env;
use crate::error::Error;
use crate::keys::{MasterKey, opens};
use crate::operations::{Backup, holds_its_list};
use crate::store::{
    self, PostgresRestoring, PostgresSettings, PostgresStore, PostgresTls, Restoring, Revocations, SledStore, Store,
    StoreError, Waiting,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fs::{OpenOptions, remove_dir_all, remove_file};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Bytes of a password, at most.
const MAX_PASSWORD: usize = 1024;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Bring the tables of the database up to this version; there may be none yet
    Migrate(Options),
    /// Write everything into a file, encrypted under the master key; no daemon may run
    Export(FileArgs),
    /// Fill an empty store with what is in a file; the master key it was made under is needed
    Import(FileArgs),
    /// Go on with damaged files that the daemon does not start on: what was acknowledged last is lost, and the next start
    /// revokes every access token
    AcceptDamage(Options),
}

#[derive(Args)]
pub(super) struct FileArgs {
    /// File to make, or to read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    options: Options,
}

/// Does what the command says.
///
/// # Errors
/// [`Failure`].
pub(super) fn run(command: &Command) -> Ended {
    match command {
        Command::Migrate(options) => migrate(options),
        Command::Export(args) => export(args),
        Command::Import(args) => import(args),
        Command::AcceptDamage(options) => accept_damage(options),
    }
}

/// Opens what the settings say keeps the rows.
///
/// # Errors
/// [`Failure::InUse`], [`Failure::Store`], [`Failure::Setting`].
pub(super) async fn open(
    config: &Config,
    data_dir: &DataDir,
    env: &Env,
    waiting: Waiting,
) -> Result<Arc<dyn Store>, Failure> {
    match &config.store {
        Engine::Sled => {
            let folder = data_dir.store();
            let opened = spawn_blocking(move || store::open(&folder)).await;
            let opened = opened.map_err(|_| Failure::Store("opening the store panicked".to_owned()))?;
            Ok(opened.map_err(Error::from)?)
        }
        Engine::Postgres(database) => {
            // A command that has the store open listens nowhere.
            let origin = database.advertise.clone().filter(|_| matches!(waiting, Waiting::StandBy(_)));
            let settings = PostgresSettings { origin, ..settings(database)? };
            let opened = PostgresStore::open(settings, &data_dir.postgres(), env, waiting).await;
            Ok(Arc::new(opened.map_err(Error::from)?))
        }
    }
}

/// Checks that this daemon's master key is the one that a database in use needs. Where it is another, or there is none, it must
/// not come to standing by for a daemon whose place it could not take.
///
/// # Errors
/// [`Failure`].
pub(super) async fn is_for_us(config: &Config, data_dir: &DataDir) -> Result<(), Failure> {
    let Engine::Postgres(database) = &config.store else { return Ok(()) };
    let sealed = PostgresStore::sealed_keys(&settings(database)?).await.map_err(Error::from)?;
    if sealed.is_empty() {
        return Ok(());
    }
    let master = master_key::existing(config, data_dir).await?;
    match opens(&sealed, &master) {
        Ok(()) => Ok(()),
        // The one that is to follow may be the one in use by now: opening decides.
        Err(_) if config.keys.new_master_key_file.is_some() || data_dir.is_in_use() => Ok(()),
        Err(fault) => Err(Failure::from(Error::Keys(fault))),
    }
}

/// Returns what this daemon calls itself towards the others.
pub(super) fn name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{host} (process {})", std::process::id())
}

/// True when other daemons may have the same store.
pub(super) fn is_shared(config: &Config) -> bool {
    matches!(config.store, Engine::Postgres(_))
}

/// Returns how long a request waits for whatever it needs of the store.
pub(super) fn patience(config: &Config) -> Duration {
    match &config.store {
        Engine::Postgres(database) => database.patience,
        Engine::Sled => Duration::ZERO, // nobody stands by
    }
}

/// Returns how the other daemons of the store are reached.
///
/// # Errors
/// [`Failure::Setting`]
pub(super) fn peers(config: &Config) -> Result<Peers, Failure> {
    match &config.store {
        Engine::Postgres(database) => Peers::new(database.advertise_root_file.as_deref(), config.limits.idle),
        Engine::Sled => Ok(Peers::none()),
    }
}

/// Says in the log when the other daemons of a database have no way to this one.
pub(super) fn say_where_it_is(config: &Config) {
    let Engine::Postgres(database) = &config.store else { return };
    match &database.advertise {
        Some(origin) => tracing::info!(origin, "other daemons of this database reach this one here"),
        None => tracing::warn!(
            "other daemons of this database cannot send requests on to this one: it listens everywhere, and store.advertise \
             does not say where it is"
        ),
    }
}

/// Reads what the settings name for the store, and opens nothing.
///
/// # Errors
/// [`Failure::Setting`].
pub(super) fn readable(config: &Config) -> Result<(), Failure> {
    if let Engine::Postgres(database) = &config.store {
        settings(database)?;
    }
    peers(config).map(drop)
}

fn settings(database: &Database) -> Result<PostgresSettings, Failure> {
    let password = match (secrets::read(secrets::STORE_PASSWORD)?, &database.password_file) {
        (Some(password), _) => Some(password),
        (None, Some(file)) => Some(input::text(Some(file), "the password of the database", MAX_PASSWORD)?),
        (None, None) => None,
    };
    Ok(PostgresSettings {
        url: database.url.clone(),
        password,
        tls: match database.tls {
            true => PostgresTls::Required { root_file: database.tls_root_file.clone() },
            false => PostgresTls::Off,
        },
        connections: database.connections,
        timeout: database.timeout,
        patience: database.patience,
        lease: database.lease,
        migrate: database.migrate,
        holder: name(),
        origin: None,
    })
}

fn migrate(options: &Options) -> Ended {
    runtime()?.block_on(async {
        let config = Config::load(options.config.as_deref(), &options.given)?;
        let Engine::Postgres(database) = &config.store else {
            return Err(Failure::Setting("store.engine is sled, which migrates at each start by itself".to_owned()));
        };
        let version = PostgresStore::migrate(&settings(database)?).await.map_err(Error::from)?;
        Ok(Said::new(format!("the tables have version {version}\n"), json!({ "version": version })))
    })
}

/// Writes a backup of a store that no daemon has open, after seeing that it holds its own newest list. A file that is not whole
/// does not stay.
fn export(args: &FileArgs) -> Ended {
    runtime()?.block_on(async {
        let config = Config::load(args.options.config.as_deref(), &args.options.given)?;
        let data_dir = DataDir::existing(&config.data_dir)?;
        let env = Env::system();
        let store = open(&config, &data_dir, &env, Waiting::Refuse).await?;
        let sealed = store.keys().await.map_err(Error::from)?;
        let (master, place) = master_key::master_key(&config, &data_dir, &env).await?;
        let master = place.fitting(master, &sealed)?;
        let written = match holds(store.as_ref()).await {
            Ok(()) => write(&args.file, &store, &env, &master).await,
            Err(failure) => Err(failure),
        };
        let closed = store.close().await.map_err(|error| Failure::from(Error::from(error)));
        written.and(closed)?;
        let file = args.file.display().to_string();
        Ok(Said::new(format!("everything is in {file}\n"), json!({ "file": file })))
    })
}

async fn write(path: &Path, store: &Arc<dyn Store>, env: &Env, master: &MasterKey) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Machine(format!("{} cannot be written: {error}", path.display()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = made.map_err(failed)?;
    let written = async {
        let mut backup = Backup::begin(Arc::clone(store), env, master)?;
        while let Some(piece) = backup.next().await? {
            file.write_all(&piece).map_err(failed)?;
        }
        file.sync_all().and_then(|()| sync_name(path)).map_err(failed)?;
        has_end(path)
    };
    let written = written.await;
    if written.is_err() {
        drop(remove_file(path));
    }
    written
}

/// Fills what the settings say keeps the rows, which must be empty, and checks what is in it then: as many rows of each kind as
/// the file says, and the newest list with the `id` it was signed with.
fn import(args: &FileArgs) -> Ended {
    runtime()?.block_on(async {
        let config = Config::load(args.options.config.as_deref(), &args.options.given)?;
        let data_dir = DataDir::prepare(&config.data_dir)?;
        let env = Env::system();
        let master = master_key::existing(&config, &data_dir).await?;
        let counts = match &config.store {
            Engine::Sled => {
                let folder = data_dir.store();
                if folder.symlink_metadata().is_ok() {
                    return Err(Failure::Setting(format!(
                        "{} is there already: nothing is overwritten",
                        folder.display()
                    )));
                }
                let store = Restoring::begin(&folder).map_err(Error::from)?;
                let counts = restored(backup::Into::Sled(store), &args.file, &master).await;
                counts.inspect_err(|_| drop(remove_dir_all(&folder)))? // half a store is none
            }
            Engine::Postgres(database) => {
                let settings = settings(database)?;
                let store = PostgresRestoring::begin(&settings, &env).await.map_err(Error::from)?;
                restored(backup::Into::Postgres(store), &args.file, &master).await?
            }
        };
        let store = open(&config, &data_dir, &env, Waiting::Refuse).await?;
        let held = holds(store.as_ref()).await;
        let closed = store.close().await.map_err(|error| Failure::from(Error::from(error)));
        held.and(closed)?;
        Ok(backup::said(&counts, "the store"))
    })
}

/// Takes the loss of damaged files as it is. Where a start is not refused nothing is done.
fn accept_damage(options: &Options) -> Ended {
    runtime()?.block_on(async {
        let config = Config::load(options.config.as_deref(), &options.given)?;
        if let Engine::Postgres(_) = &config.store {
            let reason = "store.engine is postgres: no start on it is refused for what its files lack";
            return Err(Failure::Setting(reason.to_owned()));
        }
        let folder = DataDir::existing(&config.data_dir)?.store();
        let store = spawn_blocking(move || SledStore::open(&folder)).await;
        let store = store.map_err(|_| Failure::Store("opening the store panicked".to_owned()))?.map_err(Error::from)?;
        let found = store.revocations().await.map_err(Error::from)?.damage;
        store.close().await.map_err(Error::from)?;
        let Some(found) = found else {
            let text = "the store is not known to lack anything: nothing was done\n".to_owned();
            return Ok(Said::new(text, json!({ "accepted": null })));
        };
        store.accept_damage().map_err(Error::from)?;
        let text = format!("{found}; that is accepted: the next start revokes every access token issued so far\n");
        Ok(Said::new(text, json!({ "accepted": &*found })))
    })
}

/// Checks that a store is not damaged, and that the revocations in it make the newest list that was published out of it.
async fn holds(store: &dyn Store) -> Result<(), Failure> {
    let publication = store.publication().await.map_err(Error::from)?;
    let revocations = lacks_nothing(store).await?;
    if holds_its_list(&revocations.entries, publication.as_ref())? {
        return Ok(());
    }
    let reason = "the revocations in the store do not make the newest list that was published: some are missing";
    Err(Failure::Store(reason.to_owned()))
}

/// Checks that a store is not known to have lost what was acknowledged: what is made of such a one would not tell. Returns its
/// revocations.
pub(super) async fn lacks_nothing(store: &dyn Store) -> Result<Revocations, Failure> {
    let revocations = store.revocations().await.map_err(Error::from)?;
    match revocations.damage.clone() {
        Some(found) => Err(Failure::from(Error::from(StoreError::Incomplete { found }))),
        None => Ok(revocations),
    }
}
