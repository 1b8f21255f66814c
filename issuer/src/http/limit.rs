//! Rate limits at the surface: which budget an endpoint is taken from, and the fields that tell where a client stands
//! (draft-ietf-httpapi-ratelimit-headers-10).
//!
//! ```text
//! RateLimit-Policy: "token";q=20000;w=1        so many in a window of so many seconds
//! RateLimit: "token";r=19999;t=1               so many are left, and the budget is full in so many seconds
//! ```

use super::App;
use super::exchange::Exchange;
use super::reply::Refusal;
use crate::audit::Origin;
use crate::limits::{Class, Standing};
use http::{HeaderMap, HeaderName, HeaderValue};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Returns the budget that requests to `route` are taken from.
fn class(route: &str) -> Class {
    let tokens = ["/v1/tokens", "/v1/session"];
    if route.starts_with("/oauth/") || tokens.iter().any(|path| is_below(route, path)) {
        Class::Token
    } else if route.starts_with("/v1/") {
        Class::Management
    } else {
        Class::Public
    }
}

fn is_below(route: &str, path: &str) -> bool {
    route.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Takes a request from the budget of its address. Health is always told: who asks for it restarts the daemon otherwise.
///
/// # Errors
/// [`Refusal::TooManyRequests`]
pub(super) fn admit(app: &App, route: &str, exchange: &Exchange) -> Result<Option<Standing>, Refusal> {
    if matches!(route, "/healthz" | "/readyz") {
        return Ok(None);
    }
    let Some(address) = exchange.origin.address else { return Ok(None) };
    let limiter = app.changing().limiter.clone();
    limiter.request(class(route), address, app.env.monotonic()).map_err(Refusal::TooManyRequests)
}

/// Asks whether whoever sent the request may try to prove that it is `client_id`: before its secret is looked at.
///
/// # Errors
/// [`Refusal::TooManyRequests`]
pub(super) fn attempt(app: &App, origin: &Origin, client_id: &str) -> Result<(), Refusal> {
    let Some(address) = origin.address else { return Ok(()) };
    app.changing().limiter.attempt(address, client_id, app.env.monotonic()).map_err(Refusal::TooManyRequests)
}

/// Notes that it has not proved it.
pub(super) fn failed(app: &App, origin: &Origin, client_id: &str) {
    if let Some(address) = origin.address {
        app.changing().limiter.failed(address, client_id, app.env.monotonic());
    }
}

/// Takes a request from the budget of a client that has proved itself.
///
/// # Errors
/// [`Refusal::TooManyRequests`]
pub(super) fn admit_client(app: &App, client_id: &str) -> Result<(), Refusal> {
    app.changing().limiter.request_of(client_id, app.env.monotonic()).map_err(Refusal::TooManyRequests)
}

/// Writes where a party stands.
pub(super) fn tell(standing: &Standing, headers: &mut HeaderMap) {
    let Standing { policy, quota, remaining, full_in } = standing;
    let fields = [
        (RATE_LIMIT_POLICY, format!("\"{policy}\";q={};w={}", quota.amount(), quota.window_secs())),
        (RATE_LIMIT, format!("\"{policy}\";r={remaining};t={full_in}")),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_has_its_class() {
        for route in ["/oauth/token", "/oauth/introspect", "/v1/tokens", "/v1/session", "/v1/session/refresh"] {
            assert_eq!(class(route), Class::Token, "{route}");
        }
        for route in ["/v1/revocations", "/v1/clients/{client_id}", "/v1/sessions", "/v1/audit", "/v1/tokenss"] {
            assert_eq!(class(route), Class::Management, "{route}");
        }
        for route in ["/revocations", "/.well-known/jwks.json", "/", "(none)", "/v1"] {
            assert_eq!(class(route), Class::Public, "{route}");
        }
    }

    #[test]
    fn where_a_party_stands_is_two_structured_fields() {
        let quota = crate::limits::Quota::new(30, std::time::Duration::from_secs(60)).expect("a limit");
        let mut headers = HeaderMap::new();
        tell(&Standing { policy: "failures", quota, remaining: 0, full_in: 58 }, &mut headers);
        assert_eq!(headers.get("ratelimit-policy"), Some(&HeaderValue::from_static("\"failures\";q=30;w=60")));
        assert_eq!(headers.get("ratelimit"), Some(&HeaderValue::from_static("\"failures\";r=0;t=58")));
    }
}
