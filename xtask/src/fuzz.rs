//! `cargo xtask fuzz`: builds the libFuzzer targets of fuzz/ on the toolchain of the workspace, and runs them.
//!
//! The coverage that libFuzzer needs comes from LLVM's own pass, which the stable compiler runs when it is asked to. Only
//! what is built for the target platform is instrumented, so `--target` is given even though it is the one of this machine.
//!
//! Seeds are made of tests/vectors by each target itself. What a run has found stays in `<target>/fuzz/corpus`, and an
//! input that failed in `<target>/fuzz/failed`: both outlive the run, and the next one begins with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::Run;
use crate::tools::Tool;
use crate::workspace::Workspace;

/// Every target, with what its inputs are.
const TARGETS: [(&str, &str); 6] = [
    ("base64url", "base64url against the crate base64"),
    ("ed25519", "signatures against verify_strict of ed25519-dalek"),
    ("json", "JSON against serde_json under a strict visitor"),
    ("jwks", "JWK Sets"),
    ("lists", "revocation lists and deltas"),
    ("token", "tokens, forged and signed again, judged in every way"),
];
const DEFAULT_SECONDS: u64 = 60;
/// For each target, as a step of the whole check.
const SECONDS_IN_TEST: u64 = 5;
/// Longer than the longest token, and than a delta may not be.
const MAX_LENGTH: u32 = 9000;

const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Runs the targets that were asked for, all when none was, each for `--seconds`.
///
/// # Errors
/// When an argument is not understood, something does not build, or a target has found a failure.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let (asked, seconds) = parsed(arguments)?;
    Tool::Cxx.ensure(workspace)?;
    let fuzzing = Fuzzing::of(workspace)?;
    succeeded(&mut fuzzing.build())?;
    for (name, says) in TARGETS.into_iter().filter(|(name, _)| asked.is_empty() || asked.contains(name)) {
        println!("{name}: {says}, for {seconds} s …");
        succeeded(&mut fuzzing.target(name, seconds)?)?;
    }
    Ok(())
}

/// A short run of every target.
pub(crate) fn step(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    let fuzzing = Fuzzing::of(workspace)?;
    run.check(&mut fuzzing.build())?;
    for (name, _) in TARGETS {
        run.check(&mut fuzzing.target(name, SECONDS_IN_TEST)?)?;
    }
    Ok(())
}

fn parsed(arguments: &[String]) -> anyhow::Result<(Vec<&str>, u64)> {
    let (mut asked, mut seconds) = (Vec::new(), DEFAULT_SECONDS);
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--seconds" {
            seconds = words.next().and_then(|number| number.parse().ok()).context("--seconds takes a number")?;
        } else if TARGETS.iter().any(|(name, _)| *name == word) {
            asked.push(word);
        } else {
            bail!(
                "`fuzz` does not know {word:?}: it takes {} and --seconds N",
                TARGETS.map(|(name, _)| name).join(", ")
            );
        }
    }
    Ok((asked, seconds))
}

/// Where the targets are built, for which platform, and where they keep what they find.
struct Fuzzing<'w> {
    workspace: &'w Workspace,
    folder: PathBuf,
    platform: String,
}

impl<'w> Fuzzing<'w> {
    fn of(workspace: &'w Workspace) -> anyhow::Result<Self> {
        let output = workspace.command("rustc").args(["--print", "host-tuple"]).output().context("start rustc")?;
        let platform = String::from_utf8(output.stdout)?.trim().to_owned();
        Ok(Self { workspace, folder: workspace.target.join("fuzz"), platform })
    }

    fn build(&self) -> Command {
        let mut command = self.workspace.cargo();
        command.args(["build", "--locked", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
        command.args(["--target", &self.platform]);
        command.env("CARGO_TARGET_DIR", &self.folder).env("RUSTFLAGS", COVERAGE);
        command
    }

    fn target(&self, name: &str, seconds: u64) -> anyhow::Result<Command> {
        let [corpus, seeds, failed] = ["corpus", "seeds", "failed"].map(|part| self.folder.join(part).join(name));
        for folder in [&corpus, &seeds, &failed] {
            std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        let program = self.folder.join(&self.platform).join("release").join(name);
        let mut command = self.workspace.command(program);
        command.env("COUNTERSIGN_SEEDS", &seeds);
        command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={MAX_LENGTH}"));
        command.args(["-timeout=20", "-rss_limit_mb=3000", "-print_final_stats=1", "-verbosity=0"]);
        command.arg(prefix(&failed)).args([corpus, seeds]);
        Ok(command)
    }
}

fn prefix(failed: &Path) -> String {
    format!("-artifact_prefix={}/", failed.display())
}

fn succeeded(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_binary() {
        let manifest = include_str!("../../fuzz/Cargo.toml");
        for (name, _) in TARGETS {
            assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"targets/{name}.rs\"")), "{name}");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parsed(&words("json --seconds 5")).unwrap(), (vec!["json"], 5));
        assert!(parsed(&words("jsn")).is_err());
        assert!(parsed(&words("json --seconds")).is_err());
    }
}
