//! `countersign init`: a data folder, a master key and a settings file, and what to do next. It replaces nothing.

use super::data_dir::DataDir;
use super::said::{Ended, Said};
use super::{Failure, master_key, text};
use crate::config::{IssuerUrl, defaults};
use crate::env::Env;
use clap::Args;
use serde_json::json;
use std::fs::{OpenOptions, remove_file};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What is made, and where.
#[derive(Args)]
pub(super) struct Init {
    /// Folder of the store and the master key; made with mode 0700
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", default_value = "countersign-data", value_name = "FOLDER")]
    data_dir: PathBuf,
    /// Settings file to write, with every setting and its default as a comment
    #[arg(long, env = "COUNTERSIGN_CONFIG", default_value = "countersign.toml", value_name = "FILE")]
    config: PathBuf,
    /// URL that names this issuer in tokens and under which clients reach it [default: the address it listens on]
    #[arg(long, env = "COUNTERSIGN_ISSUER", value_name = "URL")]
    issuer: Option<String>,
}

/// Makes what a daemon needs that is not there already; nothing is made unless all of it can be.
///
/// # Errors
/// [`Failure::Setting`] when there is one of them already, or the issuer is none; [`Failure::Machine`].
pub(super) fn run(command: &Init) -> Ended {
    let issuer = command.issuer.as_deref().map(|issuer| IssuerUrl::parse(issuer, false)).transpose()?;
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|error| Failure::Setting(format!("{} is no path: {error}", path.display())))
    };
    let (folder, config) = (absolute(&command.data_dir)?, absolute(&command.config)?);
    let key_file = folder.join("master.key");
    for there in [&folder.join("store"), &key_file, &config] {
        if there.symlink_metadata().is_ok() {
            return Err(Failure::Setting(format!(
                "{} is there already, and nothing is overwritten: `countersign serve --config {}` starts with what is there",
                there.display(),
                text::quoted(&config.display().to_string())
            )));
        }
    }
    write_new(&config, &settings(&folder, issuer.as_ref()))?;
    // The key comes last: nobody misses settings that are taken back, and a key is never removed.
    let made = DataDir::prepare(&folder).and_then(|data_dir| master_key::ensure(&key_file, &data_dir, &Env::system()));
    made.inspect_err(|_| drop(remove_file(&config)))?;
    let start = format!("countersign serve --config {}", text::quoted(&config.display().to_string()));
    let said = format!(
        "made the data folder {folder}\nmade the master key   {key_file}\nmade the settings     {config}\n\n\
         Next:\n  1. keep a copy of the master key elsewhere: without it the store opens no more\n  2. {start}\n     \
         shows the secret of the client `admin` once, at its first start\n  3. COUNTERSIGN_CLIENT_SECRET=... countersign client list\n",
        folder = folder.display(),
        key_file = key_file.display(),
        config = config.display(),
    );
    let json = json!({"data_dir": folder, "master_key_file": key_file, "config": config, "next": start});
    Ok(Said::new(said, json))
}

/// Returns every setting as a comment with its default, but for the two that were given.
fn settings(data_dir: &Path, issuer: Option<&IssuerUrl>) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string(); // a basic string of TOML
    let given = [
        ("data_dir", Some(quoted(&data_dir.display().to_string()))),
        ("issuer", issuer.map(|issuer| quoted(issuer.as_str()))),
    ];
    let line = |line: &str| {
        let name = line.trim_start_matches("# ").split(" =").next().unwrap_or_default();
        let value =
            given.iter().find(|(known, _)| *known == name && line.contains(" =")).and_then(|(_, value)| value.clone());
        match value {
            Some(value) => format!("{name} = {value}\n"),
            None if line.is_empty() || line.starts_with(['#', '[']) => format!("{line}\n"),
            None => format!("# {line}\n"),
        }
    };
    defaults().lines().map(line).collect()
}

/// Writes a file that is not there; one that cannot be written whole does not stay.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Machine(format!("{} cannot be written: {error}", path.display()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(remove_file(path))).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Layer};

    #[test]
    fn the_settings_file_sets_what_was_given_and_nothing_else() {
        let parent = tempfile::tempdir().expect("a folder");
        let (file, folder) = (parent.path().join("countersign.toml"), parent.path().join("a \"b\" \\ c"));
        let issuer = IssuerUrl::parse("https://id.example.com", false).expect("an issuer");
        std::fs::write(&file, settings(&folder, Some(&issuer))).expect("written");
        let expected = Layer {
            data_dir: Some(folder.clone()),
            issuer: Some("https://id.example.com".to_owned()),
            ..Layer::default()
        };
        assert_eq!(Layer::read(&file), Ok(expected));
        assert_eq!(Config::load(Some(&file), &Layer::default()).expect("settings").data_dir, folder);
        let text = settings(&folder, None);
        for part in ["\n# listen = ", "\n[connections]\n", "\n# head_bytes = "] {
            assert!(text.contains(part), "{part}");
        }
    }
}
