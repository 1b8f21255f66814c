//! What a command says on standard output: text for a person, or one JSON document for a script.

use super::{Failure, text};
use serde_json::{Value, json};
use std::io::{self, Write as _};

/// How a command ended, when it could do what it does.
pub(super) type Ended = Result<Said, Failure>;

/// What a command says at its end.
#[derive(Debug)]
pub(super) struct Said {
    text: String,
    json: Value,
    /// True: everything has been said while the command worked.
    before: bool,
    /// False: what was looked at is not as it should be, and the exit code is 1.
    good: bool,
}

impl Said {
    /// Says `text` to a person and `json` to a script.
    pub(super) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, before: false, good: true }
    }

    /// Says the members of an object, each on a line of its own.
    pub(super) fn object(object: Value) -> Self {
        Self::new(text::lines(&object), object)
    }

    /// Says `items` as a table of these members, and where the rest begins when there is more.
    pub(super) fn list(columns: &[&str], items: Vec<Value>, next: Option<String>) -> Self {
        let mut text = text::table(columns, &items);
        let json = match next {
            None => json!({ "items": items }),
            Some(next) => {
                text.push_str(&format!("there are more; they begin with --after {}\n", text::quoted(&next)));
                json!({ "items": items, "next": next })
            }
        };
        Self::new(text, json)
    }

    /// Says nothing more.
    pub(super) fn before() -> Self {
        Self { before: true, ..Self::new("", Value::Null) }
    }

    /// Says the same, and that it is not good: the exit code is 1.
    pub(super) fn and_fails(self) -> Self {
        Self { good: false, ..self }
    }

    /// Writes it to standard output; returns the exit code.
    ///
    /// # Errors
    /// [`Failure::Machine`] when standard output does not take it.
    pub(super) fn print(&self, as_json: bool) -> Result<u8, Failure> {
        if self.before {
            return Ok(u8::from(!self.good));
        }
        let whole = if as_json { format!("{}\n", self.json) } else { ended(&self.text) };
        print(&whole)?;
        Ok(u8::from(!self.good))
    }
}

/// Writes `text` to standard output and out of its buffer: a script may be waiting for it.
///
/// # Errors
/// [`Failure::Machine`] when standard output does not take it.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::Machine(format!("standard output cannot be written to: {error}")))
}

/// Writes a line to standard error. Where that takes nothing either, the exit code still tells.
pub(super) fn aside(line: &str) {
    drop(io::stderr().write_all(format!("countersign: {line}\n").as_bytes()));
}

fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}
