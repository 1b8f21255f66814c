//! The sessions of a subject, for their clients and for administrators.

use super::operation::Operation;
use super::refusals;
use super::schema::{Named, exactly, moment, object, opaque, part_of, shared, text};
use crate::error::Error;
use crate::http::reply::Malformed;
use crate::http::v1_sessions;
use serde_json::{Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Sessions";

pub(super) fn operations() -> Vec<Operation> {
    vec![all(), read(), end(), end_all()]
}

fn all() -> Operation {
    let active = json!({"type": "boolean", "default": false});
    Operation::of(&v1_sessions::LIST, TAG, "listSessions", "List the sessions of a subject")
        .says("A part may be short, even empty, and is the last only when it has no `next`.")
        .by(&[&["basic"]])
        .refused(refusals::client())
        .needs("sub", text(255, "Whose sessions."), "Whose sessions.")
        .asks("active", active, "Leaves out those that are over.")
        .asks_for_a_part()
        .answers_json(200, "A part of the list.", part_of(shared("Session")))
        .refused(vec![Malformed::Missing("").into()])
}

fn read() -> Operation {
    one(Operation::of(&v1_sessions::SHOW, TAG, "readSession", "Read a session")).answers_json(
        200,
        "The session.",
        shared("Session"),
    )
}

fn end() -> Operation {
    one(Operation::of(&v1_sessions::END, TAG, "endSession", "End a session"))
        .says("With its live access tokens. One that is over already is answered the same.")
        .answers_json(200, "It has ended, durably.", shared("Revocation"))
        .refused(refusals::change())
}

fn end_all() -> Operation {
    let schema = exactly(
        &["sub"],
        json!({"sub": text(255, "Whose sessions."), "except": opaque("The `sid` of one that goes on.")}),
    );
    Operation::of(&v1_sessions::REVOKE, TAG, "endSessions", "End the sessions of a subject, all or all but one")
        .by(&[&["basic"]])
        .refused(refusals::client())
        .takes_json(schema, json!({"sub": "user-1"}))
        .answers_json(200, "They have ended, durably.", shared("SessionsEnded"))
        .refused(refusals::change())
}

/// What is about one session, which its client or an administrator names in the path.
fn one(operation: Operation) -> Operation {
    operation
        .by(&[&["basic"]])
        .refused(refusals::client())
        .named("sid", json!({"type": "string"}), "The session.")
        .refused(vec![Error::UnknownSession.into()])
}

pub(super) fn schemas() -> Vec<Named> {
    let mut ended = super::pairs::revocation();
    ended["properties"]["ended"] = json!({"type": "integer", "minimum": 0, "description": "So many ended by it."});
    ended["required"] = json!(["seq", "effective_by", "ended"]);
    vec![("Session", session()), ("SessionsEnded", ended)]
}

fn session() -> Value {
    let ended = object(
        &["reason", "at"],
        json!({"reason": {"enum": ["revoked", "reused", "above_newest"]}, "at": moment("When.")}),
    );
    object(
        &["sid", "sub", "client_id", "created_at", "last_refreshed_at", "expires_at", "active"],
        json!({
            "sid": opaque("Its name."),
            "sub": text(255, "Whose it is."),
            "client_id": text(255, "The client that began it."),
            "device": text(255, "On what it began, as that client named it."),
            "scope": shared("Scope"),
            "created_at": moment("When it began."),
            "last_refreshed_at": moment("When its newest pair was issued."),
            "expires_at": moment("Idle clock: it is over then unless it is refreshed before."),
            "ends_at": moment("Absolute clock: it is over then whatever happens; absent where it cannot be refreshed."),
            "active": {"type": "boolean", "description": "Whether it goes on."},
            "ended": ended,
        }),
    )
}
