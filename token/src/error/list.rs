//! Why a revocation list was refused.

use std::fmt;

/// A revocation list was refused; the list used until then stays in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListRejection {
    /// The document is longer than the verifier allows, or a delta would make its list so.
    TooLong,
    /// The signed head is not a JWS of the right form and type.
    Head,
    /// The signature is not one of a key published for revocations.
    Signature,
    /// A claim of the head is missing or has the wrong form.
    Claims,
    /// The list is another issuer's.
    Issuer,
    /// The body is not the one whose hash the head signs.
    BodyMismatch,
    /// The body is signed and yet not in the form this verifier reads.
    Body,
    /// Signed more than a day ahead of the local clock: one of the two clocks is wrong.
    Future,
    /// The same sequence number as the list in use, with other content: the issuer says two things.
    Equivocation,
}

impl ListRejection {
    /// Returns the stable code, `ERR_REVLIST_…`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Future => "ERR_REVLIST_FUTURE",
            Self::Equivocation => "ERR_REVLIST_EQUIVOCATION",
            Self::TooLong | Self::Head | Self::Signature | Self::Claims => "ERR_REVLIST_INVALID",
            Self::Issuer | Self::BodyMismatch | Self::Body => "ERR_REVLIST_INVALID",
        }
    }

    /// Returns a stable word that narrows the code.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Head => "head",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Issuer => "issuer",
            Self::BodyMismatch => "body_mismatch",
            Self::Body => "body",
            Self::Future => "future",
            Self::Equivocation => "equivocation",
        }
    }

    /// Returns whether a person should hear of it: the issuer's clock or key, not the network, is at fault.
    pub fn is_alarm(&self) -> bool {
        matches!(self, Self::Future | Self::Equivocation)
    }

    /// Returns what people are told: printable ASCII.
    pub fn message(&self) -> &'static str {
        match self {
            Self::TooLong => "the revocation list is longer than this verifier allows",
            Self::Head => "the revocation list has no signed head of the right form",
            Self::Signature => "the revocation list is not signed by a key for revocations",
            Self::Claims => "the revocation list's head lacks a claim or has one of the wrong form",
            Self::Issuer => "the revocation list is another issuer's",
            Self::BodyMismatch => "the revocation list's body is not the one its head signs",
            Self::Body => "the revocation list's body is not in a form this verifier reads",
            Self::Future => "the revocation list is signed more than a day ahead of the local clock",
            Self::Equivocation => "the revocation list differs from another one of the same sequence number",
        }
    }
}

impl fmt::Display for ListRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for ListRejection {}
