//! The benchmark's only reading of the clock.

use std::time::Instant;

/// The present moment.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time; no product code runs in this process")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
