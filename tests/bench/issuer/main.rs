//! Measures the daemon as it is used: the release binary, a store on disk, HTTP over loopback, 64 connections. Then, in the
//! same run, what others keep rotating refresh tokens with. Every phase is bounded by a count and by time, and all ends by
//! itself.
//!
//! ```text
//! bench_issuer beside <the daemon> <folder on the disk to measure> <Python of the peers> <folder of the peers>
//! bench_issuer growth <the daemon> <folder on the disk to measure> <count of sessions>…
//! bench_issuer crowd  <the daemon> <folder on the disk to measure>
//! prints       Markdown
//! ```

mod alarm;
mod clock;
mod connection;
mod crowd;
mod daemon;
mod disk;
mod growth;
mod load;
mod peers;
mod report;
mod work;

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use connection::Connection;
use daemon::Daemon;
use load::{Bounds, Measured, Pace};
use peers::{PEERS, Peer, Tools};
use report::{OfPeer, OnPostgres, Report, Start};
use work::Sessions;

const USAGE: &str = "usage: bench_issuer beside|growth|crowd <daemon> <folder> …";

/// Connections, each with one request under way.
const CONNECTIONS: usize = 64;
/// Sessions of each connection: refreshed in turn, so that none gathers more live tokens than a session may have.
const SESSIONS: usize = 150;
const ROUNDS: usize = 3;
const MINTING: Bounds = Bounds { requests: SESSIONS, time: Duration::from_secs(30) };
const REFRESHING: Bounds = Bounds { requests: 3_000, time: Duration::from_secs(8) };
const READING: Bounds = Bounds { requests: 3_000, time: Duration::from_secs(3) };
/// Of one client that waits for each answer.
const ALONE: Bounds = Bounds { requests: 2_000, time: Duration::from_secs(5) };
const REVOKING: Bounds = Bounds { requests: SESSIONS, time: Duration::from_secs(3) };
/// Of a peer: first sessions, then refreshes.
const PEER_MINTING: Bounds = Bounds { requests: 20, time: Duration::from_secs(5) };
const PEER_REFRESHING: Bounds = Bounds { requests: 3_000, time: Duration::from_secs(8) };
/// How often a start on an empty folder is repeated.
const STARTS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, program, disk, rest @ ..] = arguments.as_slice() else { return Err(USAGE.into()) };
    let (program, disk) = (Path::new(program), Path::new(disk));
    let text = match (what.as_str(), rest) {
        ("beside", [python, programs]) => {
            let tools = Tools { python: python.into(), programs: programs.into() };
            let ours = ours(program, disk)?;
            let on_postgres = on_postgres(program, disk)?;
            let peers = PEERS.into_iter().map(|peer| of(peer, &tools, disk)).collect::<Result<Vec<_>, _>>()?;
            ours.markdown(&on_postgres, &peers)
        }
        ("crowd", []) => crowd::table(program, disk)?,
        ("growth", counts) => growth::table(program, disk, counts)?,
        _ => return Err(USAGE.into()),
    };
    print!("{text}");
    Ok(())
}

/// One phase against one server: every connection goes on with its own sessions.
struct Loaded {
    connections: usize,
    sessions: Vec<Sessions>,
}

impl Loaded {
    /// One client, with sessions of its own.
    fn alone(host: std::net::SocketAddr) -> Result<Self, Box<dyn Error>> {
        let mut one = Self { connections: 1, sessions: Vec::new() };
        one.run(host, (MINTING, Pace::Closed), work::mint)?;
        Ok(one)
    }

    fn run(
        &mut self,
        host: std::net::SocketAddr,
        how: (Bounds, Pace),
        request: impl AsyncFn(&mut Connection, usize, &mut Sessions) -> io::Result<()> + 'static,
    ) -> Result<Measured, Box<dyn Error>> {
        let mut kept = std::mem::take(&mut self.sessions).into_iter();
        let (measured, after) = load::run(host, self.connections, how, |_| kept.next().unwrap_or_default(), request)?;
        self.sessions = after;
        Ok(measured)
    }
}

