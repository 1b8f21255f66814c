//! One request and its answer: what warp extracts, what every answer carries, and the one log line about it.

use super::App;
use super::cors::Cors;
use super::reply::{self, Answer, Code, Dialect, Malformed, Refusal};
use crate::audit::Origin;
use crate::server::Peer;
use crate::telemetry::field;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use tracing::Instrument as _;
use warp::{Buf, Filter, Rejection, Stream};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What one endpoint is, besides its path and its handler: a row of the route table.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The path as the documentation writes it; logs say this, never the path that was sent.
    pub(super) route: &'static str,
    /// What may be done there.
    pub(super) verb: Verb,
    /// How its refusals are written.
    pub(super) dialect: Dialect,
    /// Which pages of other origins may use it.
    pub(super) cors: Cors,
}

/// What may be done at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// GET, and therefore HEAD, whose body hyper leaves out.
    Read,
    /// POST.
    Act,
    /// Whatever it is, there is nothing.
    Any,
}

/// A request as handlers see it. The query string is not theirs: nothing is ever passed there.
pub(super) struct Exchange {
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Where it came from, for the audit log.
    pub(super) origin: Origin,
    method: Method,
    has_query: bool,
    peer: Option<Peer>,
}

/// The body of a request, not read yet.
pub(super) struct Body(Box<Poller>);

/// Asks warp's stream, whose type has no name, for the next chunk.
type Poller = dyn FnMut(&mut Context<'_>) -> Poll<Option<Chunk>> + Send;

/// Some bytes of a body, or why there will be no more.
type Chunk = Result<Bytes, warp::Error>;

impl Body {
    fn new<B: Buf>(stream: impl Stream<Item = Result<B, warp::Error>> + Send + 'static) -> Self {
        let mut stream = Box::pin(stream);
        let chunk = |mut chunk: B| chunk.copy_to_bytes(chunk.remaining());
        Self(Box::new(move |cx| stream.as_mut().poll_next(cx).map_ok(chunk)))
    }

    /// Returns the next bytes of the body, `None` at its end.
    pub(super) async fn next(&mut self) -> Option<Chunk> {
        std::future::poll_fn(|cx| (self.0)(cx)).await
    }
}

/// Extracts the request. It rejects nothing: a path that matched is answered by its endpoint, whatever was sent.
pub(super) fn extract() -> impl Filter<Extract = (Exchange,), Error = Rejection> + Clone {
    let has_query = warp::query::raw().map(|query: String| !query.is_empty()).or(warp::any().map(|| false)).unify();
    warp::method()
        .and(warp::header::headers_cloned())
        .and(has_query)
        .and(warp::ext::optional::<Peer>())
        .and(warp::body::stream().map(Body::new))
        .map(|method, headers, has_query, peer: Option<Peer>, body| {
            let origin = Origin { request: None, address: peer.map(|Peer(address)| address.ip()) };
            Exchange { headers, body, origin, method, has_query, peer }
        })
}

/// Returns what `handle` makes of the request, or why it was not asked; complete with the headers every answer has.
pub(super) async fn answer<F, H>(
    app: Arc<App>,
    endpoint: &'static Endpoint,
    mut exchange: Exchange,
    handle: H,
) -> Answer
where
    H: FnOnce(Exchange) -> F,
    F: Future<Output = Result<Answer, Refusal>>,
{
    let id = app.request_ids.next();
    exchange.origin.request = Some(id.clone());
    let began = app.env.monotonic();
    let (method, origin) = (exchange.method.clone(), exchange.headers.get(http::header::ORIGIN).cloned());
    let peer = exchange.peer.map(|Peer(address)| tracing::field::display(address));
    let span = tracing::info_span!(
        "request",
        { field::REQUEST } = id,
        { field::METHOD } = name(&method),
        { field::ROUTE } = endpoint.route,
        { field::PEER } = peer,
        { field::CLIENT } = tracing::field::Empty
    );
    async {
        let answered = judge(endpoint, exchange, handle).await;
        let mut answer = answered.unwrap_or_else(|refusal| reply::refuse(endpoint.dialect, &refusal));
        finish(&app, endpoint, &method, origin.as_ref(), &id, &mut answer);
        let code = answer.extensions().get::<Code>().map(|code| code.0);
        let micros = u64::try_from(app.env.monotonic().saturating_sub(began).as_micros()).unwrap_or(u64::MAX);
        let status = answer.status().as_u16();
        tracing::info!({ field::STATUS } = status, { field::CODE } = code, { field::MICROS } = micros, "answered");
        answer
    }
    .instrument(span)
    .await
}

async fn judge<F, H>(endpoint: &Endpoint, exchange: Exchange, handle: H) -> Result<Answer, Refusal>
where
    H: FnOnce(Exchange) -> F,
    F: Future<Output = Result<Answer, Refusal>>,
{
    let allowed = match endpoint.verb {
        Verb::Read => matches!(exchange.method, Method::GET | Method::HEAD),
        Verb::Act => exchange.method == Method::POST,
        Verb::Any => true,
    };
    if endpoint.cors != Cors::None && exchange.method == Method::OPTIONS {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    }
    if !allowed {
        return Err(Malformed::MethodNotAllowed.into());
    }
    if endpoint.verb == Verb::Act && exchange.has_query {
        return Err(Malformed::Query.into()); // RFC 6749 §2.3.1: parameters never in the request URI
    }
    handle(exchange).await
}

fn finish(
    app: &App,
    endpoint: &Endpoint,
    method: &Method,
    origin: Option<&HeaderValue>,
    id: &str,
    answer: &mut Answer,
) {
    if matches!(answer.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NO_CONTENT) {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allow(endpoint)));
    }
    endpoint.cors.apply(&app.cors_origins, endpoint.verb, method, origin, answer.headers_mut());
    answer.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(X_REQUEST_ID, id);
    }
}

/// Returns the method's name for the log; one that no standard has can be anything and is not repeated.
fn name(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("(other)")
}

fn allow(endpoint: &Endpoint) -> &'static str {
    match (endpoint.verb, endpoint.cors) {
        (Verb::Read, Cors::None) => "GET, HEAD",
        (Verb::Read, Cors::Anyone | Cors::Listed) => "GET, HEAD, OPTIONS",
        (Verb::Act, Cors::None) => "POST",
        (Verb::Act, Cors::Anyone | Cors::Listed) => "POST, OPTIONS",
        (Verb::Any, _) => "",
    }
}
