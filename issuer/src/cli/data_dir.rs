//! The data folder: made when missing, refused when others on this machine can read it.

use super::{Failure, secrets};
use std::fs::{DirBuilder, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The folder with everything the daemon keeps; its mode is 0700.
pub(super) struct DataDir(PathBuf);

impl DataDir {
    /// Makes `path` unless it is there, and checks that it is the owner's alone.
    ///
    /// # Errors
    /// [`Failure::Machine`] when it cannot be made, is no folder, or others can reach into it.
    pub(super) fn prepare(path: &Path) -> Result<Self, Failure> {
        let unusable = |error| Failure::Machine(format!("the data folder {} cannot be used: {error}", path.display()));
        let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let new = path.ancestors().take_while(is_new).count();
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        // One that was there may have been made by a start that the power ended before its name was synced.
        path.ancestors().take(new.max(1)).try_for_each(sync_name).map_err(unusable)?;
        let metadata = path.metadata().map_err(unusable)?;
        refuse_others("data folder", path, &metadata, 0o700)?;
        Ok(Self(path.to_owned()))
    }

    /// Returns the folder of a daemon that has run before; it makes none.
    ///
    /// # Errors
    /// [`Failure::Setting`] when there is none.
    pub(super) fn existing(path: &Path) -> Result<Self, Failure> {
        let data_dir = Self(path.to_owned());
        let none = || {
            Failure::Setting(format!(
                "there is no store in the data folder {}: `countersign serve` makes one at its first start",
                path.display()
            ))
        };
        data_dir.is_in_use().then_some(data_dir).ok_or_else(none)
    }

    /// Returns where the store keeps its files.
    pub(super) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Returns where a daemon keeps what it must know when everything else is in a database.
    pub(super) fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// Returns where the master key is unless a setting says otherwise.
    pub(super) fn master_key(&self) -> PathBuf {
        self.0.join("master.key")
    }

    /// True when a daemon has kept its store here before.
    pub(super) fn is_in_use(&self) -> bool {
        self.store().exists() || self.postgres().exists()
    }
}

/// Lets the name of a file or folder survive a power cut. A folder that holds it and that may not be read is somebody else's
/// to keep.
///
/// # Errors
/// The folder that holds it cannot be synced.
pub(super) fn sync_name(path: &Path) -> io::Result<()> {
    match File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        folder => folder?.sync_all(),
    }
}

/// Refuses what group or others may read, write or enter. A credential of systemd may be readable to its group: the mode then
/// shows the access list by which systemd lets the unit's own user read it, in a folder that nobody else can enter.
///
/// # Errors
/// [`Failure::Machine`] with the command that mends it.
pub(super) fn refuse_others(what: &str, path: &Path, metadata: &Metadata, wanted: u32) -> Result<(), Failure> {
    let mode = metadata.permissions().mode() & 0o7777;
    let others = mode & 0o077;
    if others == 0 || (others == 0o040 && secrets::is_credential(path)) {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::Machine(format!(
        "the {what} {path} has mode {mode:04o}: others on this machine could read it; run `chmod {wanted:o} {path}`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};

    #[test]
    fn a_folder_that_is_missing_is_made_for_the_owner_alone() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("deep/data");
        let data_dir = DataDir::prepare(&path).expect("made");
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o700);
        assert!(!data_dir.is_in_use());
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused_with_the_cure() {
        let parent = tempfile::tempdir().expect("a folder");
        for mode in [0o755, 0o750, 0o701, 0o777] {
            set_permissions(parent.path(), Permissions::from_mode(mode)).expect("changed");
            let failure = DataDir::prepare(parent.path()).err().expect("refused").to_string();
            assert!(failure.contains("chmod 700"), "{failure}");
        }
    }

    #[test]
    fn a_file_is_no_data_folder() {
        let parent = tempfile::tempdir().expect("a folder");
        let file = parent.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert!(DataDir::prepare(&file).is_err());
    }
}
