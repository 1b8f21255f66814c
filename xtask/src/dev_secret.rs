//! The administrative secret of the daemon that `cargo xtask up` starts: made once, kept beside the checkout's data.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, bail};

const BYTES: usize = 32;

/// A secret for development. It has no `Debug` or `Display`: only [`DevSecret::reveal`] gives the text out.
pub(crate) struct DevSecret(String);

impl DevSecret {
    /// The secret kept in `folder`, made first when there is none: the folder is 0700 and the file 0600 afterwards.
    ///
    /// # Errors
    /// When the folder or the file cannot be read or written, or the file holds something else.
    pub(crate) fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let private = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        private.with_context(|| format!("make {}", folder.display()))?;
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        let path = folder.join("admin-secret");
        match fs::read_to_string(&path) {
            Ok(text) => {
                fs::set_permissions(&path, Permissions::from_mode(0o600))?;
                Self::parse(text.trim_end()).with_context(|| format!("read {}", path.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Self::make(&path),
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }

    /// The secret itself, for the daemon's environment and for the person at the terminal.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        if text.len() != 2 * BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            bail!("this is not a secret of {} hexadecimal digits; remove the file to get a new one", 2 * BYTES);
        }
        Ok(Self(text.to_owned()))
    }

    /// Written beside and then renamed, so that a crash leaves a whole secret or none.
    fn make(path: &Path) -> anyhow::Result<Self> {
        let mut bytes = [0_u8; BYTES];
        File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).context("read /dev/urandom")?;
        let secret = Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        let beside = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(secret.0.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path).with_context(|| format!("write {}", path.display()))?;
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_nobody_else_can_read_it() {
        let folder = std::env::temp_dir().join(format!("xtask-secret-{}", std::process::id()));
        let first = DevSecret::in_folder(&folder).unwrap();
        let again = DevSecret::in_folder(&folder).unwrap();
        assert_eq!(first.reveal(), again.reveal());
        assert_eq!(first.reveal().len(), 64);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("admin-secret"))), (0o700, 0o600));
        fs::write(folder.join("admin-secret"), "").unwrap();
        assert!(DevSecret::in_folder(&folder).is_err(), "an empty file is no secret");
        fs::remove_dir_all(&folder).unwrap();
    }
}
