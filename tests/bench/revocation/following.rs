//! From the answer to a revocation until everybody who follows refuses the token, and what followers cost the daemon.

use crate::alarm::Alarm;
use crate::connection::Connection;
use crate::daemon::Daemon;
use crate::followers::{Followers, Seen, subscribed};
use crate::work::{FORM, JSON};
use crate::{clock, milliseconds, percentile};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use std::error::Error;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use token::time::UnixTime;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// After quiet: revocations one by one, so far apart that each finds the daemon idle.
const QUIET: usize = 60;
const QUIET_PAUSE: Duration = Duration::from_millis(200);
/// Under load: this many at once on connections of their own, for as long.
const LOAD_CONNECTIONS: usize = 20;
const LOAD_EACH: usize = 50;
/// Each connection's pause between two: 20 connections make 100 a second.
const LOAD_PAUSE: Duration = Duration::from_millis(200);
const IDLE: usize = 10_000;

/// When a revocation was asked for and answered, and the list that contains it.
struct Revoked {
    asked: Instant,
    answered: Instant,
    seq: u64,
}

/// The table of latencies and the memory of idle followers.
pub(crate) fn markdown(program: &Path, disk: &Path) -> Result<String, Box<dyn Error>> {
    let mut text = String::from(
        "| followers | revocations | answered → refused by a follower: p50 | p99 | most | asked → refused: p50 | p99 |\n|---|---|---|---|---|---|---|\n",
    );
    for count in [1, 100, 1_000] {
        eprintln!("{count} followers …");
        text += &after_quiet(program, disk, count)?;
    }
    for count in [1, 100, 1_000] {
        eprintln!("{count} followers under load …");
        text += &under_load(program, disk, count)?;
    }
    eprintln!("{IDLE} idle followers …");
    text += &format!("\n{}", idle(program, disk)?);
    Ok(text)
}

fn after_quiet(program: &Path, disk: &Path, count: usize) -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::start(program, folder.path())?;
    let runtime = runtime()?;
    let (mut connection, tokens) = runtime.block_on(opened(daemon.address(), QUIET))?;
    let followers = Followers::start(count, daemon.address(), now()?)?;
    let mut revoked = Vec::new();
    for token in &tokens {
        std::thread::sleep(QUIET_PAUSE);
        revoked.push(runtime.block_on(revoke(&mut connection, token))?);
    }
    std::thread::sleep(Duration::from_millis(500));
    let seen = followers.end()?;
    daemon.stop()?;
    row(count, &format!("{QUIET}, each after quiet"), &revoked, &seen)
}

fn under_load(program: &Path, disk: &Path, count: usize) -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::start(program, folder.path())?;
    let address = daemon.address();
    let followers = Followers::start(count, address, now()?)?;
    let started = clock::now();
    let revoked = runtime()?.block_on(async {
        let mut loads: JoinSet<_> = (0..LOAD_CONNECTIONS).map(|number| load(address, number)).collect();
        let mut revoked = Vec::new();
        while let Some(ended) = loads.join_next().await {
            revoked.extend(ended.map_err(|_| "a connection's task panicked")??);
        }
        Ok::<_, Box<dyn Error>>(revoked)
    })?;
    let took = started.elapsed();
    std::thread::sleep(Duration::from_millis(500));
    let seen = followers.end()?;
    daemon.stop()?;
    let rate = f64::from(u32::try_from(revoked.len())?) / took.as_secs_f64();
    row(count, &format!("{} at {rate:.0}/s", revoked.len()), &revoked, &seen)
}

/// Revokes one token after another, each at its time whether or not the one before was slow.
async fn load(address: SocketAddr, number: usize) -> io::Result<Vec<Revoked>> {
    let (mut connection, tokens) = opened(address, LOAD_EACH).await?;
    let alarm = Alarm::new()?;
    let start = clock::now() + LOAD_PAUSE + LOAD_PAUSE * u32::try_from(number).unwrap_or(0) / 20;
    let mut due = start;
    let mut revoked = Vec::new();
    for token in &tokens {
        alarm.at(due).await?;
        revoked.push(revoke(&mut connection, token).await?);
        due += LOAD_PAUSE;
    }
    Ok(revoked)
}

