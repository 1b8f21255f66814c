//! `countersign keys`: the signing keys of a daemon that is not running.

use super::data_dir::DataDir;
use super::said::{Ended, Said};
use super::{Failure, Options, master_key};
use crate::audit::{Act, Event, Origin};
use crate::config::Config;
use crate::env::Env;
use crate::error::Error;
use crate::keys::{NewMasterKey as _, rewrapped};
use crate::store::{self, StoreError};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// What can be done with the keys.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Seal every key under another master key and put it in the place of the one in use
    Rewrap(RewrapArgs),
}

#[derive(Args)]
pub(super) struct RewrapArgs {
    #[command(flatten)]
    options: Options,
    /// File with the new master key: 32 random bytes in base64url, mode 0600
    #[arg(long, value_name = "FILE")]
    new_master_key_file: PathBuf,
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure`]: every key is sealed as before, or all of them under the new master key.
pub(super) fn run(command: &Command) -> Ended {
    let Command::Rewrap(args) = command;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Machine(format!("nothing can be waited for: {error}")))?;
    runtime.block_on(rewrap(args))
}

async fn rewrap(args: &RewrapArgs) -> Ended {
    let config = Config::load(args.options.config.as_deref(), &args.options.given)?;
    let env = Env::system();
    let data_dir = DataDir::prepare(&config.data_dir)?;
    if !data_dir.is_in_use() {
        return Err(Failure::Setting(format!("there is no store in {}", config.data_dir.display())));
    }
    let new = master_key::from_file(&args.new_master_key_file)?;
    let store = store::open(&data_dir.store()).map_err(in_use)?;
    let (master, place) = master_key::master_key(&config, &data_dir, &env).await?;
    let sealed = store.keys().await.map_err(Error::from)?;
    let master = place.fitting(master, &sealed)?;
    let rows = rewrapped(&sealed, &env, &master, &new)?;
    // From here on a start finds both: it opens the store whether or not the rows are replaced.
    place.prepare(&args.new_master_key_file)?;
    let event = Event::new(Act::MasterKeyReplaced, &Origin::internal(), env.now());
    let keys = rows.len();
    store.put_keys(rows, vec![event]).await.map_err(Error::from)?;
    store.close().await.map_err(Error::from)?;
    let placed = place.install();
    let installed = placed.is_ok();
    let told = placed.err().unwrap_or_else(|| "it is in its place".to_owned());
    let text = format!("{keys} keys are sealed under the new master key; {told}\n");
    Ok(Said::new(text, json!({"keys": keys, "installed": installed})))
}

fn in_use(error: StoreError) -> Failure {
    match error {
        StoreError::InUse { .. } => Failure::InUse(
            "a daemon runs on this store: lay the new key beside the one in use, with .new behind its name, and ask the \
             daemon with POST /v1/keys/rewrap"
                .to_owned(),
        ),
        other => Failure::from(Error::from(other)),
    }
}
