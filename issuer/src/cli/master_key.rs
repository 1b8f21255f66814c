//! The master key, under which private keys are encrypted at rest: from the environment, a command, or a file of its own.
//!
//! ```text
//! master.key       43 characters of base64url (32 bytes) and a line feed; mode 0600, not a symbolic link
//! master.key.new   the one that is to follow: `POST /v1/keys/rewrap` seals every key under it and puts it in the place
//!                  of the other. A start between the two finds the keys under the new one, and finishes that
//! ```

use super::Failure;
use super::data_dir::{DataDir, refuse_others, sync_name};
use super::secrets;
use crate::config::Config;
use crate::env::Env;
use crate::error::Error;
use crate::keys::{MasterKey, NewMasterKey, SealedKey, opens};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use std::fs::{File, OpenOptions, hard_link, remove_file, rename};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use zeroize::Zeroizing;

/// Bytes of a key file, or of what a command prints, that are read; a key has 44.
const MAX_FILE: u64 = 1024;
/// How long a command may take to print the key.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the master key is, and where the one that is to follow will be.
pub(super) struct Place {
    /// The file in use; none where the key comes from the environment or a command.
    file: Option<PathBuf>,
    new: PathBuf,
}

/// Returns the master key: of the environment, of the command, of the file, or a new one in a new file.
///
/// # Errors
/// [`Failure::Setting`] when a given key is none; [`Failure::Machine`] when the file or the command cannot be used, others
/// can read the file, or it is gone although the data folder is in use.
pub(super) async fn master_key(config: &Config, data_dir: &DataDir, env: &Env) -> Result<(MasterKey, Place), Failure> {
    let path = config.master_key_file.clone().unwrap_or_else(|| data_dir.master_key());
    let beside = || {
        let mut name = path.clone().into_os_string();
        name.push(".new");
        PathBuf::from(name)
    };
    let new = config.keys.new_master_key_file.clone().unwrap_or_else(beside);
    if let Some(key) = of_environment()? {
        return Ok((key, Place { file: None, new }));
    }
    if let Some((program, arguments)) = config.keys.master_key_command.split_first() {
        return Ok((printed(program, arguments).await?, Place { file: None, new }));
    }
    Ok((of_file(&path, data_dir, env)?, Place { file: Some(path), new }))
}

/// Returns the master key that is given, and never makes one.
///
/// # Errors
/// As [`master_key`], and [`Failure::Machine`] when there is none.
pub(super) async fn existing(config: &Config, data_dir: &DataDir) -> Result<MasterKey, Failure> {
    let elsewhere = secrets::is_set(secrets::MASTER_KEY) || !config.keys.master_key_command.is_empty();
    if elsewhere {
        return master_key(config, data_dir, &Env::system()).await.map(|(key, _)| key);
    }
    from_file(&config.master_key_file.clone().unwrap_or_else(|| data_dir.master_key()))
}

impl Place {
    /// Returns the key under which these stored keys are: `master`, or else the one that was to follow, which a process
    /// that ended too early has not put in its place yet.
    ///
    /// # Errors
    /// [`Failure::Machine`] when the other file cannot be used. Where no key fits, `master` is returned, and refused later.
    pub(super) fn fitting(&self, master: MasterKey, sealed: &[SealedKey]) -> Result<MasterKey, Failure> {
        if opens(sealed, &master).is_ok() || self.new.symlink_metadata().is_err() {
            return Ok(master);
        }
        let new = self.read().map_err(Failure::Machine)?;
        if opens(sealed, &new).is_err() {
            return Ok(master);
        }
        tracing::warn!("the keys are sealed under the new master key: a change of it was not finished, and is now");
        if let Err(reason) = self.install() {
            tracing::warn!(reason, "the new master key is in use");
        }
        Ok(new)
    }

    /// Lays the key in `file` where a start would look for the one that is to follow, unless it lies there.
    ///
    /// # Errors
    /// [`Failure::Machine`].
    pub(super) fn prepare(&self, file: &Path) -> Result<(), Failure> {
        let failed = |doing: &str, error: &io::Error| failed(&self.new, doing, error);
        if self.file.is_none() || file.canonicalize().ok() == self.new.canonicalize().ok() {
            return keep(file).map_err(|error| failed("cannot be synced", &error)); // whoever gives the key otherwise has both
        }
        let mut text = Zeroizing::new(String::new());
        let opened = opened(file).map_err(|error| failed("cannot be made", &error))?;
        opened.take(MAX_FILE).read_to_string(&mut text).map_err(|error| failed("cannot be made", &error))?;
        write_new(&self.new, &text).map_err(|error| failed("cannot be made", &error))
    }
}

