//! The table of the whole check: what each step runs, what it needs, and in which order. How steps are run is test.rs's.

use std::process::Command;

use crate::counts::Counts;
use crate::dist;
use crate::fuzz;
use crate::run::Run;
use crate::signing_code;
use crate::tools::Tool;
use crate::workspace::Workspace;

/// One step of the check.
pub(crate) struct Step {
    /// What it is called, on the command line too.
    pub(crate) name: &'static str,
    /// What holds when it passes.
    pub(crate) says: &'static str,
    /// The tools it cannot do without.
    pub(crate) tools: &'static [Tool],
    /// Steps that run before it, also when only this one was asked for. When one of them fails, this one does not run.
    pub(crate) after: &'static [&'static str],
    /// Whether it runs when no filter is given. Most others are a part of `rust`, to run alone.
    pub(crate) by_default: bool,
    /// What it does.
    pub(crate) action: Action,
}

/// What a step does.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// Calls a function of this file.
    Call(fn(&Workspace, &mut Run) -> anyhow::Result<()>),
    /// Runs one test target of the workspace.
    Target(&'static str),
    /// Runs a script of tests/package.json.
    Npm(&'static str),
}

const fn call(
    name: &'static str,
    says: &'static str,
    tools: &'static [Tool],
    after: &'static [&'static str],
    function: fn(&Workspace, &mut Run) -> anyhow::Result<()>,
) -> Step {
    Step { name, says, tools, after, by_default: true, action: Action::Call(function) }
}

const fn target(name: &'static str, says: &'static str, after: &'static [&'static str]) -> Step {
    Step { name, says, tools: &[], after, by_default: false, action: Action::Target(name) }
}

const fn npm(
    name: &'static str,
    says: &'static str,
    tools: &'static [Tool],
    after: &'static [&'static str],
    script: &'static str,
) -> Step {
    Step { name, says, tools, after, by_default: true, action: Action::Npm(script) }
}

const NODE: &[Tool] = &[Tool::NodeModules];
const BROWSER: &[Tool] = &[Tool::NodeModules, Tool::Chromium];
const SYSTEMD: &[Tool] = &[Tool::NodeModules, Tool::Systemd];
const PYTHON: &[Tool] = &[Tool::NodeModules, Tool::PythonVenv];
const POSTGRES: &[Tool] = &[Tool::Postgres];
const PACKAGE: &[&str] = &["wasm"];
const ALL_BUILT: &[&str] = &["wasm", "dist"];

/// All steps, cheap ones first where nothing else decides.
pub(crate) const STEPS: &[Step] = &[
    call("format", "rustfmt changes nothing", &[Tool::Components], &[], format),
    call("licences", "cargo-deny; advisories where reachable", &[Tool::CargoDeny], &[], licences),
    call("clippy", "no warning anywhere", &[Tool::Components, Tool::WasmTarget], &[], clippy),
    call("rustdoc", "the documentation builds without a warning", &[], &[], rustdoc),
    call("wasm", "the verifier as WebAssembly, into pkg/wasm", &[Tool::WasmTarget], &[], wasm),
    call(
        "dist",
        "the daemon as one static binary, and the files that run it",
        &[Tool::WasmTarget, Tool::Authorities],
        PACKAGE,
        distribution,
    ),
    call("rust", "every Rust test of the workspace", POSTGRES, ALL_BUILT, rust),
    call("simd", "Ed25519 as WebAssembly with SIMD, in Node", &[], &[], simd),
    call("fuzz", "a short run of every fuzz target", &[Tool::Cxx], &[], fuzz::step),
    target("layering", "who may import whom (part of rust)", &[]),
    target("e2e", "the real daemon over HTTP (part of rust)", ALL_BUILT),
    Step {
        tools: POSTGRES,
        ..target("postgres", "the daemon on PostgreSQL, also while that fails (part of rust)", ALL_BUILT)
    },
    target("vectors", "our own and the published vectors (part of rust)", &[]),
    target("properties", "properties of random inputs (part of rust)", &[]),
    target("durability", "kills, damage and races of the real daemon (part of rust)", ALL_BUILT),
    target("disk", "power cuts, failing calls, a full disk, jumping clocks (part of rust)", ALL_BUILT),
    target("model", "revocation among failures of every kind (part of rust)", &[]),
    npm("node", "the npm package in Node", NODE, PACKAGE, "test:node"),
    npm("chromium", "the npm package in Chromium", BROWSER, PACKAGE, "test:chromium"),
    npm("workerd", "the npm package in workerd", NODE, ALL_BUILT, "test:workerd"),
    npm("packaging", "the packed package, installed elsewhere", NODE, PACKAGE, "test:packaging"),
    npm("types", "its TypeScript types", NODE, PACKAGE, "test:types"),
    npm("sizes", "what a browser loads, against its budget", NODE, PACKAGE, "test:sizes"),
    call("signing", "no signing code in the modules, where the daemon's is found", &[], ALL_BUILT, signing),
    npm("openapi", "the description of the interface is valid, served and true", NODE, ALL_BUILT, "test:openapi"),
    npm(
        "schemathesis",
        "requests made of the description get described answers",
        PYTHON,
        ALL_BUILT,
        "test:schemathesis",
    ),
    npm("interop", "other libraries verify our tokens and read our status lists", PYTHON, ALL_BUILT, "test:interop"),
    npm("following", "a page, a process and a worker follow the daemon", BROWSER, ALL_BUILT, "test:following"),
    npm("page", "the daemon's page, driven in Chromium", BROWSER, ALL_BUILT, "test:page"),
    npm("deploy", "the static binary in an empty root, and the unit that runs it", SYSTEMD, &["dist"], "test:deploy"),
    npm("guide", "docs/guide.md, executed from an empty folder to a browser", BROWSER, ALL_BUILT, "test:guide"),
    npm("readme", "the README, executed", NODE, ALL_BUILT, "test:readme"),
];

