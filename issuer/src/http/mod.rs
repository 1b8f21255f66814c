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
mod events;
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
mod status;
mod tokens;
mod v1_revocations;

use crate::env::{Env, NoEntropy};
use crate::operations::Issuer;
use crate::telemetry::RequestIds;
use bytes::Bytes;
use exchange::{Endpoint, Exchange};
use reply::{Answer, Refusal};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::{Filter, Reply};

/// What an operator chooses about the surface.
#[derive(Debug, Clone)]
pub struct Surface {
    /// Pages of these origins may call the token and the revocation endpoint.
    pub cors_origins: Vec<String>,
    /// From the end of a request head to the end of its body.
    pub body_timeout: Duration,
    /// Clients that may follow the revocation list at once.
    pub max_followers: usize,
}

/// What every endpoint may use.
struct App {
    issuer: Issuer,
    env: Env,
    request_ids: RequestIds,
    cors_origins: Vec<String>,
    body_timeout: Duration,
    metadata: Bytes,
    followers: Arc<Semaphore>,
}

/// Returns every route of the daemon, complete with the answer for a path that is none of them.
///
/// # Errors
/// [`NoEntropy`]: request ids begin with a random number.
pub fn routes(issuer: Issuer, env: Env, surface: Surface) -> Result<BoxedFilter<(impl Reply,)>, NoEntropy> {
    let request_ids = RequestIds::new(u32::from_be_bytes(env.random()?));
    let metadata = metadata::document(&issuer.settings().issuer);
    let Surface { cors_origins, body_timeout, max_followers } = surface;
    let followers = Arc::new(Semaphore::new(max_followers.min(Semaphore::MAX_PERMITS)));
    Ok(table(&Arc::new(App { issuer, env, request_ids, cors_origins, body_timeout, metadata, followers })))
}

/// A way to one endpoint; it rejects a path that is not its own and nothing else.
type Row = BoxedFilter<(Answer,)>;

fn table(app: &Arc<App>) -> Row {
    let rows = [
        row(app, &oauth_token::ENDPOINT, oauth_token::answer),
        row(app, &tokens::ENDPOINT, tokens::answer),
        row(app, &v1_revocations::ENDPOINT, v1_revocations::answer),
        row(app, &oauth_revoke::ENDPOINT, oauth_revoke::answer),
        row(app, &oauth_introspect::ENDPOINT, oauth_introspect::answer),
        row(app, &revocations::NEWEST, revocations::newest),
        row(app, &events::ENDPOINT, events::answer),
        row_below(app, "/revocations/since/", &revocations::SINCE, revocations::since),
        row_below(app, "/revocations/", &revocations::KEPT, revocations::kept),
        row(app, &status::ALL, status::all),
        row_below(app, "/status/", &status::EPOCH, status::epoch),
        row(app, &jwks::ENDPOINT, jwks::answer),
        row(app, &metadata::ENDPOINT, metadata::answer),
        row(app, &health::ALIVE, health::alive),
        row(app, &health::READY, health::ready),
        row(app, &console::PAGE, console::page),
        row_below(app, "/www/", &console::WWW, console::www),
        row_below(app, "/pkg/", &console::PKG, console::pkg),
    ];
    let nothing = row_below(app, "", &not_found::ENDPOINT, not_found::answer);
    rows.into_iter().rfold(nothing, |later, row| row.or(later).unify().boxed())
}

/// Answers the path that is `endpoint`'s route, byte for byte: a proxy's rules on paths hold here too.
fn row<H, F>(app: &Arc<App>, endpoint: &'static Endpoint, handle: H) -> Row
where
    H: Fn(Arc<App>, Exchange) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    let varying = move |path: &str| (path == endpoint.route).then(String::new);
    answered(app, varying, endpoint, move |app, exchange, _| handle(app, exchange))
}

/// Answers every path that begins with `prefix`; `handle` gets what follows it, as sent.
fn row_below<H, F>(app: &Arc<App>, prefix: &'static str, endpoint: &'static Endpoint, handle: H) -> Row
where
    H: Fn(Arc<App>, Exchange, String) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    answered(app, move |path| path.strip_prefix(prefix).map(str::to_owned), endpoint, handle)
}

fn answered<V, H, F>(app: &Arc<App>, varying: V, endpoint: &'static Endpoint, handle: H) -> Row
where
    V: Fn(&str) -> Option<String> + Clone + Send + Sync + 'static,
    H: Fn(Arc<App>, Exchange, String) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    let app = Arc::clone(app);
    let path = warp::path::full().and_then(move |path: FullPath| {
        let varying = varying(path.as_str());
        async move { varying.ok_or_else(warp::reject::not_found) }
    });
    let answer = move |varying, exchange| {
        let (app, handle) = (Arc::clone(&app), handle.clone());
        let asked = Arc::clone(&app);
        async move { exchange::answer(app, endpoint, exchange, |exchange| handle(asked, exchange, varying)).await }
    };
    path.and(exchange::extract()).then(answer).boxed()
}
