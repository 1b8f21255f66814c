//! `/v1/clients` and `/v1/clients/{client_id}`: the clients, for administrators.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members, Page};
use crate::operations::{ClientTerms, ClientView, NewSecret};
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Arc;

const ALL: &str = "/v1/clients";
const ONE: &str = "/v1/clients/{client_id}";

pub(super) const LIST: Endpoint =
    Endpoint { route: ALL, verb: Verb::Ask(Page::NAMES), dialect: Dialect::Problem, cors: Cors::None };
pub(super) const CREATE: Endpoint =
    Endpoint { route: ALL, verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };
pub(super) const READ: Endpoint =
    Endpoint { route: ONE, verb: Verb::Ask(&[]), dialect: Dialect::Problem, cors: Cors::None };
pub(super) const CHANGE: Endpoint =
    Endpoint { route: ONE, verb: Verb::Change, dialect: Dialect::Problem, cors: Cors::None };
pub(super) const REMOVE: Endpoint =
    Endpoint { route: ONE, verb: Verb::Remove, dialect: Dialect::Problem, cors: Cors::None };

/// What is said of a client besides what it is.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    client: ClientView,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'static str>,
}

/// Told to whoever has just disabled a client.
const TOKENS_LIVE: &str =
    "what the client got stays valid until it expires; POST /v1/revocations {\"client\": …} takes it back";

/// Answers a part of the list.
pub(super) async fn list(app: Arc<App>, mut exchange: Exchange, _path: [String; 0]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let Page { limit, after } = Page::take(&mut exchange.query)?;
    let clients = app.issuer.clients(&client, after, limit).await?;
    Ok(reply::list(&clients.items, clients.next.as_deref()))
}

/// Makes a client; its secret is in this answer and in no other.
pub(super) async fn create(app: Arc<App>, exchange: Exchange, _path: [String; 0]) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let mut members = Members::parse(&body)?;
    let client_id = members.text("client_id")?;
    let terms = terms(members)?;
    if terms.grants.is_none() {
        return Err(Malformed::Missing("grants").into()); // what a client may do is said, not assumed
    }
    let made = app.issuer.create_client(&client, client_id, terms).await?;
    Ok(with_secret(&app, made))
}

/// Answers a client.
pub(super) async fn read(app: Arc<App>, exchange: Exchange, [id]: [String; 1]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Ok(reply::json(&app.issuer.client(&client, &id).await?))
}

/// Changes the members that are given (RFC 7396: null takes a restriction away), and answers the client as it is now.
pub(super) async fn change(app: Arc<App>, exchange: Exchange, [id]: [String; 1]) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let terms = terms(Members::parse(&body)?)?;
    let notice = terms.disabled.filter(|disabled| *disabled).map(|_| TOKENS_LIVE);
    let client = app.issuer.change_client(&client, id, terms).await?;
    Ok(reply::json(&Told { client, client_secret: None, notice }))
}

/// Removes a client, and answers from which list on what it got is taken back everywhere.
pub(super) async fn remove(app: Arc<App>, exchange: Exchange, [id]: [String; 1]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Ok(reply::json(&app.issuer.remove_client(&client, id).await?))
}

/// Answers a client with the secret that it has just got. It lies below the issuer, which may have a path of its own.
pub(super) fn with_secret(app: &App, made: NewSecret) -> Answer {
    let location = format!("{}{ALL}/{}", app.keeper.base_path(), segment(&made.client.client_id));
    let client_secret = made.secret.map(|secret| secret.expose().to_owned());
    reply::created(&Told { client: made.client, client_secret, notice: None }, &location)
}

/// Limits on the values are the issuer's business; here they get their types.
fn terms(mut members: Members) -> Result<ClientTerms, Malformed> {
    let terms = ClientTerms {
        name: members.text("name")?,
        administrator: members.flag("administrator")?,
        disabled: members.flag("disabled")?,
        grants: members.given_texts("grants")?,
        audiences: members.nullable("audiences", Members::given_texts)?,
        scopes: members.nullable("scopes", Members::given_texts)?,
        claims: members.nullable("claims", Members::given_texts)?,
        access_ttl: members.nullable("access_ttl", Members::seconds)?,
        refresh_ttl: members.nullable("refresh_ttl", Members::seconds)?,
        session_ttl: members.nullable("session_ttl", Members::seconds)?,
        jwks: members.nullable("jwks", Members::given_object)?,
    };
    members.finish()?;
    Ok(terms)
}

/// Returns the text as one segment of a path (RFC 3986 §3.3), everything but the unreserved characters escaped.
fn segment(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if unreserved(byte) {
            escaped.push(char::from(byte));
        } else {
            let _always = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_of_a_path() {
        assert_eq!(segment("a-b._~9"), "a-b._~9");
        assert_eq!(segment("a/b?c%#:"), "a%2Fb%3Fc%25%23%3A");
    }
}
