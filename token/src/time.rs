//! Points in time as tokens carry them: whole seconds since 1970 (RFC 7519 NumericDate, without fractions).
//!
//! Nothing here reads a clock. The range ends with the year 9999, so a time given in milliseconds is out of range.

use crate::json::Value;
use serde::{Deserialize, Serialize};

/// A whole second between 1970 and the end of the year 9999, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct UnixTime(u64);

/// The number of seconds lies outside of what [`UnixTime`] can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a time is outside the years 1970 to 9999")
    }
}

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// Returns the time `seconds` after 1970, or `None` past the year 9999.
    pub const fn from_secs(seconds: u64) -> Option<Self> {
        if seconds <= Self::MAX.0 { Some(Self(seconds)) } else { None }
    }

    /// Returns the time that a JSON value names: an integer written without fraction or exponent, in range.
    pub(crate) fn from_json(value: Value<'_>) -> Option<Self> {
        value.as_u64().and_then(Self::from_secs)
    }

    /// Returns the whole seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Returns the time `seconds` later, at most [`UnixTime::MAX`].
    pub const fn plus_secs(self, seconds: u64) -> Self {
        let sum = self.0.saturating_add(seconds);
        if sum > Self::MAX.0 { Self::MAX } else { Self(sum) }
    }

    /// Returns the time `seconds` earlier, at least [`UnixTime::MIN`].
    pub const fn minus_secs(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Returns the seconds from `earlier` to this time, 0 when `earlier` is later.
    pub const fn secs_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl TryFrom<u64> for UnixTime {
    type Error = OutOfRange;

    fn try_from(seconds: u64) -> Result<Self, OutOfRange> {
        Self::from_secs(seconds).ok_or(OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;

    #[test]
    fn only_integers_in_range_are_times() {
        let mut tape = Tape::default();
        let mut read = |text: &str| UnixTime::from_json(tape.read(text.as_bytes()).unwrap());
        assert_eq!(read("1700000000"), UnixTime::from_secs(1_700_000_000));
        assert_eq!(read("253402300799"), Some(UnixTime::MAX));
        for text in ["253402300800", "1700000000000", "-1", "-0", "1.0", "1e9", "\"1\"", "true", "null", "[1]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn arithmetic_stays_in_range() {
        assert_eq!(UnixTime::MAX.plus_secs(1), UnixTime::MAX);
        assert_eq!(UnixTime::MAX.plus_secs(u64::MAX), UnixTime::MAX);
        assert_eq!(UnixTime::MIN.minus_secs(1), UnixTime::MIN);
        assert_eq!(UnixTime::MIN.secs_since(UnixTime::MAX), 0);
    }
}
