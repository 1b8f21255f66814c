//! The figures as Markdown.

use std::time::Duration;

use crate::load::Measured;

/// A start and the memory after it.
pub(crate) struct Start {
    pub(crate) took: Duration,
    pub(crate) kib: u64,
}

/// Everything that was measured of the daemon.
pub(crate) struct Report {
    pub(crate) fdatasync: f64,
    pub(crate) first_starts: Vec<Duration>,
    pub(crate) idle: u64,
    pub(crate) mints: Measured,
    pub(crate) refreshes: Vec<Measured>,
    /// Refreshes in an open loop, half as many as the closed one reached.
    pub(crate) paced: Measured,
    /// Refreshes of one client, one after the other.
    pub(crate) alone: Measured,
    pub(crate) introspections: Measured,
    pub(crate) revocations: Measured,
    pub(crate) keys: Measured,
    pub(crate) lists: Measured,
    /// Processor time of the daemon in all rounds of the closed loop.
    pub(crate) refreshing: Duration,
    pub(crate) loaded: u64,
    pub(crate) restarted: Start,
    pub(crate) stored_kib: u64,
    pub(crate) sessions: usize,
}

/// What was measured of the daemon on PostgreSQL.
pub(crate) struct OnPostgres {
    pub(crate) mints: Measured,
    pub(crate) refreshes: Measured,
    /// Processor time of the daemon for all of these refreshes.
    pub(crate) refreshing: Duration,
    /// Refreshes of one client, one after the other.
    pub(crate) alone: Measured,
    /// The same, sent to a daemon that stands by and passes them on.
    pub(crate) passed_on: Measured,
}

/// What was measured of one peer.
pub(crate) struct OfPeer {
    pub(crate) name: &'static str,
    pub(crate) mints: Measured,
    pub(crate) refreshes: Measured,
}

/// Half of the median rate of these rounds, in a second.
pub(crate) fn half_of(rounds: &[Measured]) -> u32 {
    let in_a_second = |round: &Measured| {
        let requests = u128::try_from(round.requests).unwrap_or_default();
        requests * 1000 / round.took.as_millis().max(1)
    };
    let mut rates: Vec<u128> = rounds.iter().map(in_a_second).collect();
    rates.sort_unstable();
    rates.get(rates.len() / 2).and_then(|rate| u32::try_from(rate / 2).ok()).unwrap_or(1)
}

impl Report {
    pub(crate) fn markdown(&self, on_postgres: &OnPostgres, peers: &[OfPeer]) -> String {
        let rounds: Vec<&Measured> = self.refreshes.iter().collect();
        let refreshes: usize = rounds.iter().map(|round| round.requests).sum();
        let mut text = String::from("| 64 connections | per second | p50 | p99 | p99.9 |\n|---|---|---|---|---|\n");
        text += &row(&format!("mint (`POST /v1/tokens`), {} of them", self.mints.requests), &[&self.mints]);
        text += &row(&format!("refresh, {refreshes} of them, median of {} rounds", rounds.len()), &rounds);
        text += &row("refresh, due at half that rate, from when each was due", &[&self.paced]);
        text += &row("introspect a refresh token", &[&self.introspections]);
        text += &row("revoke a session, answered when the list says so", &[&self.revocations]);
        text += &row("fetch the keys", &[&self.keys]);
        text += &row("fetch the list after that", &[&self.lists]);
        text +=
            "\n| one client, one refresh after the other | per second | p50 | p99 | p99.9 |\n|---|---|---|---|---|\n";
        text += &row("sled", &[&self.alone]);
        text += &row("PostgreSQL on the same machine", &[&on_postgres.alone]);
        text += &row("PostgreSQL, asked of a daemon that stands by and passes it on", &[&on_postgres.passed_on]);
        text += "\n| | |\n|---|---|\n";
        text += &self.lines(refreshes, on_postgres);
        text + &self.beside(on_postgres, peers)
    }

    fn lines(&self, refreshes: usize, on_postgres: &OnPostgres) -> String {
        let sessions = self.sessions;
        let each = |time: Duration, requests| {
            let one = time.checked_div(u32::try_from(requests).unwrap_or(u32::MAX)).unwrap_or_default();
            format!("{} µs", one.as_micros())
        };
        let theirs = each(on_postgres.refreshing, on_postgres.refreshes.requests);
        let lines = [
            ("the daemon's processor time for one refresh", each(self.refreshing, refreshes)),
            ("the same on PostgreSQL, whose own is not in it", theirs),
            ("one writer's 4 KiB append + fdatasync on this disk", format!("{:.0} /s", self.fdatasync)),
            ("start to ready, empty folder (median)", milliseconds(median(&self.first_starts))),
            ("start to ready", format!("{} with {sessions} sessions", milliseconds(self.restarted.took))),
            ("resident memory, idle and empty", mebibytes(self.idle)),
            ("resident memory after the load", mebibytes(self.loaded)),
            ("resident memory after a restart", format!("{} with {sessions} sessions", mebibytes(self.restarted.kib))),
            ("data folder", format!("{} with {sessions} sessions", mebibytes(self.stored_kib))),
        ];
        lines.iter().map(|(what, figure)| format!("| {what} | {figure} |\n")).collect()
    }

    /// Ours and the peers', in the same run.
    fn beside(&self, on_postgres: &OnPostgres, peers: &[OfPeer]) -> String {
        let rounds: Vec<&Measured> = self.refreshes.iter().collect();
        let (mints, refreshes) = (rate(&[&self.mints]), rate(&rounds));
        let mut text = String::from(
            "\n| 64 connections | pairs made a second | refreshes a second | p99 | ours does so many times the refreshes |\n|---|---|---|---|---|\n",
        );
        let p99 = milliseconds(median(&rounds.iter().map(|round| round.per_mille(990)).collect::<Vec<_>>()));
        text += &format!("| countersign, sled | {mints:.0} | {refreshes:.0} | {p99} | 1 |\n");
        let mut line = |name, mints: &Measured, theirs: &Measured| {
            let (made, refreshed) = (rate(&[mints]), rate(&[theirs]));
            let (p99, times) = (milliseconds(theirs.per_mille(990)), refreshes / refreshed);
            text += &format!("| {name} | {made:.0} | {refreshed:.0} | {p99} | {times:.1} |\n");
        };
        line("countersign, PostgreSQL on the same machine", &on_postgres.mints, &on_postgres.refreshes);
        peers.iter().for_each(|peer| line(peer.name, &peer.mints, &peer.refreshes));
        text
    }
}

/// The medians over the rounds, each by itself.
fn row(what: &str, rounds: &[&Measured]) -> String {
    let at = |mille| milliseconds(median(&rounds.iter().map(|round| round.per_mille(mille)).collect::<Vec<_>>()));
    format!("| {what} | {:.0} | {} | {} | {} |\n", rate(rounds), at(500), at(990), at(999))
}

/// The median rate of these rounds.
fn rate(rounds: &[&Measured]) -> f64 {
    let mut rates: Vec<f64> = rounds.iter().map(|round| round.per_second()).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

fn median(durations: &[Duration]) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

fn mebibytes(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}
