//! `application/x-www-form-urlencoded` (WHATWG URL §5.1), without its leniency.
//!
//! A percent sign must begin an escape, the decoded bytes must be UTF-8, and a name may come once.

use super::super::reply::Malformed;
use zeroize::Zeroizing;

/// Fields that a form may have; no endpoint knows as many. Each is compared with those before it.
const MAX_FIELDS: usize = 32;

/// The fields of a form that nobody has taken yet.
#[derive(Default)]
pub(in crate::http) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Returns the fields that `body` holds.
    ///
    /// # Errors
    /// [`Malformed::Body`], also for more than 32 fields, or [`Malformed::Duplicate`].
    pub(in crate::http) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut fields: Vec<(String, Zeroizing<String>)> = Vec::new();
        let pairs = || body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        if pairs().nth(MAX_FIELDS).is_some() {
            return Err(Malformed::Body("has more than 32 fields"));
        }
        for pair in pairs() {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(parts.next().unwrap_or_default())?.as_str().to_owned();
            let value = decode(parts.next().unwrap_or_default())?;
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(Malformed::Duplicate(name));
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// Takes the field `name`. A field without a value counts as absent (RFC 6749 §3.2).
    pub(in crate::http) fn take(&mut self, name: &str) -> Option<Zeroizing<String>> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.0.swap_remove(place);
        (!value.is_empty()).then_some(value)
    }

    /// Takes the field `name`, which must be there.
    ///
    /// # Errors
    /// [`Malformed::Missing`].
    pub(in crate::http) fn need(&mut self, name: &'static str) -> Result<Zeroizing<String>, Malformed> {
        self.take(name).ok_or(Malformed::Missing(name))
    }

    /// Returns the form, if it has no other fields than these.
    ///
    /// # Errors
    /// [`Malformed::Unknown`], naming one that it has.
    pub(in crate::http) fn only(self, names: &[&str]) -> Result<Self, Malformed> {
        match self.0.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            Some((name, _)) => Err(Malformed::Unknown(name.clone())),
            None => Ok(self),
        }
    }

    /// Ends the reading: every field must have been taken.
    ///
    /// # Errors
    /// [`Malformed::Unknown`], naming one that was not.
    pub(in crate::http) fn finish(mut self) -> Result<(), Malformed> {
        self.0.pop().map_or(Ok(()), |(name, _)| Err(Malformed::Unknown(name)))
    }
}

/// Returns the text that a form-urlencoded name or value stands for.
///
/// # Errors
/// [`Malformed::Body`] for a broken escape or bytes that are not UTF-8.
pub(in crate::http) fn decode(encoded: &[u8]) -> Result<Zeroizing<String>, Malformed> {
    unescaped(encoded, b' ')
}

/// Bytes that a segment of a path may stand for; no name of ours is longer.
const MAX_SEGMENT: usize = 255;

/// Returns the text that one segment of a path stands for: 1 to 255 bytes without control characters (RFC 3986 §2.1).
///
/// # Errors
/// [`Malformed::Path`] for a broken escape and for what is no such text.
pub(in crate::http) fn decode_segment(segment: &str) -> Result<String, Malformed> {
    if segment.len() > 3 * MAX_SEGMENT {
        return Err(Malformed::Path);
    }
    let text = unescaped(segment.as_bytes(), b'+').map_err(|_| Malformed::Path)?;
    let fits = (1..=MAX_SEGMENT).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(text.as_str().to_owned()) } else { Err(Malformed::Path) }
}

/// Returns the text whose bytes were escaped by percent signs; a plus sign stands for `plus`.
fn unescaped(encoded: &[u8], plus: u8) -> Result<Zeroizing<String>, Malformed> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len()));
    let mut rest = encoded;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match byte {
            b'+' => plus,
            b'%' => {
                let Some((escape, after)) = rest.split_first_chunk::<2>() else { return Err(ESCAPE) };
                rest = after;
                let [high, low] =
                    escape.map(|digit| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()));
                high.zip(low).map(|(high, low)| high << 4 | low).ok_or(ESCAPE)?
            }
            byte => *byte,
        });
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Malformed::Body("is not UTF-8")),
    }
}

const ESCAPE: Malformed = Malformed::Body("has a percent sign that begins no escape");

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
        Form::parse(body)
            .map(|form| form.0.into_iter().map(|(name, value)| (name, value.as_str().to_owned())).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn names_and_values_are_decoded() {
        assert_eq!(fields(b"a=1&b%3D=%c3%A9+%2B").expect("valid"), pairs(&[("a", "1"), ("b=", "\u{e9} +")]));
        assert_eq!(fields("a=é".as_bytes()).expect("valid"), pairs(&[("a", "é")]));
        assert_eq!(fields(b"a=b=c&&d&").expect("valid"), pairs(&[("a", "b=c"), ("d", "")]));
        assert_eq!(fields(b"").expect("valid"), pairs(&[]));
    }

    #[test]
    fn a_broken_escape_is_refused() {
        for body in [b"a=%".as_slice(), b"a=%4", b"a=%4g", b"a=%+1", b"%zz=1", b"a=%u0041"] {
            assert_eq!(fields(body), Err(ESCAPE), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_refused_raw_and_escaped() {
        for body in [b"a=\xff".as_slice(), b"a=%ff", b"\xc0\xaf=1", b"a=%ed%a0%80"] {
            assert_eq!(fields(body), Err(Malformed::Body("is not UTF-8")), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn a_name_given_twice_is_refused_in_any_spelling_and_even_without_a_value() {
        for body in [b"a=1&a=1".as_slice(), b"a=1&%61=2", b"a&a", b"a=&b=1&a=2"] {
            assert_eq!(fields(body), Err(Malformed::Duplicate("a".to_owned())), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn more_fields_than_any_endpoint_knows_are_refused_before_they_are_compared() {
        let body = |count: usize| (0..count).map(|number| format!("f{number}=1")).collect::<Vec<_>>().join("&&");
        assert_eq!(fields(body(MAX_FIELDS).as_bytes()).expect("valid").len(), MAX_FIELDS);
        assert_eq!(fields(body(MAX_FIELDS + 1).as_bytes()), Err(Malformed::Body("has more than 32 fields")));
    }

    #[test]
    fn a_field_without_a_value_is_absent_and_what_nobody_takes_is_unknown() {
        let mut form = Form::parse(b"scope=&other=1").expect("valid");
        assert!(form.take("scope").is_none());
        assert_eq!(form.need("grant_type").expect_err("absent"), Malformed::Missing("grant_type"));
        assert_eq!(form.finish(), Err(Malformed::Unknown("other".to_owned())));
    }
}
