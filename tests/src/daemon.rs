//! One running daemon.

use crate::binary::{binary, dynamic};
use crate::client::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tempfile::TempDir;

/// How long a start may take, far above what a loaded machine needs.
const STARTING: Duration = Duration::from_secs(60);

const READY: &str = "countersign is ready on ";

/// How a daemon is to be started.
#[derive(Debug)]
pub struct Setup {
    folder: TempDir,
    settings: Vec<(String, String)>,
    wrapper: Vec<String>,
    binary: Option<&'static Path>,
}

/// A daemon in a temporary folder; dropping it kills the process and removes the folder.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
    secret: String,
    setup: Setup,
}

/// A daemon that has been started and has not said yet that it is ready; dropping it kills the process.
#[derive(Debug)]
pub struct Starting(Option<(Child, BufReader<ChildStdout>, Setup)>);

/// What the token endpoints answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)] // the names of RFC 6749 and of the protocol
pub struct Pair {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_in: u64,
    pub refresh_expires_in: u64,
    pub session_expires_at: u64,
    pub scope: Option<String>,
    pub sid: String,
}

impl Pair {
    /// Returns the claims of the access token, as signed and not verified.
    pub fn claims(&self) -> Value {
        claims(&self.access_token)
    }
}

/// Returns the claims of a compact token, not verified.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).and_then(|part| token::base64url::decode(part.as_bytes()).ok());
    serde_json::from_slice(&payload.expect("a compact token")).expect("claims")
}

