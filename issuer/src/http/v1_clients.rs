//! `/v1/clients`: the clients, for administrators.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use super::request::Page;
use std::sync::Arc;

pub(super) const LIST: Endpoint =
    Endpoint { route: "/v1/clients", verb: Verb::Ask(Page::NAMES), dialect: Dialect::Problem, cors: Cors::None };

/// Answers a part of the list.
pub(super) async fn list(app: Arc<App>, mut exchange: Exchange, _path: [String; 0]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let Page { limit, after } = Page::take(&mut exchange.query)?;
    let clients = app.issuer.clients(&client, after, limit).await?;
    Ok(reply::list(&clients.items, clients.next.as_deref()))
}
