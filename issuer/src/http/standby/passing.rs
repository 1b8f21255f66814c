//! Passing one request on: to the daemon that has the right to write, to the next one when it goes away, or to this one.
//!
//! What was not sent may be sent again, and waits for somebody who has the right to write. Of what was sent and not answered
//! nobody knows whether it took place: a GET is sent once more, and everything else is told so.

use super::super::exchange::X_REQUEST_ID;
use super::super::reply::Elsewhere;
use super::kept::{Kept, MAX_DOCUMENT, Name};
use super::silence::Silence;
use super::{Holder, Sender, Standby, Standing, fields};
use crate::env::Env;
use crate::forwarding::{self, Forwarded};
use crate::server::{Peer, Unanswered, Upstream};
use crate::telemetry::metrics::METRICS;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::header::VIA;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyDataStream, BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};
use warp::Reply as _;

/// How long a daemon that has taken a request may take to answer, beyond the time that it waits for its database.
const ANSWERING: Duration = Duration::from_secs(30);
/// How long one may take for a public document that is kept here, and for whether it is ready.
pub(super) const PROMPT: Duration = Duration::from_secs(1);
/// How often a daemon that was not reached is tried again, unless there is another one before.
const AGAIN: Duration = Duration::from_millis(250);
/// What a daemon says with a refusal because it has not the right to write: the request may be sent to another.
const STANDING_BY: HeaderName = HeaderName::from_static("countersign-standing-by");

/// A request that was read to its end.
pub(super) struct Asked {
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) peer: Option<Peer>,
    pub(super) sender: Sender,
}

/// What passes requests on.
pub(super) struct Passing {
    pub(super) standby: Standby,
    pub(super) env: Env,
    pub(super) kept: Kept,
    places: Semaphore,
    silence: Silence,
}

impl Passing {
    pub(super) fn new(standby: Standby, env: Env) -> Self {
        let places = Semaphore::new(standby.max_waiting.min(Semaphore::MAX_PERMITS));
        Self { standby, env, kept: Kept::default(), places, silence: Silence::default() }
    }

    /// Returns the answer of whoever has the right to write by the time that one is reached.
    ///
    /// # Errors
    /// [`Elsewhere`]
    pub(super) async fn pass(&self, asked: Asked) -> Result<warp::reply::Response, Elsewhere> {
        let is_safe = matches!(asked.method, Method::GET | Method::HEAD);
        let path = asked.target.split('?').next().unwrap_or_default();
        let name = if is_safe { Name::of(path, &asked.headers) } else { None };
        let kept = || name.as_ref().and_then(|name| self.kept.answer(name, &asked.headers, self.env.monotonic()));
        let mut standing = self.standby.standing.clone();
        let patience = sleep(self.standby.patience);
        tokio::pin!(patience);
        let (mut may_be_sent_again, mut place) = (is_safe, None);
        loop {
            let now = standing.borrow_and_update().clone();
            let holder = match now {
                Standing::Over(routes) => {
                    METRICS.forwarded("here");
                    // A task of its own: warp's routes do not run inside of other routes of warp's.
                    return tokio::spawn(here(routes, asked)).await.map_err(|_| Elsewhere::Lost);
                }
                Standing::Behind(_) if asked.sender.is_forwarded => return Err(Elsewhere::NotSent),
                Standing::Behind(holder) => holder,
            };
            let Some(upstream) = &holder.upstream else { return Err(self.unreachable()) };
            let prompt = kept().map(|_| PROMPT);
            let tried = self.attempt(upstream, &holder, &asked, prompt).await;
            self.silence.note(&holder, tried.as_ref().err());
            let fault = match tried {
                Ok(answer) => return Ok(self.passed(answer, &holder, name).await),
                Err(fault) => fault,
            };
            if let Some(answer) = kept() {
                METRICS.forwarded("kept");
                return Ok(answer.into_response());
            }
            match fault {
                Unanswered::NotSent(_) => {}
                Unanswered::Unknown(_) if may_be_sent_again => may_be_sent_again = false,
                Unanswered::Unknown(_) => {
                    METRICS.forwarded("lost");
                    return Err(Elsewhere::Lost);
                }
            }
            if place.is_none() {
                place = Some(self.waits()?);
            }
            tokio::select! {
                () = &mut patience => return Err(self.unreachable()),
                changed = standing.changed() => if changed.is_err() { return Err(self.unreachable()) },
                () = sleep(AGAIN) => {}
            }
        }
    }

