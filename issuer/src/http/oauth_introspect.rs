//! `POST /oauth/introspect`: RFC 7662, for those who cannot verify by themselves.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use super::request::{self, FORM, Form};
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/oauth/introspect", verb: Verb::Act, dialect: Dialect::OAuth, cors: Cors::None };

/// Answers what is known of the token at this moment, or only that it is not active.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, FORM, app.body_timeout).await?;
    let mut form = Form::parse(&body)?;
    let client = client_auth::by_header_or_form(&app, &exchange.headers, &mut form, &exchange.origin).await?;
    let token = form.need("token")?;
    form.take("token_type_hint"); // the token says itself what it is (§2.1 lets a server ignore the hint)
    form.finish()?;
    Ok(reply::json(&app.issuer.introspect(&client, &token).await?))
}
