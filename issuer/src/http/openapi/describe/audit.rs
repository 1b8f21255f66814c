//! The audit log, for administrators.

use super::operation::Operation;
use super::schema::{Named, moment, object, part_of, shared, text};
use crate::audit::{Act, MAX_TEXT};
use crate::http::v1_audit;
use serde_json::{Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Audit log";

pub(super) fn operations() -> Vec<Operation> {
    let order = json!({"enum": ["oldest", "newest"], "default": "oldest"});
    let name = || json!({"type": "string"});
    vec![
        Operation::of(&v1_audit::LIST, TAG, "listEvents", "Read the audit log")
            .says(
                "Every filter that is given must fit; an empty one counts as absent. One call looks at 8,192 events at most: a part may be short, even empty, and is the \
                 last only when it has no `next`.",
            )
            .by_administrators()
            .asks_for_a_part()
            .asks("sub", name(), "The subject.")
            .asks("sid", name(), "The session.")
            .asks("client_id", name(), "The client, as the one that acted or as the `target`.")
            .asks("act", shared("Act"), "What happened.")
            .asks("from", moment("That second or later."), "Not before.")
            .asks("to", moment("Before that second."), "Not then or later.")
            .asks("order", order, "Which events come first.")
            .answers_json(200, "A part of the log.", part_of(shared("AuditItem"))),
    ]
}

pub(super) fn schemas() -> Vec<Named> {
    let acts: Vec<&str> = Act::ALL.iter().map(|act| act.name()).collect();
    let item = object(
        &["seq", "hash", "event"],
        json!({
            "seq": {"type": "integer", "minimum": 1, "description": "Its number."},
            "hash": {
                "type": "string", "minLength": 43, "maxLength": 43, "pattern": "^[A-Za-z0-9_-]+$",
                "description": "SHA-256 of the hash before and of the event as it is here, byte for byte; base64url.",
            },
            "event": shared("AuditEvent"),
        }),
    );
    vec![("Act", json!({"enum": acts, "description": "What happened."})), ("AuditItem", item), ("AuditEvent", event())]
}

fn event() -> Value {
    let said = |description: &str| text(MAX_TEXT.try_into().unwrap(), description);
    object(
        &["at", "act"],
        json!({
            "at": moment("When."),
            "act": shared("Act"),
            "client_id": said("The client that acted, or was named with a wrong secret."),
            "sub": said("The subject."),
            "sid": said("The session."),
            "jti": said("The access token."),
            "target": said("What an administrator dealt with."),
            "code": said("Why it was refused, or why a session ended."),
            "detail": said("More, for a person."),
            "request": said("The `X-Request-Id` of the answer."),
            "address": said("Where the request came from, as the daemon saw it."),
        }),
    )
}
