//! What grows with the number of sessions, and what that costs. One daemon takes ever more sessions; at each count, sessions
//! picked at random from all of them are refreshed, and the daemon is stopped and started again.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use crate::connection::Connection;
use crate::daemon::Daemon;
use crate::load::{Bounds, Measured, Pace};
use crate::work::{self, Sessions};
use crate::{CONNECTIONS, disk, load};

/// Sessions of one count are minted within this time.
const MINTING: Duration = Duration::from_secs(3 * 3600);
const REFRESHING: Bounds = Bounds { requests: usize::MAX, time: Duration::from_secs(15) };

/// What was measured at one count.
struct Row {
    sessions: usize,
    minted: Option<f64>,
    /// The data folder before the refreshes.
    minted_kib: u64,
    refreshes: Measured,
    each: Duration,
    loaded_kib: u64,
    stored_kib: u64,
    started: Duration,
    restarted_kib: u64,
}

/// Measures at each of these counts, and returns a table.
pub(crate) fn table(program: &Path, disk: &Path, counts: &[String]) -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir_in(disk)?;
    let mut daemon = Daemon::start(program, folder.path())?;
    let mut sessions: Vec<Sessions> = vec![Vec::new(); CONNECTIONS];
    let mut rows = Vec::new();
    for count in counts {
        let count: usize = count.parse()?;
        eprintln!("{count} sessions …");
        let (minted, grown) = mint(&daemon, sessions, count)?;
        let minted_kib = disk::kib_below(folder.path())?;
        let before = daemon.processor_time()?;
        let refresh = async |connection: &mut Connection, turn, sessions: &mut Sessions| {
            work::refresh(connection, scattered(turn), sessions).await
        };
        let (refreshes, refreshed) = run(&daemon, grown, REFRESHING, refresh)?;
        let spent = daemon.processor_time()?.saturating_sub(before);
        let each = spent.checked_div(u32::try_from(refreshes.requests)?).unwrap_or_default();
        let loaded_kib = daemon.resident_kib()?;
        daemon.stop()?;
        let stored_kib = disk::kib_below(folder.path())?;
        daemon = Daemon::start(program, folder.path())?;
        let (started, restarted_kib) = (daemon.took_to_start(), daemon.resident_kib()?);
        sessions = refreshed;
        let total = sessions.iter().map(Vec::len).sum();
        rows.push(Row {
            sessions: total,
            minted,
            minted_kib,
            refreshes,
            each,
            loaded_kib,
            stored_kib,
            started,
            restarted_kib,
        });
    }
    daemon.stop()?;
    Ok(markdown(&rows))
}

/// Mints until there are so many; returns how many that were in a second.
fn mint(
    daemon: &Daemon,
    sessions: Vec<Sessions>,
    count: usize,
) -> Result<(Option<f64>, Vec<Sessions>), Box<dyn Error>> {
    let held: usize = sessions.iter().map(Vec::len).sum();
    let each = count.saturating_sub(held).div_ceil(CONNECTIONS);
    if each == 0 {
        return Ok((None, sessions));
    }
    let (measured, sessions) = run(daemon, sessions, Bounds { requests: each, time: MINTING }, work::mint)?;
    Ok((Some(measured.per_second()), sessions))
}

fn run(
    daemon: &Daemon,
    sessions: Vec<Sessions>,
    bounds: Bounds,
    request: impl AsyncFn(&mut Connection, usize, &mut Sessions) -> std::io::Result<()> + 'static,
) -> Result<(Measured, Vec<Sessions>), Box<dyn Error>> {
    let mut kept = sessions.into_iter();
    let state = |_| kept.next().unwrap_or_default();
    load::run(daemon.address(), CONNECTIONS, (bounds, Pace::Closed), state, request)
}

/// Goes through numbers as if at random (the multiplier of Knuth's MMIX), always in the same order.
fn scattered(turn: usize) -> usize {
    turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 20
}

fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| sessions | pairs minted a second up to there | refreshes a second | p99 | p99.9 | processor time each | data folder before the refreshes | bytes a session | data folder after them | start to ready | resident after the load | after a restart |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let minted = row.minted.map_or_else(|| "-".to_owned(), |minted| format!("{minted:.0}"));
        let (p99, p999) = (millis(row.refreshes.per_mille(990)), millis(row.refreshes.per_mille(999)));
        let bytes = (row.minted_kib * 1024).checked_div(u64::try_from(row.sessions).unwrap_or(u64::MAX)).unwrap_or(0);
        text += &format!(
            "| {} | {minted} | {:.0} | {p99} | {p999} | {} µs | {} MiB | {bytes} | {} MiB | {} | {} MiB | {} MiB |\n",
            row.sessions,
            row.refreshes.per_second(),
            row.each.as_micros(),
            row.minted_kib / 1024,
            row.stored_kib / 1024,
            millis(row.started),
            row.loaded_kib / 1024,
            row.restarted_kib / 1024,
        );
    }
    text
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
