//! Why a token was refused.

use crate::json;
use std::fmt;

/// A token was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// Not a JWS in compact serialization with a protected header that this project reads.
    Jws(JwsFault),
    /// The header names an algorithm that no key may use here.
    AlgorithmNotAllowed,
    /// No key of the set has the header's `kid`, its `alg` and the purpose asked for.
    NoMatchingKey,
    /// The signature is not one of the key over this header and payload.
    Signature,
    /// The signed payload is not a claims set.
    Jwt(json::Fault),
    /// A claim, or the header's `typ`, is missing, has the wrong form, or is not what was asked for.
    Claim {
        /// Name of the claim.
        claim: &'static str,
        /// What is wrong with it.
        reason: ClaimFault,
    },
    /// `exp` and the leeway have passed.
    Expired,
    /// The revocation list takes the token back.
    Revoked(RevokedBy),
    /// The revocation list is absent or too old to say anything, which is not "revoked".
    Stale(Staleness),
    /// The token has no place in a revocation list: its `jti` is not `<epoch>.<index>`.
    StatusMissing,
}

/// What is wrong with the JWS itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwsFault {
    /// Longer than [`crate::jws::MAX_LENGTH`].
    TooLong,
    /// Not three parts between two dots.
    Parts,
    /// A part is not strict base64url.
    Base64url,
    /// The header is not strict JSON.
    Header(json::Fault),
    /// `alg` is absent or not a string.
    Algorithm,
    /// `kid` is not a string.
    KeyId,
    /// The header has a member that would change how the token is read or which key is used.
    RefusedMember,
}

/// What is wrong with a claim; jose's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimFault {
    /// It is required and absent.
    Missing,
    /// It has the wrong type or is out of range.
    Invalid,
    /// It is well-formed and not what was asked for.
    CheckFailed,
}

/// The part of a revocation list that takes a token back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokedBy {
    /// Its index is in the list.
    Index,
    /// Everything issued until a time is revoked (`cut.all`).
    All,
    /// Its key has been withdrawn (`cut.kid`).
    Key,
    /// Its subject, until a time (`cut.sub`).
    Subject,
    /// Its session (`cut.sid`).
    Session,
    /// Its client, until a time (`cut.cid`).
    Client,
}

/// Why the revocation list cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// None has been loaded.
    Absent,
    /// Its signed `exp` has passed.
    Expired,
    /// It is older than the verifier's own limit.
    TooOld,
}

