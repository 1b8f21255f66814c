//! `cargo xtask soak`: what takes longer than the whole check may. `model` runs the model of revocation for as long as
//! it is told, `mutants` takes safeguards out of a copy of the sources and shows that each is missed, `field`
//! multiplies millions of elements and judges a million signatures, `api` makes ten thousand requests of the description of
//! the interface; `crash` kills the daemon again and again, `corruption` damages its files, `linear` lets clients race,
//! `power` cuts the power, `purge` kills it while it forgets what has expired, `faults` lets every call fail, `clock` lets the calendar jump,
//! `cluster` lets three daemons on one database suffer,
//! `logins` measures whether the time of a refusal tells its reason.

mod durability;
mod logins;
mod mutants;
mod mutations;
mod signatures;

use anyhow::{Context, bail};

use crate::steps;
use crate::tools::Tool;
use crate::workspace::Workspace;

const USAGE: &str =
    "soak model [--minutes N | --checks N], soak mutants [NAME...], soak field, soak api [--cases N] [--seed N]";

/// Runs what was asked for.
///
/// # Errors
/// When the arguments are not understood, something does not hold, or a safeguard can be taken out unnoticed.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if arguments.contains(&"--help") {
        println!("{USAGE}, {}, {}", durability::USAGE, logins::USAGE);
        return Ok(());
    }
    match arguments.as_slice() {
        ["model"] => model(workspace, "COUNTERSIGN_MODEL_MINUTES", "10"),
        ["model", "--minutes", minutes] => model(workspace, "COUNTERSIGN_MODEL_MINUTES", minutes),
        ["model", "--checks", checks] => model(workspace, "COUNTERSIGN_MODEL_CHECKS", checks),
        ["mutants", names @ ..] => mutants::run(workspace, names),
        ["field"] => field(workspace),
        [verb, rest @ ..] if durability::knows(verb) => durability::run(workspace, verb, rest),
        ["logins", rest @ ..] => logins::run(workspace, rest),
        ["api", rest @ ..] => api(workspace, rest),
        _ => bail!("{USAGE}, {}, {}", durability::USAGE, logins::USAGE),
    }
}

fn model(workspace: &Workspace, bound: &str, number: &str) -> anyhow::Result<()> {
    number.parse::<u64>().with_context(|| format!("{number:?} is not a number; {USAGE}"))?;
    let mut command = workspace.cargo();
    command.args(["test", "--release", "--locked", "--package", "countersign-tests", "--test", "model"]);
    command.args(["--", "--ignored", "--exact", "soak::soak", "--nocapture"]).env(bound, number);
    let status = command.status().context("starting cargo")?;
    if !status.success() {
        bail!("the model did not hold, see above");
    }
    Ok(())
}

/// Optimised, and with the assertions that no bit is lost.
fn field(workspace: &Workspace) -> anyhow::Result<()> {
    let mut command = workspace.cargo();
    command.args(["test", "--release", "--locked", "--package", "countersign-ed25519", "--lib"]);
    command.args([
        "--config",
        "profile.release.debug-assertions=true",
        "--",
        "--ignored",
        "millions_of_elements",
        "a_million_signatures",
        "--nocapture",
    ]);
    let status = command.status().context("starting cargo")?;
    if !status.success() {
        bail!("the field did not hold, see above");
    }
    Ok(())
}

/// Schemathesis against the daemon, as the step of that name has it and for longer. Operations without parameters have few
/// requests that differ, so fewer are made than are asked for: of 14,000 some 10,500.
fn api(workspace: &Workspace, arguments: &[&str]) -> anyhow::Result<()> {
    let (mut cases, mut seed) = ("14000", "1");
    for pair in arguments.chunks(2) {
        match pair {
            ["--cases", number] => cases = number,
            ["--seed", number] => seed = number,
            _ => bail!("{pair:?} is not known; {USAGE}"),
        }
    }
    for number in [cases, seed] {
        number.parse::<u64>().with_context(|| format!("{number:?} is not a number; {USAGE}"))?;
    }
    Tool::NodeModules.ensure(workspace)?;
    Tool::PythonVenv.ensure(workspace)?;
    let built = steps::daemon_build(workspace, true).status().context("starting cargo")?;
    let mut command = workspace.command("npm");
    command.args(["run", "--silent", "test:schemathesis"]).current_dir(workspace.root.join("tests"));
    command.env("COUNTERSIGN_BIN", workspace.daemon(true)).env("COUNTERSIGN_API_CASES", cases);
    command.env("COUNTERSIGN_API_SEED", seed);
    if !built.success() || !command.status().context("starting npm")?.success() {
        bail!("an answer was not as described, see above");
    }
    Ok(())
}
