//! The OAuth 2.0 endpoints (RFC 6749, 7009, 7662).

use super::operation::{Operation, client_fields};
use super::refusals;
use super::schema::{Named, exactly, moment, object, opaque, seconds, shared};
use crate::error::Error;
use crate::http::reply::Malformed;
use crate::http::{oauth_introspect, oauth_revoke, oauth_token};
use crate::operations::ACCESS_TOKEN;
use serde_json::{Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "OAuth";

/// Ways to prove who one is on a form endpoint: by the field, or by the form.
const BY_CLIENTS: &[&[&str]] = &[&["basic"], &[]];

pub(super) fn operations() -> Vec<Operation> {
    vec![token(), revoke(), introspect()]
}

fn token() -> Operation {
    let example = json!({"grant_type": "client_credentials", "scope": "read"});
    Operation::of(&oauth_token::ENDPOINT, TAG, "token", "Get tokens for a grant (RFC 6749)")
        .says(
            "`client_credentials` buys an access token for the client itself. `refresh_token` buys the next pair of a session: asked \
             again with the same token within the retry window, as after a lost answer, it is answered with the same bytes; \
             later than that, the session is ended. The token exchange (RFC 8693) buys an access token of the same session for one that \
             the client was given: for another audience, of no more scope and no longer life.",
        )
        .by(BY_CLIENTS)
        .takes_form(json!({"oneOf": [client_credentials(), refresh(), exchange()]}), example)
        .answers_json(200, "The tokens.", json!({"anyOf": [shared("TokenPair"), shared("AccessToken"), shared("ExchangedToken")]}))
        .refused(refusals::client_of_a_form())
        .refused(refusals::signature())
        .refused(refusals::grant())
        .refused(vec![Malformed::GrantType.into(), Error::InvalidScope.into(), Error::InvalidTarget.into()])
        .refused(vec![Error::UnauthorizedClient.into()])
}

/// Returns the schema of a form with these fields, besides those that say who asks.
fn form(required: &[&str], fields: Value) -> Value {
    let mut properties = fields.as_object().cloned().unwrap_or_default();
    properties.extend(client_fields());
    exactly(required, Value::Object(properties))
}

fn client_credentials() -> Value {
    let fields = json!({
        "grant_type": {"const": "client_credentials"},
        "scope": optional_scope(),
        "audience": {"type": "string", "maxLength": 255, "description": "For whom the token is; the setting `default_audience` when absent."},
    });
    form(&["grant_type"], fields)
}

fn refresh() -> Value {
    let fields = json!({
        "grant_type": {"const": "refresh_token"},
        "refresh_token": opaque("The newest of the session."),
        "scope": optional_scope(),
    });
    form(&["grant_type", "refresh_token"], fields)
}

fn exchange() -> Value {
    let fields = json!({
        "grant_type": {"const": "urn:ietf:params:oauth:grant-type:token-exchange"},
        "subject_token": opaque("An access token of this issuer, active."),
        "subject_token_type": {"const": ACCESS_TOKEN},
        "requested_token_type": {"enum": [ACCESS_TOKEN, ""]},
        "audience": {"type": "string", "maxLength": 255, "description": "For whom the new token is; those of the subject token when absent."},
        "scope": optional_scope(),
    });
    form(&["grant_type", "subject_token", "subject_token_type"], fields)
}

/// A field without a value counts as absent (RFC 6749 §3.2).
fn optional_scope() -> Value {
    json!({"anyOf": [shared("Scope"), {"const": ""}]})
}

fn revoke() -> Operation {
    Operation::of(&oauth_revoke::ENDPOINT, TAG, "revoke", "Take back a token (RFC 7009)")
        .says(
            "An access token alone, a refresh token with its session and the session's live access tokens. Unknown, malformed and \
             expired tokens need no revoking and are answered the same.",
        )
        .by(BY_CLIENTS)
        .takes_form(one_token(), json!({"token": "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9…"}))
        .answers_json(200, "Revoked, durably, or there was nothing to revoke.", shared("Revocation"))
        .refused(refusals::client_of_a_form())
        .refused(refusals::change())
        .refused(vec![Error::UnauthorizedClient.into()])
}

fn introspect() -> Operation {
    Operation::of(&oauth_introspect::ENDPOINT, TAG, "introspect", "Ask what is known of a token at this moment (RFC 7662)")
        .says(
            "For those who cannot verify by themselves. A caller sees the tokens of its own, those whose audience it is, and as an \
             administrator all; every other token is not active, whatever the reason.",
        )
        .by(BY_CLIENTS)
        .takes_form(one_token(), json!({"token": "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9…"}))
        .answers_json(200, "What is known.", json!({"oneOf": [shared("InactiveToken"), shared("ActiveToken")]}))
        .refused(refusals::client_of_a_form())
        .refused(refusals::change())
}

fn one_token() -> Value {
    let fields = json!({
        "token": opaque("An access token or a refresh token."),
        "token_type_hint": {"type": "string", "description": "Not looked at: the token says itself what it is."},
    });
    form(&["token"], fields)
}

pub(super) fn schemas() -> Vec<Named> {
    let access = object(
        &["access_token", "token_type", "expires_in", "sid"],
        json!({
            "access_token": opaque("The access token, a JWS in compact serialization."),
            "token_type": {"const": "Bearer"},
            "expires_in": seconds(1, "Life of the access token."),
            "scope": shared("Scope"),
            "sid": opaque("Names the session that the token belongs to; it has no refresh token."),
        }),
    );
    let exchanged = object(
        &["access_token", "issued_token_type", "token_type", "expires_in", "sid"],
        json!({
            "access_token": opaque("The access token, a JWS in compact serialization."),
            "issued_token_type": {"const": ACCESS_TOKEN},
            "token_type": {"const": "Bearer"},
            "expires_in": seconds(0, "Life of the access token."),
            "scope": shared("Scope"),
            "sid": opaque("Names the session, which is that of the subject token."),
        }),
    );
    let inactive = object(&["active"], json!({"active": {"const": false}}));
    vec![("AccessToken", access), ("ExchangedToken", exchanged), ("InactiveToken", inactive), ("ActiveToken", active())]
}

/// The claims of an active token; those that a client has set are among them under their own names.
fn active() -> Value {
    let mut schema = object(
        &["active", "iss", "sub", "aud", "client_id", "iat", "exp"],
        json!({
            "active": {"const": true},
            "token_type": {"const": "Bearer", "description": "Of an access token."},
            "iss": {"type": "string", "format": "uri"},
            "sub": {"type": "string"},
            "aud": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "client_id": {"type": "string"},
            "iat": moment("Issued then."),
            "exp": moment("Expires then."),
            "nbf": moment("Not valid before."),
            "auth_time": moment("When the subject logged in."),
            "jti": {"type": "string", "description": "Of an access token: its place in the revocation list."},
            "sid": {"type": "string", "description": "The session."},
            "scope": shared("Scope"),
            "roles": {"type": "array", "items": {"type": "string"}},
            "permissions": {"type": "array", "items": {"type": "string"}},
            "act": {"type": "object", "description": "Who acts for the subject (RFC 8693 §4.1)."},
            "status": {"type": "object", "description": "The token's status list, where it has one."},
        }),
    );
    schema["additionalProperties"] = json!(true);
    schema
}
