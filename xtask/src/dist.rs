//! What is given to an operator: one static binary and the files that run it, in one folder.
//!
//! The binary is linked with the system's C library in it, so it runs in an image without anything else and on any
//! Linux of its architecture. Its folder is cargo's own for the named target, so the ordinary build stays as it is.

use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail, ensure};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files that go along as they are.
const DEPLOY: &[&str] = &["Dockerfile", "compose.yaml", "countersign.service"];
/// Where distributions of Linux keep the authorities that a machine trusts, in PEM.
const AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
    "/etc/ssl/ca-bundle.pem",             // SUSE
];
/// Documentation that goes along: the settings with their defaults.
const SETTINGS: &str = "docs/countersign.toml";

/// The C library inside; and randomness asked of the kernel, which a static binary otherwise looks for in /dev.
const FLAGS: &str = "-Ctarget-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\"";

/// Fills `<target>/dist`, whatever was in it before, and says what lies there.
///
/// # Errors
/// When the daemon does not build, is not static, or a file cannot be written.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let binary = build(workspace)?;
    let folder = folder(workspace);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    let data = folder.join("volume").join("data");
    fs::create_dir_all(&data).with_context(|| format!("make {}", data.display()))?;
    fs::set_permissions(&data, Permissions::from_mode(0o700)).with_context(|| format!("close {}", data.display()))?;
    copy(&binary, &daemon(workspace))?;
    for name in DEPLOY {
        copy(&workspace.root.join("deploy").join(name), &folder.join(name))?;
    }
    copy(&workspace.root.join(SETTINGS), &folder.join("countersign.toml"))?;
    copy(&workspace.root.join("LICENSE"), &folder.join("LICENSE"))?;
    copy(authorities()?, &folder.join("ca-certificates.crt"))?;
    let size = fs::metadata(&binary).map_or(0, |file| file.len());
    println!("{}: {size} bytes, static", daemon(workspace).display());
    Ok(())
}

/// Returns the folder that [`run`] fills.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("dist")
}

/// Returns the daemon in that folder.
pub(crate) fn daemon(workspace: &Workspace) -> PathBuf {
    folder(workspace).join("countersign")
}

/// Returns the library that the daemon was linked from, which has the names that the daemon no longer has.
///
/// # Errors
/// When rustc does not say what this machine is.
pub(crate) fn library(workspace: &Workspace) -> Result<PathBuf> {
    Ok(built(workspace)?.join("libissuer.rlib"))
}

/// Returns the folder that cargo builds the static binary in.
fn built(workspace: &Workspace) -> Result<PathBuf> {
    Ok(workspace.target.join(host(workspace)?).join("release"))
}

fn build(workspace: &Workspace) -> Result<PathBuf> {
    let target = host(workspace)?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--locked", "--package", "countersign", "--target", &target]);
    // With a target named, build scripts and macros are not linked this way, which they could not be.
    cargo.env("RUSTFLAGS", FLAGS);
    // Names of functions are for debuggers: a panic tells its place without them, and they are a sixth of the file.
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    ensure!(cargo.status().context("run cargo")?.success(), "the static binary did not build");
    let binary = built(workspace)?.join("countersign");
    let bytes = fs::read(&binary).with_context(|| format!("read {}", binary.display()))?;
    if names_an_interpreter(&bytes) {
        bail!("{} wants a dynamic loader: it is not static", binary.display());
    }
    Ok(binary)
}

/// Returns the file with the authorities that this machine trusts: the image has no others.
pub(crate) fn authorities() -> Result<&'static Path> {
    let found = AUTHORITIES.iter().map(Path::new).find(|file| file.is_file());
    found.with_context(|| format!("none of {} is there: install ca-certificates", AUTHORITIES.join(", ")))
}

/// Whether a 64-bit little-endian ELF file wants a dynamic loader: one of its program headers is of type `PT_INTERP`.
///
/// A file that cannot be read as such wants one, as far as this build is concerned.
fn names_an_interpreter(elf: &[u8]) -> bool {
    const PT_INTERP: u64 = 3;
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = elf.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let header = |index: u64| -> Option<u64> {
        let (first, size) = (number(0x20, 8)?, number(0x36, 2)?);
        number(usize::try_from(first + index * size).ok()?, 4)
    };
    let count = number(0x38, 2).unwrap_or(0);
    !elf.starts_with(b"\x7fELF\x02\x01")
        || count == 0
        || (0..count).any(|index| header(index).is_none_or(|kind| kind == PT_INTERP))
}

/// Returns the triple of this machine.
fn host(workspace: &Workspace) -> Result<String> {
    let mut rustc: Command = workspace.command("rustc");
    let output = rustc.arg("-vV").output().context("ask rustc for its host")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc named no host")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("copy {} to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_wants_a_loader_and_what_is_no_program_is_not_taken_for_a_static_one() {
        let this = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(names_an_interpreter(&this));
        assert!(names_an_interpreter(b""));
        assert!(names_an_interpreter(this.get(..80).unwrap()));
    }
}
