//! The members of a JSON object, taken one by one with the type they must have.

use super::super::reply::Malformed;
use serde::Deserialize as _;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fmt;
use token::json::{self, Fault};

/// The members that nobody has taken yet.
pub(in crate::http) struct Members(Map<String, Value>);

impl Members {
    /// Returns the members of the object that `body` is; strict JSON as `token::json` reads it.
    ///
    /// # Errors
    /// [`Malformed::Body`], or [`Malformed::Duplicate`] with the name that comes twice.
    pub(in crate::http) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        json::parse_object(body).map(Self).map_err(|fault| match fault {
            Fault::Syntax => Malformed::Body("is not JSON in UTF-8"),
            Fault::Depth => Malformed::Body("nests deeper than 32 levels"),
            Fault::NotAnObject => Malformed::Body("is not a JSON object"),
            Fault::Duplicate => repeated(body).map_or(Malformed::Body("names a member twice"), Malformed::Duplicate),
        })
    }

    /// Takes a text.
    pub(in crate::http) fn text(&mut self, name: &'static str) -> Result<Option<String>, Malformed> {
        self.take(name, "must be a string", |value| match value {
            Value::String(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        })
    }

    /// Takes a text that must be there.
    pub(in crate::http) fn needed_text(&mut self, name: &'static str) -> Result<String, Malformed> {
        self.text(name)?.ok_or(Malformed::Missing(name))
    }

    /// Takes a list of texts; none when absent.
    pub(in crate::http) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, Malformed> {
        self.given_texts(name).map(Option::unwrap_or_default)
    }

    /// Takes a list of texts, if it is there.
    pub(in crate::http) fn given_texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Malformed> {
        self.take(name, "must be an array of strings", |value| Vec::deserialize(value).ok())
    }

    /// Takes what `take` takes; `Some(None)` where the member is null.
    pub(in crate::http) fn nullable<T>(
        &mut self,
        name: &'static str,
        take: impl FnOnce(&mut Self, &'static str) -> Result<Option<T>, Malformed>,
    ) -> Result<Option<Option<T>>, Malformed> {
        if self.0.get(name) == Some(&Value::Null) {
            self.0.remove(name);
            return Ok(Some(None));
        }
        take(self, name).map(|taken| taken.map(Some))
    }

    /// Takes true or false.
    pub(in crate::http) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Malformed> {
        self.take(name, "must be true or false", |value| value.as_bool())
    }

    /// Takes a text or a list of texts, which must be there.
    pub(in crate::http) fn needed_one_or_more_texts(&mut self, name: &'static str) -> Result<Vec<String>, Malformed> {
        let taken = self.take(name, "must be a string or an array of strings", |value| match value {
            Value::String(text) => Some(vec![text]),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Vec::deserialize(value).ok()
            }
        });
        taken?.ok_or(Malformed::Missing(name))
    }

    /// Takes whole seconds, written without fraction or exponent.
    pub(in crate::http) fn seconds(&mut self, name: &'static str) -> Result<Option<u64>, Malformed> {
        self.take(name, "must be a whole number of seconds", |value| value.as_u64())
    }

    /// Takes a member that can only be true; false when absent.
    pub(in crate::http) fn only_true(&mut self, name: &'static str) -> Result<bool, Malformed> {
        let taken = self.take(name, "must be true", |value| (value == Value::Bool(true)).then_some(()));
        taken.map(|taken| taken.is_some())
    }

    /// Takes an object; `None` when absent.
    pub(in crate::http) fn some_object(&mut self, name: &'static str) -> Result<Option<Map<String, Value>>, Malformed> {
        self.take(name, "must be an object", |value| match value {
            Value::Object(object) => Some(object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::String(_) => None,
        })
    }

    /// Takes an object; empty when absent.
    pub(in crate::http) fn object(&mut self, name: &'static str) -> Result<Map<String, Value>, Malformed> {
        self.given_object(name).map(Option::unwrap_or_default)
    }

    /// Takes an object, if it is there.
    pub(in crate::http) fn given_object(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Map<String, Value>>, Malformed> {
        self.take(name, "must be an object", |value| match value {
            Value::Object(object) => Some(object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::String(_) => None,
        })
    }

    /// Ends the reading: every member must have been taken.
    ///
    /// # Errors
    /// [`Malformed::Unknown`], naming one that was not.
    pub(in crate::http) fn finish(self) -> Result<(), Malformed> {
        self.0.into_iter().next().map_or(Ok(()), |(name, _)| Err(Malformed::Unknown(name)))
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        fault: &'static str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or(Malformed::Member(name, fault)),
        }
    }
}

/// Returns the first member of the outermost object that comes twice; `None` when the repetition lies deeper.
fn repeated(body: &[u8]) -> Option<String> {
    serde_json::Deserializer::from_slice(body).deserialize_map(Repeated).ok().flatten()
}

struct Repeated;

impl<'de> Visitor<'de> for Repeated {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<String>, A::Error> {
        let mut seen: HashSet<String> = HashSet::new();
        let mut repeated = None;
        while let Some((name, _)) = members.next_entry::<String, IgnoredAny>()? {
            if seen.contains(&name) {
                repeated.get_or_insert(name);
            } else {
                seen.insert(name);
            }
        }
        Ok(repeated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(body: &str) -> Members {
        Members::parse(body.as_bytes()).expect(body)
    }

    fn fault(body: &[u8]) -> Malformed {
        Members::parse(body).err().expect("a fault")
    }

    #[test]
    fn a_member_given_twice_is_named() {
        assert_eq!(fault(br#"{"sub":"a","aud":"b","\u0073ub":"c"}"#), Malformed::Duplicate("sub".to_owned()));
        assert_eq!(fault(br#"{"claims":{"x":1,"x":2}}"#), Malformed::Body("names a member twice"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in [b"".as_slice(), b"[]", b"null", b"{", b"{}{}", b"\"\xff\"", b"{\"a\":\"\xff\"}"] {
            assert!(matches!(fault(body), Malformed::Body(_)), "{}", body.escape_ascii());
        }
        let deep = format!("{{\"claims\":{}{}}}", "[".repeat(40), "]".repeat(40));
        assert_eq!(fault(deep.as_bytes()), Malformed::Body("nests deeper than 32 levels"));
    }

    #[test]
    fn every_type_but_the_right_one_is_refused() {
        for value in ["null", "1", "true", "[]", "{}"] {
            assert!(members(&format!(r#"{{"sub":{value}}}"#)).text("sub").is_err(), "{value}");
        }
        for value in ["null", "-1", "1.0", "1e3", "\"1\"", "true", "18446744073709551616"] {
            assert!(members(&format!(r#"{{"nbf":{value}}}"#)).seconds("nbf").is_err(), "{value}");
        }
        for value in ["null", "1", "[1]", "[\"a\",null]", "{}"] {
            assert!(members(&format!(r#"{{"aud":{value}}}"#)).needed_one_or_more_texts("aud").is_err(), "{value}");
        }
        for value in ["null", "\"a\"", "[1]"] {
            assert!(members(&format!(r#"{{"roles":{value}}}"#)).texts("roles").is_err(), "{value}");
        }
        for value in ["null", "[]", "1"] {
            assert!(members(&format!(r#"{{"claims":{value}}}"#)).object("claims").is_err(), "{value}");
        }
    }

    #[test]
    fn a_member_that_is_null_differs_from_one_that_is_absent() {
        let mut taken = members(r#"{"a":null,"b":["x"],"d":true,"e":null}"#);
        assert_eq!(taken.nullable("a", Members::given_texts), Ok(Some(None)));
        assert_eq!(taken.nullable("b", Members::given_texts), Ok(Some(Some(vec!["x".to_owned()]))));
        assert_eq!(taken.nullable("c", Members::given_texts), Ok(None));
        assert_eq!((taken.flag("d"), taken.flag("c")), (Ok(Some(true)), Ok(None)));
        assert!(taken.flag("e").is_err());
    }

    #[test]
    fn members_are_taken_and_what_nobody_takes_is_unknown() {
        let mut taken = members(r#"{"sub":"a","aud":"b","nbf":7,"typo":1}"#);
        assert_eq!(taken.needed_text("sub").as_deref(), Ok("a"));
        assert_eq!(taken.needed_one_or_more_texts("aud"), Ok(vec!["b".to_owned()]));
        assert_eq!(taken.seconds("nbf"), Ok(Some(7)));
        assert_eq!(taken.needed_text("scope"), Err(Malformed::Missing("scope")));
        assert_eq!(taken.finish(), Err(Malformed::Unknown("typo".to_owned())));
    }
}
