//! What is asked of tokens, and what it makes no sense to ask.

use std::fmt;

/// Seconds of leeway that may be asked for.
pub const MAX_LEEWAY_SECS: u64 = 60;
/// Seconds of leeway that verifiers use when nobody says otherwise.
pub const DEFAULT_LEEWAY_SECS: u64 = 5;

/// What is asked of every token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The `iss` that tokens and lists must have; `None` asks for none, on purpose.
    pub issuer: Option<String>,
    /// Of these the token's `aud` must hold at least one; `None` asks for none, on purpose.
    pub audience: Option<Vec<String>>,
    /// Seconds by which `exp` and `nbf` are relaxed, 0 to [`MAX_LEEWAY_SECS`].
    pub leeway_secs: u64,
    /// Scope values that every token must have.
    pub scope: Vec<String>,
    /// Whether a revocation list decides; `false` gives up revocation, on purpose.
    pub revocations: bool,
    /// Seconds after its `iat` during which a list is used, where that ends before its `exp`.
    pub max_staleness_secs: Option<u64>,
}

impl Policy {
    /// Checks that the policy makes sense.
    pub(super) fn check(&self) -> Result<(), Misuse> {
        if self.leeway_secs > MAX_LEEWAY_SECS {
            return Err(Misuse::Leeway);
        }
        if self.issuer.as_ref().is_some_and(String::is_empty) {
            return Err(Misuse::Issuer);
        }
        if self.audience.as_ref().is_some_and(|audience| audience.is_empty() || audience.iter().any(String::is_empty)) {
            return Err(Misuse::Audience);
        }
        check_scope(&self.scope)
    }
}

/// Checks that each required scope is one value.
///
/// # Errors
/// [`Misuse::Scope`].
pub fn check_scope(scope: &[String]) -> Result<(), Misuse> {
    if scope.iter().any(|value| value.is_empty() || value.contains(' ')) { Err(Misuse::Scope) } else { Ok(()) }
}

/// The caller asked for something that makes no sense; never caused by bytes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// More leeway than [`MAX_LEEWAY_SECS`].
    Leeway,
    /// An empty issuer.
    Issuer,
    /// No audience in the list of audiences, or an empty one.
    Audience,
    /// A required scope that is empty or holds a space.
    Scope,
    /// A list was given to a verifier that was told to do without.
    RevocationsOff,
}

impl Misuse {
    /// Returns what to tell whoever wrote the call.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Leeway => "leeway must be 0 to 60 seconds",
            Self::Issuer => "issuer must not be empty",
            Self::Audience => "audience must name at least one audience, none of them empty",
            Self::Scope => "a required scope must be one value without spaces",
            Self::RevocationsOff => "this verifier was made without revocations",
        }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Misuse {}