impl Setup {
    /// Prepares a daemon with default settings on a free port of loopback, in a new folder.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        Self { folder, settings: Vec::new(), wrapper: Vec::new(), binary: None }
            .set("listen", "127.0.0.1:0")
            .set("log_level", "debug")
    }

    /// Sets the setting `name`, as the settings file calls it, through its environment variable.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        let variable = format!("COUNTERSIGN_{}", name.to_ascii_uppercase().replace('.', "_"));
        self.settings.retain(|(known, _)| *known != variable);
        self.settings.push((variable, value.to_owned()));
        self
    }

    /// Leaves the setting `name` to the settings file, or to its default.
    #[must_use]
    pub fn unset(mut self, name: &str) -> Self {
        let variable = format!("COUNTERSIGN_{}", name.to_ascii_uppercase().replace('.', "_"));
        self.settings.retain(|(known, _)| *known != variable);
        self
    }

    /// Lets `command` start the daemon: the binary and its arguments follow these words.
    #[must_use]
    pub fn through(mut self, command: &[&str]) -> Self {
        self.wrapper = command.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Lets `command` start the daemon with a library in front of the system's.
    #[must_use]
    pub fn preloading(self, command: &[&str]) -> Self {
        Self { binary: Some(dynamic()), ..self.through(command) }
    }

    /// Returns the folder that holds the data folder and the log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets the folder stay, for whoever wants to know what happened there, and returns it.
    pub fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }

    /// Returns the daemon's data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Returns the command that runs `countersign` with these settings and no others.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let binary = self.binary.unwrap_or_else(binary);
        let mut command = match self.wrapper.split_first() {
            Some((program, rest)) => {
                let mut command = Command::new(program);
                command.args(rest).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
            command.env_remove(name);
        }
        command.env("COUNTERSIGN_DATA_DIR", self.data_dir());
        command.envs(self.settings.iter().map(|(name, value)| (name, value))).args(arguments);
        command
    }

    /// Starts the daemon and does not wait: it may stand by for another one.
    pub fn begin(self) -> Starting {
        let (child, stdout) = spawned(&self);
        Starting(Some((child, stdout, self)))
    }

    /// Starts the daemon on a free port and waits until it answers there at all: it may stand by for another one.
    pub fn alongside(self) -> Daemon {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        self.begin_at(address)
    }

    /// Starts the daemon at an address that is free, as [`Setup::alongside`] does.
    pub fn begin_at(self, address: SocketAddr) -> Daemon {
        let setup = self.set("listen", &address.to_string());
        let (mut child, stdout) = spawned(&setup);
        let _watch = Watch::over(child.id());
        while !Client::new(address).request("GET", "/healthz").try_send().is_ok_and(|reply| reply.status == 200) {
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none(), "the daemon did not start ({ended:?}):\n{}", log_of(&setup));
            std::thread::yield_now();
        }
        let secret = setup.given_secret().expect("a secret that several daemons have is given");
        Daemon { child, stdout, address, secret, setup }
    }

    /// Lets it keep everything in a database. The master key is in `key_file`, so that several daemons have the same one.
    #[must_use]
    pub fn postgres(self, url: &str, key_file: &Path) -> Self {
        let key_file = key_file.to_str().expect("a path in UTF-8");
        let on_postgres = self.set("store.engine", "postgres").set("store.url", url);
        on_postgres.set("store.migrate", "true").set("master_key_file", key_file)
    }

    /// Starts the daemon and waits until it is ready.
    pub fn start(self) -> Daemon {
        let (child, stdout, address, secret) = launch(&self);
        let secret = secret.or_else(|| self.given_secret()).expect("a secret is shown or was given");
        Daemon { child, stdout, address, secret, setup: self }
    }

    fn given_secret(&self) -> Option<String> {
        let given = self.settings.iter().find(|(name, _)| name == "COUNTERSIGN_ADMIN_SECRET");
        given.map(|(_, secret)| secret.clone())
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

/// A process that is ready, where it listens, and the secret that it has shown.
type Launched = (Child, BufReader<ChildStdout>, SocketAddr, Option<String>);

/// How a daemon ended that never was ready.
#[derive(Debug, Clone)]
pub struct NotStarted {
    /// How the process ended; by SIGKILL when it was neither ready nor at its end within a minute.
    pub status: ExitStatus,
    /// What it said on standard error.
    pub said: String,
}

fn launch(setup: &Setup) -> Launched {
    let fault = |NotStarted { status, .. }| panic!("the daemon did not start ({status}):\n{}", log_of(setup));
    try_launch(setup).unwrap_or_else(fault)
}

fn try_launch(setup: &Setup) -> Result<Launched, NotStarted> {
    let said_before = log_of(setup).len();
    let (child, stdout) = spawned(setup);
    told(child, stdout, setup, said_before)
}

#[allow(clippy::zombie_processes)] // whoever drops the Daemon waits for its process
fn spawned(setup: &Setup) -> (Child, BufReader<ChildStdout>) {
    let log = File::options().create(true).append(true).open(setup.folder().join("log")).expect("a log file");
    let mut command = setup.command(&["serve"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("the daemon starts");
    let stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    (child, stdout)
}

/// Waits until the daemon says where it is ready.
fn told(
    mut child: Child,
    mut stdout: BufReader<ChildStdout>,
    setup: &Setup,
    said_before: usize,
) -> Result<Launched, NotStarted> {
    let _watch = Watch::over(child.id());
    let mut secret = None;
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).expect("standard output") == 0 {
            let status = child.wait().expect("it has ended");
            return Err(NotStarted { status, said: log_of(setup).split_off(said_before) });
        }
        if let Some(shown) = line.strip_prefix("client_secret=") {
            secret = Some(shown.trim_end().to_owned());
        }
        if let Some((_, address)) = line.strip_prefix(READY).and_then(|url| url.split_once("://")) {
            return Ok((child, stdout, address.trim_end().parse().expect("an address"), secret));
        }
    }
}

/// Kills a process that takes too long, until it is dropped.
struct Watch {
    _over: Sender<()>,
}

impl Watch {
    fn over(pid: u32) -> Self {
        let (over, waiting) = channel();
        std::thread::spawn(move || {
            if waiting.recv_timeout(STARTING) == Err(RecvTimeoutError::Timeout) {
                let _ended_by_itself = kill_process(process(pid), Signal::KILL);
            }
        });
        Self { _over: over }
    }
}

fn process(id: u32) -> Pid {
    i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process id")
}

fn log_of(setup: &Setup) -> String {
    fs::read_to_string(setup.folder().join("log")).unwrap_or_default()
}

impl Starting {
    /// Waits until it is ready.
    pub fn ready(mut self) -> Daemon {
        let (child, stdout, setup) = self.0.take().expect("it was begun");
        let told = told(child, stdout, &setup, 0);
        let (child, stdout, address, secret) = told.unwrap_or_else(|NotStarted { status, said }| {
            panic!("the daemon did not start ({status}):\n{said}");
        });
        let secret = secret.or_else(|| setup.given_secret()).expect("a secret is shown or was given");
        Daemon { child, stdout, address, secret, setup }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some((mut child, _, _)) = self.0.take() {
            // It may have ended before, which is what is wanted.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Daemon {
    /// Starts a daemon with default settings.
    pub fn start() -> Self {
        Setup::new().start()
    }

    /// Returns a client of this daemon.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Returns the URL of this daemon, which is also its issuer identifier.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the id and the secret of the administrative client.
    pub fn admin(&self) -> (&str, &str) {
        ("admin", &self.secret)
    }

    /// Returns how it was started.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Lets its folder stay when it is dropped, with data and log, and returns where it is.
    pub fn keep(&mut self) -> &Path {
        self.setup.keep()
    }

    /// Returns its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns everything it has logged so far, over all its starts.
    pub fn log(&self) -> String {
        log_of(&self.setup)
    }

    /// Waits until `line` is in the log more often than `seen` times.
    pub fn logs(&self, line: &str, seen: usize) {
        // Far more looks than it takes; each is a read of the file, and nothing sleeps.
        for _ in 0..3_000_000 {
            if self.log().matches(line).count() > seen {
                return;
            }
            std::thread::yield_now();
        }
        panic!("no {line:?} in\n{}", self.log());
    }

    /// Mints a pair by `POST /v1/tokens`.
    pub fn mint(&self, request: Value) -> Pair {
        let reply = self.client().json("/v1/tokens", &request).basic(self.admin()).send();
        assert_eq!(reply.status, 200, "{}", reply.text());
        serde_json::from_slice(&reply.body).expect("a pair")
    }

    /// Presents a refresh token.
    pub fn refresh(&self, refresh_token: &str) -> crate::Reply {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.client().form("/oauth/token", &fields).basic(self.admin()).send()
    }

    /// Revokes a token.
    pub fn revoke(&self, token: &str) -> crate::Reply {
        self.client().form("/oauth/revoke", &[("token", token)]).basic(self.admin()).send()
    }

    /// Asks it to stop (SIGTERM) and returns how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits until it has ended and returns how.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the daemon ends")
    }

    /// True until the process has ended.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Waits until it has ended by itself and returns how; one that goes on for a minute is killed.
    pub fn ended(&mut self) -> ExitStatus {
        let _watch = Watch::over(self.child.id());
        self.wait()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(process(self.child.id()), signal).expect("the daemon runs");
    }

    /// Kills it at once (SIGKILL), as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("the daemon can be killed");
        self.child.wait().expect("the daemon ends");
    }

    /// Starts it again on the same port and folder, after [`Daemon::stop`] or [`Daemon::kill`].
    pub fn restart(&mut self) {
        let listen = ("COUNTERSIGN_LISTEN".to_owned(), self.address.to_string());
        self.setup.settings.retain(|(name, _)| *name != listen.0);
        self.setup.settings.push(listen);
        (self.child, self.stdout, self.address, _) = launch(&self.setup);
    }

    /// Starts it again as [`Daemon::restart`] does, and does not wait: it may stand by for another one.
    pub fn begin_again(&mut self) {
        let listen = ("COUNTERSIGN_LISTEN".to_owned(), self.address.to_string());
        self.setup.settings.retain(|(name, _)| *name != listen.0);
        self.setup.settings.push(listen);
        (self.child, self.stdout) = spawned(&self.setup);
    }
}

impl Daemon {
    /// Starts it again after its end, where it was told to listen: on any free port, unless it has been [`Daemon::restart`]ed.
    /// Tokens hold only if its issuer does not follow from that.
    pub fn start_again(&mut self) {
        (self.child, self.stdout, self.address, _) = launch(&self.setup);
    }

    /// Like [`Daemon::start_again`].
    ///
    /// # Errors
    /// The start was refused, or took more than a minute.
    pub fn try_start_again(&mut self) -> Result<(), NotStarted> {
        (self.child, self.stdout, self.address, _) = try_launch(&self.setup)?;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended before, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
