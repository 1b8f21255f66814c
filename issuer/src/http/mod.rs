//! The HTTP surface: the route table, and one file per endpoint.
//!
//! A route rejects only a path that is not its own. Whatever else is wrong becomes an answer inside the route, because a
//! rejection would go on to the routes behind it. `operations` decides; here requests are read and answers written.
//!
//! To add an endpoint: a file with its `ENDPOINT` and its `answer`, a line in `table`, the bad-input table of
//! `tests/e2e`, its description in `openapi`, and the documentation of its codes. Several methods at one path, or names in the path, are a `resource`.

mod changing;
mod client_auth;
mod console;
mod cookies;
mod cors;
mod events;
mod exchange;
mod forwarded;
mod health;
mod inside;
mod jwks;
mod limit;
mod metadata;
mod metrics;
mod not_found;
mod oauth_introspect;
mod oauth_revoke;
mod oauth_token;
mod openapi;
mod reply;
mod request;
mod revocations;
mod route;
mod standby;
mod status;
mod tokens;
mod user_auth;
mod v1_audit;
mod v1_backup;
mod v1_client_secrets;
mod v1_clients;
mod v1_keys;
mod v1_revocations;
mod v1_session;
mod v1_session_logout;
mod v1_session_password;
mod v1_session_refresh;
mod v1_session_sessions;
mod v1_sessions;
mod v1_users;

pub use changing::Changing;
pub use inside::Inside;
pub use metrics::metrics_routes;
pub use standby::{Holder, Standby, Standing, standby_routes};

use crate::config::Cookies;
use crate::env::{Env, NoEntropy};
use crate::forwarding::ForwardingKey;
use crate::limits::Places;
use crate::operations::Issuer;
use crate::telemetry::RequestIds;
use bytes::Bytes;
use cookies::Keeper;
use http::Response;
use route::{Row, Way, on, resource, row, row_below};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use warp::Filter;
use warp::filters::BoxedFilter;

/// What an operator chooses about the surface.
#[derive(Clone)]
pub struct Surface {
    /// What may change while the daemon runs, as it is now.
    pub changing: watch::Receiver<Arc<Changing>>,
    /// Clients reach the daemon over TLS, and browsers shall never try otherwise.
    pub secure: bool,
    /// From the end of a request head to the end of its body.
    pub body_timeout: Duration,
    /// Clients that may follow the revocation list at once.
    pub max_followers: usize,
    /// How many of them may be of one network; 0: all.
    pub max_followers_per_address: usize,
    /// How browsers keep the tokens of a login.
    pub cookies: Cookies,
    /// What daemons that stand by say for whom they pass requests on with; `None` where there are none.
    pub forwarding: Option<Arc<ForwardingKey>>,
}

/// Every route of a daemon.
pub type Routes = BoxedFilter<(Response<Bytes>,)>;

/// What every endpoint may use.
struct App {
    issuer: Issuer,
    env: Env,
    request_ids: RequestIds,
    changing: watch::Receiver<Arc<Changing>>,
    secure: bool,
    body_timeout: Duration,
    metadata: Bytes,
    followers: Places,
    keeper: Keeper,
    forwarding: Option<Arc<ForwardingKey>>,
    /// The client that every request is of, for [`Inside`]; `None` over a socket, where each proves who it is.
    operator: Option<String>,
}

impl App {
    /// Returns what may change, as it is now.
    fn changing(&self) -> Arc<Changing> {
        Arc::clone(&self.changing.borrow())
    }
}

/// Returns every route of the daemon, complete with the answer for a path that is none of them.
///
/// # Errors
/// [`NoEntropy`]: request ids begin with a random number.
pub fn routes(issuer: Issuer, env: Env, surface: Surface) -> Result<Routes, NoEntropy> {
    Ok(table(&app(issuer, env, surface, None)?))
}

