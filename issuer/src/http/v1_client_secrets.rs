//! `/v1/clients/{client_id}/secrets`: another secret for a client, and an old one removed.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use super::request::{self, JSON, Members};
use super::v1_clients::with_secret;
use http::StatusCode;
use std::sync::Arc;

pub(super) const ROTATE: Endpoint =
    Endpoint { route: "/v1/clients/{client_id}/secrets", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };

pub(super) const REMOVE: Endpoint = Endpoint {
    route: "/v1/clients/{client_id}/secrets/{secret}",
    verb: Verb::Remove,
    dialect: Dialect::Problem,
    cors: Cors::None,
};

/// Makes a new secret, which is in this answer and in no other; the one before holds for an overlap.
pub(super) async fn rotate(app: Arc<App>, exchange: Exchange, [id]: [String; 1]) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let mut members = Members::parse(&body)?;
    let overlap = members.seconds("overlap_seconds")?;
    members.finish()?;
    Ok(with_secret(&app, app.issuer.rotate_secret(&client, id, overlap).await?))
}

/// Removes a secret by the `id` that the client's answers show.
pub(super) async fn remove(app: Arc<App>, exchange: Exchange, [id, secret]: [String; 2]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    app.issuer.remove_secret(&client, id, secret).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
