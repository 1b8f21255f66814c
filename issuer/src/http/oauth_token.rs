//! `POST /oauth/token`: client credentials and refresh (RFC 6749 §4.4 and §6).
//!
//! Members that a grant does not have are refused, where RFC 6749 §3.2 would ignore them: a misspelt `scope` must not
//! buy more than was asked for.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, FORM, Form};
use crate::operations::{Client, ClientCredentialsRequest};
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/oauth/token", verb: Verb::Act, dialect: Dialect::OAuth, cors: Cors::Listed };

/// Answers the tokens that the grant buys.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, FORM, app.body_timeout).await?;
    let mut form = Form::parse(&body)?;
    let client = client_auth::by_header_or_form(&app, &exchange.headers, &mut form, &exchange.origin).await?;
    let grant = form.need("grant_type")?;
    match grant.as_str() {
        "client_credentials" => client_credentials(&app, &client, form).await,
        "refresh_token" => refresh(&app, &client, form).await,
        _ => Err(Malformed::GrantType.into()),
    }
}

async fn client_credentials(app: &App, client: &Client, mut form: Form) -> Result<Answer, Refusal> {
    let taken = |value: Option<zeroize::Zeroizing<String>>| value.map(|value| value.as_str().to_owned());
    let request = ClientCredentialsRequest { scope: taken(form.take("scope")), audience: taken(form.take("audience")) };
    form.finish()?;
    Ok(reply::json(&app.issuer.client_credentials(client, request).await?))
}

async fn refresh(app: &App, client: &Client, mut form: Form) -> Result<Answer, Refusal> {
    let (token, scope) = (form.need("refresh_token")?, form.take("scope"));
    form.finish()?;
    let scope = scope.as_ref().map(|scope| scope.as_str());
    Ok(reply::json(&app.issuer.refresh(client, &token, scope).await?))
}
