//! The HTTP surface: the route table, and one file per endpoint.
//!
//! A route rejects only a path that is not its own. Whatever else is wrong becomes an answer inside the route, because a
//! rejection would go on to the routes behind it. `operations` decides; here requests are read and answers written.
//!
//! To add an endpoint: a file with its `ENDPOINT` and its `answer`, a line in [`routes`], the bad-input table of
//! `tests/e2e`, and the documentation of its codes.

mod client_auth;
mod console;
mod cors;
mod exchange;
mod health;
mod jwks;
mod metadata;
mod not_found;
mod oauth_introspect;
mod oauth_revoke;
mod oauth_token;
mod reply;
mod request;
mod revocations;
mod tokens;

use crate::env::{Env, NoEntropy};
use crate::operations::Issuer;
use crate::telemetry::RequestIds;
use bytes::Bytes;
use exchange::{Endpoint, Exchange};
use reply::{Answer, Refusal};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use warp::filters::BoxedFilter;
use warp::path::Tail;
use warp::{Filter, Reply};

/// What an operator chooses about the surface.
#[derive(Debug, Clone)]
pub struct Surface {
    /// Pages of these origins may call the token and the revocation endpoint.
    pub cors_origins: Vec<String>,
    /// From the end of a request head to the end of its body.
    pub body_timeout: Duration,
}

/// What every endpoint may use.
struct App {
    issuer: Issuer,
    env: Env,
    request_ids: RequestIds,
    cors_origins: Vec<String>,
    body_timeout: Duration,
    metadata: Bytes,
}

/// Returns every route of the daemon, complete with the answer for a path that is none of them.
///
/// # Errors
/// [`NoEntropy`]: request ids begin with a random number.
pub fn routes(issuer: Issuer, env: Env, surface: Surface) -> Result<BoxedFilter<(impl Reply,)>, NoEntropy> {
    let request_ids = RequestIds::new(u32::from_be_bytes(env.random()?));
    let metadata = metadata::document(&issuer.settings().issuer);
    let Surface { cors_origins, body_timeout } = surface;
    Ok(table(&Arc::new(App { issuer, env, request_ids, cors_origins, body_timeout, metadata })))
}

/// A way to one endpoint; it rejects a path that is not its own and nothing else.
type Row = BoxedFilter<(Answer,)>;

fn table(app: &Arc<App>) -> Row {
    let rows = [
        row(app, warp::path!("oauth" / "token").boxed(), &oauth_token::ENDPOINT, oauth_token::answer),
        row(app, warp::path!("v1" / "tokens").boxed(), &tokens::ENDPOINT, tokens::answer),
        row(app, warp::path!("oauth" / "revoke").boxed(), &oauth_revoke::ENDPOINT, oauth_revoke::answer),
        row(app, warp::path!("oauth" / "introspect").boxed(), &oauth_introspect::ENDPOINT, oauth_introspect::answer),
        row(app, warp::path!("revocations").boxed(), &revocations::NEWEST, revocations::newest),
        row_of(app, warp::path!("revocations" / String).boxed(), &revocations::KEPT, revocations::kept),
        row(app, warp::path!(".well-known" / "jwks.json").boxed(), &jwks::ENDPOINT, jwks::answer),
        row(
            app,
            warp::path!(".well-known" / "oauth-authorization-server").boxed(),
            &metadata::ENDPOINT,
            metadata::answer,
        ),
        row(app, warp::path!("healthz").boxed(), &health::ALIVE, health::alive),
        row(app, warp::path!("readyz").boxed(), &health::READY, health::ready),
        row(app, warp::path::end().boxed(), &console::PAGE, console::page),
        row_of(app, below("www"), &console::WWW, console::www),
        row_of(app, below("pkg"), &console::PKG, console::pkg),
    ];
    let nothing = row(app, warp::any().boxed(), &not_found::ENDPOINT, not_found::answer);
    rows.into_iter().rfold(nothing, |later, row| row.or(later).unify().boxed())
}

/// A path inside `folder`, as sent.
fn below(folder: &'static str) -> BoxedFilter<(String,)> {
    warp::path(folder).and(warp::path::tail()).map(|tail: Tail| tail.as_str().to_owned()).boxed()
}

/// Answers `path` with `handle`, as `endpoint` says.
fn row<H, F>(app: &Arc<App>, path: BoxedFilter<()>, endpoint: &'static Endpoint, handle: H) -> Row
where
    H: Fn(Arc<App>, Exchange) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    let path = path.map(String::new).boxed();
    row_of(app, path, endpoint, move |app, exchange, _| handle(app, exchange))
}

/// Answers `path` with `handle`, which also gets the part of the path that varies.
fn row_of<H, F>(app: &Arc<App>, path: BoxedFilter<(String,)>, endpoint: &'static Endpoint, handle: H) -> Row
where
    H: Fn(Arc<App>, Exchange, String) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    let app = Arc::clone(app);
    let answer = move |varying, exchange| {
        let (app, handle) = (Arc::clone(&app), handle.clone());
        let asked = Arc::clone(&app);
        async move { exchange::answer(app, endpoint, exchange, |exchange| handle(asked, exchange, varying)).await }
    };
    path.and(exchange::extract()).then(answer).boxed()
}
