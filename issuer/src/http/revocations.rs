//! `GET /revocations`, `GET /revocations/{seq}` and `GET /revocations/since/{seq}`: the signed revocation list, newest, by
//! number, and what leads from one to the newest.

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use crate::operations::Published;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::sync::Arc;

pub(super) const NEWEST: Endpoint =
    Endpoint { route: "/revocations", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::Anyone };

pub(super) const KEPT: Endpoint =
    Endpoint { route: "/revocations/{seq}", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::Anyone };

pub(super) const SINCE: Endpoint =
    Endpoint { route: "/revocations/since/{seq}", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::Anyone };

const LIST: &str = "application/vnd.countersign.revlist";
const DELTA: &str = "application/vnd.countersign.revdelta";
/// Verifiers ask at most so often; a cache may answer them with what it has while it asks itself.
const NEWEST_CACHING: &str = "public, max-age=1, stale-while-revalidate=5";

/// Answers the newest list, or 304 to a caller that has it.
pub(super) async fn newest(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    Ok(document(app.issuer.revocation_list(), LIST, NEWEST_CACHING, &exchange.headers))
}

/// Answers with the delta from the list with this number to the newest, or sends to the full list where there is none.
pub(super) async fn since(app: Arc<App>, exchange: Exchange, seq: String) -> Result<Answer, Refusal> {
    const CACHING: &str = "public, max-age=1";
    let seq = number(&seq).ok_or(Malformed::NotFound)?;
    if let Some(delta) = app.issuer.revocation_delta(seq)? {
        return Ok(document(delta, DELTA, CACHING, &exchange.headers));
    }
    // `If-None-Match` means nothing to an answer that is not 200 otherwise (RFC 9110 §13.2.1).
    let mut answer = described(reply::empty(StatusCode::SEE_OTHER), app.issuer.revocation_list().seq, CACHING);
    if let Ok(list) = HeaderValue::from_str(&format!("{}/revocations", app.issuer.settings().issuer)) {
        answer.headers_mut().insert(LOCATION, list);
    }
    Ok(answer)
}

/// Answers the list with this number while it is kept; it never changes.
pub(super) async fn kept(app: Arc<App>, exchange: Exchange, seq: String) -> Result<Answer, Refusal> {
    let published = number(&seq).and_then(|seq| app.issuer.revocation_list_at(seq)).ok_or(Malformed::NotFound)?;
    Ok(document(published, LIST, "public, max-age=31536000, immutable", &exchange.headers))
}

fn document(published: Published, media_type: &'static str, caching: &'static str, headers: &HeaderMap) -> Answer {
    let answer = if matches(headers, &etag(published.seq)) {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        reply::text(StatusCode::OK, media_type, Bytes::from_owner(published.document))
    };
    described(answer, published.seq, caching)
}

fn etag(seq: u64) -> String {
    format!("\"{seq}\"")
}

/// Adds what caches need.
fn described(mut answer: Answer, seq: u64, caching: &'static str) -> Answer {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(etag) = HeaderValue::from_str(&etag(seq)) {
        answer.headers_mut().insert(ETAG, etag);
    }
    answer
}

/// Returns the number that `text` is, in its only spelling.
pub(super) fn number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

/// True when `If-None-Match` names `etag`, compared weakly (RFC 9110 §13.1.2).
pub(super) fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let fields = headers.get_all(IF_NONE_MATCH).iter().filter_map(|field| field.to_str().ok());
    fields
        .flat_map(|field| field.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(number("1700000000123"), Some(1_700_000_000_123));
        for text in ["", "+1", "01", "-1", "1.0", "0x1", "18446744073709551616", "%31"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn if_none_match_is_compared_weakly_and_as_a_list() {
        let with = |value: &'static str| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]);
        for value in ["\"7\"", "W/\"7\"", "\"6\", \"7\"", "*"] {
            assert!(matches(&with(value), "\"7\""), "{value}");
        }
        for value in ["7", "\"77\"", "\"6\"", "", "w/\"7\""] {
            assert!(!matches(&with(value), "\"7\""), "{value}");
        }
    }
}