/// Every pair of a revocation and a follower counts once: the moment when the follower's verifier holds a list that has it.
fn row(count: usize, what: &str, revoked: &[Revoked], seen: &[Seen]) -> Result<String, Box<dyn Error>> {
    let (mut answered, mut asked) = (Vec::new(), Vec::new());
    for revocation in revoked {
        for follower in seen {
            let at = follower.iter().find(|(seq, _)| *seq >= revocation.seq).map(|(_, at)| *at);
            let at = at.ok_or("a follower never heard of a revocation")?;
            answered.push(at.saturating_duration_since(revocation.answered));
            asked.push(at.saturating_duration_since(revocation.asked));
        }
    }
    let figures = [
        percentile(&mut answered, 50),
        percentile(&mut answered, 99),
        percentile(&mut answered, 100),
        percentile(&mut asked, 50),
        percentile(&mut asked, 99),
    ];
    let cells: String = figures.into_iter().map(|figure| format!(" {} |", milliseconds(figure))).collect();
    Ok(format!("| {count} | {what} |{cells}\n"))
}

/// Memory of the daemon with idle followers, and how long one revocation takes to reach all of them.
fn idle(program: &Path, disk: &Path) -> Result<String, Box<dyn Error>> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    let folder = tempfile::tempdir_in(disk)?;
    let daemon = Daemon::start(program, folder.path())?;
    let before = daemon.resident_kib()?;
    let mut streams = Vec::new();
    for _ in 0..IDLE {
        streams.push(subscribed(daemon.address())?);
    }
    for stream in &mut streams {
        read_until_event(stream)?;
    }
    let held = daemon.resident_kib()?;
    let revoked = runtime()?.block_on(async {
        let (mut connection, tokens) = opened(daemon.address(), 1).await?;
        revoke(&mut connection, tokens.first().ok_or_else(|| io::Error::other("no token"))?).await
    })?;
    for stream in &mut streams {
        read_until_event(stream)?;
    }
    let reached = revoked.answered.elapsed();
    let after = daemon.resident_kib()?;
    drop(streams);
    daemon.stop()?;
    Ok(format!(
        "{IDLE} idle followers: the daemon's resident memory goes from {} to {} MiB ({:.1} KiB each), {} MiB after one revocation has reached all of them, {} after its answer.\n",
        before / 1024,
        held / 1024,
        (f64::from(u32::try_from(held.saturating_sub(before))?)) / 10_000.0,
        after / 1024,
        milliseconds(reached)
    ))
}

/// Reads until the empty line behind an event's data.
fn read_until_event(stream: &mut std::net::TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut bytes = [0; 4096];
    let mut text = Vec::new();
    while !text.windows(6).any(|window| window == b"data: ") || !text.ends_with(b"\n\r\n") {
        let count = stream.read(&mut bytes)?;
        if count == 0 {
            return Err("the daemon ended a stream".into());
        }
        text.extend(bytes.iter().take(count));
    }
    Ok(())
}

/// For the connections that revoke; followers have threads.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// A connection, and so many access tokens to revoke on it.
async fn opened(address: SocketAddr, count: usize) -> io::Result<(Connection, Vec<String>)> {
    let mut connection = Connection::open(address).await?;
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        let answer = connection.post("/v1/tokens", &JSON, r#"{"sub":"user-1","aud":"api"}"#).await?;
        let answer: Value = serde_json::from_slice(answer)?;
        tokens.push(answer.get("access_token").and_then(Value::as_str).unwrap_or_default().to_owned());
    }
    Ok((connection, tokens))
}

async fn revoke(connection: &mut Connection, token: &str) -> io::Result<Revoked> {
    let asked = clock::now();
    let answer = connection.post("/oauth/revoke", &FORM, &format!("token={token}")).await?;
    let answered = clock::now();
    let answer: Value = serde_json::from_slice(answer)?;
    Ok(Revoked { asked, answered, seq: answer.get("seq").and_then(Value::as_u64).unwrap_or(u64::MAX) })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark of a real daemon goes by the real time")]
fn now() -> Result<UnixTime, Box<dyn Error>> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(UnixTime::from_secs(seconds).ok_or("a time")?)
}
