//! Logins of built-in users: in the body of answers or in cookies.

use super::operation::Operation;
use super::refusals;
use super::schema::{Named, exactly, moment, object, opaque, part_of, seconds, shared, text};
use crate::error::Error;
use crate::http::reply::{Malformed, Refusal};
use crate::http::{v1_session, v1_session_logout, v1_session_password, v1_session_refresh, v1_session_sessions};
use crate::passwords::Weakness;
use serde_json::{Map, Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Logins";

/// What an access token proves, in the body's way or in the browser's.
pub(super) const BY_USERS: &[&[&str]] = &[&["bearer"], &["access_cookie", "csrf"]];

pub(super) fn operations() -> Vec<Operation> {
    vec![log_in(), refresh(), log_out(), own_sessions(), end_own_sessions(), change_password(), reset_password()]
}

fn log_in() -> Operation {
    let schema = exactly(
        &["username", "password"],
        json!({
            "username": {"type": "string", "description": "User name or e-mail address."},
            "password": password("1 to 1,024 bytes without control characters."),
            "scope": shared("Scope"),
            "device": text(255, "What the user calls the place of this login."),
            "device_token": {"type": "string", "description": "What this device was given at an earlier login; it opens nothing."},
            "transport": {"enum": ["body", "cookie"], "default": "body", "description": "Where the tokens go: never both."},
        }),
    );
    Operation::of(&v1_session::ENDPOINT, TAG, "logIn", "Log in")
        .says(
            "An unknown name, a wrong password and an account that takes none are answered the same, after the same work; what an account is, is \
             told after the right password. Cookies of another session that come along are that session's end.",
        )
        .takes_json(schema, json!({"username": "maria", "password": "correct horse battery staple"}))
        .answers_json(200, "The pair, or what is said of it beside cookies.", handed_over(device_token()))
        .with(200, "Set-Cookie")
        .refused(users())
        .refused(cookies())
        .refused(hashing())
        .refused(refusals::signature())
        .refused(vec![
            Error::LoginRefused.into(),
            Error::AccountDisabled.into(),
            Error::PasswordResetRequired { reset_url: None }.into(),
            Error::TooManyAttempts { retry_after_secs: 1 }.into(),
            Error::InvalidScope.into(),
            Error::TokenTooLong.into(),
        ])
}

fn refresh() -> Operation {
    let schema = exactly(
        &[],
        json!({
            "refresh_token": opaque("Unless it is in its cookie."),
            "scope": shared("Scope"),
        }),
    );
    Operation::of(&v1_session_refresh::ENDPOINT, TAG, "refreshLogin", "Get the next pair of a login")
        .says("Where the refresh token was, there the next pair is: in the body or in cookies. Roles, permissions and claims are those of this moment.")
        .by(&[&[], &["refresh_cookie", "csrf"]])
        .takes_json(schema, json!({"refresh_token": "eyJhbGciOiJFZERTQSIsInR5cCI6InJ0K2p3dCJ9…"}))
        .answers_json(200, "The pair, or what is said of it beside cookies.", handed_over(Map::new()))
        .with(200, "Set-Cookie")
        .with(400, "Set-Cookie")
        .refused(users())
        .refused(cookies())
        .refused(csrf())
        .refused(refusals::signature())
        .refused(refusals::grant())
        .refused(vec![
            Malformed::Credentials("").into(),
            Error::UnauthorizedClient.into(),
            Error::InvalidScope.into(),
            Error::TokenTooLong.into(),
        ])
}

fn log_out() -> Operation {
    let schema = exactly(
        &[],
        json!({"refresh_token": {
            "type": "string",
            "description": "In place of the access token, unless it is in its cookie; one that names no session is answered the same.",
        }}),
    );
    Operation::of(&v1_session_logout::ENDPOINT, TAG, "logOut", "Log out")
        .says("Ends the session, with the access tokens that are out. A token that names none any more is answered the same; cookies go in any case.")
        .by(&[&["bearer"], &["refresh_cookie", "csrf"], &["access_cookie", "csrf"], &[]])
        .takes_json(schema, json!({}))
        .answers_json(200, "It has ended, durably.", shared("Revocation"))
        .with(200, "Set-Cookie")
        .with(200, "Clear-Site-Data")
        .refused(users())
        .refused(cookies())
        .refused(csrf())
        .refused(signed_in())
        .refused(refusals::change())
}

fn own_sessions() -> Operation {
    Operation::of(&v1_session_sessions::LIST, TAG, "listOwnSessions", "List the logins of whoever is logged in")
        .says("Those that go on. A part may be short, even empty, and is the last only when it has no `next`.")
        .by(&[&["bearer"], &["access_cookie"]])
        .asks_for_a_part()
        .answers_json(200, "A part of the list.", part_of(shared("Session")))
        .refused(users())
        .refused(signed_in())
        .refused(vec![Malformed::Cookie("").into()])
}

fn end_own_sessions() -> Operation {
    let schema = json!({"oneOf": [
        exactly(&["sid"], json!({"sid": opaque("This one.")})),
        exactly(&["others"], json!({"others": {"const": true, "description": "All but the one that asks."}})),
        exactly(&["all"], json!({"all": {"const": true, "description": "All."}})),
    ]});
    Operation::of(&v1_session_sessions::REVOKE, TAG, "endOwnSessions", "End logins of whoever is logged in")
        .by(BY_USERS)
        .takes_json(schema, json!({"others": true}))
        .answers_json(200, "They have ended, durably.", shared("SessionsEnded"))
        .refused(users())
        .refused(signed_in())
        .refused(cookies())
        .refused(csrf())
        .refused(refusals::change())
        .refused(vec![Error::UnknownSession.into()])
}

fn change_password() -> Operation {
    let schema = exactly(
        &["current_password", "new_password"],
        json!({"current_password": password("The one that is to be replaced."), "new_password": new_password()}),
    );
    Operation::of(&v1_session_password::CHANGE, TAG, "changePassword", "Change the password")
        .says("All other sessions of the user end, with their access tokens; this one goes on.")
        .by(BY_USERS)
        .takes_json(
            schema,
            json!({"current_password": "correct horse battery staple", "new_password": "a better one by far, I hope"}),
        )
        .answers_json(200, "Changed, durably.", shared("Revocation"))
        .refused(users())
        .refused(cookies())
        .refused(csrf())
        .refused(hashing())
        .refused(new_passwords())
        .refused(refusals::signature())
        .refused(signed_in())
        .refused(vec![Error::WrongPassword.into(), Error::TooManyAttempts { retry_after_secs: 1 }.into()])
}

fn reset_password() -> Operation {
    let schema = exactly(
        &["code", "new_password"],
        json!({
            "code": opaque("What `issueResetCode` gave out; it works once, and not for long."),
            "new_password": new_password(),
        }),
    );
    Operation::of(&v1_session_password::RESET, TAG, "resetPassword", "Set a password by a one-time code")
        .says("All sessions of the user end. Nobody is logged in by it.")
        .takes_json(schema, json!({"code": "c2VjcmV0….b25l…", "new_password": "a better one by far, I hope"}))
        .answers_json(200, "Set, durably.", shared("Revocation"))
        .refused(users())
        .refused(hashing())
        .refused(new_passwords())
        .refused(refusals::signature())
        .refused(vec![Error::InvalidResetCode.into(), Error::TooManyAttempts { retry_after_secs: 1 }.into()])
}

/// What every endpoint of users can be refused for.
pub(super) fn users() -> Vec<Refusal> {
    vec![Error::NoUsers.into(), refusals::store()]
}

/// Who does not show the access token of a login.
fn signed_in() -> Vec<Refusal> {
    vec![Malformed::Credentials("").into(), Error::InvalidToken.into()]
}

/// What cookies can be refused for where they are read.
fn cookies() -> Vec<Refusal> {
    vec![Malformed::Cookie("").into(), Malformed::CrossSite.into()]
}

fn csrf() -> Vec<Refusal> {
    vec![Malformed::CsrfToken.into()]
}

/// What becomes of a password that is to be hashed.
pub(super) fn hashing() -> Vec<Refusal> {
    vec![Error::HasherBusy { retry_after_secs: 1 }.into(), Error::Hashing.into()]
}

/// What a new password can be refused for.
pub(super) fn new_passwords() -> Vec<Refusal> {
    vec![Error::PasswordRefused(Weakness::Common).into()]
}

/// Returns the schema of a password.
fn password(description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 1024, "format": "password", "description": description})
}

