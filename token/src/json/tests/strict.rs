//! The reader that this project had before: a visitor above serde_json. Ours must say the same of every text.
//!
//! Where the two may differ is in numbers with fraction or exponent: serde_json multiplies a rounded mantissa with a rounded
//! power of ten, so its double may be some units in the last place off, and within as much of 2^1024 it accepts or refuses
//! a number wrongly. Ours rounds and compares exactly.

use crate::json::{Fault, MAX_DEPTH};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

pub(super) fn parse(text: &[u8]) -> Result<Value, Fault> {
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
