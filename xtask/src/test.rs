//! `cargo xtask test`: chooses steps, runs them one after another, and says what came of them.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::report::{self, Outcome};
use crate::run::Run;
use crate::steps::{self, STEPS, Step};
use crate::tools::Tool;
use crate::workspace::Workspace;
use crate::{clock, counts::Counts};

/// Runs the check, or the steps whose names match a filter, with what they need.
///
/// # Errors
/// When the arguments name no step, or the log folder cannot be written. A failing check is an exit code, not an error.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let filters: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    if has("--list") {
        STEPS.iter().for_each(|step| println!("{:<12} {}", step.name, step.says));
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(&filters)?;
    let started = clock::now();
    let mut check = Check { workspace, verbose: has("--verbose"), total: chosen.len() + 1, outcomes: Vec::new() };
    if steps::vectors().is_none() {
        println!("COUNTERSIGN_VECTORS is not set: the tests that need the published vectors will not run");
    }
    let missing = check.tools(&chosen)?;
    for step in chosen {
        check.step(step, &missing)?;
    }
    let sum = report::summary(&check.outcomes, started.elapsed());
    let held = sum.failed == 0 && check.outcomes.iter().all(Outcome::passed);
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The steps to run, in the table's order: those asked for, and what they wait for.
fn choose(filters: &[&str]) -> anyhow::Result<Vec<&'static Step>> {
    let mut wanted: Vec<&str> = Vec::new();
    for filter in filters {
        let exact: Vec<_> = STEPS.iter().filter(|step| step.name == *filter).collect();
        let like: Vec<_> = STEPS.iter().filter(|step| step.name.contains(filter)).collect();
        let found = if exact.is_empty() { like } else { exact };
        if found.is_empty() {
            bail!("no step is called {filter:?}; `cargo xtask test --list` names them");
        }
        wanted.extend(found.iter().flat_map(|step| step.after.iter().copied().chain([step.name])));
    }
    let is_wanted = |step: &&Step| if filters.is_empty() { step.by_default } else { wanted.contains(&step.name) };
    Ok(STEPS.iter().filter(is_wanted).collect())
}

struct Check<'w> {
    workspace: &'w Workspace,
    verbose: bool,
    total: usize,
    outcomes: Vec<Outcome>,
}

impl Check<'_> {
    /// Looks for the tools of all chosen steps, installs what is missing, and returns what still is.
    fn tools(&mut self, chosen: &[&Step]) -> anyhow::Result<Vec<Tool>> {
        let mut needed: Vec<Tool> = Vec::new();
        for tool in chosen.iter().flat_map(|step| step.tools) {
            if !needed.contains(tool) {
                needed.push(*tool);
            }
        }
        let mut run = self.begin("tools", "what the steps need is there")?;
        let mut missing = Vec::new();
        for tool in needed {
            if let Err(error) = provide(tool, self.workspace, &mut run) {
                run.notes.push(format!("{}: {error:#}", tool.name()));
                missing.push(tool);
            }
        }
        let names: Vec<_> = missing.iter().map(|tool| tool.name()).collect();
        let result = if missing.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("missing: {}", names.join(", "))) };
        self.end("tools", run, result);
        Ok(missing)
    }

    fn step(&mut self, step: &Step, missing: &[Tool]) -> anyhow::Result<()> {
        let mut run = self.begin(step.name, step.says)?;
        if let Some(reason) = self.obstacle(step, missing) {
            let outcome = Outcome::not_run(step.name, reason);
            report::step(&outcome, run.log_path());
            self.outcomes.push(outcome);
            return Ok(());
        }
        let result = step.act(self.workspace, &mut run);
        self.end(step.name, run, result);
        Ok(())
    }

    /// Why a step cannot run, if it cannot.
    fn obstacle(&self, step: &Step, missing: &[Tool]) -> Option<String> {
        let tool = step.tools.iter().find(|tool| missing.contains(tool));
        let failed = self.outcomes.iter().find(|outcome| step.after.contains(&outcome.name) && !outcome.passed());
        tool.map(|tool| format!("{} is missing", tool.name()))
            .or_else(|| failed.map(|outcome| format!("{} did not pass", outcome.name)))
    }

    fn begin(&self, name: &str, says: &str) -> anyhow::Result<Run> {
        println!("[{:>2}/{}] {name}: {says}", self.outcomes.len() + 1, self.total);
        Run::start(&self.logs(), name, self.verbose)
    }

    fn end(&mut self, name: &'static str, run: Run, result: anyhow::Result<()>) {
        let log = run.log_path().to_owned();
        let outcome = Outcome::of(name, run, result);
        report::step(&outcome, &log);
        self.outcomes.push(outcome);
    }

    fn logs(&self) -> PathBuf {
        self.workspace.target.join("xtask-logs")
    }
}

/// Afterwards the tool is there, and counted once.
fn provide(tool: Tool, workspace: &Workspace, run: &mut Run) -> anyhow::Result<()> {
    if tool.is_there(workspace) {
        run.counts += Counts::PASS;
        return Ok(());
    }
    println!("                  installing {}", tool.name());
    let before = run.counts;
    let installed = tool.installation(workspace).iter_mut().try_for_each(|command| run.check(command));
    let there = installed.is_ok() && tool.is_there(workspace);
    run.counts = before;
    run.counts += if there { Counts::PASS } else { Counts::FAIL };
    installed?;
    if !there {
        bail!("still missing after its installation");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(filters: &[&str]) -> Vec<&'static str> {
        choose(filters).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn a_filter_brings_what_the_step_waits_for() {
        assert_eq!(names(&["page"]), ["wasm", "dist", "page"]);
        assert_eq!(names(&["layer", "form"]), ["format", "layering"]);
    }

    #[test]
    fn without_a_filter_no_test_runs_twice() {
        assert!(names(&[]).contains(&"rust"));
        assert!(!names(&[]).contains(&"e2e"));
    }

    #[test]
    fn a_filter_that_matches_nothing_is_an_error() {
        assert!(choose(&["nothing-like-it"]).is_err());
    }
}
