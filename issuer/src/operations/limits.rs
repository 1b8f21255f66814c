//! From a request to a grant: every limit on what a token may say, each in one place.
//!
//! ```text
//! sub, device             1 to 255 bytes, no control characters
//! aud                     1 to 16 entries of 1 to 255 bytes, no control characters
//! scope                   RFC 6749 §3.3, at most 1,024 bytes
//! roles, permissions      at most 64 entries each, of 1 to 128 bytes, no control characters
//! claims                  at most 4,096 bytes of JSON, 8 levels, no registered name, nowhere "__proto__"
//! auth_time               not later than now + leeway          nbf      earlier than the expiry
//! access_ttl              1 s to the largest of the settings   refresh_ttl   1 s to session_ttl
//! session_ttl             1 s to that of the settings          the token     at most 8,192 bytes, what verifiers read
//! ```
//!
//! A client's own registration narrows it further: audiences, scope values, names of claims, lives.

use super::{ClientCredentialsRequest, Error, MintRequest, Settings};
use crate::clients::{Allowed, GrantType};
use crate::session::{Grant, Session};
use serde_json::{Map, Value};
use token::claims::REGISTERED;
use token::jws;
use token::time::UnixTime;

/// Bytes of a subject or an audience.
pub(super) const MAX_NAME: usize = 255;
const MAX_AUDIENCES: usize = 16;
const MAX_SCOPE: usize = 1024;
const MAX_ENTRIES: usize = 64;
const MAX_ENTRY: usize = 128;
const MAX_CLAIMS: usize = 4096;
const MAX_CLAIMS_DEPTH: usize = 8;
/// 2^63: a whole number that was read as a double and is not below it has more than 64 bits, or an exponent.
const BEYOND_64_BITS: f64 = 9_223_372_036_854_775_808.0;
/// What is wrong with a member that the client's registration does not allow.
pub(super) const BEYOND: &str = "is more than this client may ask for";
/// An object member of this name changes the prototype of what a JavaScript reader makes of it.
const PROTO: &str = "__proto__";

/// How long what begins now shall live, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lives {
    pub(super) access_ttl_secs: u64,
    /// Idle and absolute life; none without a refresh token.
    pub(super) session: Option<(u64, u64)>,
}

/// Returns what a mint request asks for, within the limits and within what the client is `allowed`.
///
/// # Errors
/// [`Error::InvalidRequest`] with the first member that is not.
pub(super) fn mint(
    request: MintRequest,
    settings: &Settings,
    allowed: &Allowed,
    now: UnixTime,
) -> Result<(Grant, Lives), Error> {
    check_text("sub", &request.sub, MAX_NAME)?;
    check_texts("aud", &request.aud, 1..=MAX_AUDIENCES, MAX_NAME)?;
    check_texts("roles", &request.roles, 0..=MAX_ENTRIES, MAX_ENTRY)?;
    check_texts("permissions", &request.permissions, 0..=MAX_ENTRIES, MAX_ENTRY)?;
    request.device.iter().try_for_each(|device| check_text("device", device, MAX_NAME))?;
    check_allowed(&request, allowed)?;
    let lives = lives(&request, settings, allowed)?;
    let grant = Grant {
        scope: request.scope.as_deref().map(|scope| canonical_scope(scope).ok_or(SCOPE_FAULT)).transpose()?,
        auth_time: time("auth_time", request.auth_time, now.plus_secs(settings.leeway_secs))?,
        nbf: time("nbf", request.nbf, now.plus_secs(lives.access_ttl_secs.saturating_sub(1)))?,
        claims: own_claims(&request.claims)?,
        status: in_status_list(&request.aud, settings),
        sub: request.sub,
        aud: request.aud,
        roles: request.roles,
        permissions: request.permissions,
    };
    Ok((grant, lives))
}

/// The claims that a request has members for are named like those that the client makes up.
fn check_allowed(request: &MintRequest, allowed: &Allowed) -> Result<(), Error> {
    let own = |member, given: bool| given && !allowed.claim(member);
    let beyond = [
        ("aud", !allowed.audiences(&request.aud)),
        ("scope", !allowed.scope(request.scope.as_deref())),
        ("roles", own("roles", !request.roles.is_empty())),
        ("permissions", own("permissions", !request.permissions.is_empty())),
        ("claims", request.claims.keys().any(|name| !allowed.claim(name))),
    ];
    match beyond.into_iter().find(|(_, beyond)| *beyond) {
        Some((field, _)) => Err(Error::InvalidRequest { field, detail: BEYOND }),
        None => Ok(()),
    }
}

/// What is asked for fits into no token.
pub(super) const TOO_LONG: Error = Error::InvalidRequest {
    field: "claims",
    detail: "together with the other members make a token of more than 8192 bytes",
};
const SCOPE_FAULT: Error =
    Error::InvalidRequest { field: "scope", detail: "must be scope values between single spaces, at most 1024 bytes" };

