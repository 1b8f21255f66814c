//! `soak crash`, `soak corruption` and `soak linear`: the long runs of the test target `durability`, on a release build of the
//! daemon. `soak power`, `soak purge`, `soak faults` and `soak clock`: those of the test target `disk`.
//! `soak cluster`: that of the test target `postgres`.

use anyhow::{Context, bail};

use crate::steps;
use crate::workspace::Workspace;

/// A long run and what may be said about it.
struct Verb {
    name: &'static str,
    /// The test target.
    target: &'static str,
    /// The test that it is.
    test: &'static str,
    /// Each option, and the variable by which the test reads its number.
    options: &'static [(&'static str, &'static str)],
}

const VERBS: [Verb; 8] = [
    Verb {
        name: "crash",
        target: "durability",
        test: "kills::soak",
        options: &[
            ("--rounds", "COUNTERSIGN_CRASH_KILLS"),
            ("--at-once", "COUNTERSIGN_CRASH_LIVES"),
            ("--clients", "COUNTERSIGN_CRASH_CLIENTS"),
            ("--milliseconds", "COUNTERSIGN_CRASH_MILLISECONDS"),
            ("--seed", "COUNTERSIGN_CRASH_SEED"),
        ],
    },
    Verb {
        name: "corruption",
        target: "durability",
        test: "corruption::soak",
        options: &[("--damages", "COUNTERSIGN_CORRUPTION_DAMAGES"), ("--seed", "COUNTERSIGN_CORRUPTION_SEED")],
    },
    Verb {
        name: "linear",
        target: "durability",
        test: "linear::soak",
        options: &[("--operations", "COUNTERSIGN_LINEAR_REQUESTS"), ("--seed", "COUNTERSIGN_LINEAR_SEED")],
    },
    Verb {
        name: "power",
        target: "disk",
        test: "power::soak",
        options: &[("--rounds", "COUNTERSIGN_POWER_ROUNDS"), ("--seed", "COUNTERSIGN_POWER_SEED")],
    },
    Verb {
        name: "purge",
        target: "disk",
        test: "purge::soak",
        options: &[("--rounds", "COUNTERSIGN_PURGE_ROUNDS"), ("--seed", "COUNTERSIGN_PURGE_SEED")],
    },
    Verb {
        name: "faults",
        target: "disk",
        test: "faults::soak",
        options: &[
            ("--every", "COUNTERSIGN_FAULTS_EVERY"),
            ("--from", "COUNTERSIGN_FAULTS_FROM"),
            ("--seed", "COUNTERSIGN_FAULTS_SEED"),
        ],
    },
    Verb {
        name: "clock",
        target: "disk",
        test: "clock::soak",
        options: &[("--jumps", "COUNTERSIGN_CLOCK_JUMPS"), ("--seed", "COUNTERSIGN_CLOCK_SEED")],
    },
    Verb {
        name: "cluster",
        target: "postgres",
        test: "cluster::soak::soak",
        options: &[("--rounds", "COUNTERSIGN_CLUSTER_ROUNDS"), ("--seed", "COUNTERSIGN_CLUSTER_SEED")],
    },
];

/// What the usage says of these.
pub(super) const USAGE: &str = "soak crash [--rounds N] [--at-once N] [--clients N] [--milliseconds N] [--seed N], \
     soak corruption [--damages N] [--seed N], soak linear [--operations N] [--seed N], \
     soak power [--rounds N] [--seed N], soak purge [--rounds N] [--seed N], soak faults [--every N] [--from N] [--seed N], soak clock [--jumps N] [--seed N], \
     soak cluster [--rounds N] [--seed N]";

/// Returns whether `name` is one of these.
pub(super) fn knows(name: &str) -> bool {
    VERBS.iter().any(|verb| verb.name == name)
}

/// Runs one of them.
///
/// # Errors
/// When the arguments are not understood, or something that was promised does not hold.
pub(super) fn run(workspace: &Workspace, name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let verb = VERBS.iter().find(|verb| verb.name == name).context(USAGE)?;
    let mut command = workspace.cargo();
    command.args(["test", "--release", "--locked", "--package", "countersign-tests", "--test", verb.target]);
    command
        .args(["--", "--ignored", "--exact", verb.test, "--nocapture"])
        .env("COUNTERSIGN_BIN", workspace.daemon(true));
    for pair in arguments.chunks(2) {
        let [option, number] = pair else { bail!("{pair:?} has no number; {USAGE}") };
        let known = verb.options.iter().find(|(known, _)| known == option);
        let (_, variable) = known.with_context(|| format!("{option:?} is not known; {USAGE}"))?;
        number.parse::<u64>().with_context(|| format!("{number:?} is not a number; {USAGE}"))?;
        command.env(variable, number);
    }
    let built = steps::daemon_build(workspace, true).status().context("starting cargo")?;
    if !built.success() || !command.status().context("starting cargo")?.success() {
        bail!("something that was promised does not hold, see above");
    }
    Ok(())
}