impl NewMasterKey for Place {
    fn read(&self) -> Result<MasterKey, String> {
        let key = from_file(&self.new).map_err(|failure| failure.to_string())?;
        keep(&self.new).map_err(|error| failed(&self.new, "cannot be synced", &error).to_string())?;
        Ok(key)
    }

    fn install(&self) -> Result<(), String> {
        let Some(file) = &self.file else {
            return Err(format!(
                "the master key does not come from a file: give the one in {} in its place, and keep that file until then",
                self.new.display()
            ));
        };
        let placed = rename(&self.new, file).and_then(|()| sync_name(file));
        placed.map_err(|error| failed(file, "cannot be replaced", &error).to_string())
    }
}

/// Returns the master key in a file that must be there.
///
/// # Errors
/// [`Failure::Machine`], with the reason.
pub(super) fn from_file(path: &Path) -> Result<MasterKey, Failure> {
    let file = opened(path).map_err(|error| failed(path, "cannot be opened", &error))?;
    read(path, file, &|doing, error| failed(path, doing, error))
}

/// Lets a file that somebody else has laid there survive a power cut: every key is sealed under it next.
fn keep(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    sync_name(path)
}

/// Makes sure that there is a master key: the one of the environment, the one in the file, or a new one in a new file.
///
/// # Errors
/// As [`master_key`].
pub(super) fn ensure(path: &Path, data_dir: &DataDir, env: &Env) -> Result<(), Failure> {
    match of_environment()? {
        Some(_) => Ok(()),
        None => of_file(path, data_dir, env).map(drop),
    }
}

/// Returns the master key of the environment, where there is one.
///
/// # Errors
/// [`Failure::Setting`] when it is none.
pub(super) fn of_environment() -> Result<Option<MasterKey>, Failure> {
    let none = || Failure::Setting(format!("{} is not 32 bytes in base64url", secrets::MASTER_KEY));
    secrets::read(secrets::MASTER_KEY)?.map(|text| decode(&text).ok_or_else(none)).transpose()
}

fn of_file(path: &Path, data_dir: &DataDir, env: &Env) -> Result<MasterKey, Failure> {
    let failed = |doing: &str, error: &io::Error| failed(path, doing, error);
    match opened(path) {
        Ok(file) => read(path, file, &failed),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("cannot be opened", &error)),
        Err(_) if data_dir.is_in_use() => Err(Failure::Machine(format!(
            "the master key file {} is gone, and the keys in the store open with no other: bring it back from where you keep it",
            path.display()
        ))),
        Err(_) => make(path, env, &failed),
    }
}

/// Opens a file that is no symbolic link: what it points to could be exchanged by whoever may write there.
fn opened(path: &Path) -> io::Result<File> {
    if path.symlink_metadata()?.file_type().is_symlink() {
        return Err(io::Error::other("it is a symbolic link; name the file itself"));
    }
    File::open(path)
}

fn failed(path: &Path, doing: &str, error: &io::Error) -> Failure {
    Failure::Machine(format!("the master key file {} {doing}: {error}", path.display()))
}

/// Returns the key that a program prints. It is run without a shell, and its errors go to where ours go.
async fn printed(program: &str, arguments: &[String]) -> Result<MasterKey, Failure> {
    let failed = |reason: String| Failure::Machine(format!("the master key command {program} {reason}"));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(format!("cannot be run: {error}")))?;
    let stdout = child.stdout.take();
    let ended = async {
        let mut text = Zeroizing::new(String::new());
        if let Some(stdout) = stdout {
            stdout.take(MAX_FILE).read_to_string(&mut text).await?;
        }
        Ok::<_, io::Error>((text, child.wait().await?))
    };
    match tokio::time::timeout(PATIENCE, ended).await {
        Err(_) => Err(failed(format!("has not ended after {} s", PATIENCE.as_secs()))),
        Ok(Err(error)) => Err(failed(format!("prints nothing that can be read: {error}"))),
        Ok(Ok((_, status))) if !status.success() => Err(failed(format!("failed: {status}"))),
        Ok(Ok((text, _))) => decode(text.trim_end_matches(['\r', '\n']))
            .ok_or_else(|| failed("does not print 32 bytes in base64url".to_owned())),
    }
}

