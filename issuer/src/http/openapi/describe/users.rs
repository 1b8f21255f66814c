//! The built-in users, as administrators manage them.

use super::login::{hashing, new_password, new_passwords, users};
use super::operation::Operation;
use super::refusals;
use super::schema::{Named, exactly, list, moment, nullable, object, opaque, or_null, part_of, seconds, shared, text};
use crate::error::Error;
use crate::http::v1_users;
use serde_json::{Map, Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Users";

pub(super) fn operations() -> Vec<Operation> {
    vec![all(), create(), read(), change(), remove(), reset_code()]
}

fn all() -> Operation {
    Operation::of(&v1_users::LIST, TAG, "listUsers", "List the users")
        .by_administrators()
        .asks_for_a_part()
        .answers_json(200, "A part of the list.", part_of(shared("User")))
        .refused(users())
}

fn create() -> Operation {
    let mut members = terms();
    members.insert("password".to_owned(), new_password());
    let example = json!({"user_name": "maria", "email": "maria@example.com", "roles": ["editor"]});
    Operation::of(&v1_users::CREATE, TAG, "createUser", "Make a user")
        .says("With a user name or an e-mail address or both. Without a password, the first one comes by a code.")
        .by_administrators()
        .takes_json(exactly(&[], Value::Object(members)), example)
        .answers_json(201, "The user.", shared("User"))
        .refused(users())
        .refused(hashing())
        .refused(new_passwords())
        .refused(refusals::signature())
        .refused(vec![Error::NameTaken.into(), Error::InvalidScope.into()])
}

fn read() -> Operation {
    one(Operation::of(&v1_users::SHOW, TAG, "readUser", "Read a user")).answers_json(200, "The user.", shared("User"))
}

fn change() -> Operation {
    one(Operation::of(&v1_users::AMEND, TAG, "changeUser", "Change a user, disable or enable it"))
        .says("Members that are absent stay as they are; `null` takes one away (RFC 7396). Who is disabled or must reset loses all sessions.")
        .takes_json(exactly(&[], Value::Object(terms())), json!({"status": "disabled"}))
        .answers_json(200, "The user as it is now.", shared("ChangedUser"))
        .refused(refusals::signature())
        .refused(vec![Error::NameTaken.into(), Error::InvalidScope.into()])
}

fn remove() -> Operation {
    one(Operation::of(&v1_users::DELETE, TAG, "removeUser", "Forget a user"))
        .says("Its sessions end, with their access tokens.")
        .answers_json(200, "It is gone.", shared("Revocation"))
        .refused(refusals::signature())
}

fn reset_code() -> Operation {
    let code = object(
        &["code", "expires_at"],
        json!({
            "code": opaque("Shown once; your backend brings it to the user, who sets a password by `resetPassword`."),
            "expires_at": moment("From then on it opens nothing."),
            "reset_url": {"type": "string", "description": "Where it is redeemed, as the settings say."},
        }),
    );
    one(Operation::of(&v1_users::RESET_CODE, TAG, "issueResetCode", "Give out a one-time code for a new password"))
        .says("In place of any other code that is out.")
        .answers_json(200, "The code.", code)
        .refused(refusals::signature())
}

/// What is about one user, whom an administrator names in the path.
fn one(operation: Operation) -> Operation {
    operation
        .by_administrators()
        .named("sub", json!({"type": "string"}), "The `sub` of the user's tokens.")
        .refused(users())
        .refused(vec![Error::NoSuchUser.into()])
}

/// The members that can be written.
fn terms() -> Map<String, Value> {
    let name = |description: &str| nullable(text(254, description));
    let terms = json!({
        "user_name": name("User name: without `@`, and nobody else's."),
        "email": name("E-mail address: with an `@`, and nobody else's."),
        "status": {"enum": ["active", "disabled"], "description": "Who is disabled cannot log in."},
        "must_reset": {"type": "boolean", "description": "A login is answered with where to choose a new password."},
        "roles": list(text(128, "A role."), 0, 64, "Roles in the tokens."),
        "permissions": list(text(128, "A permission."), 0, 64, "Permissions in the tokens."),
        "scope": or_null(shared("Scope")),
        "aud": list(text(255, "An audience."), 0, 16, "Audiences of the tokens; the setting `default_audience` when empty."),
        "claims": {
            "type": "object", "additionalProperties": true,
            "description": "Own claims in the tokens: at most 4,096 bytes of JSON and 8 levels, none of the registered names, nowhere `__proto__`.",
        },
        "access_ttl": nullable(seconds(1, "Life of access tokens, where it is not that of the settings.")),
        "refresh_ttl": nullable(seconds(1, "Idle life of sessions, where it is not that of the settings.")),
        "session_ttl": nullable(seconds(1, "Absolute life of sessions, where it is not that of the settings.")),
    });
    terms.as_object().cloned().unwrap_or_default()
}

pub(super) fn schemas() -> Vec<Named> {
    let revocation = json!({"revocation": shared("Revocation")});
    vec![("User", user(&json!({}))), ("ChangedUser", user(&revocation))]
}

/// A user, and what is said of it besides.
fn user(besides: &Value) -> Value {
    let optional = ["user_name", "email", "scope", "access_ttl", "refresh_ttl", "session_ttl"];
    let mut members = terms();
    let own = json!({
        "sub": {"type": "string", "minLength": 22, "maxLength": 22, "pattern": "^[A-Za-z0-9_-]{22}$", "description": "The `sub` of the user's tokens."},
        "user_name": opaque("User name, as it was given."),
        "email": opaque("E-mail address, as it was given."),
        "scope": shared("Scope"),
        "access_ttl": seconds(1, "Where it is not that of the settings."),
        "refresh_ttl": seconds(1, "Where it is not that of the settings."),
        "session_ttl": seconds(1, "Where it is not that of the settings."),
        "has_password": {"type": "boolean", "description": "False until a first code has been redeemed."},
        "failures": {"type": "integer", "minimum": 0, "description": "Attempts since the last right password."},
        "created_at": moment("When it was made."),
    });
    members.extend(own.as_object().cloned().unwrap_or_default());
    let always: Vec<String> = members.keys().filter(|name| !optional.contains(&name.as_str())).cloned().collect();
    let later = json!({
        "password_set_at": moment("When the password was set."),
        "last_login_at": moment("When the user last logged in."),
    });
    members.extend(later.as_object().cloned().unwrap_or_default());
    members.extend(besides.as_object().cloned().unwrap_or_default());
    object(&always.iter().map(String::as_str).collect::<Vec<_>>(), Value::Object(members))
}
