//! What a daemon does that stands by: it passes requests on to the one that has the right to write, and answers them itself once
//! it has it.
//!
//! ```text
//! /healthz, /readyz ─► here                 Behind(holder): passing ─► upstream ─► the holder     kept: public documents, when it is gone
//! everything else ──► standing? ─┤
//!                                           Over(routes): this daemon has taken over, and answers
//! ```
//!
//! A request is passed on once: one that another daemon has passed on already is refused.

mod fields;
mod kept;
mod passing;
mod silence;
mod warm;

use super::exchange::{self, Exchange, X_REQUEST_ID};
use super::reply::{self, Answer, Dialect, Elsewhere, Refusal};
use super::{Changing, Routes, request};
use crate::env::{Env, NoEntropy};
use crate::error::NotReady;
use crate::forwarding::{Forwarded, ForwardingKey};
use crate::server::Upstream;
use crate::telemetry::{RequestIds, field};
use http::header::{CACHE_CONTROL, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use passing::{Asked, Passing, marked};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Reply};

/// Who has the right to write, as far as a daemon knows that has stood by.
#[derive(Clone)]
pub enum Standing {
    /// Another daemon.
    Behind(Holder),
    /// This one: these are its routes.
    Over(Routes),
}

/// The daemon that has the right to write.
#[derive(Clone)]
pub struct Holder {
    /// As it calls itself.
    pub name: String,
    /// Which holder it is; the number grows with each.
    pub term: i64,
    /// How it is reached; `None` when it has told nobody.
    pub upstream: Option<Arc<Upstream>>,
}

/// What standing by needs.
pub struct Standby {
    /// For whom.
    pub standing: watch::Receiver<Standing>,
    /// As this daemon calls itself.
    pub name: String,
    /// What it says for whom it passes requests on with.
    pub forwarding: Arc<ForwardingKey>,
    /// As in [`Surface`](super::Surface).
    pub secure: bool,
    /// Whom it believes for whom they speak.
    pub changing: watch::Receiver<Arc<Changing>>,
    /// From the end of a request head to the end of its body.
    pub body_timeout: Duration,
    /// How long a request waits for a daemon that has the right to write.
    pub patience: Duration,
    /// How many wait at once.
    pub max_waiting: usize,
}

/// Returns the routes of a daemon that stands by, and what keeps public documents meanwhile, for as long as it is polled.
///
/// # Errors
/// [`NoEntropy`] when requests cannot be named.
pub fn standby_routes(
    standby: Standby,
    env: Env,
) -> Result<(BoxedFilter<(impl Reply,)>, impl Future<Output = ()> + Send), NoEntropy> {
    let ids = RequestIds::new(u32::from_be_bytes(env.random()?));
    let passing = Arc::new(Passing::new(standby, env));
    let warm = warm::keep(Arc::clone(&passing));
    let desk = Arc::new(Desk { passing, ids });
    let routes = exchange::extract().then(move |exchange| answered(Arc::clone(&desk), exchange)).boxed();
    Ok((routes, warm))
}

struct Desk {
    passing: Arc<Passing>,
    ids: RequestIds,
}

/// Who sent a request, and under which name it is known.
struct Sender {
    address: Option<IpAddr>,
    id: String,
    is_trusted: bool,
    is_forwarded: bool,
}

/// Answers, and tells the log.
async fn answered(desk: Arc<Desk>, exchange: Exchange) -> Response {
    let env = &desk.passing.env;
    let began = env.monotonic();
    let sender = sender(&desk, &exchange);
    let (id, method) = (sender.id.clone(), exchange.method.clone());
    let peer = exchange.peer.map(|crate::server::Peer(address)| tracing::field::display(address));
    let mut answer = answer(&desk.passing, exchange, sender).await;
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.entry(X_REQUEST_ID).or_insert(id);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if desk.passing.standby.secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, exchange::A_YEAR_OF_TLS);
    }
    let micros = u64::try_from(env.monotonic().saturating_sub(began).as_micros()).unwrap_or(u64::MAX);
    tracing::info!(
        { field::REQUEST } = id,
        { field::METHOD } = exchange::name(&method),
        { field::PEER } = peer,
        { field::STATUS } = answer.status().as_u16(),
        { field::MICROS } = micros,
        "answered while standing by"
    );
    answer
}