/// Returns what a client asks for itself, within the limits.
///
/// # Errors
/// [`Error::InvalidScope`]; [`Error::InvalidRequest`] and [`Error::InvalidTarget`] for the audience.
pub(super) fn client_credentials(
    client_id: &str,
    request: ClientCredentialsRequest,
    settings: &Settings,
    allowed: &Allowed,
) -> Result<(Grant, Lives), Error> {
    let audience = request.audience.unwrap_or_else(|| default_audience(settings, allowed));
    check_text("audience", &audience, MAX_NAME)?;
    let aud = vec![audience];
    if !allowed.audiences(&aud) {
        return Err(Error::InvalidTarget);
    }
    if !allowed.scope(request.scope.as_deref()) {
        return Err(Error::InvalidScope);
    }
    let grant = Grant {
        sub: client_id.to_owned(),
        status: in_status_list(&aud, settings),
        aud,
        scope: request.scope.map(|scope| canonical_scope(&scope).ok_or(Error::InvalidScope)).transpose()?,
        roles: Vec::new(),
        permissions: Vec::new(),
        auth_time: None,
        nbf: None,
        claims: String::new(),
    };
    let access_ttl_secs = settings.access_ttl_secs.min(longest_access(settings, allowed));
    Ok((grant, Lives { access_ttl_secs, session: None }))
}

/// Returns the audience of the settings, or the first one of a client that may not ask for that.
fn default_audience(settings: &Settings, allowed: &Allowed) -> String {
    let first = allowed.audiences.as_ref().filter(|listed| !listed.contains(&settings.default_audience));
    first.and_then(|listed| listed.first()).unwrap_or(&settings.default_audience).clone()
}

/// Returns how long an access token of this client may live.
pub(super) fn longest_access(settings: &Settings, allowed: &Allowed) -> u64 {
    settings.max_access_ttl_secs.min(allowed.access_ttl_secs.unwrap_or(u64::MAX))
}

/// Returns whether tokens for these audiences say in which status list they are. It is decided once for a session and
/// stored with it: the answer to a retry is the same bytes, whatever the settings are by then.
pub(super) fn in_status_list(aud: &[String], settings: &Settings) -> bool {
    aud.iter().any(|audience| settings.status_list_audiences.contains(audience))
}

/// Returns whether `text` is a scope: RFC 6749 §3.3, at most 1,024 bytes.
pub(super) fn is_scope(text: &str) -> bool {
    let is_value =
        |value: &str| !value.is_empty() && value.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    text.len() <= MAX_SCOPE && text.split(' ').all(is_value)
}

