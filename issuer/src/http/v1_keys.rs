//! `/v1/keys`: the signing keys, for administrators. A key is withdrawn by `POST /v1/revocations`.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members};
use crate::operations::{KeyImport, PrivateKey};
use std::sync::Arc;
use token::jwk::Purpose;
use zeroize::Zeroizing;

pub(super) const LIST: Endpoint =
    Endpoint { route: "/v1/keys", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::None };
pub(super) const ROTATE: Endpoint =
    Endpoint { route: "/v1/keys/rotate", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };
pub(super) const IMPORT: Endpoint =
    Endpoint { route: "/v1/keys/import", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };

pub(super) const REWRAP: Endpoint =
    Endpoint { route: "/v1/keys/rewrap", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };

/// Answers every key there is, without its private half.
pub(super) async fn list(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Ok(reply::list(&app.issuer.keys(&client)?, None))
}

/// Publishes a next key, and answers it; the one there is, if there is one.
pub(super) async fn rotate(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let mut members = Members::parse(&body)?;
    let purpose = purpose(&mut members)?;
    if members.only_true("now")? {
        let cure = "is refused: no verifier would know the new key; to give up a key at once, withdraw it by POST /v1/revocations";
        return Err(Malformed::Member("now", cure).into());
    }
    members.finish()?;
    Ok(reply::json(&app.issuer.rotate_key(&client, purpose).await?))
}

/// Publishes a key from elsewhere as the next one, and answers it.
pub(super) async fn import(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let mut members = Members::parse(&body)?;
    let purpose = purpose(&mut members)?;
    let pkcs8 = members.text("pkcs8")?.map(Zeroizing::new);
    let jwk = members.object("jwk")?;
    members.finish()?;
    let key = match (pkcs8, jwk.is_empty()) {
        (Some(text), true) => PrivateKey::Pkcs8(text),
        (None, false) => PrivateKey::Jwk(jwk),
        (Some(_), false) => return Err(Malformed::Member("jwk", "cannot be given together with pkcs8").into()),
        (None, true) => return Err(Malformed::Missing("pkcs8 or jwk").into()),
    };
    Ok(reply::json(&app.issuer.import_key(&client, KeyImport { purpose, key }).await?))
}

/// Seals every key under the new master key that lies where the daemon was told to look for it.
pub(super) async fn rewrap(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Members::parse(&body)?.finish()?;
    Ok(reply::json(&app.issuer.rewrap_keys(&client).await?))
}

fn purpose(members: &mut Members) -> Result<Purpose, Malformed> {
    let name = members.needed_text("purpose")?;
    Purpose::from_name(&name).ok_or(Malformed::Member("purpose", "must be token or revocations"))
}