fn sender(desk: &Desk, exchange: &Exchange) -> Sender {
    let Passing { standby, env, .. } = &*desk.passing;
    let changing = standby.changing.borrow().clone();
    let is_trusted = exchange.peer.is_some_and(|peer| changing.proxies.trusts(peer.0.ip()));
    let forwarded = exchange.forwarded(Some(&*standby.forwarding), env.now());
    let is_forwarded = forwarded.is_some();
    let (address, given) = match forwarded {
        Some(Forwarded { address, .. }) => (Some(address), exchange::given_id(&exchange.headers)),
        None => exchange::told(&changing, exchange),
    };
    Sender { address, id: given.unwrap_or_else(|| desk.ids.next()), is_trusted, is_forwarded }
}

async fn answer(passing: &Passing, exchange: Exchange, sender: Sender) -> Response {
    let path = exchange.path();
    match path {
        "/healthz" => reply::json(&json!({"status": "ok"})).into_response(),
        "/readyz" if !sender.is_forwarded => ready(passing, exchange, sender).await,
        _ => {
            let dialect = dialect(path);
            let refused = |refusal: Refusal| reply::refuse(dialect, &refusal).into_response();
            match asked(exchange, sender, passing.standby.body_timeout).await {
                Ok(asked) => match passing.pass(asked).await {
                    Ok(answer) => answer,
                    Err(Elsewhere::NotSent) => marked(refused(Elsewhere::NotSent.into())),
                    Err(Elsewhere::Lost) => refused(Elsewhere::Lost.into()),
                },
                Err(refusal) => refused(refusal),
            }
        }
    }
}

/// Returns how refusals are written at a path.
fn dialect(path: &str) -> Dialect {
    if path.starts_with("/oauth/") { Dialect::OAuth } else { Dialect::Problem }
}

/// Reads the request to its end, so that it can be sent again when none of it was, or answered here.
async fn asked(exchange: Exchange, sender: Sender, limit: Duration) -> Result<Asked, Refusal> {
    exchange.has_good_head()?;
    let target = exchange.target();
    let Exchange { headers, body, method, peer, .. } = exchange;
    let body = request::whole(&headers, body, limit).await?;
    Ok(Asked { method, target, headers, body: bytes::Bytes::from_owner(body), peer, sender })
}

/// Answers 200 when the daemon that has the database says that it is ready, else 503 with the reason.
async fn ready(passing: &Passing, exchange: Exchange, sender: Sender) -> Response {
    let standing = passing.standby.standing.borrow().clone();
    let holder = match standing {
        Standing::Behind(holder) => holder,
        Standing::Over(_) => {
            let asked = asked(exchange, sender, passing.standby.body_timeout).await;
            return match asked {
                Ok(asked) => {
                    passing.pass(asked).await.unwrap_or_else(|_| not_ready("it is taking over").into_response())
                }
                Err(refusal) => reply::refuse(Dialect::Problem, &refusal).into_response(),
            };
        }
    };
    let name = &holder.name;
    let stands_by = format!("this daemon stands by for {name}, which has the database");
    match passing.asks_whether_ready(&holder).await {
        Some(StatusCode::OK) => reply::json(&json!({"status": "standing_by", "holder": name})).into_response(),
        Some(_) => not_ready(&format!("{stands_by} and is not ready")).into_response(),
        None if holder.upstream.is_none() => {
            not_ready(&format!("{stands_by} and does not say where it is (store.advertise)")).into_response()
        }
        None => not_ready(&format!("{stands_by} and does not answer")).into_response(),
    }
}

/// What a daemon answers that cannot pass a request of `GET /readyz` on, or has nobody to pass it on to.
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

#[cfg(test)]
mod tests {
    use super::super::{oauth_introspect, oauth_revoke, oauth_token, revocations, tokens, v1_session};
    use super::*;

    #[test]
    fn refusals_are_written_as_the_endpoint_itself_writes_them() {
        let endpoints = [
            &oauth_token::ENDPOINT,
            &oauth_revoke::ENDPOINT,
            &oauth_introspect::ENDPOINT,
            &tokens::ENDPOINT,
            &v1_session::ENDPOINT,
            &revocations::NEWEST,
        ];
        for endpoint in endpoints {
            assert_eq!(dialect(endpoint.route), endpoint.dialect, "{}", endpoint.route);
        }
    }
}
