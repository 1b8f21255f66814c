//! What a user is called at login: a user name, or an e-mail address.
//!
//! ```text
//! shown      Normalization Form C of what was given
//! compared   NFKC, small letters, NFKC again: width, ligatures and case make no difference (as UsernameCaseMapped of RFC 8265 §3.3)
//! refused    empty, over 254 bytes, white space, controls, characters that are not seen (joiners, bidi marks, variation selectors),
//!            private use and unassigned specials
//! ```
//!
//! A text with an `@` is an e-mail address: exactly one, with something on both sides. So no user name is another user's
//! address, and both are looked up in one place. Addresses are compared whole, without case; a domain in Unicode is not the
//! same as in its `xn--` form. Letters of different scripts that look alike are different letters. Case is that of each letter
//! by itself: the final sigma is another letter than the sigma within a word, and ß is not ss.

use unicode_normalization::UnicodeNormalization as _;

/// Bytes of a name, shown or compared: what an e-mail address may have (RFC 5321 §4.5.3.1.3, without the brackets).
pub const MAX_NAME: usize = 254;

/// A user name or an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    shown: String,
    key: String,
}

impl Name {
    /// Returns the name that `text` is; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > MAX_NAME {
            return None;
        }
        let shown: String = text.nfc().collect();
        let small: String = shown.nfkc().flat_map(char::to_lowercase).collect();
        let key: String = small.nfkc().collect();
        let fits = |text: &str| (1..=MAX_NAME).contains(&text.len()) && !text.chars().any(is_refused);
        (fits(&shown) && fits(&key) && is_well_formed(&key)).then_some(Self { shown, key })
    }

    /// Returns the name that was stored so: what is compared does not change with a later version of Unicode.
    pub(crate) fn stored(shown: String, key: String) -> Self {
        Self { shown, key }
    }

    /// True for an e-mail address.
    pub fn is_email(&self) -> bool {
        self.key.contains('@')
    }

    /// Returns the name as it was given.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns what is compared.
    pub fn key(&self) -> &str {
        &self.key
    }
}

fn is_well_formed(key: &str) -> bool {
    match key.split_once('@') {
        None => true,
        Some((local, domain)) => !local.is_empty() && !domain.is_empty() && !domain.contains('@'),
    }
}

fn is_refused(character: char) -> bool {
    character.is_control()
        || character.is_whitespace()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> Option<String> {
        Name::parse(text).map(|name| name.key().to_owned())
    }

    #[test]
    fn case_width_and_composition_make_no_difference() {
        for (one, other) in [
            ("Maria", "MARIA"),
            ("José", "jose\u{301}"),
            ("ＡＢＣ", "abc"),
            ("ﬁlip", "FILIP"),
            ("A@Example.COM", "a@example.com"),
            ("ǅ", "ǆ"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
            assert!(key(one).is_some());
        }
        assert_ne!(key("maria"), key("mаria"), "the second has a Cyrillic letter");
        assert_eq!(Name::parse("José").map(|name| name.shown().to_owned()).as_deref(), Some("José"));
    }

    #[test]
    fn what_cannot_be_seen_and_half_an_address_are_refused() {
        let long = "x".repeat(255);
        for text in [
            "",
            " ",
            "a b",
            "a\u{200d}b",
            "a\u{202e}b",
            "a\0",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a\u{ad}b",
            "\u{e000}",
            "a\u{a0}b",
            "ﷺ",
            &long,
        ] {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
        assert!(Name::parse(&"x".repeat(254)).is_some());
        assert!(
            Name::parse("a@b").is_some_and(|name| name.is_email())
                && Name::parse("a.b-c").is_some_and(|name| !name.is_email())
        );
    }

    proptest! {
        #[test]
        fn what_is_compared_is_compared_with_itself_and_every_spelling_of_it(text in "\\PC{1,20}") {
            if let Some(name) = Name::parse(&text) {
                prop_assert_eq!(key(name.key()), Some(name.key().to_owned()));
                prop_assert_eq!(key(name.shown()), Some(name.key().to_owned()));
            }
        }
    }
}
