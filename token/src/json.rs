//! Strict JSON (RFC 8259): UTF-8 without byte-order mark, no lone surrogate, no duplicate member at any depth or in any
//! spelling, at most 32 levels, no number too large for a double, nothing behind the value.
//!
//! Verifiers read a text in one pass on to a tape and look at it there. [`parse`] makes values of `serde_json` of it, for
//! those who keep or change what they read; nothing that judges tokens calls it.

mod names;
mod number;
mod owned;
mod quoted;
mod reader;
mod tape;

pub(crate) use number::whole;
pub use owned::{parse, parse_object};
pub(crate) use tape::{Object, Tape, Value};

use std::fmt;

/// Levels of arrays and objects that a text may nest.
pub const MAX_DEPTH: u8 = 32;

/// The text is not strict JSON; which rule it broke is in the message, which never quotes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON at all, not UTF-8, a number out of range, or something behind the value.
    Syntax,
    /// An object names one member twice.
    Duplicate,
    /// Deeper than [`MAX_DEPTH`].
    Depth,
    /// JSON, but not an object where one is needed.
    NotAnObject,
}

impl Fault {
    /// Returns what is said of the text.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Syntax => "is not JSON",
            Self::Duplicate => "names a member twice",
            Self::Depth => "nests deeper than 32 levels",
            Self::NotAnObject => "is not a JSON object",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

#[cfg(test)]
mod tests;
