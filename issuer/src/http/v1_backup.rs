//! `POST /v1/backup`: everything, encrypted, for administrators.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use super::request::{self, JSON, Members};
use crate::operations::Backup;
use crate::server::{Next, Source, Takeover};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/v1/backup", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };

/// Answers the backup piece by piece, as fast as the client takes it. One that could not be made whole has no end mark.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Members::parse(&body)?.finish()?;
    let backup = app.issuer.backup(&client).await?;
    let mut answer = reply::empty(StatusCode::OK);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    answer.extensions_mut().insert(Takeover::new(Pieces(backup)));
    Ok(answer)
}

struct Pieces(Backup);

impl Source for Pieces {
    fn next(&mut self) -> Next<'_> {
        Box::pin(async {
            self.0.next().await.unwrap_or_else(|error| {
                tracing::error!(%error, "a backup was not made whole");
                None
            })
        })
    }
}
