//! Where the checkout and its build products are. No other module guesses a path.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// The checkout and the target directory that cargo uses for it.
pub(crate) struct Workspace {
    /// The folder with the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, however it was set.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The workspace this program was built from.
    ///
    /// The target directory is read off our own path (`<target>/debug/xtask`): that holds for `CARGO_TARGET_DIR`, for
    /// cargo's configuration and for the default alike.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies inside the workspace")?;
        let program = std::env::current_exe().context("where this program lies")?;
        let target = program.ancestors().nth(2).context("this program lies in cargo's target directory")?;
        Ok(Self { root: root.to_owned(), target: target.to_owned() })
    }

    /// A cargo command that runs at the root and builds into the same target directory as this program.
    pub(crate) fn cargo(&self) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = self.command(program);
        command.env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Any other command, run at the root.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        command
    }

    /// The daemon as the release profile, or the debug profile, builds it.
    pub(crate) fn daemon(&self, release: bool) -> PathBuf {
        self.target.join(if release { "release" } else { "debug" }).join("countersign")
    }
}
