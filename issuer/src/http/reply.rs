//! Answers, and the only place where a fault becomes a status and a code.
//!
//! Exhaustive on purpose: a new variant anywhere does not compile until it is given an answer here.
#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod malformed;

use super::limit;
use crate::error::{ClientFault, Error};
use crate::limits::Exceeded;
use crate::telemetry::field;
use crate::telemetry::metrics::METRICS;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
pub(super) use malformed::Malformed;
use serde::Serialize;
use serde_json::json;
use std::borrow::Cow;
use std::error::Error as _;

/// A complete answer.
pub(super) type Answer = Response<Bytes>;

/// The stable code of a refusal, beside the answer for the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

/// How refusals are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `{error, error_description}` (RFC 6749 §5.2).
    OAuth,
    /// `application/problem+json` with our `code` (RFC 9457).
    Problem,
}

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The request itself is wrong; the issuer was not asked.
    Request(Malformed),
    /// The issuer said no.
    Issuer(Error),
    /// A rate limit is reached.
    TooManyRequests(Exceeded),
    /// Every place of those who may follow the revocation list is taken.
    TooManyFollowers,
    /// Another daemon has the database, and did not answer.
    Elsewhere(Elsewhere),
}

/// Why a request that another daemon must answer is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// It was not sent: nobody was there who has the database.
    NotSent,
    /// It was sent, and no answer came.
    Lost,
}

impl From<Elsewhere> for Refusal {
    fn from(fault: Elsewhere) -> Self {
        Self::Elsewhere(fault)
    }
}

impl From<Error> for Refusal {
    fn from(fault: Error) -> Self {
        Self::Issuer(fault)
    }
}

/// Returns 200 with `body` as JSON, not to be stored by caches.
pub(super) fn json(body: &impl Serialize) -> Answer {
    text(StatusCode::OK, "application/json", serde_json::to_vec(body).unwrap_or_default())
}

/// Returns 201 with `body` as JSON: something has come to be, at `location` below the issuer.
pub(super) fn created(body: &impl Serialize, location: &str) -> Answer {
    let mut answer = json(body);
    *answer.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

/// Returns 200 with a part of a list as JSON: `items`, and the cursor `next` when there may be more.
pub(super) fn list(items: &impl Serialize, next: Option<&str>) -> Answer {
    #[derive(Serialize)]
    struct List<'a, T> {
        items: &'a T,
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<&'a str>,
    }
    json(&List { items, next })
}

/// Returns `status` with `body`.
pub(super) fn text(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = empty(status);
    *answer.body_mut() = body.into();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// Returns `status` without a body.
pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// Returns the answer that tells `refusal` in `dialect`. Faults of ours are logged here, once, with their cause.
pub(super) fn refuse(dialect: Dialect, refusal: &Refusal) -> Answer {
    let told = Told::from(refusal);
    if let (true, Refusal::Issuer(fault)) = (told.status.is_server_error(), refusal) {
        log(&told, fault);
    }
    let detail = told.detail.as_ref();
    let mut answer = match dialect {
        Dialect::OAuth => {
            let status = told.oauth_status.unwrap_or(told.status);
            let body = json!({"error": told.oauth, "error_description": detail});
            text(status, "application/json", body.to_string())
        }
        Dialect::Problem => {
            let title = told.status.canonical_reason().unwrap_or_default();
            let mut body = json!({
                "type": "about:blank", "title": title, "status": told.status.as_u16(), "detail": detail, "code": told.code
            });
            if let (Some((name, value)), Some(members)) = (extension(refusal), body.as_object_mut()) {
                members.insert(name.to_owned(), value.into());
            }
            text(told.status, "application/problem+json", body.to_string())
        }
    };
    if told.status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge(told.code)));
    }
    if let Some(seconds) = told.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Refusal::TooManyRequests(exceeded) = refusal {
        METRICS.rate_limited(exceeded.standing.policy);
        limit::tell(&exceeded.standing, answer.headers_mut());
    }
    answer.extensions_mut().insert(Code(told.code));
    answer
}

/// Returns the member of our own that a problem has besides its code (RFC 9457 §3.2).
fn extension(refusal: &Refusal) -> Option<(&'static str, String)> {
    match refusal {
        Refusal::Issuer(Error::PasswordResetRequired { reset_url: Some(url) }) => Some(("reset_url", url.clone())),
        Refusal::Issuer(Error::PasswordRefused(weakness)) => Some(("reason", weakness.code().to_owned())),
        Refusal::Issuer(_)
        | Refusal::Request(_)
        | Refusal::TooManyFollowers
        | Refusal::TooManyRequests(_)
        | Refusal::Elsewhere(_) => None,
    }
}

