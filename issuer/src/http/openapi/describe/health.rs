//! For whoever restarts the daemon and whoever sends it traffic.

use super::operation::Operation;
use super::schema::object;
use crate::http::health;
use serde_json::{Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Health";

pub(super) fn operations() -> Vec<Operation> {
    let status = |status: &str| object(&["status"], json!({"status": {"const": status}}));
    let by = json!({"type": "string", "description": "The daemon that has the database, as it calls itself."});
    let standing_by = object(&["status", "holder"], json!({"status": {"const": "standing_by"}, "holder": by}));
    vec![
        Operation::of(&health::ALIVE, TAG, "alive", "Does the process answer?").answers_json(
            200,
            "It does.",
            status("ok"),
        ),
        Operation::of(&health::READY, TAG, "ready", "Can every promise be kept?")
            .answers_json(
                200,
                "They can: by this daemon, or by the one of that name, to which this one passes requests on.",
                json!({"oneOf": [status("ready"), standing_by]}),
            )
            .answers(503, "Not all of them, and why.", "application/problem+json", unready()),
    ]
}

fn unready() -> Value {
    let codes = json!({"enum": ["store_failed", "disk_full", "list_expired", "publication_stopped", "clock_jumped", "clock_behind", "standing_by", "closing"]});
    let reason =
        object(&["code", "detail"], json!({"code": codes, "detail": {"type": "string", "description": "For people."}}));
    object(
        &["type", "title", "status", "detail", "code", "reasons"],
        json!({
            "type": {"const": "about:blank"},
            "title": {"const": "Service Unavailable"},
            "status": {"const": 503},
            "detail": {"type": "string"},
            "code": {"const": "not_ready"},
            "reasons": {"type": "array", "items": reason, "minItems": 1},
        }),
    )
}
