//! The signing keys, for administrators.

use super::operation::Operation;
use super::refusals;
use super::schema::{Named, exactly, list, moment, object, opaque, shared};
use crate::error::Error;
use crate::http::v1_keys;
use crate::keys::MAX_HELD;
use serde_json::{Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Keys";

pub(super) fn operations() -> Vec<Operation> {
    vec![all(), rotate(), import(), rewrap()]
}

fn all() -> Operation {
    let items = list(
        shared("Key"),
        0,
        MAX_HELD.try_into().unwrap(),
        "Every key there is, ascending by name; never a private half.",
    );
    Operation::of(&v1_keys::LIST, TAG, "listKeys", "List the signing keys").by_administrators().answers_json(
        200,
        "Every key.",
        object(&["items"], json!({"items": items})),
    )
}

fn rotate() -> Operation {
    let schema = exactly(
        &["purpose"],
        json!({
            "purpose": purpose(),
            "now": {"not": {}, "description": "Refused: no verifier would know the new key. To give up a key at once, withdraw it by `revokeByName`."},
        }),
    );
    changing(Operation::of(&v1_keys::ROTATE, TAG, "rotateKey", "Publish the next key"))
        .says("It signs once it has been published for long enough, without anybody asking again. Where there is a next key, it is answered.")
        .takes_json(schema, json!({"purpose": "token"}))
        .answers_json(200, "The next key.", shared("Key"))
}

fn import() -> Operation {
    let pkcs8 = exactly(
        &["purpose", "pkcs8"],
        json!({
            "purpose": purpose(),
            "pkcs8": {"type": "string", "minLength": 1, "description": "PKCS#8: PEM, or base64 of DER."},
        }),
    );
    let jwk = exactly(
        &["purpose", "jwk"],
        json!({
            "purpose": purpose(),
            "jwk": {"type": "object", "minProperties": 1, "description": "A private JWK, OKP with Ed25519 (RFC 8037)."},
        }),
    );
    changing(Operation::of(&v1_keys::IMPORT, TAG, "importKey", "Bring a key along as the next one"))
        .says(
            "Only its private half is taken; it is called by its thumbprint here. A weak or published key, one that is here or was, and \
             one where there is a next key already is `invalid_field`.",
        )
        .takes_json(json!({"oneOf": [pkcs8, jwk]}), json!({"purpose": "token", "pkcs8": "-----BEGIN PRIVATE KEY-----…"}))
        .answers_json(200, "The key, which is the next one.", shared("Key"))
}

fn rewrap() -> Operation {
    let answer = object(
        &["keys", "installed"],
        json!({
            "keys": {"type": "integer", "minimum": 0, "description": "So many keys were sealed anew."},
            "installed": {
                "type": "boolean",
                "description": "The new master key is also where the next start looks for it; if not, the log says why.",
            },
        }),
    );
    changing(Operation::of(&v1_keys::REWRAP, TAG, "rewrapKeys", "Seal every key under the new master key"))
        .says("The new master key comes from the settings. It is in use from the answer on; no request waits for it.")
        .takes_json(exactly(&[], json!({})), json!({}))
        .answers_json(200, "They are sealed, durably.", answer)
        .refused(vec![Error::BackupRunning.into()])
}

fn changing(operation: Operation) -> Operation {
    operation.by_administrators().refused(refusals::change()).refused(vec![Error::Entropy.into()])
}

fn purpose() -> Value {
    json!({"enum": ["token", "revocations"], "description": "What it signs."})
}

pub(super) fn schemas() -> Vec<Named> {
    let key = object(
        &["kid", "purpose", "algorithm", "state", "since"],
        json!({
            "kid": opaque("Its name, the RFC 7638 thumbprint."),
            "purpose": purpose(),
            "algorithm": {"enum": ["EdDSA", "Ed25519"]},
            "state": {
                "enum": ["next", "active", "retired", "kept", "withdrawn"],
                "description": "`next` is published and does not sign; `retired` is published until all it signed has expired; `kept` is \
                    known for refresh tokens alone.",
            },
            "since": moment("Since when it is in this state."),
            "changes_at": moment("When that will change, if nothing holds it up; absent when only somebody's word changes it."),
        }),
    );
    vec![("Key", key)]
}