impl Step {
    /// Does what the step is for.
    ///
    /// # Errors
    /// When something did not hold, or could not be run.
    pub(crate) fn act(&self, workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
        match self.action {
            Action::Call(function) => function(workspace, run),
            Action::Target(name) => run.tests(&mut cargo_test(workspace, &["--test", name])),
            Action::Npm(script) => {
                let mut command = workspace.command("npm");
                command.args(["run", "--silent", script]).current_dir(workspace.root.join("tests"));
                run.tests(with_daemon(&mut command, workspace))
            }
        }
    }
}

fn format(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    run.check(workspace.cargo().args(["fmt", "--all", "--check", "--", "--color", "never"]))
}

fn licences(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    run.check(workspace.cargo().args(["deny", "--locked", "check", "licenses", "bans", "sources"]))?;
    let advisories = run.check(workspace.cargo().args(["deny", "--locked", "check", "advisories"]));
    let said = std::fs::read_to_string(run.log_path()).unwrap_or_default();
    if advisories.is_err() && said.contains("failed to fetch advisory database") {
        run.counts.failed = run.counts.failed.saturating_sub(1);
        run.counts += Counts { not_run: 1, ..Counts::default() };
        run.not_run.push("advisories (the RustSec database could not be fetched)".to_owned());
        return Ok(());
    }
    advisories
}

fn clippy(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    let strict = ["--", "--deny", "warnings"];
    let everywhere = ["clippy", "--locked", "--workspace", "--all-targets"];
    let bindings =
        ["clippy", "--locked", "--package", "countersign-verifier-wasm", "--target", "wasm32-unknown-unknown"];
    let native = run.check(workspace.cargo().args(everywhere).args(strict));
    let wasm = run.check(workspace.cargo().args(bindings).args(strict));
    native.and(wasm)
}

fn rustdoc(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    let mut command = workspace.cargo();
    command.args(["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    run.check(command.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn wasm(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    // A process of its own, so that what it prints goes to the step's log.
    run.check(workspace.command(std::env::current_exe()?).arg("build-wasm"))
}

fn distribution(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    run.check(workspace.command(std::env::current_exe()?).arg("dist"))
}

/// The modules are looked at whenever they are built; here, that what is looked for can be found.
fn signing(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    let found = signing_code::names_in(&std::fs::read(dist::library(workspace)?)?);
    run.counts += if found.is_empty() { Counts::FAIL } else { Counts::PASS };
    anyhow::ensure!(!found.is_empty(), "the daemon signs, and none of the names were found in it");
    Ok(())
}

fn rust(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    run.tests(&mut cargo_test(workspace, &["--no-fail-fast"]))
}

/// The tests of Ed25519, compiled for WebAssembly with SIMD as the package's module is, and run by V8.
fn simd(workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    if let Err(error) = Tool::WasiTarget.ensure(workspace) {
        run.counts += Counts { not_run: 1, ..Counts::default() };
        run.not_run.push(format!("Ed25519 as WebAssembly with SIMD ({error})"));
        return Ok(());
    }
    let mut command = workspace.cargo();
    command.args(["test", "--release", "--locked", "--package", "countersign-ed25519", "--lib"]);
    command.args(["--target", "wasm32-wasip1", "--", "--test-threads=1"]);
    command.env("RUSTFLAGS", "-Ctarget-feature=+simd128");
    // Cargo starts it in the folder of the package.
    command.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", "node --no-warnings ../../tests/runtimes/wasi.js");
    run.tests(&mut command)
}

/// How the daemon is built for this machine: `cargo xtask up`, the benchmarks and the long runs share the result.
pub(crate) fn daemon_build(workspace: &Workspace, release: bool) -> Command {
    let mut command = workspace.cargo();
    command.args(["build", "--locked", "--package", "countersign"]);
    if release {
        command.arg("--release");
    }
    command
}

/// Tests of the whole workspace, so that features resolve alike and nothing is compiled twice.
fn cargo_test(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo();
    command.args(["test", "--locked", "--workspace"]).args(arguments);
    with_daemon(&mut command, workspace);
    command
}

/// Tells a test where the daemon is, the one that is given to operators, and the published vectors where there are any.
fn with_daemon<'c>(command: &'c mut Command, workspace: &Workspace) -> &'c mut Command {
    if vectors().is_none() {
        command.env_remove("COUNTERSIGN_VECTORS");
    }
    command.env("COUNTERSIGN_BIN", dist::daemon(workspace)).env("COUNTERSIGN_DIST", dist::folder(workspace))
}

/// The folder of published vectors; an empty variable is no folder.
pub(crate) fn vectors() -> Option<std::ffi::OsString> {
    std::env::var_os("COUNTERSIGN_VECTORS").filter(|folder| !folder.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_that_another_waits_for_is_above_it() {
        for (position, step) in STEPS.iter().enumerate() {
            for name in step.after {
                assert!(STEPS.iter().take(position).any(|above| above.name == *name), "{} waits for {name}", step.name);
            }
        }
    }
}
