//! `countersign backup` and `countersign restore`: everything into one encrypted file, and a new data folder out of it.

use super::data_dir::DataDir;
use super::said::{Ended, Said};
use super::{Failure, Options, master_key};
use crate::backup::{BackupFault, Counts, HEADER, LENGTH, Length, Opener};
use crate::config::Config;
use crate::env::Env;
use crate::error::Error;
use crate::operations::Backup;
use crate::store::{self, Restoring, StoreError};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, remove_dir_all};
use std::io::{self, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What is said of each kind of row; rows that follow from others are not in a backup.
const KINDS: [(u8, &str); 5] =
    [(b's', "sessions"), (b'y', "users"), (b'c', "clients"), (b'k', "keys"), (b'r', "revocations")];

#[derive(Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    options: Options,
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

/// Writes a backup of a store that no daemon has open.
///
/// # Errors
/// [`Failure`]: the file is not there, or has no end and is refused.
pub(super) fn backup(args: &BackupArgs) -> Ended {
    runtime()?.block_on(async {
        let config = Config::load(args.options.config.as_deref(), &args.options.given)?;
        let (env, data_dir) = (Env::system(), DataDir::prepare(&config.data_dir)?);
        if !data_dir.is_in_use() {
            return Err(Failure::Setting(format!("there is no store in {}", config.data_dir.display())));
        }
        let store = store::open(&data_dir.store()).map_err(in_use)?;
        let (master, place) = master_key::master_key(&config, &data_dir, &env).await?;
        let sealed = store.keys().await.map_err(Error::from)?;
        let master = place.fitting(master, &sealed)?;
        let mut backup = Backup::begin(store.clone(), &env, &master)?;
        let failed = |error: io::Error| Failure::Machine(format!("{} cannot be written: {error}", args.out.display()));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.out);
        let mut file = made.map_err(failed)?;
        while let Some(piece) = backup.next().await? {
            file.write_all(&piece).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        store.close().await.map_err(Error::from)?;
        let file = args.out.display().to_string();
        Ok(Said::new(format!("the backup is in {file}\n"), json!({ "file": file })))
    })
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
        let data_dir = DataDir::prepare(&config.data_dir)?;
        let failed = |fault: &dyn std::fmt::Display| Failure::Machine(format!("{}: {fault}", args.from.display()));
        let file = File::open(&args.from).map_err(|error| failed(&error))?;
        let master = master_key::existing(&config, &data_dir).await?;
        let folder = data_dir.store();
        let restored = into(&folder, BufReader::new(file), &master);
        let counts = restored.map_err(|fault| {
            drop(remove_dir_all(&folder)); // half a store is none; the folder was empty before
            match fault {
                Fault::Backup(fault) => failed(&fault),
                Fault::Io(error) => failed(&error),
                Fault::Store(error) => Failure::from(Error::from(error)),
            }
        })?;
        let numbers = KINDS.iter().map(|(kind, name)| (*name, counts.get(kind).copied().unwrap_or_default()));
        let restored: BTreeMap<&str, u64> = numbers.collect();
        Ok(Said::new(told(&counts, &config.data_dir), json!({ "restored": restored })))
    })
}

enum Fault {
    Backup(BackupFault),
    Io(io::Error),
    Store(StoreError),
}

/// Fills a new store, and checks that it holds what the backup says.
fn into(folder: &Path, mut file: impl io::Read, master: &crate::keys::MasterKey) -> Result<Counts, Fault> {
    let mut header = [0; HEADER];
    exact(&mut file, &mut header)?;
    let mut opener = Opener::begin(&header, master).map_err(Fault::Backup)?;
    let mut store = Restoring::begin(folder).map_err(Fault::Store)?;
    loop {
        let mut length = [0; LENGTH];
        exact(&mut file, &mut length)?;
        let Length { bytes, last } = Opener::length(length).map_err(Fault::Backup)?;
        let mut sealed = vec![0; bytes];
        exact(&mut file, &mut sealed)?;
        if last {
            let counts = opener.end(&sealed).map_err(Fault::Backup)?;
            let held = store.finish().map_err(Fault::Store)?;
            let whole = KINDS.iter().all(|(kind, _)| held.get(kind) == counts.get(kind));
            let nothing_follows = file.read(&mut [0]).map_err(Fault::Io)? == 0;
            return if whole && nothing_follows { Ok(counts) } else { Err(Fault::Backup(BackupFault::Counts)) };
        }
        store.take(opener.frame(&sealed).map_err(Fault::Backup)?).map_err(Fault::Store)?;
    }
}

fn exact(file: &mut impl io::Read, bytes: &mut [u8]) -> Result<(), Fault> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Backup(BackupFault::Cut),
        _ => Fault::Io(error),
    })
}

fn told(counts: &Counts, folder: &Path) -> String {
    let count = |(kind, name): &(u8, &str)| format!("{} {name}", counts.get(kind).copied().unwrap_or_default());
    let counted: Vec<String> = KINDS.iter().map(count).collect();
    format!(
        "restored {} into {}\n\
         At its first start the daemon revokes every access token issued so far: clients refresh once, nobody logs in again.\n\
         What was done after the backup was made is forgotten: sessions, keys and clients that were ended, withdrawn or \
         removed since are alive again, and have to be ended again.\n",
        counted.join(", "),
        folder.display()
    )
}

fn in_use(error: StoreError) -> Failure {
    match error {
        StoreError::InUse { .. } => Failure::InUse(
            "a daemon runs on this store: ask it for a backup with POST /v1/backup, as an administrator".to_owned(),
        ),
        other => Failure::from(Error::from(other)),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Machine(format!("nothing can be waited for: {error}")))
}
