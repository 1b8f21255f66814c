//! `GET /metrics`, on a listener of its own: for the monitoring, and nobody else.

use super::reply::{self, Answer};
use crate::operations::Issuer;
use crate::telemetry::metrics::{MEDIA_TYPE, METRICS};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::{Filter, Reply};

/// Returns the routes of the listener for metrics: `GET /metrics`, and nothing else.
pub fn metrics_routes(issuer: Issuer) -> BoxedFilter<(impl Reply,)> {
    let path = warp::path::full().map(|path: FullPath| path.as_str() == "/metrics");
    warp::get().or(warp::head()).unify().and(path).then(move |found| answer(issuer.clone(), found)).boxed()
}

async fn answer(issuer: Issuer, found: bool) -> Answer {
    if !found {
        return reply::empty(StatusCode::NOT_FOUND);
    }
    let mut answer = reply::empty(StatusCode::OK);
    *answer.body_mut() = METRICS.text(&issuer.seen().await).into();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    answer
}
