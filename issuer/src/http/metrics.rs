//! `GET /metrics`, on a listener of its own: for the monitoring, and nobody else.

use super::reply::{self, Answer};
use crate::error::NotReady;
use crate::operations::Issuer;
use crate::telemetry::metrics::{MEDIA_TYPE, METRICS, Seen};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use tokio::sync::watch;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::{Filter, Reply};

/// Returns the routes of the listener for metrics: `GET /metrics`, and nothing else. There is no issuer while the daemon
/// stands by.
pub fn metrics_routes(issuer: watch::Receiver<Option<Issuer>>) -> BoxedFilter<(impl Reply,)> {
    let path = warp::path::full().map(|path: FullPath| path.as_str() == "/metrics");
    warp::get().or(warp::head()).unify().and(path).then(move |found| answer(issuer.clone(), found)).boxed()
}

async fn answer(issuer: watch::Receiver<Option<Issuer>>, found: bool) -> Answer {
    if !found {
        return reply::empty(StatusCode::NOT_FOUND);
    }
    let mut answer = reply::empty(StatusCode::OK);
    let issuer = issuer.borrow().clone();
    let seen = match issuer {
        Some(issuer) => issuer.seen().await,
        None => Seen { not_ready: vec![NotReady::StandingBy.code()], ..Seen::default() },
    };
    *answer.body_mut() = METRICS.text(&seen).into();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    answer
}
