//! `POST /oauth/revoke`: RFC 7009, with an answer that says from when the revocation is in force everywhere.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use super::request::{self, FORM, Form};
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/oauth/revoke", verb: Verb::Act, dialect: Dialect::OAuth, cors: Cors::Listed };

/// Revokes the token; 200 also when there was nothing to revoke (RFC 7009 §2.2).
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, FORM, app.body_timeout).await?;
    let mut form = Form::parse(&body)?;
    let client = client_auth::by_header_or_form(&app, &exchange.headers, &mut form, &exchange.origin).await?;
    let token = form.need("token")?;
    form.take("token_type_hint"); // the token says itself what it is; a wrong hint must not stop the search (§2.1)
    form.finish()?;
    Ok(reply::json(&app.issuer.revoke(&client, &token).await?))
}
