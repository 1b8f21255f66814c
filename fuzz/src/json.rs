//! Our reader of JSON against serde_json under a visitor that is as strict: the same texts, faults and values, numbers
//! included, since serde_json is built here to read them exactly.

// What the visitor imports.
use token::json::{Fault, MAX_DEPTH};

#[path = "../../token/src/json/tests/strict.rs"]
mod strict;

/// # Panics
/// When the two differ.
pub fn judge(input: &[u8]) {
    assert_eq!(token::json::parse(input), strict::parse(input), "{}", input.escape_ascii());
}
