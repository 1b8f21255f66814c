//! The master key, under which private keys are encrypted at rest: from the environment or from a file of its own.
//!
//! ```text
//! master.key = 43 characters of base64url (32 bytes) and a line feed; mode 0600
//! ```

use super::Failure;
use super::data_dir::{DataDir, refuse_others};
use super::secrets;
use crate::env::Env;
use crate::error::Error;
use crate::keys::MasterKey;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use std::fs::{File, OpenOptions, hard_link, remove_file};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of a key file that are read; a key has 44.
const MAX_FILE: u64 = 1024;

/// Returns the master key: of the environment, of the file, or a new one in a new file.
///
/// # Errors
/// [`Failure::Setting`] when a given key is none; [`Failure::Machine`] when the file cannot be used, others can read it,
/// or it is gone although the data folder is in use.
pub(super) fn master_key(file: Option<&Path>, data_dir: &DataDir, env: &Env) -> Result<MasterKey, Failure> {
    if let Some(text) = secrets::read(secrets::MASTER_KEY)? {
        return decode(&text)
            .ok_or_else(|| Failure::Setting(format!("{} is not 32 bytes in base64url", secrets::MASTER_KEY)));
    }
    let path = file.map_or_else(|| data_dir.master_key(), PathBuf::from);
    let failed = |doing: &str, error: &io::Error| {
        Failure::Machine(format!("the master key file {} {doing}: {error}", path.display()))
    };
    match File::open(&path) {
        Ok(file) => read(&path, file, &failed),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("cannot be opened", &error)),
        Err(_) if data_dir.is_in_use() => Err(Failure::Machine(format!(
            "the master key file {} is gone, and the keys in the store open with no other: bring it back from where you keep it",
            path.display()
        ))),
        Err(_) => make(&path, env, &failed),
    }
}

fn read(path: &Path, file: File, failed: &dyn Fn(&str, &io::Error) -> Failure) -> Result<MasterKey, Failure> {
    let unreadable = |error| failed("cannot be read", &error);
    let metadata = file.metadata().map_err(unreadable)?;
    refuse_others("master key file", path, &metadata, 0o600)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_FILE).read_to_string(&mut text).map_err(unreadable)?;
    decode(text.trim_end_matches(['\r', '\n'])).ok_or_else(|| {
        Failure::Machine(format!("the master key file {} does not hold 32 bytes in base64url", path.display()))
    })
}

/// Draws a key and keeps it; the file has its name only once it is whole on disk.
fn make(path: &Path, env: &Env, failed: &dyn Fn(&str, &io::Error) -> Failure) -> Result<MasterKey, Failure> {
    let (key, bytes) = MasterKey::generate(env).map_err(Error::from)?;
    let text = Zeroizing::new(format!("{}\n", Base64UrlUnpadded::encode_string(bytes.as_slice())));
    let draft = path.with_extension("draft");
    let written = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        hard_link(&draft, path)?; // fails when another process was first, where a rename would replace its key
        remove_file(&draft)?;
        File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
    };
    written().map_err(|error| failed("cannot be made", &error))?;
    Ok(key)
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
        master_key(None, data_dir, env).err().expect("refused").to_string()
    }

    #[test]
    fn a_key_is_made_once_for_the_owner_alone_and_read_again() {
        let (_parent, data_dir, env) = prepared();
        master_key(None, &data_dir, &env).expect("made");
        let path = data_dir.master_key();
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        let made = std::fs::read_to_string(&path).expect("readable");
        assert_eq!(made.len(), 44);
        master_key(None, &data_dir, &env).expect("read");
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), made);
        assert!(!path.with_extension("draft").exists());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_cure() {
        let (_parent, data_dir, env) = prepared();
        master_key(None, &data_dir, &env).expect("made");
        set_permissions(data_dir.master_key(), Permissions::from_mode(0o640)).expect("changed");
        assert!(refused(&data_dir, &env).contains("chmod 600"));
    }

    #[test]
    fn a_damaged_key_is_refused_without_being_quoted() {
        let (_parent, data_dir, env) = prepared();
        master_key(None, &data_dir, &env).expect("made");
        let good = std::fs::read_to_string(data_dir.master_key()).expect("readable");
        for damaged in
            ["", "\n", good.get(1..).expect("ascii"), &good.replace('\n', "=\n"), &format!("{good}{good}"), "!!!!"]
        {
            std::fs::write(data_dir.master_key(), damaged).expect("written");
            let failure = refused(&data_dir, &env);
            assert!(failure.ends_with("does not hold 32 bytes in base64url"), "{failure}");
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
        master_key(None, &data_dir, &env).expect("made");
        assert_eq!(std::fs::read_to_string(data_dir.master_key()).expect("readable").len(), 44);
    }
}