fn ours(program: &Path, disk: &Path) -> Result<Report, Box<dyn Error>> {
    let fdatasync = disk::syncs_per_second(disk)?;
    let first_starts = (0..STARTS).map(|_| first_start(program, disk)).collect::<Result<Vec<_>, _>>()?;
    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::start(program, folder.path())?;
    let (idle, host) = (daemon.resident_kib()?, daemon.address());
    let mut load = Loaded { connections: CONNECTIONS, sessions: Vec::new() };
    let mints = load.run(host, (MINTING, Pace::Closed), work::mint)?;
    let before = daemon.processor_time()?;
    let refreshes = (0..ROUNDS)
        .map(|_| load.run(host, (REFRESHING, Pace::Closed), work::refresh))
        .collect::<Result<Vec<_>, _>>()?;
    let refreshing = daemon.processor_time()?.saturating_sub(before);
    let loaded = daemon.resident_kib()?;
    let half = Pace::Open { per_second: report::half_of(&refreshes) };
    let paced = load.run(host, (REFRESHING, half), work::refresh)?;
    let alone = Loaded::alone(host)?.run(host, (ALONE, Pace::Closed), work::refresh)?;
    let introspections = load.run(host, (READING, Pace::Closed), work::introspect)?;
    let keys = load.run(host, (READING, Pace::Closed), work::keys)?;
    let sessions = load.sessions.iter().map(Vec::len).sum();
    daemon.stop()?;
    let again = Daemon::start(program, folder.path())?;
    let restarted = Start { took: again.took_to_start(), kib: again.resident_kib()? };
    let stored_kib = disk::kib_below(folder.path())?;
    let revocations = load.run(again.address(), (REVOKING, Pace::Closed), work::revoke)?;
    let lists = load.run(again.address(), (READING, Pace::Closed), work::list)?;
    again.stop()?;
    Ok(Report {
        fdatasync,
        first_starts,
        idle,
        mints,
        refreshes,
        paced,
        alone,
        introspections,
        revocations,
        keys,
        lists,
        refreshing,
        loaded,
        restarted,
        stored_kib,
        sessions,
    })
}

fn on_postgres(program: &Path, disk: &Path) -> Result<OnPostgres, Box<dyn Error>> {
    eprintln!("on PostgreSQL …");
    let cluster = countersign_tests::Cluster::start();
    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::on_postgres(program, folder.path(), &cluster.url())?;
    let mut load = Loaded { connections: CONNECTIONS, sessions: Vec::new() };
    let mints = load.run(daemon.address(), (MINTING, Pace::Closed), work::mint)?;
    let before = daemon.processor_time()?;
    let refreshes = load.run(daemon.address(), (REFRESHING, Pace::Closed), work::refresh)?;
    let refreshing = daemon.processor_time()?.saturating_sub(before);
    let mut one = Loaded::alone(daemon.address())?;
    let alone = one.run(daemon.address(), (ALONE, Pace::Closed), work::refresh)?;
    let beside = tempfile::tempdir_in(disk)?;
    let standby = Daemon::standing_by(program, beside.path(), &cluster.url(), folder.path())?;
    let passed_on = one.run(standby.address(), (ALONE, Pace::Closed), work::refresh)?;
    standby.stop()?;
    daemon.stop()?;
    Ok(OnPostgres { mints, refreshes, refreshing, alone, passed_on })
}

fn of(peer: Peer, tools: &Tools, disk: &Path) -> Result<OfPeer, Box<dyn Error>> {
    eprintln!("{} …", peer.name());
    let folder = tempfile::tempdir_in(disk)?;
    let running = peer.start(tools, folder.path())?;
    let mut load = Loaded { connections: CONNECTIONS, sessions: Vec::new() };
    let mint =
        async move |connection: &mut Connection, _, sessions: &mut Sessions| peer.mint(connection, sessions).await;
    let mints = load.run(running.address(), (PEER_MINTING, Pace::Closed), mint)?;
    let refresh = async move |connection: &mut Connection, count, sessions: &mut Sessions| {
        peer.refresh(connection, count, sessions).await
    };
    let refreshes = load.run(running.address(), (PEER_REFRESHING, Pace::Closed), refresh)?;
    Ok(OfPeer { name: peer.name(), mints, refreshes })
}

/// From starting the process to its saying that it is ready, on a folder it has to make.
fn first_start(program: &Path, disk: &Path) -> Result<Duration, Box<dyn Error>> {
    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::start(program, folder.path())?;
    let took = daemon.took_to_start();
    daemon.stop()?;
    Ok(took)
}