/// Returns the schema of a password that is chosen.
pub(super) fn new_password() -> Value {
    password(
        "At least `users.password_min_characters` (15) characters and at most 1,024 bytes; none that everybody chooses, no name of the user or the \
         issuer.",
    )
}

/// The answer with a pair: in the body, or beside cookies. The body has `besides` too.
fn handed_over(besides: Map<String, Value>) -> Value {
    let mut pair = super::pairs::pair();
    if let Some(members) = pair["properties"].as_object_mut() {
        members.extend(besides);
    }
    json!({"oneOf": [pair, shared("PairInCookies")]})
}

fn device_token() -> Map<String, Value> {
    let member = opaque(
        "To be given back at the next login: by it the device is known and not slowed down by what strangers do.",
    );
    Map::from_iter([("device_token".to_owned(), member)])
}

pub(super) fn schemas() -> Vec<Named> {
    let beside_cookies = object(
        &["token_type", "expires_in", "refresh_expires_in", "session_expires_at", "sid", "csrf_token"],
        json!({
            "token_type": {"const": "Bearer"},
            "expires_in": seconds(1, "Life of the access token."),
            "refresh_expires_in": seconds(0, "Idle clock: until the refresh token expires."),
            "session_expires_at": moment("Absolute clock: when the session ends whatever happens."),
            "scope": shared("Scope"),
            "sid": opaque("Names the session."),
            "csrf_token": text(255, "What pages of this session send along as `X-CSRF-Token`; in its cookie too."),
        }),
    );
    vec![("PairInCookies", beside_cookies)]
}
