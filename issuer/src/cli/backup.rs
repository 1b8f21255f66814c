//! `countersign backup` and `countersign restore`: everything into one encrypted file, and a new data folder out of it.

use super::ask::Ask;
use super::data_dir::{DataDir, sync_name};
use super::reach::{Caller, Reach, Way, runtime};
use super::said::{Ended, Said};
use super::target::Target;
use super::{Failure, Options, master_key, store};
use crate::backup::{BackupFault, Counts, HEADER, LENGTH, Length, Opener};
use crate::config::{Config, Engine};
use crate::env::Env;
use crate::error::Error;
use crate::keys::MasterKey;
use crate::operations::Backup;
use crate::store::{PostgresRestoring, Restoring, Row, Store, StoreError, Waiting};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, remove_dir_all, remove_file};
use std::io::{self, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const USERS: u8 = b'y';
/// What is said of each kind of row; rows that follow from others are not in a backup.
const KINDS: [(u8, &str); 5] =
    [(b's', "sessions"), (USERS, "users"), (b'c', "clients"), (b'k', "keys"), (b'r', "revocations")];

#[derive(Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    reach: Reach,
    /// File to make; it must not be there
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    options: Options,
    /// Backup to read
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

/// Writes a backup of a daemon that runs, or of a store that none has open. A file that is not whole does not stay.
///
/// # Errors
/// [`Failure`]: the file is not there.
pub(super) fn backup(args: &BackupArgs) -> Ended {
    runtime()?.block_on(async {
        let way = args.reach.way(Caller::Client, begun).await?;
        let failed = |error: io::Error| Failure::Machine(format!("{} cannot be written: {error}", args.out.display()));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.out);
        let mut file = made.map_err(failed)?;
        let mut write = |piece: &[u8]| file.write_all(piece).map_err(failed);
        let written = match way {
            Way::Remote(remote) => {
                let ask = Ask::post(&["v1", "backup"]).json(&json!({}));
                Target::Remote(remote).pour(&ask, write).await
            }
            Way::Opened((store, mut backup)) => {
                let written = async {
                    while let Some(piece) = backup.next().await? {
                        write(&piece)?;
                    }
                    Ok(())
                };
                let written = written.await;
                drop(backup);
                written.and(store.close().await.map_err(|error| Failure::from(Error::from(error))))
            }
        };
        let synced = || file.sync_all().and_then(|()| sync_name(&args.out)).map_err(failed);
        let kept = written.and_then(|()| synced()).and_then(|()| has_end(&args.out));
        if let Err(failure) = kept {
            drop(remove_file(&args.out));
            return Err(failure);
        }
        let file = args.out.display().to_string();
        Ok(Said::new(format!("the backup is in {file}\n"), json!({ "file": file })))
    })
}

/// Begins a backup of a store that this process opens.
async fn begun(config: &Config, data_dir: &DataDir) -> Result<(Arc<dyn Store>, Backup), Failure> {
    let env = Env::system();
    let store = store::open(config, data_dir, &env, Waiting::Refuse).await.map_err(in_use)?;
    store::lacks_nothing(store.as_ref()).await?; // before a master key is made for what nobody starts on
    let (master, place) = master_key::master_key(config, data_dir, &env).await?;
    let sealed = store.keys().await.map_err(Error::from)?;
    let master = place.fitting(master, &sealed)?;
    let backup = Backup::begin(Arc::clone(&store), &env, &master)?;
    Ok((store, backup))
}

