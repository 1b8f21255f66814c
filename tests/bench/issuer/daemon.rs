//! The daemon under test: a process of its own, on a free port of the loopback address, that does not outlive this one.

use std::error::Error;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::clock;
use crate::work::SECRET;

/// The name of the daemon, which stays when it is started again on another port.
const ISSUER: &str = "https://issuer.test";

/// It listens by then, or never.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running daemon.
pub(crate) struct Daemon {
    process: Child,
    address: SocketAddr,
    took: Duration,
}

impl Daemon {
    /// Starts it on the data in `folder` and waits until it says that it is ready.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self, Box<dyn Error>> {
        Self::launch(Command::new(program), folder)
    }

    /// Starts it as [`Daemon::start`] does, for more connections than the default has room for.
    pub(crate) fn for_many(program: &Path, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(program);
        command.env("COUNTERSIGN_MAX_CONNECTIONS", "30000");
        Self::launch(command, folder)
    }

    /// Starts it on an empty database, with what else it keeps in `folder`.
    pub(crate) fn on_postgres(program: &Path, folder: &Path, url: &str) -> Result<Self, Box<dyn Error>> {
        Self::launch(of_postgres(program, url), folder)
    }

    /// Starts another one on the database of the one that keeps its master key below `of`: it stands by for that.
    pub(crate) fn standing_by(program: &Path, folder: &Path, url: &str, of: &Path) -> Result<Self, Box<dyn Error>> {
        let started = clock::now();
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?; // it says where it listens only once it no longer stands by
        let mut command = of_postgres(program, url);
        command.env("COUNTERSIGN_MASTER_KEY_FILE", of.join("data/master.key"));
        let process = spawned(command, folder, &address.to_string())?;
        let standing = Self { process, address, took: started.elapsed() };
        while TcpStream::connect(address).is_err() {
            if started.elapsed() > PATIENCE {
                return Err("the daemon that is to stand by does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(standing)
    }

    fn launch(command: Command, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let started = clock::now();
        let mut process = spawned(command, folder, "127.0.0.1:0")?;
        let output = process.stdout.take().ok_or("the daemon has no output")?;
        let ready = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| ready_at(&line));
        let took = started.elapsed();
        match ready {
            Some(address) => Ok(Self { process, address, took }),
            None => {
                let _reaped = process.kill().and_then(|()| process.wait());
                Err("the daemon ended before it was ready".into())
            }
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From starting the process to its saying that it is ready.
    pub(crate) fn took_to_start(&self) -> Duration {
        self.took
    }

    /// Memory that it holds in RAM.
    pub(crate) fn resident_kib(&self) -> Result<u64, Box<dyn Error>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Processor time it has used so far, of all its threads, in the kernel and outside.
    pub(crate) fn processor_time(&self) -> Result<Duration, Box<dyn Error>> {
        // proc(5): after the name come the state (3) and, as fields 14 and 15, user and system time in hundredths.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
        let hundredths = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(hundredths * 10))
    }

    /// Stops it as an operator would, and waits until it has ended well.
    pub(crate) fn stop(mut self) -> Result<(), Box<dyn Error>> {
        Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status()?;
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the daemon ended with {status}").into()) }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _already_stopped = self.process.kill().and_then(|()| self.process.wait());
    }
}

fn of_postgres(program: &Path, url: &str) -> Command {
    let mut command = Command::new(program);
    command.env("COUNTERSIGN_STORE_ENGINE", "postgres").env("COUNTERSIGN_STORE_URL", url);
    command.env("COUNTERSIGN_STORE_MIGRATE", "true");
    command
}

fn spawned(mut command: Command, folder: &Path, listen: &str) -> io::Result<Child> {
    command.args(["serve", "--listen", listen, "--log-level", "warn", "--data-dir"]).arg(folder.join("data"));
    command.env("COUNTERSIGN_ADMIN_SECRET", SECRET).env("COUNTERSIGN_ISSUER", ISSUER);
    // All load is of one client at one address, and may be more than is allowed to one.
    command.env("COUNTERSIGN_RATE_LIMITS_TOKEN_PER_SECOND", "0").env("COUNTERSIGN_RATE_LIMITS_CLIENT_PER_SECOND", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
}

fn ready_at(line: &str) -> Option<SocketAddr> {
    line.strip_prefix("countersign is ready on http://")?.trim().parse().ok()
}
