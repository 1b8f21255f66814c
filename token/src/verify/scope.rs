//! The scope that a call asks for.

use super::policy::Misuse;

/// Scope values that a token must have.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a>(Values<'a>);

#[derive(Debug, Clone, Copy)]
enum Values<'a> {
    /// Between single spaces; none when empty.
    Text(&'a str),
    List(&'a [String]),
}

impl<'a> Scope<'a> {
    /// Asks for nothing.
    pub const NONE: Scope<'static> = Scope(Values::Text(""));

    /// Returns the scope of these values between single spaces; the empty text asks for none.
    ///
    /// # Errors
    /// [`Misuse::Scope`] for a space too many.
    pub fn parse(text: &'a str) -> Result<Self, Misuse> {
        let well_formed = text.is_empty() || values(text).all(|value| !value.is_empty());
        if well_formed { Ok(Self(Values::Text(text))) } else { Err(Misuse::Scope) }
    }

    /// Returns the scope of these single values.
    pub(super) fn of(values: &'a [String]) -> Self {
        Self(Values::List(values))
    }

    /// Returns whether a token that holds `held`, the values of its `scope` claim, has all of these.
    pub(super) fn is_within(self, held: Option<&str>) -> bool {
        let holds = |value: &[u8]| values(held.unwrap_or_default()).any(|held| held == value);
        match self.0 {
            Values::Text("") => true,
            Values::Text(text) => values(text).all(holds),
            Values::List(values) => values.iter().all(|value| holds(value.as_bytes())),
        }
    }
}

/// What stands between single spaces. By bytes: the search for a character weighs more in the module.
fn values(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| *byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_is_compared_value_by_value() {
        let has = |required: &str| Scope::parse(required).unwrap().is_within(Some("read write"));
        assert!(has("write read") && has("read") && has(""));
        assert!(!has("rea") && !has("admin") && !has("read admin"));
        assert!(Scope::NONE.is_within(None) && !Scope::parse("read").unwrap().is_within(None));
        let one = ["read write".to_owned()];
        assert!(!Scope::of(&one).is_within(Some("read write")), "a value with a space is held by nobody");
    }

    #[test]
    fn values_stand_between_single_spaces() {
        for text in [" ", " read", "read ", "read  write"] {
            assert_eq!(Scope::parse(text).unwrap_err(), Misuse::Scope, "{text:?}");
        }
    }
}
