//! The figures as Markdown.

use std::time::Duration;

use crate::load::Measured;

/// A start and the memory after it.
pub(crate) struct Start {
    pub(crate) took: Duration,
    pub(crate) kib: u64,
}

/// Everything that was measured.
pub(crate) struct Report {
    pub(crate) fdatasync: f64,
    pub(crate) first_starts: Vec<Duration>,
    pub(crate) idle: u64,
    pub(crate) mints: Measured,
    pub(crate) refreshes: Vec<Measured>,
    /// Processor time of the daemon in all these rounds.
    pub(crate) refreshing: Duration,
    pub(crate) loaded: u64,
    pub(crate) restarted: Start,
    pub(crate) stored_kib: u64,
    pub(crate) sessions: usize,
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let refreshes: usize = self.refreshes.iter().map(|round| round.requests).sum();
        let mut text = String::from("| 64 connections | per second | p50 | p99 |\n|---|---|---|---|\n");
        text += &row(&format!("mint (`POST /v1/tokens`), {} of them", self.mints.requests), &[&self.mints]);
        let rounds: Vec<&Measured> = self.refreshes.iter().collect();
        text += &row(&format!("refresh, {refreshes} of them, median of {} rounds", rounds.len()), &rounds);
        text += "\n| | |\n|---|---|\n";
        let sessions = self.sessions;
        let each = self.refreshing.checked_div(u32::try_from(refreshes).unwrap_or(u32::MAX)).unwrap_or_default();
        let lines = [
            ("the daemon's processor time for one refresh", format!("{} µs", each.as_micros())),
            ("one writer's 4 KiB append + fdatasync on this disk", format!("{:.0} /s", self.fdatasync)),
            ("start to ready, empty folder (median)", milliseconds(median(&self.first_starts))),
            ("start to ready", format!("{} with {sessions} sessions", milliseconds(self.restarted.took))),
            ("resident memory, idle and empty", mebibytes(self.idle)),
            ("resident memory after the load", mebibytes(self.loaded)),
            ("resident memory after a restart", format!("{} with {sessions} sessions", mebibytes(self.restarted.kib))),
            ("data folder", format!("{} with {sessions} sessions", mebibytes(self.stored_kib))),
        ];
        text += &lines.iter().map(|(what, figure)| format!("| {what} | {figure} |\n")).collect::<String>();
        text
    }
}

/// The medians over the rounds, each by itself.
fn row(what: &str, rounds: &[&Measured]) -> String {
    let mut rates: Vec<f64> = rounds.iter().map(|round| round.per_second()).collect();
    rates.sort_by(f64::total_cmp);
    let rate = rates.get(rates.len() / 2).copied().unwrap_or_default();
    let at = |percent| milliseconds(median(&rounds.iter().map(|round| round.percentile(percent)).collect::<Vec<_>>()));
    format!("| {what} | {rate:.0} | {} | {} |\n", at(50), at(99))
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
