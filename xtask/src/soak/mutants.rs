//! Takes one safeguard after the other out of a copy of the workspace, and runs the test that must notice.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use super::mutations::{MUTATIONS, Mutation};
use super::signatures::SIGNATURES;
use crate::clock;
use crate::workspace::Workspace;

/// Checks that a mutant gets to be noticed in; the test run has fewer.
const CHECKS: &str = "300000";

/// Tries the mutations of these names, all with none.
///
/// # Errors
/// When a name is not known, the tests do not pass unmutated, or a mutant goes unnoticed.
pub(super) fn run(workspace: &Workspace, names: &[&str]) -> anyhow::Result<()> {
    if let Some(unknown) = names.iter().find(|name| all().all(|mutation| mutation.name != **name)) {
        bail!("there is no mutation {unknown:?}");
    }
    let chosen: Vec<_> = all().filter(|one| names.is_empty() || names.contains(&one.name)).collect();
    let tree = workspace.target.join("mutants").join("tree");
    copy(workspace, &tree)?;
    let mut unnoticed = Vec::new();
    for mutation in &chosen {
        let started = clock::now();
        let noticed = is_noticed(workspace, &tree, mutation).with_context(|| mutation.name)?;
        let word = if noticed { "noticed" } else { "NOT NOTICED" };
        println!("{word:<12} {:<40} {} ({})", mutation.name, mutation.test.join(" "), clock::text(started.elapsed()));
        if !noticed {
            unnoticed.push(mutation.name);
        }
    }
    println!("{} of {} noticed", chosen.len() - unnoticed.len(), chosen.len());
    ensure!(unnoticed.is_empty(), "not noticed: {}", unnoticed.join(", "));
    Ok(())
}

/// Every mutation there is.
fn all() -> impl Iterator<Item = &'static Mutation> {
    MUTATIONS.iter().chain(SIGNATURES)
}

/// Copies what git knows of, and what it would take in; what is there and unchanged stays, for cargo to build less.
fn copy(workspace: &Workspace, tree: &Path) -> anyhow::Result<()> {
    let mut command = workspace.command("git");
    let listed = command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).output()?;
    ensure!(listed.status.success(), "git ls-files failed");
    for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (workspace.root.join(name), tree.join(name));
        let Ok(content) = fs::read(&from) else { continue }; // deleted and not yet committed
        if fs::read(&to).ok().as_ref() != Some(&content) {
            fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
            fs::write(to, content)?;
        }
    }
    Ok(())
}

/// Applies the mutation, runs its test, and takes the mutation back.
fn is_noticed(workspace: &Workspace, tree: &Path, mutation: &Mutation) -> anyhow::Result<bool> {
    let path = tree.join(mutation.file);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    fs::write(&path, mutation.applied(&text)?)?;
    let outcome = (|| {
        let built = cargo(workspace, tree, mutation).arg("--no-run").output()?;
        ensure!(built.status.success(), "the mutant does not build:\n{}", String::from_utf8_lossy(&built.stderr));
        let ran = cargo(workspace, tree, mutation).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        Ok(!ran.success())
    })();
    fs::write(&path, text)?;
    outcome
}

fn cargo(workspace: &Workspace, tree: &Path, mutation: &Mutation) -> Command {
    let mut command = workspace.cargo();
    command.current_dir(tree).env("CARGO_TARGET_DIR", workspace.target.join("mutants").join("target"));
    command.env("COUNTERSIGN_MODEL_CHECKS", CHECKS);
    command.args(["test", "--locked"]).args(mutation.test);
    command
}