    /// Takes a place among the requests that wait.
    fn waits(&self) -> Result<(SemaphorePermit<'_>, impl Drop), Elsewhere> {
        let place = self.places.try_acquire().map_err(|_| self.unreachable())?;
        Ok((place, METRICS.forward_waits()))
    }

    fn unreachable(&self) -> Elsewhere {
        METRICS.forwarded("unreachable");
        Elsewhere::NotSent
    }

    /// Sends the request once, over as many kept connections as have ended unnoticed, and one that has not.
    async fn attempt(
        &self,
        upstream: &Arc<Upstream>,
        holder: &Holder,
        asked: &Asked,
        prompt: Option<Duration>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let request = self.request(upstream, asked)?;
        let limit = prompt.unwrap_or(self.standby.patience.saturating_add(ANSWERING));
        let gone = || self.gone(holder.term);
        loop {
            let line = tokio::select! {
                line = upstream.line() => line?,
                () = gone() => return Err(Unanswered::NotSent("another daemon has the database".to_owned())),
            };
            let is_fresh = line.is_fresh();
            let sent = tokio::select! {
                sent = line.send(request.clone()) => sent,
                () = gone() => Err(Unanswered::Unknown("another daemon has the database".to_owned())),
                () = sleep(limit) => Err(Unanswered::Unknown("no answer in time".to_owned())),
            };
            match sent {
                Err(Unanswered::NotSent(_)) if !is_fresh => {}
                Ok(answer) if answer.headers().contains_key(STANDING_BY) => {
                    return Err(Unanswered::NotSent("it has not the right to write".to_owned()));
                }
                sent => return sent,
            }
        }
    }

