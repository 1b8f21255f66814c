//! Runs the commands of one step: their output goes to a log file, is counted as it comes, and a step that takes long
//! says what it is doing. A step has a deadline, after which all it started is ended.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::counts::Counts;
use crate::{clock, descendants};

/// How long one step may take: many times what the slowest takes, because it is there for what hangs.
const DEADLINE: Duration = Duration::from_secs(20 * 60);
/// How often a long step says that it is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
/// How long a command's output may stay open after the command has ended, held by something it left behind.
const LEFT_OPEN: Duration = Duration::from_secs(3);

/// What a step did so far.
pub(crate) struct Run {
    log: File,
    path: PathBuf,
    verbose: bool,
    started: Instant,
    /// Tests of the target under way that said they did not run, and that its summary will count as passed.
    withheld: u64,
    /// The sum over the step's commands.
    pub(crate) counts: Counts,
    /// The counts of each test target, in the order they ran.
    pub(crate) targets: Vec<(String, Counts)>,
    /// What did not run, and why.
    pub(crate) not_run: Vec<String>,
    /// What the step wants said in the summary.
    pub(crate) notes: Vec<String>,
}

impl Run {
    /// A step that has done nothing yet, logging to `<folder>/<name>.log`; the log of an earlier run is gone.
    pub(crate) fn start(folder: &Path, name: &str, verbose: bool) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        let path = folder.join(format!("{name}.log"));
        let log = File::create(&path).with_context(|| format!("write {}", path.display()))?;
        let (started, counts) = (clock::now(), Counts::default());
        let (targets, not_run, notes) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { log, path, verbose, started, withheld: 0, counts, targets, not_run, notes })
    }

    /// Where the step's whole output is.
    pub(crate) fn log_path(&self) -> &Path {
        &self.path
    }

    /// How long the step has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Runs a command that either works or does not: it counts as one.
    ///
    /// # Errors
    /// When it cannot be started, ends with another status than 0, or passes the step's deadline.
    pub(crate) fn check(&mut self, command: &mut Command) -> anyhow::Result<()> {
        let result = self.execute(command, false);
        self.counts += if result.is_ok() { Counts::PASS } else { Counts::FAIL };
        result
    }

    /// Runs a command that says how many tests it ran: they are what counts.
    ///
    /// # Errors
    /// As [`Run::check`], and when the command ran no test at all.
    pub(crate) fn tests(&mut self, command: &mut Command) -> anyhow::Result<()> {
        let before = self.counts;
        let result = self.execute(command, true);
        if result.is_err() && self.counts.failed == before.failed {
            self.counts += Counts::FAIL; // it broke before, or beside, its tests
        }
        result?;
        if self.counts == before {
            self.counts += Counts::FAIL;
            bail!("{} ran no test", text(command));
        }
        Ok(())
    }

    fn execute(&mut self, command: &mut Command, counted: bool) -> anyhow::Result<()> {
        let said = text(command);
        writeln!(self.log, "$ {said}")?;
        let (mut child, lines) = spawn(command).with_context(|| format!("start {said}"))?;
        let status = self.follow(&mut child, &lines, counted);
        match status {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => bail!("{said}: {status}"),
            Ok(None) => {
                descendants::end(&mut child);
                bail!("{said}: ended after {}", clock::text(self.elapsed()))
            }
            Err(error) => {
                descendants::end(&mut child);
                Err(error)
            }
        }
    }

    /// Reads the command's output to its end. `None` when the deadline passed first.
    fn follow(
        &mut self,
        child: &mut Child,
        lines: &Receiver<String>,
        counted: bool,
    ) -> anyhow::Result<Option<ExitStatus>> {
        let mut last_line = String::new();
        let mut last_sign = clock::now();
        let mut ended: Option<(ExitStatus, Instant)> = None;
        loop {
            match lines.recv_timeout(Duration::from_millis(200)) {
                Ok(line) => {
                    self.take(&line, counted)?;
                    last_line = line;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Some(child.wait()?)),
            }
            match ended {
                Some((status, at)) if at.elapsed() > LEFT_OPEN => return Ok(Some(status)),
                Some(_) => {}
                None => ended = child.try_wait()?.map(|status| (status, clock::now())),
            }
            if self.elapsed() > DEADLINE {
                return Ok(None);
            }
            if !self.verbose && last_sign.elapsed() > SIGN_OF_LIFE {
                last_sign = clock::now();
                println!("      {:>10}  {}", clock::text(self.elapsed()), last_line.trim());
            }
        }
    }

    fn take(&mut self, line: &str, counted: bool) -> anyhow::Result<()> {
        writeln!(self.log, "{line}")?;
        if self.verbose {
            println!("      {line}");
        }
        if !counted {
            return Ok(());
        }
        if let Some(target) = target(line) {
            self.targets.push((target, Counts::default()));
        }
        if let Some(test) = ignored(line) {
            self.not_run.push(test);
        }
        if let Some(test) = withheld(line) {
            self.not_run.push(test);
            self.withheld += 1;
        }
        if let Some(counts) = Counts::in_line(line) {
            let counts = counts.without(std::mem::take(&mut self.withheld));
            self.counts += counts;
            if let Some((_, of_target)) = self.targets.last_mut() {
                *of_target += counts;
            }
        }
        Ok(())
    }
}

