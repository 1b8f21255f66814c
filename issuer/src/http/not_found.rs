//! Every path that is no route.

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{Answer, Dialect, Malformed, Refusal};
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "(none)", verb: Verb::Any, dialect: Dialect::Problem, cors: Cors::None };

/// Answers 404, whatever the method.
pub(super) async fn answer(_app: Arc<App>, _exchange: Exchange, _path: String) -> Result<Answer, Refusal> {
    Err(Malformed::NotFound.into())
}
