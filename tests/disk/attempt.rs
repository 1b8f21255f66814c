//! A daemon that may not start, or may end by itself, and that is waited for with a bound.

use countersign_tests::{Client, Setup};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Far above what a start or an end takes on a loaded machine: whoever exceeds it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// One run of `countersign serve`.
pub(crate) struct Attempt {
    child: Child,
    /// What it says on standard output, which it closes by ending.
    lines: Receiver<String>,
    log: File,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    /// What it said on standard error.
    pub(crate) log: String,
}

impl Attempt {
    /// Starts the daemon and waits for nothing.
    pub(crate) fn begin(setup: &Setup) -> Self {
        let path = setup.folder().join("attempt.log");
        let log = File::options().create(true).truncate(true).read(true).write(true).open(path).unwrap();
        let mut command = setup.command(&["serve"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.try_clone().unwrap());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, log }
    }

    /// Waits until it is ready; none when it has ended before.
    ///
    /// # Errors
    /// It does neither.
    pub(crate) fn ready(&mut self) -> Result<Option<Client>, String> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let address = line.strip_prefix("countersign is ready on ").and_then(|url| url.split_once("://"));
                    if let Some((_, address)) = address {
                        return address.trim_end().parse().map(|address| Some(Client::new(address))).map_err(|_| line);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => return Err(self.hangs("it neither becomes ready nor ends")),
            }
        }
    }

    /// Asks it to stop; it may have ended already.
    pub(crate) fn ask_to_stop(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("nobody has waited for it yet");
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// It does not end.
    pub(crate) fn end(mut self) -> Result<End, String> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return Err(self.hangs("it does not end")),
            }
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        Ok(End { status, log: self.said() })
    }

    fn hangs(&mut self, what: &str) -> String {
        drop(self.child.kill());
        drop(self.child.wait());
        format!("{what}:\n{}", self.said())
    }

    fn said(&mut self) -> String {
        let mut text = String::new();
        self.log.seek(SeekFrom::Start(0)).unwrap();
        self.log.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        drop(self.child.kill()); // it may have ended
        drop(self.child.wait());
    }
}
