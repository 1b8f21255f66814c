//! What backends ask for: a pair for a subject, and that something is taken back by its name.

use super::operation::Operation;
use super::refusals;
use super::schema::{Named, exactly, list, moment, object, opaque, seconds, shared, text};
use crate::error::Error;
use crate::http::reply::Refusal;
use crate::http::{tokens, v1_revocations};
use serde_json::{Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Tokens";

pub(super) fn operations() -> Vec<Operation> {
    vec![mint(), revoke()]
}

fn mint() -> Operation {
    let example = json!({"sub": "user-1", "aud": "api", "scope": "read write", "roles": ["editor"]});
    Operation::of(&tokens::ENDPOINT, TAG, "mintTokens", "Start a session and get its first pair")
        .says("Your backend has authenticated its user. The session is on disk when the answer comes.")
        .by(&[&["basic"]])
        .takes_json(request(), example)
        .answers_json(
            200,
            "The pair; for a client that may not refresh, an access token alone.",
            json!({"anyOf": [shared("TokenPair"), shared("AccessToken")]}),
        )
        .refused(refusals::client())
        .refused(refusals::signature())
        .refused(vec![Error::InvalidScope.into(), Error::UnauthorizedClient.into()])
}

fn request() -> Value {
    let audience = || text(255, "An audience.");
    exactly(
        &["sub", "aud"],
        json!({
            "sub": text(255, "Whom the tokens speak of."),
            "aud": {
                "description": "For whom the tokens are.",
                "oneOf": [audience(), list(audience(), 1, 16, "Several audiences.")],
            },
            "scope": shared("Scope"),
            "roles": list(text(128, "A role."), 0, 64, "Roles of the subject."),
            "permissions": list(text(128, "A permission."), 0, 64, "Permissions of the subject."),
            "auth_time": moment("When the subject logged in; not later than now."),
            "nbf": moment("The access token is not valid before; earlier than its expiry."),
            "claims": {
                "type": "object",
                "description": "Own claims: at most 4,096 bytes of JSON and 8 levels, none of the registered names, nowhere `__proto__`.",
            },
            "access_ttl": seconds(1, "Life of the access token; at most the setting `max_access_ttl_seconds`."),
            "refresh_ttl": seconds(1, "Idle life of the session; at most `session_ttl`."),
            "session_ttl": seconds(1, "Absolute life of the session; at most that of the settings."),
            "device": text(255, "What you call the place where the user logged in."),
        }),
    )
}

fn revoke() -> Operation {
    let busy = Refusal::from(Error::TooManyRules { retry_after_secs: 1 });
    Operation::of(&v1_revocations::ENDPOINT, TAG, "revokeByName", "Take back what a name stands for")
        .says(
            "A subject, a session, a client, a signing key, or everything. An unknown subject or session needs no revoking and is \
             answered the same; an unknown client or key is `invalid_field`.",
        )
        .by_administrators()
        .takes_json(targets(), json!({"subject": "user-1"}))
        .answers_json(200, "Revoked, durably.", shared("Revocation"))
        .refused(refusals::change())
        .refused(vec![busy, Error::Entropy.into()])
}

fn targets() -> Value {
    let before = || moment("Only what began or was issued at or before this second, which has passed.");
    json!({"oneOf": [
        exactly(&["subject"], json!({"subject": text(255, "All sessions of this `sub`, with their live access tokens."), "issued_before": before()})),
        exactly(&["session"], json!({"session": opaque("One session, by its `sid`, with its live access tokens.")})),
        exactly(&["client"], json!({"client": text(255, "All that this client got, and its sessions.")})),
        exactly(&["key"], json!({"key": opaque("All that the key of this `kid` has signed; another one signs at once.")})),
        exactly(&["all"], json!({"all": {"const": true, "description": "Everything."}, "issued_before": before()})),
    ]})
}

/// From when something that was taken back is refused.
pub(super) fn revocation() -> Value {
    let seq =
        json!({"type": "integer", "minimum": 1, "description": "The revocation list from which on it is contained."});
    let effective_by =
        moment("From then on no verifier accepts what was taken back; those that follow refuse it within a moment.");
    object(&["seq", "effective_by"], json!({"seq": seq, "effective_by": effective_by}))
}

pub(super) fn schemas() -> Vec<Named> {
    let scope = json!({
        "type": "string", "minLength": 1, "maxLength": 1024,
        "pattern": "^[!#-\\[\\]-~]+( [!#-\\[\\]-~]+)*$",
        "description": "Values between single spaces (RFC 6749 §3.3), at most 1,024 bytes.",
    });
    vec![("TokenPair", pair()), ("Revocation", revocation()), ("Scope", scope)]
}

/// What both token endpoints answer with a refresh token.
pub(super) fn pair() -> Value {
    object(
        &[
            "access_token",
            "token_type",
            "expires_in",
            "refresh_token",
            "refresh_expires_in",
            "session_expires_at",
            "sid",
        ],
        json!({
            "access_token": opaque("The access token, a JWS in compact serialization."),
            "token_type": {"const": "Bearer"},
            "expires_in": seconds(1, "Life of the access token, from when it was first issued."),
            "refresh_token": opaque("Buys the next pair, once. Only the issuer reads it."),
            "refresh_expires_in": seconds(0, "Idle clock: until the refresh token expires, from when it was first issued."),
            "session_expires_at": moment("Absolute clock: when the session ends whatever happens."),
            "scope": shared("Scope"),
            "sid": opaque("Names the session."),
        }),
    )
}
