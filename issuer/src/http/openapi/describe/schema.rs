//! The words that schemas are written in, and the schemas that belong to no area.

use serde_json::{Value, json};

/// A shared schema with its name.
pub(super) type Named = (&'static str, Value);

/// What is no control character; the classes of `char::is_control`.
pub(super) const PRINTABLE: &str = "^[^\\u0000-\\u001F\\u007F-\\u009F]*$";

/// Returns a reference to the shared schema `name`.
pub(super) fn shared(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Returns the schema of an object with these properties, of which `required` are always there. It may have others: that is for
/// answers.
pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

/// Returns the schema of an object without other properties than these: that is for requests.
pub(super) fn exactly(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Returns the schema of a text of 1 to `most` bytes without control characters.
pub(super) fn text(most: u64, description: &str) -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": most, "pattern": PRINTABLE,
        "description": format!("{description} 1 to {most} bytes, no control characters."),
    })
}

/// Returns the schema of a text whose form is nobody's business but ours.
pub(super) fn opaque(description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "description": description})
}

/// Returns the schema of a list of at most `most` items.
pub(super) fn list(items: Value, fewest: u64, most: u64, description: &str) -> Value {
    json!({"type": "array", "items": items, "minItems": fewest, "maxItems": most, "description": description})
}

/// Returns the schema of a moment.
pub(super) fn moment(description: &str) -> Value {
    json!({
        "type": "integer", "minimum": 0, "maximum": 253_402_300_799_u64,
        "description": format!("{description} Seconds since 1970."),
    })
}

/// Returns the schema of a span of time.
pub(super) fn seconds(fewest: u64, description: &str) -> Value {
    json!({"type": "integer", "minimum": fewest, "maximum": 253_402_300_799_u64, "description": description})
}

/// Returns the schema, and that null is a value too.
pub(super) fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

/// Returns a schema that refers to another one, and that null is a value too.
pub(super) fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// Returns the schema of a part of a list: what `reply::list` writes.
pub(super) fn part_of(items: Value) -> Value {
    object(
        &["items"],
        json!({
            "items": {"type": "array", "items": items, "maxItems": 200},
            "next": opaque("Given as `after`, it leads to the part that follows. Absent: there is no more."),
        }),
    )
}

/// The schemas of refusals.
pub(super) fn schemas() -> Vec<Named> {
    let problem = object(
        &["type", "title", "status", "detail", "code"],
        json!({
            "type": {"const": "about:blank"},
            "title": {"type": "string", "description": "The name of the status."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "For people; may change."},
            "code": {"type": "string", "description": "For programs; stable."},
            "reason": {
                "enum": ["too_short", "common", "listed", "name"],
                "description": "With `password_refused`: what is wrong with the password.",
            },
            "reset_url": {
                "type": "string",
                "description": "With `password_reset_required`: where a new password is chosen, as the settings say.",
            },
        }),
    );
    let oauth = object(
        &["error", "error_description"],
        json!({
            "error": {"type": "string", "description": "The code of RFC 6749 §5.2 and of the RFCs that add to it."},
            "error_description": {"type": "string", "description": "For people; may change.", "pattern": "^[ !#-\\[\\]-~]*$"},
        }),
    );
    vec![("Problem", problem), ("OAuthError", oauth)]
}
