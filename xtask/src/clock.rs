//! The build tool's only reading of the clock: for durations it prints, never for a decision about a token.

use std::time::{Duration, Instant};

/// The present moment, to measure how long something took.
#[expect(
    clippy::disallowed_methods,
    reason = "the build tool measures how long its steps take; no product code runs here"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A duration as people read it: `0.3 s`, `42.1 s`, `3 min 05 s`.
pub(crate) fn text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..100 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(text(Duration::from_millis(340)), "0.3 s");
        assert_eq!(text(Duration::from_secs(185)), "3 min 05 s");
    }
}
