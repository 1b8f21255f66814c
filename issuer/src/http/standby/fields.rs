//! The fields of a message that is passed on: those of the connection stay behind (RFC 9110 §7.6.1), and those that say for whom
//! a request comes are written anew.

use crate::forwarding;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName};

/// Fields of one connection besides those that `Connection` names.
const OF_CONNECTION: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Fields of a request that are answered here, or written anew: the length follows from the body, which has been read.
const OF_REQUEST: [HeaderName; 5] = [
    CONTENT_LENGTH,
    EXPECT,
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static(forwarding::FIELD),
];

/// Fields of a trace, which only a trusted proxy may begin.
const OF_TRACE: [HeaderName; 2] = [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

/// Takes out what belongs to the connection.
pub(super) fn without_connection(mut headers: HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_CONNECTION) {
        headers.remove(name);
    }
    headers
}

/// Takes out of a request what is not passed on as it came; a trace goes on where `is_trusted` sent it.
pub(super) fn of_request(headers: HeaderMap, is_trusted: bool) -> HeaderMap {
    let mut headers = without_connection(headers);
    for name in OF_REQUEST.iter().chain(OF_TRACE.iter().filter(|_| !is_trusted)) {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        fields.iter().map(field).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_belongs_to_the_connection_stays_behind_with_what_it_names() {
        let sent = headers(&[
            ("connection", "close, X-One"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
        ]);
        assert_eq!(names(&without_connection(sent)), ["x-two"]);
    }

    #[test]
    fn nobody_outside_says_for_whom_a_request_comes() {
        let sent = [
            ("countersign-forwarded", "1"),
            ("x-forwarded-for", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("expect", "100-continue"),
            ("content-length", "7"),
            ("traceparent", "00"),
            ("host", "id.example.com"),
        ];
        assert_eq!(names(&of_request(headers(&sent), false)), ["host"]);
        assert_eq!(names(&of_request(headers(&sent), true)), ["host", "traceparent"]);
    }
}
