//! What the whole check prints: a line when a step ends, what a failed step said, and the table at the end.

use std::path::Path;
use std::time::Duration;

use crate::clock;
use crate::counts::Counts;
use crate::failures;
use crate::run::Run;

/// How many lines of a failed step's output are shown.
const SHOWN_LINES: usize = 200;

/// How a step ended.
pub(crate) enum Ending {
    /// All of it held.
    Passed,
    /// Something did not hold: the error says what.
    Failed(String),
    /// It did not run, for this reason.
    NotRun(String),
}

/// One line of the table.
pub(crate) struct Outcome {
    /// The step's name.
    pub(crate) name: &'static str,
    /// How it ended.
    pub(crate) ending: Ending,
    /// How long it took.
    pub(crate) took: Duration,
    /// What it counted.
    pub(crate) counts: Counts,
    /// The counts of its test targets.
    pub(crate) targets: Vec<(String, Counts)>,
    /// Remarks, and what did not run and why.
    pub(crate) remarks: Vec<String>,
    /// What its output says of the tests that did not hold.
    failures: Vec<String>,
}

impl Outcome {
    /// The outcome of a step that ran.
    pub(crate) fn of(name: &'static str, run: Run, result: anyhow::Result<()>) -> Self {
        let took = run.elapsed();
        let not_run = run.not_run.iter().map(|what| format!("not run: {what}"));
        let remarks = not_run.chain(run.notes.iter().cloned()).collect();
        let ending = match result {
            Ok(()) => Ending::Passed,
            Err(error) => Ending::Failed(format!("{error:#}")),
        };
        let failures = match ending {
            Ending::Failed(_) => failures::of(&output(run.log_path())).into_iter().map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Self { name, ending, took, counts: run.counts, targets: run.targets, remarks, failures }
    }

    /// The outcome of a step that was not started.
    pub(crate) fn not_run(name: &'static str, reason: String) -> Self {
        let counts = Counts { not_run: 1, ..Counts::default() };
        let (targets, remarks) = (Vec::new(), vec![format!("not run: {reason}")]);
        let (ending, failures) = (Ending::NotRun(reason), Vec::new());
        Self { name, ending, took: Duration::ZERO, counts, targets, remarks, failures }
    }

    /// Whether the step ran and held.
    pub(crate) fn passed(&self) -> bool {
        matches!(self.ending, Ending::Passed)
    }

    fn word(&self) -> &'static str {
        match self.ending {
            Ending::Passed => "ok",
            Ending::Failed(_) => "FAILED",
            Ending::NotRun(_) => "not run",
        }
    }
}

/// Prints how the step ended, and for a failed one what it said last.
pub(crate) fn step(outcome: &Outcome, log: &Path) {
    let Counts { passed, failed, .. } = outcome.counts;
    println!("      {:>10}  {}: {passed} passed, {failed} failed", clock::text(outcome.took), outcome.word());
    match &outcome.ending {
        Ending::Passed => {}
        Ending::NotRun(reason) => println!("                  {reason}"),
        Ending::Failed(error) => {
            println!("---- {}: {error}", outcome.name);
            println!("---- the whole output is in {}", log.display());
            last_lines(log).iter().for_each(|line| println!("    {line}"));
            println!("----");
        }
    }
}

/// All that a step's commands wrote.
fn output(log: &Path) -> String {
    std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The end of the log without the lines of what went well.
fn last_lines(log: &Path) -> Vec<String> {
    let text = output(log);
    let went_well = |line: &&str| {
        let line = line.trim_start();
        !(line.ends_with("... ok")
            || line.starts_with("Compiling ")
            || line.starts_with("Checking ")
            || line.starts_with('✔'))
    };
    let lines: Vec<&str> = text.lines().filter(went_well).collect();
    lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES)).map(|line| (*line).to_owned()).collect()
}

/// Prints the table, what did not hold and, as the last line, the plain sum.
pub(crate) fn summary(outcomes: &[Outcome], took: Duration) -> Counts {
    let mut sum = Counts::default();
    println!("\n{:<34} {:<8} {:>12} {:>7} {:>7} {:>8}", "step", "", "time", "passed", "failed", "not run");
    for outcome in outcomes {
        sum += outcome.counts;
        line(outcome.name, outcome.word(), &clock::text(outcome.took), outcome.counts);
        for (name, counts) in outcome.targets.iter().filter(|(_, counts)| !counts.is_empty()) {
            line(&format!("  {name}"), "", "", *counts);
        }
    }
    line("all", "", &clock::text(took), sum);
    for outcome in outcomes {
        outcome.remarks.iter().for_each(|remark| println!("{}: {remark}", outcome.name));
    }
    for outcome in outcomes {
        outcome.failures.iter().for_each(|line| println!("{}: {line}", outcome.name));
    }
    println!("{} passed, {} failed", sum.passed, sum.failed);
    sum
}

fn line(name: &str, word: &str, took: &str, counts: Counts) {
    let Counts { passed, failed, not_run } = counts;
    println!("{name:<34} {word:<8} {took:>12} {passed:>7} {failed:>7} {not_run:>8}");
}
