//! The signed revocation list, and the status lists that are made of it.

use super::operation::Operation;
use super::refusals;
use super::schema::{Named, list, object};
use crate::error::{Error, NotReady};
use crate::http::reply::{Malformed, Refusal};
use crate::http::{events, revocations, status};
use serde_json::{Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Revocation list";

const LIST: &str = "application/vnd.countersign.revlist";
const DELTA: &str = "application/vnd.countersign.revdelta";

pub(super) fn operations() -> Vec<Operation> {
    vec![newest(), kept(), since(), events(), status_lists(), status_list()]
}

fn newest() -> Operation {
    conditional(Operation::of(&revocations::NEWEST, TAG, "revocationList", "The newest list"))
        .answers(200, "The list: a signed head and its body. `ETag` is its number.", LIST, bytes())
        .with(200, "ETag")
}

fn kept() -> Operation {
    conditional(Operation::of(
        &revocations::KEPT,
        TAG,
        "revocationListByNumber",
        "The list of a number, while it is kept",
    ))
    .segment("seq", number(), "Number of the list, in its only spelling.")
    .answers(200, "The list, which never changes.", LIST, bytes())
    .with(200, "ETag")
    .refused(refusals::absent())
}

fn since() -> Operation {
    conditional(Operation::of(&revocations::SINCE, TAG, "revocationDelta", "What leads from a list to the newest"))
        .segment("seq", number(), "Number of the list that the caller has.")
        .answers(200, "One delta to the newest list, whose number is the `ETag`.", DELTA, bytes())
        .with(200, "ETag")
        .answers_nothing(
            303,
            "That list is not remembered, or the delta would be too long: the full list is to be fetched.",
        )
        .with(303, "Location")
        .with(303, "ETag")
        .refused(refusals::absent())
        .refused(vec![Error::NotReady(NotReady::ClockJumped).into(), Error::Signing.into()])
}

fn events() -> Operation {
    Operation::of(&events::ENDPOINT, TAG, "revocationEvents", "Each publication, as it happens")
        .says(
            "Server-sent events without end: `data` is the delta from the list before, `id` the number of the list it leads to. The event \
             `list` says that there is no such delta and the full list is to be fetched. Something comes every 15 seconds at least.",
        )
        .field("Last-Event-ID", json!({"type": "string"}), "Number of the list that the caller has; anything else is passed over.")
        .answers(200, "The stream; the schema is that of one event.", "text/event-stream", event())
        .refused(vec![Refusal::TooManyFollowers, Error::Signing.into(), Error::NotReady(NotReady::ClockJumped).into()])
}

fn event() -> Value {
    object(
        &["id", "data"],
        json!({
            "event": {"enum": ["message", "list"], "description": "`message` where the stream names none."},
            "id": {"type": "string", "pattern": "^[0-9]+$", "description": "Number of the list it leads to."},
            "data": {"type": "string", "description": "The delta, a JWS in compact serialization; the number again where there is none."},
        }),
    )
}

fn status_lists() -> Operation {
    Operation::of(&status::ALL, TAG, "statusLists", "The URIs of all status lists")
        .says("draft-ietf-oauth-status-list-20 §9.3.")
        .answers_json(200, "The URIs.", shared_list())
        .refused(status_refusals())
}

fn status_list() -> Operation {
    conditional(Operation::of(&status::EPOCH, TAG, "statusList", "The status list of an epoch"))
        .says(
            "draft-ietf-oauth-status-list-20 §8.1: the same revocations as in the list, for verifiers of other makes.",
        )
        .segment("epoch", number(), "`e` of the token's `jti`, in its only spelling.")
        .field("Accept", json!({"type": "string"}), "The form that is liked better; the JWT among equals.")
        .answers(200, "The list, signed, as a JWT or a CWT.", "application/statuslist+jwt", json!({"type": "string"}))
        .answers(200, "", "application/statuslist+cwt", bytes())
        .with(200, "ETag")
        .with(200, "Vary")
        .refused(refusals::absent())
        .refused(vec![Malformed::NotAcceptable.into(), Error::StatusListTooLarge.into()])
        .refused(status_refusals())
}

fn status_refusals() -> Vec<Refusal> {
    vec![refusals::store(), Error::NotReady(NotReady::ClockJumped).into(), Error::Signing.into()]
}

/// Lets the caller say what it has.
fn conditional(operation: Operation) -> Operation {
    operation
        .field("If-None-Match", json!({"type": "string"}), "`ETag` of what the caller has.")
        .answers_nothing(304, "The caller has it.")
        .with(304, "ETag")
}

fn number() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn bytes() -> Value {
    json!({"type": "string", "format": "binary"})
}

fn shared_list() -> Value {
    super::schema::shared("StatusLists")
}

pub(super) fn schemas() -> Vec<Named> {
    let uris = list(json!({"type": "string", "format": "uri"}), 0, 65_536, "One for each epoch with live tokens.");
    vec![("StatusLists", object(&["status_lists"], json!({"status_lists": uris})))]
}
