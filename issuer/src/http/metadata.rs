//! `GET /.well-known/oauth-authorization-server`: where everything is (RFC 8414).

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::oauth_token::TOKEN_EXCHANGE;
use super::reply::{self, Answer, Dialect, Refusal};
use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint = Endpoint {
    route: "/.well-known/oauth-authorization-server",
    verb: Verb::Read,
    dialect: Dialect::Problem,
    cors: Cors::Anyone,
};

/// Returns the document of the issuer with this identifier.
///
/// Five members are ours (RFC 8414 §2 allows more): `countersign_revocation_list_uri`, the list that verifiers need,
/// `countersign_revocation_events_uri`, where they hear of each newer one, `countersign_token_minting_endpoint`, where a
/// backend gets a pair for a subject, `countersign_revocations_endpoint`, where an administrator revokes by name, and
/// `countersign_clients_endpoint`, where one manages clients.
pub(super) fn document(issuer: &str) -> Bytes {
    let methods = json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]);
    let algorithms = json!(["EdDSA", "Ed25519"]);
    let document = json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "status_list_aggregation_endpoint": format!("{issuer}/status"), // draft-ietf-oauth-status-list-20 §9.1
        "grant_types_supported": ["client_credentials", "refresh_token", TOKEN_EXCHANGE],
        "response_types_supported": [], // required by §2; there is no authorization endpoint
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "countersign_token_minting_endpoint": format!("{issuer}/v1/tokens"),
        "countersign_revocations_endpoint": format!("{issuer}/v1/revocations"),
        "countersign_clients_endpoint": format!("{issuer}/v1/clients"),
        "countersign_revocation_list_uri": format!("{issuer}/revocations"),
        "countersign_revocation_events_uri": format!("{issuer}/revocations/events"),
    });
    Bytes::from(document.to_string())
}

/// Answers the document.
pub(super) async fn answer(app: Arc<App>, _exchange: Exchange) -> Result<Answer, Refusal> {
    let mut answer = reply::text(StatusCode::OK, "application/json", app.metadata.clone());
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(answer)
}
