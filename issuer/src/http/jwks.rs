//! `GET /.well-known/jwks.json`: the public keys (RFC 7517 §5).

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/.well-known/jwks.json", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::Anyone };

/// Answers the JWK Set. Its `max-age` is a promise: no key signs before it has been published for so long.
pub(super) async fn answer(app: Arc<App>, _exchange: Exchange) -> Result<Answer, Refusal> {
    let mut answer = reply::text(StatusCode::OK, "application/jwk-set+json", app.issuer.jwks().as_bytes().to_vec());
    let caching = format!("public, max-age={}", app.issuer.settings().jwks_max_age_secs);
    if let Ok(caching) = HeaderValue::from_str(&caching) {
        answer.headers_mut().insert(CACHE_CONTROL, caching);
    }
    Ok(answer)
}
