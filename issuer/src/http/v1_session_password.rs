//! `POST /v1/session/password` and `/v1/session/password/reset`: a new password, by the old one or by a one-time code.

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use super::request::{self, JSON, Members};
use super::user_auth;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) const CHANGE: Endpoint =
    Endpoint { route: "/v1/session/password", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::WithCookies };

pub(super) const RESET: Endpoint = Endpoint {
    route: "/v1/session/password/reset",
    verb: Verb::Act,
    dialect: Dialect::Problem,
    cors: Cors::WithCookies,
};

/// Changes the password of whoever is logged in; the other sessions end, this one goes on.
pub(super) async fn change(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let me = user_auth::acting(&app, &exchange.headers).await?;
    let mut members = Members::parse(&body)?;
    let current = Zeroizing::new(members.needed_text("current_password")?);
    let new = Zeroizing::new(members.needed_text("new_password")?);
    members.finish()?;
    Ok(reply::json(&app.issuer.change_password(&exchange.origin, &me, current, new).await?))
}

/// Sets a password by a one-time code; all sessions end. Nobody is logged in by it.
pub(super) async fn reset(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let mut members = Members::parse(&body)?;
    let code = Zeroizing::new(members.needed_text("code")?);
    let new = Zeroizing::new(members.needed_text("new_password")?);
    members.finish()?;
    Ok(reply::json(&app.issuer.reset_password(&exchange.origin, code, new).await?))
}