impl Rejection {
    /// Returns the stable code, `ERR_…`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jws(_) => "ERR_JWS_INVALID",
            Self::AlgorithmNotAllowed => "ERR_JOSE_ALG_NOT_ALLOWED",
            Self::NoMatchingKey => "ERR_JWKS_NO_MATCHING_KEY",
            Self::Signature => "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
            Self::Jwt(_) => "ERR_JWT_INVALID",
            Self::Claim { .. } => "ERR_JWT_CLAIM_VALIDATION_FAILED",
            Self::Expired => "ERR_JWT_EXPIRED",
            Self::Revoked(_) => "ERR_TOKEN_REVOKED",
            Self::Stale(_) => "ERR_STATUS_STALE",
            Self::StatusMissing => "ERR_STATUS_MISSING",
        }
    }

    /// Returns the claim that was refused, where one was.
    pub fn claim(&self) -> Option<&'static str> {
        match self {
            Self::Claim { claim, .. } => Some(claim),
            Self::Expired => Some("exp"),
            Self::StatusMissing => Some("jti"),
            Self::Jws(_) | Self::AlgorithmNotAllowed | Self::NoMatchingKey | Self::Signature => None,
            Self::Jwt(_) | Self::Revoked(_) | Self::Stale(_) => None,
        }
    }

    /// Returns a stable word that narrows the code, where one does.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Jws(fault) => Some(fault.reason()),
            Self::Jwt(fault) => Some(json_reason(*fault)),
            Self::Claim { reason, .. } => Some(reason.reason()),
            Self::Expired => Some(ClaimFault::CheckFailed.reason()),
            Self::Revoked(by) => Some(by.reason()),
            Self::Stale(staleness) => Some(staleness.reason()),
            Self::StatusMissing => Some(ClaimFault::Invalid.reason()),
            Self::AlgorithmNotAllowed | Self::NoMatchingKey | Self::Signature => None,
        }
    }

    /// Returns what people are told, in parts to be put one behind the other: printable ASCII, and nothing of the token.
    ///
    /// In parts, for formatting would bring more code into a WebAssembly module than all the texts weigh.
    pub fn message(&self) -> [&'static str; 4] {
        match self {
            Self::Jws(fault) => match fault.header() {
                Some(header) => ["the token ", fault.message(), header.message(), ""],
                None => ["the token ", fault.message(), "", ""],
            },
            Self::AlgorithmNotAllowed => ["the token's algorithm is not allowed", "", "", ""],
            Self::NoMatchingKey => ["no key of the issuer matches the token's kid and alg", "", "", ""],
            Self::Signature => ["the token's signature does not verify", "", "", ""],
            Self::Jwt(fault) => ["the token's payload ", fault.message(), "", ""],
            Self::Claim { claim, reason } => ["the token's \"", claim, "\" ", reason.message()],
            Self::Expired => ["the token has expired", "", "", ""],
            Self::Revoked(by) => ["the token has been revoked ", by.message(), "", ""],
            Self::Stale(staleness) => {
                ["whether the token is revoked cannot be told: the revocation list ", staleness.message(), "", ""]
            }
            Self::StatusMissing => ["the token has no index for the revocation list in its \"jti\"", "", "", ""],
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().into_iter().try_for_each(|part| f.write_str(part))
    }
}

impl std::error::Error for Rejection {}

impl JwsFault {
    fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Parts => "parts",
            Self::Base64url => "base64url",
            Self::Header(fault) => json_reason(fault),
            Self::Algorithm => "alg",
            Self::KeyId => "kid",
            Self::RefusedMember => "refused_member",
        }
    }

    /// Returns what is said of the token, before what is said of a header that is no JSON.
    fn message(self) -> &'static str {
        match self {
            Self::TooLong => "is longer than 8192 bytes",
            Self::Parts => "has not three parts",
            Self::Base64url => "has a part that is not strict base64url",
            Self::Header(_) => "has a header that ",
            Self::Algorithm => "has a header without an \"alg\" string",
            Self::KeyId => "has a \"kid\" that is not a string",
            Self::RefusedMember => "has a header member that is never followed here",
        }
    }

    fn header(self) -> Option<json::Fault> {
        match self {
            Self::Header(fault) => Some(fault),
            Self::TooLong | Self::Parts | Self::Base64url => None,
            Self::Algorithm | Self::KeyId | Self::RefusedMember => None,
        }
    }
}

fn json_reason(fault: json::Fault) -> &'static str {
    match fault {
        json::Fault::Syntax => "json",
        json::Fault::Duplicate => "duplicate_member",
        json::Fault::Depth => "depth",
        json::Fault::NotAnObject => "not_an_object",
    }
}

impl ClaimFault {
    fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::CheckFailed => "check_failed",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Missing => "is missing",
            Self::Invalid => "has the wrong type or is out of range",
            Self::CheckFailed => "is not what this verifier asks for",
        }
    }
}

impl RevokedBy {
    fn reason(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::All => "all",
            Self::Key => "key",
            Self::Subject => "subject",
            Self::Session => "session",
            Self::Client => "client",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Index => "by its issuer",
            Self::All => "with everything issued until then",
            Self::Key => "with the key that signed it",
            Self::Subject => "with its subject's tokens",
            Self::Session => "with its session",
            Self::Client => "with its client's tokens",
        }
    }
}

impl Staleness {
    fn reason(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Expired => "expired",
            Self::TooOld => "too_old",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Absent => "has not been loaded",
            Self::Expired => "has expired",
            Self::TooOld => "is older than this verifier allows",
        }
    }
}
