//! One request and its answer: what warp extracts, what every answer carries, and the one log line about it.

use super::cors::Cors;
use super::forwarded::client_address;
use super::limit;
use super::reply::{self, Answer, Code, Dialect, Malformed, Refusal};
use super::request::{self, Form};
use super::{App, Changing};
use crate::audit::Origin;
use crate::forwarding::{self, Forwarded, ForwardingKey};
use crate::server::{BadHead, Peer};
use crate::telemetry::field;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::traces::RequestSpan;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use token::time::UnixTime;
use tracing::Instrument as _;
use warp::path::FullPath;
use warp::{Buf, Filter, Rejection, Stream};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// RFC 6797. Not of subdomains: they are not ours to decide about.
pub(super) const A_YEAR_OF_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

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
    /// GET, and therefore HEAD, whose body `server` leaves out.
    Read,
    /// GET with parameters in the query: those of these names, each at most once.
    Ask(&'static [&'static str]),
    /// POST.
    Act,
    /// PATCH.
    Change,
    /// DELETE.
    Remove,
    /// Whatever it is, there is nothing.
    Any,
}

impl Verb {
    /// True when this is what `method` does.
    fn admits(self, method: &Method) -> bool {
        match self {
            Self::Read | Self::Ask(_) => matches!(*method, Method::GET | Method::HEAD),
            Self::Act => *method == Method::POST,
            Self::Change => *method == Method::PATCH,
            Self::Remove => *method == Method::DELETE,
            Self::Any => true,
        }
    }

    /// Returns the methods, as `Allow` lists them.
    pub(super) fn methods(self) -> &'static str {
        match self {
            Self::Read | Self::Ask(_) => "GET, HEAD",
            Self::Act => "POST",
            Self::Change => "PATCH",
            Self::Remove => "DELETE",
            Self::Any => "",
        }
    }
}

/// A request as handlers see it.
pub(super) struct Exchange {
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Where it came from, for the audit log.
    pub(super) origin: Origin,
    /// What [`Verb::Ask`] admits of the query; nothing is ever passed there to other endpoints.
    pub(super) query: Form,
    pub(super) method: Method,
    pub(super) peer: Option<Peer>,
    path: FullPath,
    raw_query: String,
    bad_head: Option<BadHead>,
    /// Another daemon of this database has passed the request on.
    is_forwarded: bool,
}

impl Exchange {
    /// Returns the path as it was sent.
    pub(super) fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Refuses a request whose head was none that HTTP knows.
    pub(super) fn has_good_head(&self) -> Result<(), Refusal> {
        self.bad_head.map_or(Ok(()), |BadHead(fault)| Err(Malformed::Head(fault).into()))
    }

    /// Returns path and query as they were sent, but for a question mark with nothing behind it.
    pub(super) fn target(&self) -> String {
        let mark = if self.raw_query.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path.as_str(), self.raw_query)
    }

    /// Returns what a daemon with this key says of a request that it has passed on; `None` for one from outside.
    pub(super) fn forwarded(&self, key: Option<&ForwardingKey>, now: UnixTime) -> Option<Forwarded> {
        let field = self.headers.get(forwarding::FIELD)?.to_str().ok()?;
        key?.opened(field, self.method.as_str(), &self.target(), now)
    }

    /// Returns the client's address where a proxy has told it.
    fn spoken_for(&self) -> Option<IpAddr> {
        let peer = self.peer.map(|Peer(address)| address.ip().to_canonical());
        self.origin.address.filter(|address| Some(*address) != peer)
    }
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
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and(query)
        .and(warp::ext::optional::<Peer>())
        .and(warp::ext::optional::<BadHead>())
        .and(warp::body::stream().map(Body::new))
        .map(|method, path, headers, raw_query, peer: Option<Peer>, bad_head, body| {
            let origin = Origin { request: None, address: peer.map(|Peer(address)| address.ip()) };
            let query = Form::default();
            Exchange { headers, body, origin, query, method, peer, path, raw_query, bad_head, is_forwarded: false }
        })
}

