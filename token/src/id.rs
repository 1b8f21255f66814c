//! Identifiers that carry meaning: the `jti` of an access token, which is also its place in the revocation list.

use crate::json;
use crate::time::UnixTime;
use std::fmt;
use std::str::FromStr;

/// Indices inside one expiry epoch lie below this bound, 2^31.
pub const MAX_INDEX: u32 = (1 << 31) - 1;

/// The expiry epoch of a token: its `exp` divided by 256 seconds, rounded down.
pub fn epoch(exp: UnixTime) -> u32 {
    u32::try_from(exp.as_secs() >> 8).unwrap_or(u32::MAX) // the year 9999 is epoch 989,852,737
}

/// Returns the first second at which no token of `epoch` can be unexpired.
pub fn epoch_end(epoch: u32) -> UnixTime {
    UnixTime::from_secs((u64::from(epoch) + 1) << 8).unwrap_or(UnixTime::MAX)
}

/// The `jti` of an access token: expiry epoch and index inside it.
///
/// ```text
/// jti = epoch "." index      decimal, no sign, no leading zero; epoch = exp >> 8, index < 2^31
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jti {
    /// `exp >> 8` of the token.
    pub epoch: u32,
    /// The token's place in the epoch, at most [`MAX_INDEX`].
    pub index: u32,
}

/// The text is not of the form that [`Jti`] describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnIndex;

impl Jti {
    /// Returns the identifier of the token with this expiry and index.
    pub fn new(exp: UnixTime, index: u32) -> Self {
        Self { epoch: epoch(exp), index }
    }
}

impl fmt::Display for Jti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.index)
    }
}

impl FromStr for Jti {
    type Err = NotAnIndex;

    fn from_str(text: &str) -> Result<Self, NotAnIndex> {
        let parts = || {
            let dot = text.bytes().position(|byte| byte == b'.')?;
            let (epoch, index) = (decimal(text.get(..dot)?)?, decimal(text.get(dot + 1..)?)?);
            (index <= MAX_INDEX).then_some(Self { epoch, index })
        };
        parts().ok_or(NotAnIndex)
    }
}

fn decimal(text: &str) -> Option<u32> {
    let canonical = text == "0" || !text.starts_with('0');
    json::whole(text).filter(|_| canonical).and_then(|value| u32::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_jti_is_exact() {
        assert_eq!("6640625.7".parse(), Ok(Jti { epoch: 6_640_625, index: 7 }));
        assert_eq!("0.0".parse(), Ok(Jti { epoch: 0, index: 0 }));
        assert_eq!("1.2147483647".parse(), Ok(Jti { epoch: 1, index: MAX_INDEX }));
        for text in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "01.1",
            "1.01",
            "+1.1",
            "1.-1",
            "1.2147483648",
            "4294967296.0",
            "18446744073709551617.0",
            "1.1.1",
            "1.1 ",
            "१.१",
            "1.1e3",
        ] {
            assert_eq!(text.parse::<Jti>(), Err(NotAnIndex), "{text}");
        }
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let exp = UnixTime::from_secs(1_700_000_000).unwrap();
        assert!(epoch_end(epoch(exp)) > exp);
        assert_eq!(epoch(epoch_end(epoch(exp))), epoch(exp) + 1);
        assert_eq!(epoch_end(u32::MAX), UnixTime::MAX);
        assert_eq!(Jti::new(exp, 5).to_string(), "6640625.5");
    }
}
