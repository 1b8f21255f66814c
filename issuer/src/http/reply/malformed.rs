//! What can be wrong with a request itself, before the issuer is asked.
//!
//! Exhaustive on purpose: a new variant does not compile until it is given an answer here.
#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

use super::{Refusal, Told};
use http::StatusCode;
use std::fmt;

/// What is wrong with a request. Names of members come from the request and are cut and cleaned before they are repeated.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) enum Malformed {
    /// There is nothing at this path.
    NotFound,
    /// There is, but not for this method.
    MethodNotAllowed,
    /// Nothing that is there is of a media type that `Accept` allows.
    NotAcceptable,
    /// The body is not of the media type that the endpoint reads.
    MediaType(&'static str),
    /// The body has more bytes than are read.
    TooLarge(usize),
    /// The body did not arrive in time.
    TooSlow,
    /// The body ended before its announced end, or its transfer coding is broken.
    CutOff,
    /// The body is not what its media type says.
    Body(&'static str),
    /// A query string where parameters belong in the body.
    Query,
    /// A query of more bytes than are read.
    QueryTooLong(usize),
    /// A query that is not what it must be.
    QueryText(&'static str),
    /// A segment of the path that is no text.
    Path,
    /// A head that HTTP does not allow.
    Head(&'static str),
    /// A member that this endpoint does not have.
    Unknown(String),
    /// A member given twice.
    Duplicate(String),
    /// A member that must be there is not.
    Missing(&'static str),
    /// A member of the wrong type or form.
    Member(&'static str, &'static str),
    /// A cookie of ours that cannot be meant.
    Cookie(&'static str),
    /// A browser sends it for a page that may not (the cookies would be those of somebody who did not ask for it).
    CrossSite,
    /// The CSRF token is missing, or of another session.
    CsrfToken,
    /// Credentials in more than one place (RFC 6749 §2.3), or two `Authorization` fields.
    Credentials(&'static str),
    /// A `grant_type` that is not offered.
    GrantType,
}

impl From<Malformed> for Refusal {
    fn from(fault: Malformed) -> Self {
        Self::Request(fault)
    }
}

impl From<&Malformed> for Told {
    fn from(fault: &Malformed) -> Self {
        let (status, code) = match fault {
            Malformed::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Malformed::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Malformed::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "not_acceptable"),
            Malformed::MediaType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Malformed::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Malformed::TooSlow => (StatusCode::REQUEST_TIMEOUT, "body_too_slow"),
            Malformed::CutOff => (StatusCode::BAD_REQUEST, "body_cut_off"),
            Malformed::Body(_) => (StatusCode::BAD_REQUEST, "malformed_body"),
            Malformed::Query => (StatusCode::BAD_REQUEST, "query_not_allowed"),
            Malformed::QueryTooLong(_) => (StatusCode::URI_TOO_LONG, "query_too_long"),
            Malformed::QueryText(_) => (StatusCode::BAD_REQUEST, "malformed_query"),
            Malformed::Path => (StatusCode::BAD_REQUEST, "malformed_path"),
            Malformed::Head(_) => (StatusCode::BAD_REQUEST, "malformed_head"),
            Malformed::Unknown(_) => (StatusCode::BAD_REQUEST, "unknown_field"),
            Malformed::Duplicate(_) => (StatusCode::BAD_REQUEST, "duplicate_field"),
            Malformed::Missing(_) => (StatusCode::BAD_REQUEST, "missing_field"),
            Malformed::Member(..) => (StatusCode::BAD_REQUEST, "invalid_field"),
            Malformed::Credentials(_) => (StatusCode::BAD_REQUEST, "invalid_credentials"),
            Malformed::GrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Malformed::Cookie(_) => (StatusCode::BAD_REQUEST, "invalid_cookie"),
            Malformed::CrossSite => (StatusCode::FORBIDDEN, "cross_site_request"),
            Malformed::CsrfToken => (StatusCode::FORBIDDEN, "invalid_csrf_token"),
        };
        let oauth = if *fault == Malformed::GrantType { "unsupported_grant_type" } else { "invalid_request" };
        Self::new(status, code, oauth, fault.to_string())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is nothing at this path"),
            Self::MethodNotAllowed => f.write_str("the method is not one of those in the Allow field"),
            Self::NotAcceptable => f.write_str("the answer is of no media type that the Accept field allows"),
            Self::MediaType(expected) => write!(f, "the body must be {expected}, and Content-Type must say so once"),
            Self::TooLarge(limit) => write!(f, "the body has more than {limit} bytes"),
            Self::TooSlow => f.write_str("the body did not arrive in time"),
            Self::CutOff => f.write_str("the body did not arrive whole"),
            Self::Body(fault) => write!(f, "the body {fault}"),
            Self::Query => f.write_str("parameters belong in the body, not in the query"),
            Self::QueryTooLong(limit) => write!(f, "the query has more than {limit} bytes"),
            Self::QueryText(fault) => write!(f, "the query {fault}"),
            Self::Path => f.write_str(
                "a segment of the path is not 1 to 255 bytes of percent-encoded UTF-8 without control characters",
            ),
            Self::Head(fault) => f.write_str(fault),
            Self::Unknown(name) => write!(f, "there is no member '{}' here", quotable(name)),
            Self::Duplicate(name) => write!(f, "'{}' is given more than once", quotable(name)),
            Self::Missing(name) => write!(f, "'{name}' is missing"),
            Self::Member(name, fault) => write!(f, "'{name}' {fault}"),
            Self::Credentials(fault) => f.write_str(fault),
            Self::Cookie(fault) => write!(f, "a cookie of this issuer {fault}"),
            Self::CrossSite => f.write_str("the page that sends this is of no origin that may"),
            Self::CsrfToken => {
                f.write_str("X-CSRF-Token must repeat the CSRF token of this session, which its cookie holds")
            }
            Self::GrantType => f.write_str("the grant type is not one that this issuer offers"),
        }
    }
}

/// Returns a name from outside in the characters that `error_description` may have (RFC 6749 §5.2), at most 40 of them.
fn quotable(name: &str) -> String {
    let allowed = |character: char| matches!(character, ' '..='~') && !matches!(character, '"' | '\\');
    name.chars().take(40).map(|character| if allowed(character) { character } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_of_a_request_is_cut_and_cleaned() {
        assert_eq!(quotable("na\"me\\\n\u{fc}\0"), "na?me????");
        assert_eq!(quotable(&"x".repeat(1000)).len(), 40);
    }
}