/// Checks that a backup goes on to its end mark, which one that could not be made whole does not have. Whether it is what was
/// written only the master key can tell.
pub(super) fn has_end(path: &Path) -> Result<(), Failure> {
    let failed = |fault: &dyn std::fmt::Display| Failure::Machine(format!("{}: {fault}", path.display()));
    let mut file = BufReader::new(File::open(path).map_err(|error| failed(&error))?);
    let cut = || failed(&"the backup did not arrive whole, and is not kept: the daemon's log says why");
    file.read_exact(&mut [0; HEADER]).map_err(|_| cut())?;
    loop {
        let mut length = [0; LENGTH];
        file.read_exact(&mut length).map_err(|_| cut())?;
        let Length { bytes, last } = Opener::length(length).map_err(|fault| failed(&fault))?;
        file.read_exact(&mut vec![0; bytes]).map_err(|_| cut())?;
        if last {
            let follows = file.read(&mut [0]).map_err(|error| failed(&error))? > 0;
            return if follows { Err(failed(&"something follows the end of the backup")) } else { Ok(()) };
        }
    }
}

/// Makes a data folder out of a backup.
///
/// # Errors
/// [`Failure`]: there is no store in the folder.
pub(super) fn restore(args: &RestoreArgs) -> Ended {
    runtime()?.block_on(async {
        let config = Config::load(args.options.config.as_deref(), &args.options.given)?;
        let mut entries = match std::fs::read_dir(&config.data_dir) {
            Ok(entries) => Some(entries),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::Machine(format!("{}: {error}", config.data_dir.display()))),
        };
        let given = config.master_key_file.clone().unwrap_or_else(|| config.data_dir.join("master.key"));
        let is_foreign = |entry: io::Result<std::fs::DirEntry>| entry.map_or(true, |entry| entry.path() != given);
        if entries.as_mut().is_some_and(|entries| entries.any(is_foreign)) {
            let reason = format!("{} is not empty: restore into a new folder", config.data_dir.display());
            return Err(Failure::Setting(reason));
        }
        if config.store != Engine::Sled {
            let reason = "restores into files only: `countersign store import` fills a database";
            return Err(Failure::Setting(reason.to_owned()));
        }
        let data_dir = DataDir::prepare(&config.data_dir)?;
        File::open(&args.from).map_err(|error| Failure::Machine(format!("{}: {error}", args.from.display())))?;
        let master = master_key::existing(&config, &data_dir).await?;
        let folder = data_dir.store();
        let store = Restoring::begin(&folder).map_err(Error::from)?;
        let counts = restored(Into::Sled(store), &args.from, &master).await;
        let counts = counts.inspect_err(|_| drop(remove_dir_all(&folder)))?; // half a store is none; it was empty before
        Ok(said(&counts, &config.data_dir.display().to_string()))
    })
}

/// Returns what is said of a store that was filled.
pub(super) fn said(counts: &Counts, place: &str) -> Said {
    let restored: BTreeMap<&str, u64> = KINDS.iter().map(|(kind, name)| (*name, number(counts, *kind))).collect();
    Said::new(told(counts, place), json!({ "restored": restored }))
}

enum Fault {
    Backup(BackupFault),
    Io(io::Error),
    Store(StoreError),
}

/// A new store that is being filled, of either engine.
pub(super) enum Into {
    Sled(Restoring),
    Postgres(PostgresRestoring),
}

impl Into {
    async fn take(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        match self {
            Self::Sled(store) => store.take(rows),
            Self::Postgres(store) => store.take(rows).await,
        }
    }

    /// Ends the filling where the store holds what the backup says; returns whether it does. One that does not is not opened.
    async fn finish(self, counts: &Counts) -> Result<bool, StoreError> {
        let holds = |held: &Counts| KINDS.iter().all(|(kind, _)| held.get(kind) == counts.get(kind));
        match self {
            Self::Sled(store) => store.finish(holds),
            Self::Postgres(store) => store.finish(holds).await,
        }
    }

    async fn give_up(self) {
        match self {
            Self::Sled(_) => {} // its folder is removed
            Self::Postgres(store) => store.give_up().await,
        }
    }
}

