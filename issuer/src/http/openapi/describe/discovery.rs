//! Public documents: the keys, where everything is, and this description.

use super::super::ENDPOINT;
use super::operation::Operation;
use super::schema::{list, object, opaque};
use crate::http::{jwks, metadata};
use serde_json::{Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Discovery";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::of(&jwks::ENDPOINT, TAG, "keys", "The public keys (RFC 7517)")
            .says("No key signs before it has been published for the `max-age` of this answer.")
            .answers(200, "The JWK Set.", "application/jwk-set+json", key_set()),
        Operation::of(&metadata::ENDPOINT, TAG, "metadata", "Where everything is (RFC 8414)").answers_json(
            200,
            "The metadata of the issuer.",
            document(),
        ),
        Operation::of(&ENDPOINT, TAG, "openapi", "This description")
            .field("If-None-Match", json!({"type": "string"}), "`ETag` of what the caller has.")
            .answers_json(200, "An OpenAPI document.", json!({"type": "object", "additionalProperties": true}))
            .with(200, "ETag")
            .answers_nothing(304, "The caller has it.")
            .with(304, "ETag"),
    ]
}

fn key_set() -> Value {
    let key = object(
        &["kty", "crv", "x", "kid", "alg", "use", "purpose"],
        json!({
            "kty": {"const": "OKP"},
            "crv": {"const": "Ed25519"},
            "x": {"type": "string", "description": "The public key, base64url.", "minLength": 43, "maxLength": 43},
            "kid": opaque("Its thumbprint (RFC 7638)."),
            "alg": {"enum": ["EdDSA", "Ed25519"]},
            "use": {"const": "sig"},
            "purpose": {"enum": ["token", "revocations"], "description": "What it signs."},
        }),
    );
    object(&["keys"], json!({"keys": list(key, 1, 128, "Those in use, and those that will be or were.")}))
}

fn document() -> Value {
    let uri = |description: &str| json!({"type": "string", "format": "uri", "description": description});
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    let mut schema = object(
        &[
            "issuer",
            "token_endpoint",
            "jwks_uri",
            "countersign_revocation_list_uri",
            "countersign_revocation_events_uri",
        ],
        json!({
            "issuer": uri("The `iss` of every token."),
            "token_endpoint": uri(""),
            "jwks_uri": uri(""),
            "revocation_endpoint": uri(""),
            "introspection_endpoint": uri(""),
            "status_list_aggregation_endpoint": uri("draft-ietf-oauth-status-list-20 §9.1."),
            "grant_types_supported": texts(),
            "response_types_supported": texts(),
            "token_endpoint_auth_methods_supported": texts(),
            "revocation_endpoint_auth_methods_supported": texts(),
            "introspection_endpoint_auth_methods_supported": texts(),
            "token_endpoint_auth_signing_alg_values_supported": texts(),
            "revocation_endpoint_auth_signing_alg_values_supported": texts(),
            "introspection_endpoint_auth_signing_alg_values_supported": texts(),
            "countersign_clients_endpoint": uri("Where an administrator manages clients."),
            "countersign_token_minting_endpoint": uri("Where a backend gets a pair for a subject."),
            "countersign_revocations_endpoint": uri("Where an administrator revokes by name."),
            "countersign_revocation_list_uri": uri("The list that verifiers need."),
            "countersign_revocation_events_uri": uri("Where they hear of each newer one."),
        }),
    );
    let properties = schema["properties"].as_object_mut().into_iter().flat_map(|properties| properties.values_mut());
    for property in properties.filter(|property| property["description"] == "") {
        property.as_object_mut().map(|property| property.remove("description"));
    }
    schema
}
