//! What the issuer's peers need: their packages for Python in an environment of their own, and a PostgreSQL.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

use super::ran;
use crate::tools::Tool;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "tests/bench/issuer/peers/requirements.txt";

/// Installs what is missing; an environment of other versions is made again.
///
/// # Errors
/// When something cannot be installed.
pub(super) fn install(workspace: &Workspace) -> anyhow::Result<()> {
    Tool::PythonVenv.ensure(workspace)?;
    Tool::Postgres.ensure(workspace)?;
    let wanted = fs::read_to_string(workspace.root.join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let installed = folder(workspace).join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing the peers' packages for Python …");
    ran(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(folder(workspace)))?;
    let mut pip = workspace.command(python(workspace));
    ran(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]))?;
    fs::write(&installed, wanted).with_context(|| format!("write {}", installed.display()))
}

/// The environment's Python.
pub(super) fn python(workspace: &Workspace) -> PathBuf {
    folder(workspace).join("bin/python")
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("bench-peers")
}
