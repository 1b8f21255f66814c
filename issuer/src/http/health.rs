//! `GET /healthz` and `GET /readyz`: for whoever restarts the daemon and whoever sends it traffic.

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const ALIVE: Endpoint =
    Endpoint { route: "/healthz", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::None };

pub(super) const READY: Endpoint =
    Endpoint { route: "/readyz", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::None };

/// Answers 200 as long as the process answers at all.
pub(super) async fn alive(_app: Arc<App>, _exchange: Exchange) -> Result<Answer, Refusal> {
    Ok(reply::json(&json!({"status": "ok"})))
}

/// Answers 200 when every promise can be kept, else 503 with each reason.
pub(super) async fn ready(app: Arc<App>, _exchange: Exchange) -> Result<Answer, Refusal> {
    let reasons = app.issuer.readiness();
    if reasons.is_empty() {
        return Ok(reply::json(&json!({"status": "ready"})));
    }
    let told: Vec<Value> =
        reasons.iter().map(|reason| json!({"code": reason.code(), "detail": reason.to_string()})).collect();
    let body = json!({
        "type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "not_ready",
        "detail": "the issuer is not ready", "reasons": told
    });
    Ok(reply::text(StatusCode::SERVICE_UNAVAILABLE, "application/problem+json", body.to_string()))
}
