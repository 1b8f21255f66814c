//! `GET /v1/session/sessions` and `POST /v1/session/sessions/revoke`: the logins of whoever is logged in.

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members, Page};
use super::user_auth;
use crate::operations::OwnSessions;
use std::sync::Arc;

pub(super) const LIST: Endpoint = Endpoint {
    route: "/v1/session/sessions",
    verb: Verb::Ask(Page::NAMES),
    dialect: Dialect::Problem,
    cors: Cors::WithCookies,
};

pub(super) const REVOKE: Endpoint = Endpoint {
    route: "/v1/session/sessions/revoke",
    verb: Verb::Act,
    dialect: Dialect::Problem,
    cors: Cors::WithCookies,
};

/// Answers a part of the list of logins that go on.
pub(super) async fn list(app: Arc<App>, mut exchange: Exchange) -> Result<Answer, Refusal> {
    let jar = app.keeper.read(&exchange.headers)?;
    let me = user_auth::by_token(&app, &exchange.headers, &jar).await?;
    let Page { limit, after } = Page::take(&mut exchange.query)?;
    let sessions = app.issuer.own_sessions(&exchange.origin, &me, after, limit).await?;
    Ok(reply::list(&sessions.items, sessions.next.as_deref()))
}

/// Ends one login, all others, or all.
pub(super) async fn revoke(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let me = user_auth::acting(&app, &exchange.headers).await?;
    let mut members = Members::parse(&body)?;
    let (sid, others, all) = (members.text("sid")?, members.only_true("others")?, members.only_true("all")?);
    members.finish()?;
    let which = match (sid, others, all) {
        (Some(sid), false, false) => OwnSessions::One(sid),
        (None, true, false) => OwnSessions::Others,
        (None, false, true) => OwnSessions::All,
        (None, false, false) => return Err(Malformed::Missing("sid, others or all").into()),
        _ => return Err(Malformed::Member("sid", "others and all cannot be given together").into()),
    };
    Ok(reply::json(&app.issuer.end_own_sessions(&exchange.origin, &me, which).await?))
}
