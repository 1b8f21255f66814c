//! The issuer's clocks: a monotonic one that is tokio's paused time, and a calendar that may be set.

use issuer::env::Clock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// When every history begins: long after 1970, at no particular second of an epoch.
pub(crate) const START: u64 = 1_800_000_123;

/// Both clocks of the machine that the issuer runs on.
pub(crate) struct Tide {
    started: Instant,
    /// Milliseconds by which the calendar is ahead of the true time.
    ahead: AtomicI64,
}

impl Tide {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), ahead: AtomicI64::new(0) }
    }

    /// The true time in seconds since 1970.
    pub(crate) fn truth(&self) -> u64 {
        START + self.monotonic().as_secs()
    }

    /// Sets the calendar so many seconds ahead of the truth, or behind it.
    pub(crate) fn set_ahead(&self, secs: i64) {
        self.ahead.store(secs * 1000, Ordering::Relaxed);
    }
}

impl Clock for Tide {
    fn unix_millis(&self) -> u64 {
        let truth = START * 1000 + u64::try_from(self.monotonic().as_millis()).unwrap();
        truth.saturating_add_signed(self.ahead.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
