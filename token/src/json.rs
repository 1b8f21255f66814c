//! Strict JSON (RFC 8259) above serde_json: no duplicate member at any depth, at most 32 levels, nothing behind the value.
//!
//! serde_json refuses the rest: invalid UTF-8, lone surrogates, a byte-order mark, numbers too large for a double.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "is not JSON",
            Self::Duplicate => "names a member twice",
            Self::Depth => "nests deeper than 32 levels",
            Self::NotAnObject => "is not a JSON object",
        })
    }
}

/// Returns the object that `text` holds.
///
/// # Errors
/// [`Fault`], [`Fault::NotAnObject`] for any other JSON value.
pub fn parse_object(text: &[u8]) -> Result<Map<String, Value>, Fault> {
    match parse(text)? {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(Fault::NotAnObject),
    }
}

/// Returns the value that `text` holds, whole.
///
/// # Errors
/// [`Fault`] but never [`Fault::NotAnObject`].
pub fn parse(text: &[u8]) -> Result<Value, Fault> {
    let text = std::str::from_utf8(text).map_err(|_| Fault::Syntax)?;
    let mut fault = Fault::Syntax;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { levels: MAX_DEPTH, fault: &mut fault }.deserialize(&mut deserializer);
    match value {
        Ok(value) => deserializer.end().map(|()| value).map_err(|_| Fault::Syntax),
        Err(_) => Err(fault),
    }
}

struct Strict<'a> {
    levels: u8,
    fault: &'a mut Fault,
}

impl Strict<'_> {
    fn below<E: serde::de::Error>(&mut self) -> Result<Strict<'_>, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Strict { levels, fault: self.fault }),
            None => {
                *self.fault = Fault::Depth;
                Err(E::custom(Fault::Depth))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom(Fault::Syntax))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.below()?)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        self.below::<A::Error>()?; // an empty object is a level too
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                *self.fault = Fault::Duplicate;
                return Err(A::Error::custom(Fault::Duplicate));
            }
            let value = members.next_value_seed(self.below()?)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"x":[{"a":{},"b":0,"a":{}}]}"#] {
            assert_eq!(parse(text.as_bytes()), Err(Fault::Duplicate), "{text}");
        }
    }

    #[test]
    fn depth_is_counted_in_levels() {
        let nested = |levels: usize| format!("{}0{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(usize::from(MAX_DEPTH)).as_bytes()).is_ok());
        assert_eq!(parse(nested(usize::from(MAX_DEPTH) + 1).as_bytes()), Err(Fault::Depth));
        for innermost in ["[]", "{}"] {
            let ends_in = |levels: usize| nested(levels - 1).replace('0', innermost);
            assert!(parse(ends_in(usize::from(MAX_DEPTH)).as_bytes()).is_ok(), "{innermost}");
            assert_eq!(parse(ends_in(usize::from(MAX_DEPTH) + 1).as_bytes()), Err(Fault::Depth), "{innermost}");
        }
        assert_eq!(parse("[".repeat(100_000).as_bytes()), Err(Fault::Depth));
        assert_eq!(parse(r#"{"a":"#.repeat(100_000).as_bytes()), Err(Fault::Depth));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let texts: [&[u8]; 14] = [
            b"",
            b" ",
            b"{} {}",
            b"{}\0",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"{\"a\":01}",
            br#"{"a":"\ud800"}"#,
            b"{'a':1}",
            b"{\"a\":1,}",
            b"\xff\xfe{\0}\0",
            b"{\"a\":\"\xed\xa0\x80\"}",
        ];
        for text in texts {
            assert_eq!(parse_object(text), Err(Fault::Syntax), "{}", text.escape_ascii());
        }
        for text in ["null", "[]", "\"a\"", "1", "true"] {
            assert_eq!(parse_object(text.as_bytes()), Err(Fault::NotAnObject), "{text}");
        }
    }

    #[test]
    fn white_space_of_rfc_8259_is_allowed_around_values() {
        assert!(parse_object(b" \t\r\n{ \"a\" : [ 1 , -2 , 0.5 , null , true ] } \n").is_ok());
    }
}
