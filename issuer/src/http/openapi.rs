//! `GET /openapi.json`: the description of this surface (OpenAPI 3.1), as it is committed in docs/.
//!
//! It is made by the code in `describe`, which the daemon itself does without; `tests` holds the file against that code,
//! and that code against the route table.

#[cfg(test)]
mod describe;
#[cfg(test)]
mod tests;

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use super::revocations::matches;
use base64ct::{Base64, Encoding as _};
use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, LazyLock};

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/openapi.json", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::Anyone };

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", Base64::encode_string(&Sha256::digest(DOCUMENT))));

/// Answers the description, or 304 to a caller that has it.
pub(super) async fn answer(_app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let mut answer = if matches(&exchange.headers, &TAG) {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        reply::text(StatusCode::OK, "application/json", DOCUMENT)
    };
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&TAG) {
        answer.headers_mut().insert(ETAG, tag);
    }
    Ok(answer)
}
