//! The description of the whole surface: what the files of the areas say of each operation, under one head.
//!
//! To describe an endpoint: an [`Operation`] in the file of its area, with its parameters, its body, what it answers and what
//! it can be refused for. Statuses and codes of refusals are not written down: `reply` is asked what it makes of each.

mod audit;
mod backup;
mod clients;
mod discovery;
mod following;
mod health;
mod keys;
mod login;
mod oauth;
mod operation;
mod pairs;
mod refusals;
mod schema;
mod sessions;
mod users;

use crate::http::reply::Dialect;
use operation::Operation;
use serde_json::{Map, Value, json};

/// What stands above all operations.
const ABOUT: &str = "\
Access tokens that anyone can check offline, and that can still be taken back within a second.

- Bodies are `application/json` under `/v1`, forms under `/oauth`, in UTF-8 and at most 16 KiB. Each field or member comes once, and \
one that is not described here is refused.
- Answers may get members that are not described yet: pass over those you do not know.
- Refusals under `/oauth` are `{error, error_description}` (RFC 6749), all others `application/problem+json` (RFC 9457) with a \
stable `code`.
- A path that is not described is answered 404 `not_found`, a method that is not described at a path 405 `method_not_allowed` with \
`Allow`. HEAD is answered as GET is, without a body. Where a path has `x-cors`, pages of other origins may use it: of every origin \
(`anyone`), or of those in the setting `cors_origins` (`listed`, and `listed-with-cookies`); OPTIONS is answered 204 there.
- Answers to requests that a rate limit counts have `RateLimit` and `RateLimit-Policy`; those to requests over TLS have \
`Strict-Transport-Security`.
- A connection over the daemon's caps is answered 503 without a body; what is not HTTP, 400 without one.
- Every answer to a request has `X-Request-Id`, which the log has too, and `X-Content-Type-Options: nosniff`.
- Lengths in bytes are those of UTF-8. Times are whole seconds since 1970, lives whole seconds.";

/// Returns every operation there is.
pub(super) fn operations() -> Vec<Operation> {
    [
        pairs::operations(),
        oauth::operations(),
        sessions::operations(),
        login::operations(),
        users::operations(),
        clients::operations(),
        keys::operations(),
        audit::operations(),
        backup::operations(),
        following::operations(),
        discovery::operations(),
        health::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the document.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let (path, cors) = (operation.path(), operation.cors());
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        if let (Some(entry), Some(cors)) = (entry.as_object_mut(), cors) {
            entry.insert("x-cors".to_owned(), json!(cors));
        }
        let before = entry.as_object_mut().and_then(|entry| entry.insert(operation.method(), operation.describe()));
        assert!(before.is_none(), "an operation is described twice");
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The HTTP interface of the issuer",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The issuer that serves this document"}],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": {
                "NotFound": operation::refused(Dialect::Problem, &refusals::absent()),
            },
            "headers": operation::headers(),
            "securitySchemes": security(),
        },
    })
}

/// The groups in which the operations are shown.
fn tags() -> Value {
    let tag = |name: &str, description: &str| json!({"name": name, "description": description});
    json!([
        tag(
            pairs::TAG,
            "A backend gets a pair of tokens for a subject that it has authenticated, and takes back by name."
        ),
        tag(oauth::TAG, "The OAuth 2.0 endpoints, for clients of any make."),
        tag(sessions::TAG, "The sessions of a subject: for the clients that began them, and for administrators."),
        tag(
            login::TAG,
            "Built-in users log in; tokens in the body, or in cookies with CSRF protection. Off unless `users.enabled` is set."
        ),
        tag(users::TAG, "The built-in users, for administrators. Off unless `users.enabled` is set."),
        tag(clients::TAG, "The clients, for administrators."),
        tag(
            keys::TAG,
            "The signing keys, for administrators. They change by themselves; a key is withdrawn by `revokeByName`."
        ),
        tag(
            audit::TAG,
            "Who did what and when, bound together so that nothing of it can be changed unseen; for administrators."
        ),
        tag(backup::TAG, "Everything there is, encrypted; for administrators."),
        tag(following::TAG, "The signed revocation list and the status lists: public, for verifiers."),
        tag(discovery::TAG, "Public documents: the keys, and where everything is."),
        tag(health::TAG, "For whoever restarts the daemon and whoever sends it traffic."),
    ])
}

fn security() -> Value {
    json!({
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "`client_id` and `client_secret`, each form-urlencoded before they are joined (RFC 6749 §2.3.1). On form \
                endpoints the two may be in the body instead, or a `client_assertion` (RFC 7523); not more than one of them.",
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of a login (RFC 6750 §2.1).",
        },
        "access_cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-access",
            "description": "The access token of a login, where it was asked for as a cookie. The names of cookies are settings.",
        },
        "refresh_cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Secure-refresh",
            "description": "The refresh token of a login, where it was asked for as a cookie.",
        },
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "With a cookie: what the cookie `__Host-csrf` holds. The page must be of the issuer's origin or a listed one.",
        },
    })
}

/// Every shared schema, by its name.
fn schemas() -> Value {
    let shared = [
        schema::schemas(),
        pairs::schemas(),
        oauth::schemas(),
        sessions::schemas(),
        login::schemas(),
        users::schemas(),
        clients::schemas(),
        keys::schemas(),
        audit::schemas(),
        following::schemas(),
    ];
    let mut schemas = Map::new();
    for (name, schema) in shared.into_iter().flatten() {
        assert!(schemas.insert(name.to_owned(), schema).is_none(), "{name} is described twice");
    }
    Value::Object(schemas)
}
