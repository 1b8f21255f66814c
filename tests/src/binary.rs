//! Which file is the daemon.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Returns the daemon's binary: `COUNTERSIGN_BIN`, or one built now beside this test.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| env::var_os("COUNTERSIGN_BIN").map_or_else(|| dynamic().to_owned(), PathBuf::from))
}

/// Returns a binary that is linked dynamically, so that a library can be loaded in front of the system's: one built now beside
/// this test, since the one that is given may be static.
pub(crate) fn dynamic() -> &'static Path {
    static BINARY: OnceLock<Option<PathBuf>> = OnceLock::new(); // `None`: it does not build, and is not tried again
    BINARY.get_or_init(build).as_deref().expect("the daemon builds")
}

/// Builds the daemon where cargo has put this test: `<target>/<profile>/deps/<name>`; `None` when that fails.
fn build() -> Option<PathBuf> {
    let test = env::current_exe().ok()?;
    let profile = test.ancestors().nth(2)?;
    let name = profile.file_name()?.to_str()?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "countersign", "--bin", "countersign", "--profile"]);
    cargo.arg(if name == "debug" { "dev" } else { name }).arg("--target-dir").arg(profile.parent()?);
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().ok()?;
    built.success().then(|| profile.join("countersign"))
}