/// Returns what would be let in. Users are never asked for Basic credentials: their browser would do it, in a window of its own.
fn challenge(code: &str) -> &'static str {
    match code {
        "invalid_token" => "Bearer realm=\"countersign\", error=\"invalid_token\"", // RFC 6750 §3
        "invalid_login" => "Bearer realm=\"countersign\"",
        _ => "Basic realm=\"countersign\"",
    }
}

/// One refusal, as far as the outside is told.
struct Told {
    status: StatusCode,
    /// The status on OAuth endpoints, where their RFC asks for another one.
    oauth_status: Option<StatusCode>,
    code: &'static str,
    oauth: &'static str,
    detail: Cow<'static, str>,
    retry_after: Option<u64>,
}

impl Told {
    fn new(status: StatusCode, code: &'static str, oauth: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, oauth_status: None, code, oauth, detail: detail.into(), retry_after: None }
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl From<&Refusal> for Told {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Request(fault) => Self::from(fault),
            Refusal::Issuer(fault) => Self::from(fault),
            Refusal::TooManyRequests(exceeded) => {
                let detail = "so many requests are not allowed; try again later";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "temporarily_unavailable", detail)
                    .retry_after(exceeded.retry_after)
            }
            Refusal::TooManyFollowers => {
                let detail = "so many follow already; ask for the list until one leaves";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_followers", "temporarily_unavailable", detail)
                    .retry_after(30)
            }
            Refusal::Elsewhere(Elsewhere::NotSent) => {
                let detail = "this daemon stands by, and the one that has the database is not there; nothing was done";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "standing_by", "temporarily_unavailable", detail)
                    .retry_after(1)
            }
            Refusal::Elsewhere(Elsewhere::Lost) => {
                let detail =
                    "the daemon that has the database did not answer; whether it did what was asked is not known";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "temporarily_unavailable", detail)
                    .retry_after(1)
            }
        }
    }
}