/// Fills a new store out of a file, and returns how many rows of each kind it holds.
///
/// # Errors
/// [`Failure`]: the store is not whole.
pub(super) async fn restored(store: Into, path: &Path, master: &MasterKey) -> Result<Counts, Failure> {
    let failed = |fault: &dyn std::fmt::Display| Failure::Machine(format!("{}: {fault}", path.display()));
    let file = File::open(path).map_err(|error| failed(&error))?;
    into(store, BufReader::new(file), master).await.map_err(|fault| match fault {
        Fault::Backup(fault) => failed(&fault),
        Fault::Io(error) => failed(&error),
        Fault::Store(error) => Failure::from(Error::from(error)),
    })
}

/// Fills a new store, and checks that it holds what the backup says before anybody opens it.
async fn into(mut store: Into, file: impl io::Read, master: &MasterKey) -> Result<Counts, Fault> {
    match filled(&mut store, file, master).await {
        Ok(counts) => match store.finish(&counts).await.map_err(Fault::Store)? {
            true => Ok(counts),
            false => Err(Fault::Backup(BackupFault::Counts)),
        },
        Err(fault) => {
            store.give_up().await;
            Err(fault)
        }
    }
}

async fn filled(store: &mut Into, mut file: impl io::Read, master: &MasterKey) -> Result<Counts, Fault> {
    let mut header = [0; HEADER];
    exact(&mut file, &mut header)?;
    let mut opener = Opener::begin(&header, master).map_err(Fault::Backup)?;
    loop {
        let mut length = [0; LENGTH];
        exact(&mut file, &mut length)?;
        let Length { bytes, last } = Opener::length(length).map_err(Fault::Backup)?;
        let mut sealed = vec![0; bytes];
        exact(&mut file, &mut sealed)?;
        if last {
            let counts = opener.end(&sealed).map_err(Fault::Backup)?;
            let nothing_follows = file.read(&mut [0]).map_err(Fault::Io)? == 0;
            return if nothing_follows { Ok(counts) } else { Err(Fault::Backup(BackupFault::Counts)) };
        }
        store.take(opener.frame(&sealed).map_err(Fault::Backup)?).await.map_err(Fault::Store)?;
    }
}

fn exact(file: &mut impl io::Read, bytes: &mut [u8]) -> Result<(), Fault> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Backup(BackupFault::Cut),
        _ => Fault::Io(error),
    })
}

fn told(counts: &Counts, place: &str) -> String {
    let count = |(kind, name): &(u8, &str)| format!("{} {name}", number(counts, *kind));
    let counted: Vec<String> = KINDS.iter().map(count).collect();
    format!(
        "restored {} into {}\n\
         At its first start the daemon revokes every access token issued so far: clients refresh once, nobody logs in again.\n\
         What was done after the backup was made is forgotten: sessions, keys and clients that were ended, withdrawn or \
         removed since are alive again, and have to be ended again.\n",
        counted.join(", "),
        place
    )
}

/// Returns how many there are of a kind. One row of users is nobody's: logins with a name that does not exist work on it.
fn number(counts: &Counts, kind: u8) -> u64 {
    let rows = counts.get(&kind).copied().unwrap_or_default();
    if kind == USERS { rows.saturating_sub(1) } else { rows }
}

fn in_use(failure: Failure) -> Failure {
    match failure {
        Failure::InUse(_) => {
            Failure::InUse("a daemon runs on this store: ask it for the backup with --url (POST /v1/backup)".to_owned())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_ends_before_its_end_mark_or_behind_it_is_no_backup() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("backup");
        let judged = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            has_end(&path)
        };
        let frames = [&[0, 0, 0, 3][..], b"abc", &[0, 0, 0, 0], &[0x80, 0, 0, 2], b"de"].concat();
        let whole = [vec![0; HEADER], frames].concat();
        assert!(judged(&whole).is_ok());
        for cut in 0..whole.len() {
            assert!(judged(&whole[..cut]).is_err(), "{cut} bytes");
        }
        assert!(judged(&[&whole[..], &[0]].concat()).is_err());
        assert!(judged(&[vec![0; HEADER], vec![0x7f, 0xff, 0xff, 0xff]].concat()).is_err());
    }
}
