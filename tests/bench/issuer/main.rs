//! Measures the daemon as it is used: the release binary, a store on disk, HTTP over loopback, one request at a time
//! on each of 64 kept-alive connections. Every phase is bounded by a count and by time, and all ends by itself.
//!
//! ```text
//! bench_issuer <the daemon> <folder on the disk to measure>
//! prints    Markdown
//! ```

mod clock;
mod connection;
mod daemon;
mod disk;
mod load;
mod report;
mod work;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use daemon::Daemon;
use load::{Bounds, Measured};
use report::{Report, Start};

/// Connections, each with one request under way.
const CONNECTIONS: usize = 64;
/// Sessions of each connection: refreshed in turn, so that none gathers more live tokens than a session may have.
const SESSIONS: usize = 150;
const ROUNDS: usize = 3;
const MINTING: Bounds = Bounds { requests: SESSIONS, time: Duration::from_secs(30) };
const REFRESHING: Bounds = Bounds { requests: 3_000, time: Duration::from_secs(8) };
/// How often a start on an empty folder is repeated.
const STARTS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, disk] = arguments.as_slice() else { return Err("usage: bench_issuer <daemon> <folder>".into()) };
    let (program, disk) = (Path::new(program), Path::new(disk));
    let fdatasync = disk::syncs_per_second(disk)?;
    let first_starts = (0..STARTS).map(|_| first_start(program, disk)).collect::<Result<Vec<_>, _>>()?;

    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::start(program, folder.path())?;
    let idle = daemon.resident_kib()?;
    let (mints, mut sessions) = load::run(daemon.address(), CONNECTIONS, MINTING, |_| Vec::new(), work::mint)?;
    let mut refreshes: Vec<Measured> = Vec::new();
    let before = daemon.processor_time()?;
    for _ in 0..ROUNDS {
        let mut kept = sessions.into_iter();
        let (measured, after) =
            load::run(daemon.address(), CONNECTIONS, REFRESHING, |_| kept.next().unwrap_or_default(), work::refresh)?;
        refreshes.push(measured);
        sessions = after;
    }
    let refreshing = daemon.processor_time()?.saturating_sub(before);
    let loaded = daemon.resident_kib()?;
    daemon.stop()?;
    let again = Daemon::start(program, folder.path())?;
    let restarted = Start { took: again.took_to_start(), kib: again.resident_kib()? };
    again.stop()?;
    let stored_kib = disk::kib_below(folder.path())?;
    let count = sessions.iter().map(Vec::len).sum();
    let report = Report {
        fdatasync,
        first_starts,
        idle,
        mints,
        refreshes,
        refreshing,
        loaded,
        restarted,
        stored_kib,
        sessions: count,
    };
    print!("{}", report.markdown());
    Ok(())
}

/// From starting the process to its saying that it is ready, on a folder it has to make.
fn first_start(program: &Path, disk: &Path) -> Result<Duration, Box<dyn Error>> {
    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::start(program, folder.path())?;
    let took = daemon.took_to_start();
    daemon.stop()?;
    Ok(took)
}