fn read(path: &Path, file: File, failed: &dyn Fn(&str, &io::Error) -> Failure) -> Result<MasterKey, Failure> {
    let unreadable = |error| failed("cannot be read", &error);
    let metadata = file.metadata().map_err(unreadable)?;
    refuse_others("master key file", path, &metadata, 0o600)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default(); // what is no text is no key either
    decode(text.trim_end_matches(['\r', '\n'])).ok_or_else(|| {
        Failure::Machine(format!(
            "the master key file {} does not hold 32 bytes in base64url: bring it back from where you keep it",
            path.display()
        ))
    })
}

/// Draws a key and keeps it; the file has its name only once it is whole on disk.
fn make(path: &Path, env: &Env, failed: &dyn Fn(&str, &io::Error) -> Failure) -> Result<MasterKey, Failure> {
    let (key, bytes) = MasterKey::generate(env).map_err(Error::from)?;
    let text = Zeroizing::new(format!("{}\n", Base64UrlUnpadded::encode_string(bytes.as_slice())));
    write_new(path, &text).map_err(|error| failed("cannot be made", &error))?;
    // One that nobody expected means that another data folder is in use than was meant.
    tracing::warn!(
        "made a master key at {}: keep a copy of it elsewhere, the store opens with no other",
        path.display()
    );
    Ok(key)
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    hard_link(&draft, path)?; // fails when another process was first, where a rename would replace its key
    remove_file(&draft)?;
    sync_name(path)
}

fn decode(text: &str) -> Option<MasterKey> {
    let mut bytes = Zeroizing::new([0; MasterKey::LEN]);
    let decoded = Base64UrlUnpadded::decode(text, bytes.as_mut_slice()).ok()?;
    (decoded.len() == MasterKey::LEN).then(|| MasterKey::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use token::time::UnixTime;

    fn prepared() -> (tempfile::TempDir, DataDir, Env) {
        let parent = tempfile::tempdir().expect("a folder");
        let data_dir = DataDir::prepare(&parent.path().join("data")).expect("prepared");
        (parent, data_dir, Env::fixed(UnixTime::MIN, 1).0)
    }

    fn refused(data_dir: &DataDir, env: &Env) -> String {
        of_file(&data_dir.master_key(), data_dir, env).err().expect("refused").to_string()
    }

    #[test]
    fn a_key_is_made_once_for_the_owner_alone_and_read_again() {
        let (_parent, data_dir, env) = prepared();
        of_file(&data_dir.master_key(), &data_dir, &env).expect("made");
        let path = data_dir.master_key();
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        let made = std::fs::read_to_string(&path).expect("readable");
        assert_eq!(made.len(), 44);
        of_file(&data_dir.master_key(), &data_dir, &env).expect("read");
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), made);
        assert!(!path.with_extension("draft").exists());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_cure() {
        let (_parent, data_dir, env) = prepared();
        of_file(&data_dir.master_key(), &data_dir, &env).expect("made");
        set_permissions(data_dir.master_key(), Permissions::from_mode(0o640)).expect("changed");
        assert!(refused(&data_dir, &env).contains("chmod 600"));
    }

    #[test]
    fn a_damaged_key_is_refused_without_being_quoted() {
        let (_parent, data_dir, env) = prepared();
        of_file(&data_dir.master_key(), &data_dir, &env).expect("made");
        let good = std::fs::read_to_string(data_dir.master_key()).expect("readable");
        let (padded, twice) = (good.replace('\n', "=\n"), format!("{good}{good}"));
        for damaged in ["", "\n", good.get(1..).expect("ascii"), &padded, &twice, "!!!!"]
            .map(str::as_bytes)
            .into_iter()
            .chain([&[0xff; 44][..]])
        {
            std::fs::write(data_dir.master_key(), damaged).expect("written");
            let failure = refused(&data_dir, &env);
            assert!(failure.contains("does not hold 32 bytes in base64url: bring it back"), "{failure}");
        }
    }

    #[test]
    fn a_key_that_is_gone_is_not_replaced_when_there_is_a_store() {
        let (_parent, data_dir, env) = prepared();
        std::fs::create_dir(data_dir.store()).expect("made");
        assert!(refused(&data_dir, &env).contains("is gone"));
        assert!(!data_dir.master_key().exists());
    }

    #[test]
    fn a_draft_that_a_crash_left_behind_is_no_key() {
        let (_parent, data_dir, env) = prepared();
        std::fs::write(data_dir.master_key().with_extension("draft"), "half").expect("written");
        of_file(&data_dir.master_key(), &data_dir, &env).expect("made");
        assert_eq!(std::fs::read_to_string(data_dir.master_key()).expect("readable").len(), 44);
    }
}
