//! `countersign key rewrap`: another master key.

use super::ask::Ask;
use super::data_dir::DataDir;
use super::reach::{Caller, Reach, Way, runtime};
use super::said::{Ended, Said};
use super::target::Target;
use super::{Failure, master_key, store};
use crate::audit::{Act, Event, Origin};
use crate::config::Config;
use crate::env::Env;
use crate::error::Error;
use crate::keys::{NewMasterKey as _, rewrapped};
use crate::store::Waiting;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Where the new master key is.
#[derive(Args)]
pub(super) struct Rewrap {
    /// File with the new master key: 32 random bytes in base64url, mode 0600; a daemon that runs looks for it where its
    /// settings say, beside the one in use with `.new` behind its name
    #[arg(long, value_name = "FILE")]
    new_master_key_file: Option<PathBuf>,
}

/// Seals every key under the new master key.
///
/// # Errors
/// [`Failure`]: every key is sealed as before, or all of them under the new master key.
pub(super) fn rewrap(reach: &Reach, args: &Rewrap) -> Ended {
    let file = args.new_master_key_file.as_deref();
    runtime()?.block_on(async {
        let opened = async |config: &Config, data_dir: &DataDir| stopped(config, data_dir, file).await;
        match reach.way(Caller::Client, opened).await? {
            Way::Opened(said) => Ok(said),
            Way::Remote(_) if file.is_some() => Err(Failure::Setting(
                "a daemon that runs finds the new master key itself, beside the one in use with `.new` behind its name: \
                 lay it there and leave out --new-master-key-file"
                    .to_owned(),
            )),
            Way::Remote(remote) => {
                let ask = Ask::post(&["v1", "keys", "rewrap"]).json(&json!({}));
                Ok(Said::object(Target::Remote(remote).ask(ask).await?))
            }
        }
    })
}

async fn stopped(config: &Config, data_dir: &DataDir, file: Option<&Path>) -> Ended {
    let env = Env::system();
    let store = store::open(config, data_dir, &env, Waiting::Refuse).await.map_err(in_use)?;
    let needed =
        || Failure::Setting("over a stopped store, --new-master-key-file must say where the key is".to_owned());
    let file = file.ok_or_else(needed)?;
    let new = master_key::from_file(file)?;
    let (master, place) = master_key::master_key(config, data_dir, &env).await?;
    let sealed = store.keys().await.map_err(Error::from)?;
    let master = place.fitting(master, &sealed)?;
    let rows = rewrapped(&sealed, &env, &master, &new)?;
    // From here on a start finds both: it opens the store whether or not the rows are replaced.
    place.prepare(file)?;
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

fn in_use(failure: Failure) -> Failure {
    match failure {
        Failure::InUse(_) => Failure::InUse(
            "a daemon runs on this store: lay the new key beside the one in use, with .new behind its name, and ask the \
             daemon with POST /v1/keys/rewrap"
                .to_owned(),
        ),
        other => other,
    }
}
