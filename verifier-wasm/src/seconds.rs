//! Times as JavaScript has them: numbers of seconds, whole and not negative.

use token::time::UnixTime;

/// Returns the time that is `secs` seconds after 1970.
///
/// # Errors
/// What to tell the caller.
pub(crate) fn time(secs: f64) -> Result<UnixTime, &'static str> {
    /// Behind this sum of a whole number below 2^52, the low 52 bits are that number.
    const SHIFT: f64 = 4_503_599_627_370_496.0;
    const LOW: u64 = (1 << 52) - 1;
    let whole = (0.0..SHIFT).contains(&secs).then(|| (secs + SHIFT).to_bits() & LOW);
    whole.and_then(UnixTime::from_secs).ok_or("now must be seconds since 1970, up to the year 9999")
}

/// Returns the same number, which is at most 2^53.
pub(crate) fn number(number: u64) -> f64 {
    let half = |bits: u64| f64::from(u32::try_from(bits & 0xFFFF_FFFF).unwrap_or_default());
    half(number >> 32) * 4_294_967_296.0 + half(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_whole_seconds_that_they_were_in_javascript() {
        for (secs, same) in [(0.0, 0), (1.0, 1), (1_800_000_000.0, 1_800_000_000), (253_402_300_799.0, 253_402_300_799)]
        {
            assert_eq!(time(secs).map(UnixTime::as_secs), Ok(same));
            assert_eq!(number(same).to_bits(), secs.to_bits());
        }
        assert_eq!(number((1 << 53) - 1).to_bits(), 9_007_199_254_740_991_f64.to_bits());
        for secs in [-1.0, 253_402_300_800.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(time(secs).is_err(), "{secs}");
        }
    }
}
