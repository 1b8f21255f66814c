//! `POST /oauth/token`: client credentials and refresh (RFC 6749 §4.4 and §6), token exchange (RFC 8693).
//!
//! Members that a grant does not have are refused, where RFC 6749 §3.2 would ignore them: a misspelt `scope` must not
//! buy more than was asked for.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, FORM, Form};
use crate::operations::{ACCESS_TOKEN, Client, ClientCredentialsRequest, ExchangeRequest};
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/oauth/token", verb: Verb::Act, dialect: Dialect::OAuth, cors: Cors::Listed };

/// The grant of RFC 8693 §2.1.
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Answers the tokens that the grant buys.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, FORM, app.body_timeout).await?;
    let mut form = Form::parse(&body)?;
    let client = client_auth::by_header_or_form(&app, &exchange.headers, &mut form, &exchange.origin).await?;
    let grant = form.need("grant_type")?;
    match grant.as_str() {
        "client_credentials" => client_credentials(&app, &client, form).await,
        "refresh_token" => refresh(&app, &client, form).await,
        TOKEN_EXCHANGE => exchange_token(&app, &client, form).await,
        _ => Err(Malformed::GrantType.into()),
    }
}

async fn client_credentials(app: &App, client: &Client, mut form: Form) -> Result<Answer, Refusal> {
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

/// Access tokens are exchanged for access tokens and nothing else; who acts is the client that asks, so there is no actor token.
async fn exchange_token(app: &App, client: &Client, mut form: Form) -> Result<Answer, Refusal> {
    let kind = form.need("subject_token_type")?;
    let wanted = form.take("requested_token_type");
    let subject_token = form.need("subject_token")?.as_str().to_owned();
    let request =
        ExchangeRequest { subject_token, audience: taken(form.take("audience")), scope: taken(form.take("scope")) };
    form.finish()?;
    let fault = "must be urn:ietf:params:oauth:token-type:access_token";
    if *kind != ACCESS_TOKEN {
        return Err(Malformed::Member("subject_token_type", fault).into());
    }
    if wanted.is_some_and(|wanted| *wanted != ACCESS_TOKEN) {
        return Err(Malformed::Member("requested_token_type", fault).into());
    }
    Ok(reply::json(&app.issuer.exchange(client, request).await?))
}

fn taken(value: Option<Zeroizing<String>>) -> Option<String> {
    value.map(|value| value.as_str().to_owned())
}
