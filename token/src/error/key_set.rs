//! Why a JWK Set was refused.

use std::fmt;

/// A JWK Set was refused whole; the set used until then stays in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySetRejection {
    /// Longer than [`crate::jwk::MAX_SET_LENGTH`].
    TooLong,
    /// Not strict JSON with a `keys` array of objects.
    Malformed,
    /// More than [`crate::jwk::MAX_KEYS`] entries.
    TooManyKeys,
    /// An Ed25519 key's `x` is not the canonical encoding of a point.
    InvalidPoint,
    /// An Ed25519 key is of low order: anyone can sign for it.
    WeakKey,
    /// A private key is in the set.
    PrivateKey,
    /// Two usable keys have the same `kid`.
    DuplicateKeyId,
    /// No key in the set can verify an access token.
    NoTokenKey,
}

impl KeySetRejection {
    /// Returns the stable code, jose's for a malformed key set.
    pub fn code(&self) -> &'static str {
        "ERR_JWKS_INVALID"
    }

    /// Returns a stable word that narrows the code.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::TooManyKeys => "too_many_keys",
            Self::InvalidPoint => "invalid_point",
            Self::WeakKey => "weak_key",
            Self::PrivateKey => "private_key",
            Self::DuplicateKeyId => "duplicate_kid",
            Self::NoTokenKey => "no_token_key",
        }
    }

    /// Returns what people are told: printable ASCII.
    pub fn message(&self) -> &'static str {
        match self {
            Self::TooLong => "the JWK Set is longer than 65536 bytes",
            Self::Malformed => "the JWK Set is not strict JSON with an array of keys",
            Self::TooManyKeys => "the JWK Set has more than 128 keys",
            Self::InvalidPoint => "a key of the JWK Set is not a canonical Ed25519 point",
            Self::WeakKey => "a key of the JWK Set is of low order",
            Self::PrivateKey => "the JWK Set holds a private key",
            Self::DuplicateKeyId => "two keys of the JWK Set have the same kid",
            Self::NoTokenKey => "the JWK Set has no key for access tokens",
        }
    }
}

impl fmt::Display for KeySetRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for KeySetRejection {}
