//! Whether the time of a refusal tells its reason, and how many logins a second there are.

use anyhow::{Context, bail};
use std::path::Path;

use crate::workspace::Workspace;

pub(super) const USAGE: &str = "soak logins [--samples N]";

/// Measures on a folder in memory where there is one: the noise of a disk would hide what is looked for.
///
/// # Errors
/// When the arguments are not understood, or two refusals that read the same differ in time for sure.
pub(super) fn run(workspace: &Workspace, arguments: &[&str]) -> anyhow::Result<()> {
    let samples = match arguments {
        [] => "1500",
        ["--samples", samples] => samples,
        _ => bail!("{USAGE}"),
    };
    samples.parse::<u64>().with_context(|| format!("{samples:?} is not a number; {USAGE}"))?;
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let mut command = workspace.cargo();
    command.args(["run", "--release", "--locked", "--package", "countersign-tests", "--example", "bench_logins", "--"]);
    let status = command.arg(folder).arg(samples).status().context("starting cargo")?;
    if !status.success() {
        bail!("the time of a refusal tells its reason, see above");
    }
    Ok(())
}
