//! The content of a folder, kept in memory and put back in place.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Every file of a folder and below, by its path from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) BTreeMap<PathBuf, Vec<u8>>);

impl Tree {
    pub(crate) fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(one) = folders.pop() {
            for entry in fs::read_dir(&one).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().to_owned();
                    files.insert(name, fs::read(&path).unwrap());
                }
            }
        }
        Self(files)
    }

    /// Makes the files what they were. Those that are the same are not touched: the store knows its lock file by what the file
    /// system says of it.
    pub(crate) fn put_back(&self, folder: &Path) {
        let now = Self::read(folder);
        for name in now.0.keys().filter(|name| !self.0.contains_key(*name)) {
            fs::remove_file(folder.join(name)).unwrap();
        }
        for (name, bytes) in self.0.iter().filter(|(name, bytes)| now.0.get(*name) != Some(*bytes)) {
            fs::write(folder.join(name), bytes).unwrap();
            fs::set_permissions(folder.join(name), Permissions::from_mode(0o600)).unwrap();
        }
    }
}
