//! Bodies of requests: bounded while they are read, then parsed once, strictly.

mod form;
mod members;
mod page;

pub(super) use form::{Form, decode, decode_segment};
pub(super) use members::Members;
pub(super) use page::Page;

use super::exchange::Body;
use super::reply::Malformed;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use std::time::Duration;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// `application/x-www-form-urlencoded`, which RFC 6749 §4 asks for.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// `application/json` (RFC 8259).
pub(super) const JSON: &str = "application/json";

/// Bytes of a body that are read; a token is at most 8 KiB and goes twice into that.
pub(super) const MAX_BODY: usize = 16 * 1024;

/// Bytes of a query that are read.
pub(super) const MAX_QUERY: usize = 4 * 1024;

/// Returns the fields of a query, all of which are among `names`.
///
/// # Errors
/// [`Malformed::QueryTooLong`], [`Malformed::QueryText`], [`Malformed::Duplicate`], [`Malformed::Unknown`].
pub(super) fn query(query: &str, names: &[&str]) -> Result<Form, Malformed> {
    if query.len() > MAX_QUERY {
        return Err(Malformed::QueryTooLong(MAX_QUERY));
    }
    let form = Form::parse(query.as_bytes()).map_err(|fault| match fault {
        Malformed::Body(fault) => Malformed::QueryText(fault),
        other => other,
    })?;
    form.only(names)
}

/// Returns the body, if `headers` say that it is `media_type` and it is whole within [`MAX_BODY`] and `limit`.
///
/// # Errors
/// [`Malformed::MediaType`], [`Malformed::TooLarge`] as soon as it is known, [`Malformed::TooSlow`], [`Malformed::CutOff`].
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    media_type: &'static str,
    limit: Duration,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    if !is(headers, media_type) {
        return Err(Malformed::MediaType(media_type));
    }
    whole(headers, body, limit).await
}

/// Returns the body, whatever it is, if it is whole within [`MAX_BODY`] and `limit`.
///
/// # Errors
/// [`Malformed::TooLarge`] as soon as it is known, [`Malformed::TooSlow`], [`Malformed::CutOff`].
pub(super) async fn whole(headers: &HeaderMap, body: Body, limit: Duration) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    if announced(headers).is_some_and(|length| length > MAX_BODY) {
        return Err(Malformed::TooLarge(MAX_BODY)); // before a byte of it is waited for
    }
    match timeout(limit, collect(body)).await {
        Ok(read) => read,
        Err(_) => Err(Malformed::TooSlow),
    }
}

async fn collect(mut body: Body) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    // Reserved once, so that no copy of a secret stays behind in a smaller buffer.
    let mut collected = Zeroizing::new(Vec::with_capacity(MAX_BODY));
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Malformed::CutOff)?;
        if chunk.len() > MAX_BODY.saturating_sub(collected.len()) {
            return Err(Malformed::TooLarge(MAX_BODY));
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected)
}

/// Returns the length that hyper will hold the body to; a chunked body announces none.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// True when there is one `Content-Type`, it names `media_type`, and its only parameter, if any, is the charset UTF-8.
fn is(headers: &HeaderMap, media_type: &str) -> bool {
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let (essence, parameter) = value.split_once(';').unwrap_or((value, ""));
    let parameter = parameter.trim();
    essence.trim().eq_ignore_ascii_case(media_type)
        && (parameter.is_empty()
            || ["charset=utf-8", "charset=\"utf-8\""].iter().any(|utf8| parameter.eq_ignore_ascii_case(utf8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn content_types(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_TYPE, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_media_type_may_say_utf_8_and_nothing_else() {
        for value in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json ;",
        ] {
            assert!(is(&content_types(&[value]), JSON), "{value}");
        }
        for value in [
            "",
            "application/jsonx",
            "text/plain",
            "application/json; charset=utf-16",
            "application/json; boundary=x",
            "application/json, text/plain",
        ] {
            assert!(!is(&content_types(&[value]), JSON), "{value}");
        }
    }

    #[test]
    fn no_content_type_and_two_of_them_are_refused() {
        assert!(!is(&content_types(&[]), JSON));
        assert!(!is(&content_types(&[JSON, JSON]), JSON));
    }
}
