//! What a password may be (NIST SP 800-63B-4 §3.1.1.2), and how it is kept.
//!
//! ```text
//! text ──NFC──► Password ──rules──► Argon2id ──► PasswordHash, a PHC string with its own salt and costs
//! ```
//!
//! 15 characters at least (a setting, never below 8), 1,024 bytes at most, every character of Unicode but the controls, no
//! rules of composition, never cut. The whole password is compared with what is common (`popular.rs`), with the operator's
//! list and with the names around it; the reason is told. Pure: the salt is an argument, and where hashing waits and runs is
//! `operations/users/hasher.rs`.

mod blocked;
mod hash;
mod popular;
#[cfg(test)]
mod tests;

pub use blocked::{BlockList, MAX_BLOCK_LIST};
pub use hash::{Costs, HashFault, PasswordHash};

use std::fmt;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Bytes that a password may have; the request that carries it is bounded anyway.
pub const MAX_BYTES: usize = 1024;
/// The fewest characters that an operator may ask for (ASVS 5.0 6.2.1).
pub const LEAST_CHARACTERS: u64 = 8;

/// A password in Normalization Form C. It is compared and hashed, never shown, and zeroized when it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password is none that this issuer could ever have taken; nothing of it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPassword;

/// Why a new password is refused. The reason is told (NIST SP 800-63B-4 §3.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// It has fewer characters than the settings ask for.
    TooShort {
        /// What they ask for.
        least: u64,
    },
    /// It is among the most common passwords, or made of one by repeating it and adding digits.
    Common,
    /// It is on the operator's list.
    Listed,
    /// It is the user's name, e-mail address or part of it, or the name of this service.
    Name,
}

impl Password {
    /// Returns the password that `text` is: 1 to 1,024 bytes, before and after normalization, without control characters.
    ///
    /// # Errors
    /// [`NoPassword`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NoPassword> {
        if text.is_empty() || text.len() > MAX_BYTES || text.chars().any(char::is_control) {
            return Err(NoPassword);
        }
        // Reserved once, so that no copy stays behind in a smaller buffer; NFC takes at most three times the bytes.
        let mut normal = Zeroizing::new(String::with_capacity(text.len().saturating_mul(3)));
        normal.extend(text.nfc());
        if normal.len() > MAX_BYTES { Err(NoPassword) } else { Ok(Self(normal)) }
    }

    /// Checks a password that somebody chooses. `names` are those around it: of the user, of the service.
    ///
    /// # Errors
    /// The first [`Weakness`].
    pub fn check(&self, least: u64, listed: &BlockList, names: &[&str]) -> Result<(), Weakness> {
        let characters = u64::try_from(self.0.chars().count()).unwrap_or(u64::MAX);
        if characters < least {
            return Err(Weakness::TooShort { least });
        }
        let folded = fold(&self.0);
        if popular::is_popular(&folded) {
            return Err(Weakness::Common);
        }
        if listed.holds(&folded) {
            return Err(Weakness::Listed);
        }
        if names.iter().any(|name| is_made_of(&folded, name)) { Err(Weakness::Name) } else { Ok(()) }
    }

    /// Returns its bytes, for the hash.
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Returns the text without the difference between capitals and small letters.
fn fold(text: &str) -> Zeroizing<String> {
    let mut folded = Zeroizing::new(String::with_capacity(text.len().saturating_mul(3)));
    folded.extend(text.chars().flat_map(char::to_lowercase));
    folded
}

/// True when the folded password is `name`, what stands before its `@`, or either of them repeated or with digits behind.
fn is_made_of(folded: &str, name: &str) -> bool {
    let name = fold(name);
    let local = name.split('@').next().unwrap_or_default();
    [name.as_str(), local].into_iter().any(|name| popular::is_word_with_tail(folded, name))
}

impl Weakness {
    /// Returns the stable word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::Common => "common",
            Self::Listed => "listed",
            Self::Name => "name",
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { least } => write!(f, "must have at least {least} characters"),
            Self::Common => f.write_str("is one of those that everybody chooses, or made of them"),
            Self::Listed => f.write_str("is on this service's list of passwords that nobody may choose"),
            Self::Name => f.write_str("is the name or the address of the user, or the name of this service"),
        }
    }
}
