//! `POST /v1/tokens`: a backend mints a pair for a subject that it has authenticated.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members};
use crate::operations::MintRequest;
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/v1/tokens", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };

/// Starts a session and answers its first pair.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let request = parse(Members::parse(&body)?)?;
    Ok(reply::json(&app.issuer.mint(&client, request).await?))
}

/// Limits on the values are the issuer's business; here they get their types.
fn parse(mut members: Members) -> Result<MintRequest, Malformed> {
    let request = MintRequest {
        sub: members.needed_text("sub")?,
        aud: members.needed_one_or_more_texts("aud")?,
        scope: members.text("scope")?,
        roles: members.texts("roles")?,
        permissions: members.texts("permissions")?,
        auth_time: members.seconds("auth_time")?,
        nbf: members.seconds("nbf")?,
        claims: members.object("claims")?,
        access_ttl: members.seconds("access_ttl")?,
        refresh_ttl: members.seconds("refresh_ttl")?,
        session_ttl: members.seconds("session_ttl")?,
        device: members.text("device")?,
    };
    members.finish()?;
    Ok(request)
}
