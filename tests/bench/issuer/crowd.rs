//! A crowd that wants nothing: connections that wait for their next request, and others that send a head a byte a second. In
//! among them a thousand refreshes a second are due, in an open loop.

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::daemon::Daemon;
use crate::load::{Bounds, Measured, Pace};
use crate::work::{self, Sessions};
use crate::{CONNECTIONS, MINTING, clock, load};

/// Connections of each kind, where a process may have as many open.
const EACH: usize = 10_000;
/// Files that a process has open besides, at most.
const OTHERS: usize = 500;
const DUE: Pace = Pace::Open { per_second: 1_000 };
const REFRESHING: Bounds = Bounds { requests: usize::MAX, time: Duration::from_secs(15) };
/// A slow connection sends its next byte after this time.
const BYTE: Duration = Duration::from_secs(1);
/// What it sends, again and again behind the request line: a field that never ends.
const HEAD: &[u8] = b"GET / HTTP/1.1\r\nX-Slow: ";

/// Measures without the crowd and among it, and returns a table.
pub(crate) fn table(program: &Path, disk: &Path) -> Result<String, Box<dyn Error>> {
    let each = may_open()?.saturating_sub(OTHERS).div_euclid(2).min(EACH);
    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::for_many(program, folder.path())?;
    let host = daemon.address();
    let (_, sessions) = load::run(host, CONNECTIONS, (MINTING, Pace::Closed), |_| Sessions::new(), work::mint)?;
    let (alone, sessions) = refresh(host, sessions)?;
    let alone_kib = daemon.resident_kib()?;
    eprintln!("{each} idle and {each} slow connections …");
    let idle = (0..each).map(|_| idle(host)).collect::<io::Result<Vec<_>>>()?;
    let slow = (0..each).map(|_| slow(host)).collect::<io::Result<Vec<_>>>()?;
    let over = AtomicBool::new(false);
    let (among, reopened) = thread::scope(|scope| {
        let dribbling = scope.spawn(|| dribble(host, slow, &over));
        let among = refresh(host, sessions);
        over.store(true, Ordering::Relaxed);
        (among, dribbling.join())
    });
    let ((among, _), reopened) = (among?, reopened.map_err(|_| "the slow connections' thread panicked")??);
    let among_kib = daemon.resident_kib()?;
    let open = idle.iter().filter(|stream| is_open(stream)).count();
    daemon.stop()?;
    let mut text = String::from(
        "| refreshes, 1,000 a second due | answered a second | p50 | p99 | p99.9 | resident |\n|---|---|---|---|---|---|\n",
    );
    text += &row("alone", &alone, alone_kib);
    text += &row(&format!("among {each} idle and {each} slow connections"), &among, among_kib);
    text += &format!(
        "\nOf the idle connections {open} were open at the end; the slow ones were closed by the daemon and opened again {reopened} times.\n"
    );
    Ok(text)
}

fn refresh(host: SocketAddr, sessions: Vec<Sessions>) -> Result<(Measured, Vec<Sessions>), Box<dyn Error>> {
    let mut kept = sessions.into_iter();
    load::run(host, CONNECTIONS, (REFRESHING, DUE), |_| kept.next().unwrap_or_default(), work::refresh)
}

/// Lets this process, and those it starts, open as many files as the system allows them; returns how many that are.
fn may_open() -> io::Result<usize> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    Ok(most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX))
}

/// A connection that has had an answer and waits.
fn idle(host: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer)?; // it is small and comes in one piece
    if !answer.get(..length).is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200 ")) {
        return Err(io::Error::other("/healthz is not answered with 200"));
    }
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn slow(host: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(HEAD)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Sends a byte on each until it is over; what the daemon has closed is opened again. Returns how often that was.
fn dribble(host: SocketAddr, mut crowd: Vec<TcpStream>, over: &AtomicBool) -> io::Result<usize> {
    let mut reopened = 0;
    while !over.load(Ordering::Relaxed) {
        let started = clock::now();
        for stream in &mut crowd {
            if !is_open(stream) || stream.write_all(b"x").is_err() {
                *stream = slow(host)?;
                reopened += 1;
            }
        }
        thread::sleep(BYTE.saturating_sub(started.elapsed()));
    }
    Ok(reopened)
}

/// Whether the daemon has neither closed the connection nor said anything on it.
fn is_open(stream: &TcpStream) -> bool {
    matches!(stream.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

fn row(what: &str, measured: &Measured, kib: u64) -> String {
    let at = |mille| format!("{:.1} ms", measured.per_mille(mille).as_secs_f64() * 1000.0);
    let rate = measured.per_second();
    format!("| {what} | {rate:.0} | {} | {} | {} | {} MiB |\n", at(500), at(990), at(999), kib / 1024)
}
