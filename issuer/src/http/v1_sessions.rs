//! `/v1/sessions`: the sessions of a subject, for their clients and for administrators.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members, Page};
use crate::operations::SessionQuery;
use std::sync::Arc;

const NAMES: &[&str] = &["sub", "active", "limit", "after"];

pub(super) const LIST: Endpoint =
    Endpoint { route: "/v1/sessions", verb: Verb::Ask(NAMES), dialect: Dialect::Problem, cors: Cors::None };

pub(super) const SHOW: Endpoint =
    Endpoint { route: "/v1/sessions/{sid}", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::None };

pub(super) const END: Endpoint =
    Endpoint { route: "/v1/sessions/{sid}", verb: Verb::Remove, dialect: Dialect::Problem, cors: Cors::None };

pub(super) const REVOKE: Endpoint =
    Endpoint { route: "/v1/sessions/revoke", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };

/// Answers a part of the list.
pub(super) async fn list(app: Arc<App>, mut exchange: Exchange) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let Page { limit, after } = Page::take(&mut exchange.query)?;
    let sub = exchange.query.need("sub")?.as_str().to_owned();
    let only_active = match exchange.query.take("active").as_ref().map(|active| active.as_str()) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Malformed::Member("active", "must be 'true' or 'false'").into()),
    };
    let sessions = app.issuer.sessions(&client, SessionQuery { sub, only_active, after, limit }).await?;
    Ok(reply::list(&sessions.items, sessions.next.as_deref()))
}

/// Answers one session.
pub(super) async fn show(app: Arc<App>, exchange: Exchange, [sid]: [String; 1]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Ok(reply::json(&app.issuer.session(&client, &sid).await?))
}

/// Ends one session, and answers from which list on everybody is told.
pub(super) async fn end(app: Arc<App>, exchange: Exchange, [sid]: [String; 1]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Ok(reply::json(&app.issuer.end_session(&client, &sid).await?))
}

/// Ends the sessions of a subject, all or all but one, and answers how many did.
pub(super) async fn revoke(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let mut members = Members::parse(&body)?;
    let (sub, except) = (members.needed_text("sub")?, members.text("except")?);
    members.finish()?;
    Ok(reply::json(&app.issuer.end_sessions(&client, sub, except.as_deref()).await?))
}
