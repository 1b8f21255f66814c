//! Times as JavaScript has them: numbers of seconds, whole and not negative.

use crate::answer::Refusal;
use token::time::UnixTime;

/// Returns the time that is `secs` seconds after 1970.
pub(crate) fn time(secs: f64) -> Result<UnixTime, Refusal> {
    /// Behind this sum of a whole number below 2^52, the low 52 bits are that number.
    const SHIFT: f64 = 4_503_599_627_370_496.0;
    const LOW: u64 = (1 << 52) - 1;
    let whole = (0.0..SHIFT).contains(&secs).then(|| (secs + SHIFT).to_bits() & LOW);
    whole
        .and_then(UnixTime::from_secs)
        .ok_or_else(|| Refusal::usage("now must be seconds since 1970, up to the year 9999"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_whole_seconds_that_they_were_in_javascript() {
        for (secs, same) in [(0.0, 0), (1.0, 1), (1_800_000_000.0, 1_800_000_000), (253_402_300_799.0, 253_402_300_799)]
        {
            assert_eq!(time(secs).map(UnixTime::as_secs), Ok(same));
        }
        for secs in [-1.0, 253_402_300_800.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(time(secs).is_err(), "{secs}");
        }
    }
}