fn app(issuer: Issuer, env: Env, surface: Surface, operator: Option<String>) -> Result<Arc<App>, NoEntropy> {
    let request_ids = RequestIds::new(u32::from_be_bytes(env.random()?));
    let metadata = metadata::document(&issuer.settings().issuer);
    let Surface { changing, secure, body_timeout, max_followers, max_followers_per_address, cookies, forwarding } =
        surface;
    let keeper = Keeper::new(cookies, &issuer.settings().issuer);
    let followers = Places::new(max_followers, max_followers_per_address);
    Ok(Arc::new(App {
        issuer,
        env,
        request_ids,
        changing,
        secure,
        body_timeout,
        metadata,
        followers,
        keeper,
        forwarding,
        operator,
    }))
}

fn table(app: &Arc<App>) -> Way {
    let nothing = row_below(app, "", &not_found::ENDPOINT, not_found::answer);
    rows(app).into_iter().rfold(nothing.way, |later, row| row.way.or(later).unify().boxed())
}

fn rows(app: &Arc<App>) -> Vec<Row> {
    vec![
        row(app, &oauth_token::ENDPOINT, oauth_token::answer),
        row(app, &tokens::ENDPOINT, tokens::answer),
        row(app, &v1_revocations::ENDPOINT, v1_revocations::answer),
        row(app, &v1_audit::LIST, v1_audit::list),
        resource(app, vec![on(&v1_clients::LIST, v1_clients::list), on(&v1_clients::CREATE, v1_clients::create)]),
        resource(
            app,
            vec![
                on(&v1_clients::READ, v1_clients::read),
                on(&v1_clients::CHANGE, v1_clients::change),
                on(&v1_clients::REMOVE, v1_clients::remove),
            ],
        ),
        resource(app, vec![on(&v1_client_secrets::ROTATE, v1_client_secrets::rotate)]),
        resource(app, vec![on(&v1_client_secrets::REMOVE, v1_client_secrets::remove)]),
        row(app, &v1_backup::ENDPOINT, v1_backup::answer),
        row(app, &v1_keys::LIST, v1_keys::list),
        row(app, &v1_keys::ROTATE, v1_keys::rotate),
        row(app, &v1_keys::IMPORT, v1_keys::import),
        row(app, &v1_sessions::LIST, v1_sessions::list),
        row(app, &v1_sessions::REVOKE, v1_sessions::revoke),
        resource(app, vec![on(&v1_sessions::SHOW, v1_sessions::show), on(&v1_sessions::END, v1_sessions::end)]),
        row(app, &v1_session::ENDPOINT, v1_session::answer),
        row(app, &v1_session_refresh::ENDPOINT, v1_session_refresh::answer),
        row(app, &v1_session_logout::ENDPOINT, v1_session_logout::answer),
        row(app, &v1_session_password::CHANGE, v1_session_password::change),
        row(app, &v1_session_password::RESET, v1_session_password::reset),
        row(app, &v1_session_sessions::LIST, v1_session_sessions::list),
        row(app, &v1_session_sessions::REVOKE, v1_session_sessions::revoke),
        resource(app, vec![on(&v1_users::LIST, v1_users::list), on(&v1_users::CREATE, v1_users::create)]),
        resource(
            app,
            vec![
                on(&v1_users::SHOW, v1_users::show),
                on(&v1_users::AMEND, v1_users::amend),
                on(&v1_users::DELETE, v1_users::delete),
            ],
        ),
        resource(app, vec![on(&v1_users::RESET_CODE, v1_users::reset_code)]),
        row(app, &v1_keys::REWRAP, v1_keys::rewrap),
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
        row(app, &openapi::ENDPOINT, openapi::answer),
        row(app, &health::ALIVE, health::alive),
        row(app, &health::READY, health::ready),
        row(app, &console::PAGE, console::page),
        row_below(app, "/www/", &console::WWW, console::www),
        row_below(app, "/pkg/", &console::PKG, console::pkg),
    ]
}