    /// Completes when another holder has the right to write than that of `term`, or this daemon has.
    fn gone(&self, term: i64) -> impl Future<Output = ()> + Send + Sync + 'static {
        let mut standing = self.standby.standing.clone();
        async move {
            let same = |standing: &Standing| matches!(standing, Standing::Behind(holder) if holder.term == term);
            // An error means that this daemon stops to stand by, which is the same news.
            drop(standing.wait_for(|standing| !same(standing)).await);
        }
    }

    /// Returns the request as it is passed on.
    fn request(&self, upstream: &Upstream, asked: &Asked) -> Result<Request<Full<Bytes>>, Unanswered> {
        let Asked { method, target, body, sender, .. } = asked;
        let mut headers = fields::of_request(asked.headers.clone(), sender.is_trusted);
        let own = [
            (HeaderName::from_static(forwarding::FIELD), self.sealed(method, target, sender.address)),
            (X_REQUEST_ID, sender.id.clone()),
        ];
        for (name, value) in own {
            HeaderValue::from_str(&value).into_iter().for_each(|value| drop(headers.insert(name.clone(), value)));
        }
        if !headers.contains_key(http::header::HOST) {
            // An HTTP/2 request names it elsewhere; an HTTP/1.1 request must have it (RFC 9112 §3.2).
            HeaderValue::from_str(upstream.authority())
                .into_iter()
                .for_each(|host| drop(headers.insert(http::header::HOST, host)));
        }
        headers.append(VIA, HeaderValue::from_static("1.1 countersign")); // RFC 9110 §7.6.3
        let wrong = |error: http::Error| Unanswered::NotSent(error.to_string());
        let mut request = Request::builder().method(method).uri(target).body(Full::new(body.clone())).map_err(wrong)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn sealed(&self, method: &Method, target: &str, address: Option<IpAddr>) -> String {
        let address = address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let forwarded = Forwarded { by: self.standby.name.clone(), address };
        self.standby.forwarding.sealed(&forwarded, method.as_str(), target, self.env.now())
    }

    /// Returns an answer as it goes to the client, and keeps it where it is a public document.
    async fn passed(&self, answer: Response<Incoming>, holder: &Holder, name: Option<Name>) -> warp::reply::Response {
        METRICS.forwarded("answered");
        let (mut head, body) = answer.into_parts();
        head.headers = fields::without_connection(head.headers);
        head.version = Version::HTTP_11;
        let length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
        let is_whole =
            head.status == StatusCode::OK && length.is_some_and(|length| (1..=MAX_DOCUMENT).contains(&length));
        if let Some(name) = name.filter(|_| is_whole) {
            // It is as long as it says, or an error: half a document is nobody's.
            return match timeout(ANSWERING, body.collect()).await {
                Ok(Ok(body)) => {
                    let body = body.to_bytes();
                    self.kept.keep(name, &head.headers, body.clone(), self.env.monotonic());
                    Response::from_parts(head, body).into_response()
                }
                Ok(Err(_)) | Err(_) => cut(head),
            };
        }
        let pieces = BodyDataStream::new(body).take_until(Box::pin(self.gone(holder.term)));
        streamed(head, pieces)
    }

    /// Asks the daemon that has the database whether it is ready; `None` when it does not answer.
    pub(super) async fn asks_whether_ready(&self, holder: &Holder) -> Option<StatusCode> {
        self.asks(holder, "/readyz", None).await.map(|answer| answer.status())
    }

    /// Asks for a document in this daemon's own name; `tag` is that of the one it has.
    pub(super) async fn asks(
        &self,
        holder: &Holder,
        path: &str,
        tag: Option<HeaderValue>,
    ) -> Option<Response<Incoming>> {
        let upstream = holder.upstream.as_ref()?;
        let id = "standby".to_owned();
        let sender = Sender { address: None, id, is_trusted: false, is_forwarded: false };
        let headers = tag.map(|tag| (http::header::IF_NONE_MATCH, tag)).into_iter().collect();
        let (method, body, peer) = (Method::GET, Bytes::new(), None);
        let asked = Asked { method, target: path.to_owned(), headers, body, peer, sender };
        let late = |_| Err(Unanswered::Unknown("no answer in time".to_owned()));
        let tried = timeout(PROMPT, self.attempt(upstream, holder, &asked, Some(PROMPT))).await.unwrap_or_else(late);
        self.silence.note(holder, tried.as_ref().err());
        tried.ok()
    }
}

/// Lets this daemon's own routes answer, as if the request had come to them.
async fn here(routes: super::Routes, asked: Asked) -> warp::reply::Response {
    let Asked { method, target, headers, body, peer, .. } = asked;
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().unwrap_or_default(); // it was one when it came
    *request.headers_mut() = headers;
    request.extensions_mut().extend(peers(peer));
    match TowerToHyperService::new(warp::service(routes)).call(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// Returns the address at the other end as the server tells it.
fn peers(peer: Option<Peer>) -> Extensions {
    let mut extensions = Extensions::new();
    let _none_before = peer.and_then(|peer| extensions.insert(peer));
    extensions
}

/// Returns an answer whose body comes in pieces.
fn streamed<E>(
    head: http::response::Parts,
    pieces: impl Stream<Item = Result<Bytes, E>> + Send + Sync + 'static,
) -> warp::reply::Response
where
    E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
{
    let mut answer = warp::reply::stream(pieces).into_response();
    *answer.status_mut() = head.status;
    *answer.headers_mut() = head.headers;
    answer
}

/// Returns an answer that breaks off behind its head: the client sees that it is not whole.
fn cut(head: http::response::Parts) -> warp::reply::Response {
    let broken = || Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
    streamed(head, futures_util::stream::once(std::future::ready(broken())))
}

/// Marks a refusal as one of a daemon that has not the right to write.
pub(super) fn marked(mut answer: warp::reply::Response) -> warp::reply::Response {
    answer.headers_mut().insert(STANDING_BY, HeaderValue::from_static("1"));
    answer
}