impl From<&Error> for Told {
    fn from(fault: &Error) -> Self {
        let detail = fault.to_string();
        let told = |status, code, oauth| Self::new(status, code, oauth, detail);
        match fault {
            Error::InvalidClient => told(StatusCode::UNAUTHORIZED, "invalid_client", "invalid_client"),
            Error::InvalidGrant(_) => told(StatusCode::BAD_REQUEST, "invalid_grant", "invalid_grant"),
            Error::InvalidScope => told(StatusCode::BAD_REQUEST, "invalid_scope", "invalid_scope"),
            Error::UnauthorizedClient => Self {
                oauth_status: Some(StatusCode::BAD_REQUEST), // RFC 6749 §5.2
                ..told(StatusCode::FORBIDDEN, "unauthorized_client", "unauthorized_client")
            },
            Error::InvalidTarget => told(StatusCode::BAD_REQUEST, "invalid_target", "invalid_target"), // RFC 8693 §2.2.2
            Error::Client(fault) => {
                let (status, code) = of_client(*fault);
                told(status, code, "invalid_request")
            }
            Error::TooManyAssertions { retry_after_secs } => {
                told(StatusCode::TOO_MANY_REQUESTS, "too_many_assertions", "temporarily_unavailable")
                    .retry_after(*retry_after_secs)
            }
            Error::UnknownSession => told(StatusCode::NOT_FOUND, "unknown_session", "invalid_request"),
            Error::InvalidRequest { .. } => told(StatusCode::BAD_REQUEST, "invalid_field", "invalid_request"),
            Error::TooManyLiveTokens { retry_after_secs } => {
                told(StatusCode::TOO_MANY_REQUESTS, "too_many_live_tokens", "temporarily_unavailable")
                    .retry_after(*retry_after_secs)
            }
            Error::TooManyRules { retry_after_secs } => {
                told(StatusCode::TOO_MANY_REQUESTS, "too_many_rules", "temporarily_unavailable")
                    .retry_after(*retry_after_secs)
            }
            Error::NotReady(_) => {
                told(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "temporarily_unavailable").retry_after(1)
            }
            Error::Store(_) => {
                told(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "temporarily_unavailable").retry_after(1)
            }
            Error::Entropy => {
                told(StatusCode::SERVICE_UNAVAILABLE, "no_entropy", "temporarily_unavailable").retry_after(1)
            }
            Error::BackupRunning => told(StatusCode::CONFLICT, "backup_running", "invalid_request"),
            Error::StatusListTooLarge => {
                told(StatusCode::SERVICE_UNAVAILABLE, "status_list_too_large", "temporarily_unavailable")
            }
            Error::Keys(_) => told(StatusCode::INTERNAL_SERVER_ERROR, "key_unusable", "server_error"),
            Error::Signing => told(StatusCode::INTERNAL_SERVER_ERROR, "signing_failed", "server_error"),
            Error::Hashing => told(StatusCode::INTERNAL_SERVER_ERROR, "hashing_failed", "server_error"),
            Error::NoUsers => told(StatusCode::NOT_FOUND, "users_off", "invalid_request"),
            Error::LoginRefused => told(StatusCode::UNAUTHORIZED, "invalid_login", "invalid_request"),
            Error::InvalidToken => told(StatusCode::UNAUTHORIZED, "invalid_token", "invalid_token"),
            Error::AccountDisabled => told(StatusCode::FORBIDDEN, "account_disabled", "invalid_request"),
            Error::PasswordResetRequired { .. } => {
                told(StatusCode::FORBIDDEN, "password_reset_required", "invalid_request")
            }
            Error::WrongPassword => told(StatusCode::FORBIDDEN, "wrong_password", "invalid_request"),
            Error::PasswordRefused(_) => told(StatusCode::BAD_REQUEST, "password_refused", "invalid_request"),
            Error::InvalidResetCode => told(StatusCode::BAD_REQUEST, "invalid_reset_code", "invalid_request"),
            Error::TokenTooLong => told(StatusCode::BAD_REQUEST, "token_too_long", "invalid_request"),
            Error::NameTaken => told(StatusCode::CONFLICT, "name_taken", "invalid_request"),
            Error::NoSuchUser => told(StatusCode::NOT_FOUND, "unknown_user", "invalid_request"),
            Error::TooManyAttempts { retry_after_secs } => {
                told(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", "temporarily_unavailable")
                    .retry_after(*retry_after_secs)
            }
            Error::HasherBusy { retry_after_secs } => {
                told(StatusCode::SERVICE_UNAVAILABLE, "login_busy", "temporarily_unavailable")
                    .retry_after(*retry_after_secs)
            }
        }
    }
}

fn of_client(fault: ClientFault) -> (StatusCode, &'static str) {
    match fault {
        ClientFault::Unknown | ClientFault::UnknownSecret => (StatusCode::NOT_FOUND, "not_found"),
        ClientFault::Exists => (StatusCode::CONFLICT, "client_exists"),
        ClientFault::NotDisabled => (StatusCode::CONFLICT, "client_not_disabled"),
        ClientFault::LastAdministrator => (StatusCode::CONFLICT, "last_administrator"),
        ClientFault::TooMany => (StatusCode::CONFLICT, "too_many_clients"),
    }
}

fn log(told: &Told, fault: &Error) {
    let cause = fault.source().map(ToString::to_string);
    tracing::error!({ field::CODE } = told.code, { field::ERROR } = cause, "{}", told.detail);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unauthorized_client_is_told_as_each_dialect_wants_it() {
        let refusal = Refusal::Issuer(Error::UnauthorizedClient);
        assert_eq!(refuse(Dialect::OAuth, &refusal).status(), StatusCode::BAD_REQUEST);
        assert_eq!(refuse(Dialect::Problem, &refusal).status(), StatusCode::FORBIDDEN);
    }

    #[test]
    fn a_fault_of_ours_says_when_to_come_back_and_not_why() {
        let refusal = Refusal::Issuer(Error::Store(crate::store::StoreError::damaged("secret detail")));
        let answer = refuse(Dialect::Problem, &refusal);
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers().get(RETRY_AFTER), Some(&HeaderValue::from_static("1")));
        assert!(!answer.body().windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn wrong_credentials_are_challenged_in_both_dialects() {
        for dialect in [Dialect::OAuth, Dialect::Problem] {
            let answer = refuse(dialect, &Refusal::Issuer(Error::InvalidClient));
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            assert!(answer.headers().contains_key(WWW_AUTHENTICATE));
        }
    }
}