/// Returns the scope with each value once.
fn canonical_scope(text: &str) -> Option<String> {
    if !is_scope(text) {
        return None;
    }
    let mut values: Vec<&str> = Vec::new();
    for value in text.split(' ') {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Some(values.join(" "))
}

/// Checks that the access tokens of a new session fit into what verifiers read.
///
/// # Errors
/// [`Error::InvalidRequest`].
pub(super) fn check_length(issuer: &str, session: &Session) -> Result<(), Error> {
    check_grant(issuer, &session.client_id, &session.grant)
}

/// Checks that the access tokens of what is granted to a client fit into what verifiers read.
///
/// # Errors
/// [`Error::InvalidRequest`].
pub(super) fn check_grant(issuer: &str, client_id: &str, grant: &Grant) -> Result<(), Error> {
    if length(issuer, client_id, grant)? > jws::MAX_LENGTH { Err(TOO_LONG) } else { Ok(()) }
}

/// Checks that the access tokens of a session have at most `longest` bytes.
///
/// # Errors
/// [`Error::TokenTooLong`].
pub(super) fn check_length_within(issuer: &str, session: &Session, longest: usize) -> Result<(), Error> {
    let length = length(issuer, &session.client_id, &session.grant)?;
    if length > longest { Err(Error::TokenTooLong) } else { Ok(()) }
}

/// Returns the bytes that an access token of this grant has at most.
fn length(issuer: &str, client_id: &str, grant: &Grant) -> Result<usize, Error> {
    const HEADER: usize = 128; // {"alg":"Ed25519","kid":<43>,"typ":"at+jwt"} in base64url
    const SIGNATURE: usize = 86;
    const FIXED: usize = 320; // names, quotes, times, jti and sid
    let texts = (issuer, client_id, &grant.sub, &grant.aud, &grant.scope, &grant.roles, &grant.permissions);
    let texts = serde_json::to_string(&texts).map_err(|_| Error::Signing)?.len();
    const STATUS: usize = 80; // ,"status":{"status_list":{"idx":<10>,"uri":"<issuer>/status/<10>"}}
    let status = if grant.status { STATUS.saturating_add(issuer.len()) } else { 0 };
    let payload = FIXED.saturating_add(texts).saturating_add(grant.claims.len()).saturating_add(status);
    Ok(HEADER + SIGNATURE + 2 + payload.saturating_mul(4).div_ceil(3))
}

fn lives(request: &MintRequest, settings: &Settings, allowed: &Allowed) -> Result<Lives, Error> {
    let most = longest_access(settings, allowed);
    let access_ttl_secs = seconds("access_ttl", request.access_ttl, settings.access_ttl_secs.min(most), most)?;
    if !allowed.grants.has(GrantType::RefreshToken) {
        let asked = [("refresh_ttl", request.refresh_ttl), ("session_ttl", request.session_ttl)];
        return match asked.into_iter().find(|(_, secs)| secs.is_some()) {
            Some((field, _)) => {
                Err(Error::InvalidRequest { field, detail: "is not for a client that may not refresh" })
            }
            None => Ok(Lives { access_ttl_secs, session: None }),
        };
    }
    let most = settings.session_ttl_secs.min(allowed.session_ttl_secs.unwrap_or(u64::MAX));
    let session = seconds("session_ttl", request.session_ttl, most, most)?;
    let most = session.min(allowed.refresh_ttl_secs.unwrap_or(u64::MAX));
    let idle = seconds("refresh_ttl", request.refresh_ttl, settings.refresh_ttl_secs.min(most), most)?;
    Ok(Lives { access_ttl_secs, session: Some((idle, session)) })
}

fn seconds(field: &'static str, asked: Option<u64>, default: u64, most: u64) -> Result<u64, Error> {
    match asked {
        None => Ok(default.max(1)),
        Some(seconds) if (1..=most).contains(&seconds) => Ok(seconds),
        Some(_) => Err(Error::InvalidRequest {
            field,
            detail: "must be at least 1 second and at most what the settings and the client's registration allow",
        }),
    }
}

fn time(field: &'static str, asked: Option<u64>, latest: UnixTime) -> Result<Option<UnixTime>, Error> {
    let Some(seconds) = asked else { return Ok(None) };
    let time = UnixTime::from_secs(seconds).filter(|time| *time <= latest);
    time.map(Some).ok_or(Error::InvalidRequest {
        field,
        detail: "must be whole seconds since 1970 and not later than it can mean",
    })
}

/// Checks that `text` is not empty, not longer than `most` bytes and free of control characters.
///
/// # Errors
/// [`Error::InvalidRequest`] for `field`.
pub(super) fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), Error> {
    let fits = (1..=most).contains(&text.len()) && !text.chars().any(char::is_control);
    let detail = "must not be empty, too long or hold control characters";
    if fits { Ok(()) } else { Err(Error::InvalidRequest { field, detail }) }
}

fn check_texts(
    field: &'static str,
    texts: &[String],
    count: std::ops::RangeInclusive<usize>,
    most: usize,
) -> Result<(), Error> {
    if !count.contains(&texts.len()) {
        return Err(Error::InvalidRequest { field, detail: "must not have too few or too many entries" });
    }
    texts.iter().try_for_each(|text| check_text(field, text, most))
}

fn own_claims(claims: &Map<String, Value>) -> Result<String, Error> {
    const FIELD: &str = "claims";
    let refused = |detail| Err(Error::InvalidRequest { field: FIELD, detail });
    if claims.is_empty() {
        return Ok(String::new());
    }
    if claims.keys().any(|name| REGISTERED.contains(&name.as_str())) {
        return refused("must not use a registered name");
    }
    if !is_plain_object(claims, MAX_CLAIMS_DEPTH) {
        return refused("must not nest deeper than 8 levels or have a member \"__proto__\"");
    }
    if !claims.values().all(is_kept) {
        return refused("must not have whole numbers beyond 64 bits");
    }
    match serde_json::to_string(claims) {
        Ok(text) if text.len() <= MAX_CLAIMS => Ok(text),
        Ok(_) | Err(_) => refused("must be at most 4096 bytes of JSON"),
    }
}

fn is_plain_object(object: &Map<String, Value>, levels: usize) -> bool {
    levels > 0 && object.iter().all(|(name, value)| name != PROTO && is_plain(value, levels - 1))
}

/// Returns whether tokens will say the same numbers: of one with more digits than 64 bits hold, the last were gone when it was read.
fn is_kept(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let beyond = |real: f64| real.fract() == 0.0 && real.abs() >= BEYOND_64_BITS;
            !number.is_f64() || !number.as_f64().is_some_and(beyond)
        }
        Value::Array(items) => items.iter().all(is_kept),
        Value::Object(object) => object.values().all(is_kept),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn is_plain(value: &Value, levels: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_plain(item, levels - 1)),
        Value::Object(object) => is_plain_object(object, levels),
    }
}
