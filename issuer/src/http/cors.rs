//! Which pages of other origins may call an endpoint (the CORS protocol of the Fetch standard).
//!
//! Credentials, which are cookies, are allowed for logins alone, and to pages of listed origins alone.

use super::exchange::{Endpoint, Verb};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

/// Who may read the answers of an endpoint from another origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cors {
    /// Nobody.
    None,
    /// Every page: what is there is public.
    Anyone,
    /// Pages of the origins in the settings; none by default.
    Listed,
    /// The same pages, and their requests come with cookies.
    WithCookies,
}

impl Cors {
    /// Adds the headers that let a page of `origin` read the answer, if it may.
    pub(super) fn apply(
        self,
        listed: &[String],
        offered: &[&'static Endpoint],
        method: &Method,
        origin: Option<&HeaderValue>,
        headers: &mut HeaderMap,
    ) {
        let allowed = match self {
            Self::None => return,
            Self::Anyone => HeaderValue::from_static("*"),
            Self::Listed | Self::WithCookies => {
                headers.append(VARY, HeaderValue::from_static("Origin"));
                match origin.filter(|origin| listed.iter().any(|listed| listed.as_bytes() == origin.as_bytes())) {
                    Some(origin) => origin.clone(),
                    None => return,
                }
            }
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self == Self::WithCookies {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"),
        );
        if method == Method::OPTIONS {
            let list = |texts: Vec<&str>| HeaderValue::from_str(&texts.join(", ")).ok();
            let methods = list(offered.iter().map(|endpoint| endpoint.verb.methods()).collect());
            let mut fields = fields(offered);
            if self == Self::WithCookies {
                fields.push("X-CSRF-Token");
            }
            let fields = list(fields);
            methods.map(|methods| headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods));
            fields.map(|fields| headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, fields));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")); // browsers cap it anyway
        }
    }
}

/// Returns the fields that requests to these endpoints may have: what is read is public, what acts knows its caller.
fn fields(offered: &[&'static Endpoint]) -> Vec<&'static str> {
    let reads = |endpoint: &&Endpoint| matches!(endpoint.verb, Verb::Read | Verb::Any);
    let public = offered.iter().copied().any(|endpoint| reads(&endpoint)).then_some("If-None-Match, Last-Event-ID");
    let acting = offered.iter().copied().any(|endpoint| !reads(&endpoint)).then_some("Authorization, Content-Type");
    public.into_iter().chain(acting).collect()
}