/// Returns what `handle` makes of the request, or why it was not asked; complete with the headers every answer has.
///
/// `offered` are the endpoints of the path, one for each verb, all with the same route, dialect and rule of CORS; `handle`
/// is told which of them the method has chosen.
pub(super) async fn answer<F, H>(
    app: Arc<App>,
    offered: &[&'static Endpoint],
    mut exchange: Exchange,
    handle: H,
) -> Answer
where
    H: FnOnce(usize, Exchange) -> F,
    F: Future<Output = Result<Answer, Refusal>>,
{
    let Some(endpoint) = offered.first().copied() else { return reply::empty(StatusCode::NOT_FOUND) };
    let changing = app.changing();
    let id = identify(&app, &changing, &mut exchange);
    let began = app.env.monotonic();
    let (method, origin) = (exchange.method.clone(), exchange.headers.get(http::header::ORIGIN).cloned());
    let peer = exchange.peer.map(|Peer(address)| tracing::field::display(address));
    let span = tracing::info_span!(
        "request",
        { field::REQUEST } = id,
        { field::METHOD } = name(&method),
        { field::ROUTE } = endpoint.route,
        { field::PEER } = peer,
        { field::ADDRESS } = exchange.spoken_for().map(tracing::field::display),
        { field::CLIENT } = tracing::field::Empty
    );
    let traced = trace(endpoint, &changing, &exchange, &id);
    async {
        let mut standing = None;
        let answered = match limit::admit(&app, endpoint.route, &exchange) {
            Ok(admitted) => {
                standing = admitted;
                judge(offered, endpoint.cors, exchange, handle).await
            }
            Err(refusal) => Err(refusal),
        };
        let mut answer = answered.unwrap_or_else(|refusal| reply::refuse(endpoint.dialect, &refusal));
        if let (Some(standing), false) = (standing, answer.status() == StatusCode::TOO_MANY_REQUESTS) {
            limit::tell(&standing, answer.headers_mut());
        }
        finish(&app, &changing, offered, &method, origin.as_ref(), &id, &mut answer);
        let code = answer.extensions().get::<Code>().map(|code| code.0);
        let took = app.env.monotonic().saturating_sub(began);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let status = answer.status().as_u16();
        METRICS.answered(endpoint.route, status, took);
        traced.answered(status, code);
        tracing::info!({ field::STATUS } = status, { field::CODE } = code, { field::MICROS } = micros, "answered");
        answer
    }
    .instrument(span)
    .instrument(traced.span())
    .await
}

/// Begins the span of the request. It goes on with the trace of a trusted proxy or another daemon and nobody else's: whoever is
/// asked to keep a trace spends memory and the collector's space on it, and traces are the operator's.
fn trace(endpoint: &Endpoint, changing: &Changing, exchange: &Exchange, id: &str) -> RequestSpan {
    let traced = RequestSpan::begin(name(&exchange.method), endpoint.route, id);
    if exchange.is_forwarded || exchange.peer.is_some_and(|Peer(address)| changing.proxies.trusts(address.ip())) {
        traced.continues(&exchange.headers);
    }
    traced
}

/// Notes for whom the request came, and returns its id: the one that another daemon or a trusted proxy has given it, or a new one.
fn identify(app: &App, changing: &Changing, exchange: &mut Exchange) -> String {
    let forwarded = exchange.forwarded(app.forwarding.as_deref(), app.env.now());
    exchange.is_forwarded = forwarded.is_some();
    let (address, given) = match forwarded {
        Some(forwarded) => (Some(forwarded.address), given_id(&exchange.headers)),
        None => told(changing, exchange),
    };
    exchange.origin.address = address;
    let id = given.unwrap_or_else(|| app.request_ids.next());
    exchange.origin.request = Some(id.clone());
    id
}

/// Returns the client's address, and the id that a trusted proxy has given the request.
pub(super) fn told(changing: &Changing, exchange: &Exchange) -> (Option<IpAddr>, Option<String>) {
    let peer = exchange.peer.map(|Peer(address)| address.ip());
    let Changing { proxies, forwarded_header, .. } = changing;
    let address = peer.map(|peer| client_address(peer, &exchange.headers, *forwarded_header, proxies));
    (address, peer.filter(|peer| proxies.trusts(*peer)).and_then(|_| given_id(&exchange.headers)))
}

/// Returns the id in `X-Request-Id` if it is one that a log line can carry: 1 to 64 letters, digits and `-._~`.
pub(super) fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
}

async fn judge<F, H>(
    offered: &[&'static Endpoint],
    cors: Cors,
    mut exchange: Exchange,
    handle: H,
) -> Result<Answer, Refusal>
where
    H: FnOnce(usize, Exchange) -> F,
    F: Future<Output = Result<Answer, Refusal>>,
{
    exchange.has_good_head()?;
    if cors != Cors::None && exchange.method == Method::OPTIONS {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    }
    let chosen = offered.iter().enumerate().find(|(_, endpoint)| endpoint.verb.admits(&exchange.method));
    let (place, endpoint) = chosen.ok_or(Malformed::MethodNotAllowed)?;
    match endpoint.verb {
        Verb::Ask(names) => exchange.query = request::query(&exchange.raw_query, names)?,
        Verb::Act | Verb::Change | Verb::Remove if !exchange.raw_query.is_empty() => {
            return Err(Malformed::Query.into()); // RFC 6749 §2.3.1: parameters never in the request URI
        }
        Verb::Read | Verb::Act | Verb::Change | Verb::Remove | Verb::Any => {}
    }
    handle(place, exchange).await
}

fn finish(
    app: &App,
    changing: &Changing,
    offered: &[&'static Endpoint],
    method: &Method,
    origin: Option<&HeaderValue>,
    id: &str,
    answer: &mut Answer,
) {
    let cors = offered.first().map_or(Cors::None, |endpoint| endpoint.cors);
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED || *method == Method::OPTIONS {
        let options = (cors != Cors::None).then_some("OPTIONS");
        let methods: Vec<&str> = offered.iter().map(|endpoint| endpoint.verb.methods()).chain(options).collect();
        let allow = HeaderValue::from_str(&methods.join(", ")).ok().filter(|allow| !allow.is_empty());
        allow.into_iter().for_each(|allow| drop(answer.headers_mut().insert(ALLOW, allow)));
    }
    cors.apply(&changing.cors_origins, offered, method, origin, answer.headers_mut());
    answer.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if app.secure {
        answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, A_YEAR_OF_TLS);
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(X_REQUEST_ID, id);
    }
}

/// Returns the method's name for the log; one that no standard has can be anything and is not repeated.
pub(super) fn name(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("(other)")
}