/// Starts the command with both its outputs in one pipe, read line by line by a thread of its own.
fn spawn(command: &mut Command) -> anyhow::Result<(Child, Receiver<String>)> {
    let (reader, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1").env_remove("FORCE_COLOR");
    let child = command.spawn()?;
    // The command keeps our ends of the pipe open as long as it lives; without them the reader never sees the end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || read_lines(reader, &sender));
    Ok((child, lines))
}

fn read_lines(reader: PipeReader, sender: &mpsc::Sender<String>) {
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
    }
}

/// The command as one would type it.
fn text(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

/// `Running unittests src/lib.rs (target/debug/deps/token-0123)` → `token src/lib.rs`; `Doc-tests token` as it is.
fn target(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(of) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{of} examples"));
    }
    let (source, program) = line.strip_prefix("Running ")?.strip_suffix(')')?.split_once(" (")?;
    let name = Path::new(program).file_name()?.to_str()?.rsplit_once('-')?.0;
    Some(format!("{name} {}", source.trim_start_matches("unittests ")))
}

/// `what: not run (why)` → `what (why)`: what a test writes that cannot do its work here. libtest then counts it as passed.
fn withheld(line: &str) -> Option<String> {
    let (what, why) = line.strip_suffix(')')?.split_once(": not run (")?;
    Some(format!("{what} ({why})"))
}

/// `test name ... ignored, reason` → `name (reason)`
fn ignored(line: &str) -> Option<String> {
    let (name, reason) = line.strip_prefix("test ")?.split_once(" ... ignored")?;
    let reason = reason.trim_start_matches(", ");
    Some(if reason.is_empty() { name.to_owned() } else { format!("{name} ({reason})") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_of(script: &str, counted: bool) -> (anyhow::Result<()>, Run, String) {
        static TESTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = TESTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("xtask-run-{}-{number}", std::process::id()));
        let mut run = Run::start(&folder, "step", false).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let result = if counted { run.tests(&mut command) } else { run.check(&mut command) };
        let log = std::fs::read_to_string(run.log_path()).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        (result, run, log)
    }

    #[test]
    fn a_command_that_fails_counts_as_failed_whatever_it_prints() {
        let (result, run, _) = run_of("echo '# pass 3'; exit 7", true);
        assert!(result.unwrap_err().to_string().contains("exit status: 7"));
        assert_eq!(run.counts, Counts { passed: 3, failed: 1, not_run: 0 });
    }

    #[test]
    fn a_test_command_that_runs_no_test_fails() {
        let (result, run, _) = run_of("echo all is well, truly", true);
        assert!(result.unwrap_err().to_string().contains("ran no test"));
        assert_eq!(run.counts, Counts::FAIL);
    }

    #[test]
    fn a_check_counts_as_one_and_its_output_is_not_counted() {
        let (result, run, log) = run_of("echo '5 passed, 5 failed' >&2", false);
        assert!(result.is_ok());
        assert_eq!(run.counts, Counts::PASS);
        assert!(log.contains("5 passed, 5 failed"));
    }

    #[test]
    fn a_test_that_says_it_did_not_run_is_not_counted_as_passed() {
        let summary = "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        let (result, run, _) = run_of(&format!("echo 'dalek: not run (X is not set)' >&2; echo '{summary}'"), true);
        assert!(result.is_ok());
        assert_eq!(run.counts, Counts { passed: 4, failed: 0, not_run: 1 });
        assert_eq!(run.not_run, ["dalek (X is not set)"]);
    }

    #[test]
    fn a_process_left_behind_does_not_hold_the_step_up() {
        let (result, run, _) = run_of("sleep 30 & echo '1 passed, 0 failed'", true);
        assert!(result.is_ok());
        assert!(run.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn cargo_lines_name_the_target_and_the_ignored_test() {
        let line = "     Running unittests src/lib.rs (target/debug/deps/token-0a1b)";
        assert_eq!(target(line).as_deref(), Some("token src/lib.rs"));
        assert_eq!(target("   Doc-tests token").as_deref(), Some("token examples"));
        assert_eq!(target("     Running tests"), None);
        assert_eq!(ignored("test a::b ... ignored, no vectors").as_deref(), Some("a::b (no vectors)"));
        assert_eq!(ignored("test a::b ... ok"), None);
    }
}
