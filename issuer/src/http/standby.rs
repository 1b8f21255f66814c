//! What a daemon answers that stands by: it lives, it is not ready, and why.

use super::reply::{self, Answer};
use crate::env::{Env, NoEntropy};
use crate::error::NotReady;
use crate::telemetry::RequestIds;
use http::header::{CACHE_CONTROL, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::watch;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::{Filter, Reply};

/// Returns the routes of a daemon that waits for another: 200 at `/healthz`, 503 with the reason everywhere else. `told` says
/// whom it waits for.
///
/// # Errors
/// [`NoEntropy`] when requests cannot be named.
pub fn standby_routes(told: watch::Receiver<String>, env: Env) -> Result<BoxedFilter<(impl Reply,)>, NoEntropy> {
    let names = Arc::new(RequestIds::new(u32::from_be_bytes(env.random()?)));
    let named = move |path: FullPath| {
        let mut answer = answer(path.as_str(), &told.borrow());
        if let Ok(name) = HeaderValue::from_str(&names.next()) {
            answer.headers_mut().insert("x-request-id", name);
        }
        answer
    };
    Ok(warp::path::full().map(named).boxed())
}

fn answer(path: &str, detail: &str) -> Answer {
    let mut answer = if path == "/healthz" { reply::json(&json!({"status": "ok"})) } else { not_ready(detail) };
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

fn not_ready(detail: &str) -> Answer {
    let reason = json!({"code": NotReady::StandingBy.code(), "detail": detail});
    let body = json!({
        "type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "not_ready",
        "detail": "the issuer is not ready", "reasons": [reason]
    });
    let mut answer = reply::text(StatusCode::SERVICE_UNAVAILABLE, "application/problem+json", body.to_string());
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}
