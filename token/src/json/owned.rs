//! Values of `serde_json` of what was read.

use super::Fault;
use super::tape::{self, Kind, Tape};
use serde_json::{Map, Number, Value};

/// Returns the object that `text` holds.
///
/// # Errors
/// [`Fault`], [`Fault::NotAnObject`] for any other JSON value.
pub fn parse_object(text: &[u8]) -> Result<Map<String, Value>, Fault> {
    Ok(Tape::default().read_object(text)?.to_owned())
}

/// Returns the value that `text` holds, whole.
///
/// # Errors
/// [`Fault`] but never [`Fault::NotAnObject`].
pub fn parse(text: &[u8]) -> Result<Value, Fault> {
    Ok(Tape::default().read(text)?.to_owned())
}

impl tape::Object<'_> {
    /// Returns the members in memory of their own.
    pub(crate) fn to_owned(self) -> Map<String, Value> {
        self.members().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl tape::Value<'_> {
    /// Returns the value in memory of its own. An integer stays one where 64 bits hold it; every other number becomes the
    /// nearest double.
    pub(crate) fn to_owned(self) -> Value {
        match self.kind() {
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Number => number(self.written()).map_or(Value::Null, Value::Number),
            Kind::Text | Kind::Unescaped => Value::String(self.written().to_owned()),
            Kind::Array => Value::Array(self.as_array().into_iter().flatten().map(Self::to_owned).collect()),
            Kind::Object => Value::Object(self.as_object().map(tape::Object::to_owned).unwrap_or_default()),
        }
    }
}

/// Numbers that a double cannot hold never get here.
fn number(text: &str) -> Option<Number> {
    if text == "-0" {
        return Number::from_f64(-0.0); // the one integer whose sign a 64-bit integer would lose
    }
    let whole = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    whole.ok().or_else(|| Number::from_f64(text.parse().ok()?))
}
