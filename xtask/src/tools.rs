//! What the steps need beyond Rust, Node and apt: each tool is looked for, and installed when it is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::dist;
use crate::workspace::Workspace;

/// The version that is installed when there is no cargo-deny; one that is there is used as it is.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// Something a step cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// The standard library for wasm32-unknown-unknown.
    WasmTarget,
    /// The standard library for wasm32-wasip1, in which tests run as WebAssembly.
    WasiTarget,
    /// clippy and rustfmt.
    Components,
    /// cargo-deny.
    CargoDeny,
    /// A compiler of C++, for libFuzzer.
    Cxx,
    /// A Chromium at /usr/bin/chromium.
    Chromium,
    /// systemd-analyze, which judges a unit without a running systemd.
    Systemd,
    /// A PostgreSQL server to start for tests: its binaries, where Debian has them.
    Postgres,
    /// The authorities that this machine trusts, which go into the image.
    Authorities,
    /// Python's venv, to install other people's libraries into.
    PythonVenv,
    /// The packages of tests/package-lock.json.
    NodeModules,
}

impl Tool {
    /// What it is called in the output.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WasmTarget => "wasm32-unknown-unknown",
            Self::WasiTarget => "wasm32-wasip1",
            Self::Components => "clippy and rustfmt",
            Self::CargoDeny => "cargo-deny",
            Self::Cxx => "a C++ compiler",
            Self::Chromium => "chromium",
            Self::Systemd => "systemd-analyze",
            Self::Postgres => "postgresql",
            Self::Authorities => "ca-certificates",
            Self::PythonVenv => "python3-venv",
            Self::NodeModules => "tests/node_modules",
        }
    }

    /// Whether it is there.
    pub(crate) fn is_there(self, workspace: &Workspace) -> bool {
        match self {
            Self::WasmTarget => sysroot_holds(workspace, "lib/rustlib/wasm32-unknown-unknown/lib"),
            Self::WasiTarget => sysroot_holds(workspace, "lib/rustlib/wasm32-wasip1/lib"),
            Self::Components => sysroot_holds(workspace, "bin/cargo-clippy") && sysroot_holds(workspace, "bin/rustfmt"),
            Self::CargoDeny => works(workspace.cargo().args(["deny", "--version"])),
            Self::Cxx => works(workspace.command("c++").arg("--version")),
            Self::Chromium => Path::new("/usr/bin/chromium").exists(),
            Self::Systemd => works(workspace.command("systemd-analyze").arg("--version")),
            Self::Postgres => std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut versions| {
                versions.any(|version| version.is_ok_and(|version| version.path().join("bin/initdb").exists()))
            }),
            Self::Authorities => dist::authorities().is_ok(),
            Self::PythonVenv => works(workspace.command("python3").args(["-c", "import venv, ensurepip"])),
            Self::NodeModules => node_modules_are_current(&workspace.root),
        }
    }

    /// The commands that install it, one after another.
    pub(crate) fn installation(self, workspace: &Workspace) -> Vec<Command> {
        match self {
            Self::WasmTarget => vec![with(workspace.command("rustup"), &["target", "add", "wasm32-unknown-unknown"])],
            Self::WasiTarget => vec![with(workspace.command("rustup"), &["target", "add", "wasm32-wasip1"])],
            Self::Components => vec![with(workspace.command("rustup"), &["component", "add", "clippy", "rustfmt"])],
            Self::CargoDeny => vec![cargo_deny(workspace)],
            Self::Cxx => apt(workspace, &["g++"]),
            Self::Chromium => apt(workspace, &["chromium"]),
            Self::Systemd => apt(workspace, &["systemd"]),
            Self::Postgres => apt(workspace, &["postgresql"]),
            Self::Authorities => apt(workspace, &["ca-certificates"]),
            Self::PythonVenv => apt(workspace, &["python3", "python3-venv"]),
            Self::NodeModules => {
                let mut npm = with(workspace.command("npm"), &["ci", "--no-audit", "--no-fund"]);
                npm.current_dir(workspace.root.join("tests"));
                vec![npm]
            }
        }
    }

    /// Afterwards the tool is there; when it had to be installed, that was said.
    ///
    /// # Errors
    /// When it is missing and cannot be installed.
    pub(crate) fn ensure(self, workspace: &Workspace) -> anyhow::Result<()> {
        if self.is_there(workspace) {
            return Ok(());
        }
        println!("installing {} …", self.name());
        for mut command in self.installation(workspace) {
            let status = command.stdin(Stdio::null()).status().with_context(|| format!("install {}", self.name()))?;
            if !status.success() {
                bail!("{} is missing, and installing it failed: {status}", self.name());
            }
        }
        if !self.is_there(workspace) {
            bail!("{} is still missing after its installation", self.name());
        }
        Ok(())
    }
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

/// Compiled without optimisation: half the time, and a check of our lock file still takes under two seconds.
fn cargo_deny(workspace: &Workspace) -> Command {
    let mut command = workspace.command("cargo");
    command.args(["install", "--locked", "--no-default-features", "--debug", CARGO_DENY]);
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("CARGO_TARGET_DIR");
    command
}

fn apt(workspace: &Workspace, packages: &[&str]) -> Vec<Command> {
    let am_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let apt_get = || {
        let mut command = workspace.command(if am_root { "apt-get" } else { "sudo" });
        if !am_root {
            command.args(["--non-interactive", "apt-get"]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let mut install = with(apt_get(), &["install", "-y", "--no-install-recommends"]);
    install.args(packages);
    vec![with(apt_get(), &["update"]), install]
}

/// Whether the toolchain that builds this workspace holds a file or folder.
fn sysroot_holds(workspace: &Workspace, path: &str) -> bool {
    sysroot(workspace).is_some_and(|sysroot| sysroot.join(path).exists())
}

/// `<sysroot>/bin/cargo` is the cargo that started us; asking rustc takes longer than all else here.
fn sysroot(workspace: &Workspace) -> Option<PathBuf> {
    let beside_cargo =
        std::env::var_os("CARGO").and_then(|cargo| Some(Path::new(&cargo).ancestors().nth(2)?.to_owned()));
    if let Some(found) = beside_cargo.filter(|sysroot| sysroot.join("lib/rustlib").is_dir()) {
        return Some(found);
    }
    let output = workspace.command("rustc").args(["--print", "sysroot"]).output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn works(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// npm writes node_modules/.package-lock.json when it is done; a lock file that is newer has not been installed yet.
fn node_modules_are_current(root: &Path) -> bool {
    let modified = |path: &str| std::fs::metadata(root.join(path)).and_then(|file| file.modified());
    match (modified("tests/package-lock.json"), modified("tests/node_modules/.package-lock.json")) {
        (Ok(wanted), Ok(installed)) => installed >= wanted,
        _ => false,
    }
}
