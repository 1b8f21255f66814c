//! `GET /revocations/events`: each publication, as it happens, for whoever follows (server-sent events, HTML standard §9.2).
//!
//! ```text
//! id: <seq>                     event: list
//! data: <delta, compact>        id: <seq>
//!                               data: <seq>          no delta leads there: fetch the full list
//! ```
//!
//! `server` writes to the connection and drops who does not read; here is only what it writes. A follower holds a place
//! among `max_followers` for as long, and one network as many of them as it may have connections.

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Refusal};
use crate::limits::Place;
use crate::operations::{Events, Issuer, Step};
use crate::server::{Next, Source, Takeover};
use crate::telemetry::metrics::METRICS;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/revocations/events", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::Anyone };

/// The last event that a follower has seen, which is the number of its list.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies that would collect an answer before they pass it on (nginx) not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers with one event at once, and then one for each publication.
///
/// The first leads from the list that the follower has to the newest, or, where that is not known, is the newest delta as
/// it was published: a verifier sees whether it leads on. Where there is none it is one that changes nothing.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let place = place(&app, &exchange).ok_or(Refusal::TooManyFollowers)?;
    let events = app.issuer.events();
    let (seq, first) = first(&app.issuer, &events, last_event_id(&exchange.headers))?;
    let mut answer = reply::empty(StatusCode::OK);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    answer.extensions_mut().insert(Takeover::new(Follower { events, seq, first: Some(first), _place: place }));
    Ok(answer)
}

struct Follower {
    events: Events,
    /// Number of the newest list that was told of.
    seq: u64,
    first: Option<Bytes>,
    _place: Following,
}

/// A place among those who follow, counted for as long as it is held.
struct Following(#[allow(dead_code)] Place);

/// Returns a place, unless all are held, or all that one network may hold. A proxy that does not tell for whom it asks holds
/// places for many.
fn place(app: &App, exchange: &Exchange) -> Option<Following> {
    let told = exchange.origin.address.filter(|address| !app.changing().proxies.trusts(*address));
    let place = match told {
        Some(address) => app.followers.take(address),
        None => app.followers.take_for_anybody(),
    };
    place.map(|place| {
        METRICS.followed();
        Following(place)
    })
}

impl Drop for Following {
    fn drop(&mut self) {
        METRICS.unfollowed();
    }
}

impl Source for Follower {
    fn next(&mut self) -> Next<'_> {
        Box::pin(async {
            if let Some(first) = self.first.take() {
                return Some(first);
            }
            loop {
                let step = self.events.next().await?;
                // The first event may have led beyond what was published when the subscription began.
                if step.seq > self.seq {
                    self.seq = step.seq;
                    return Some(step.frame(frame));
                }
            }
        })
    }
}

/// Returns the first event, and the number of the list it leads to.
fn first(issuer: &Issuer, events: &Events, last: Option<u64>) -> Result<(u64, Bytes), Refusal> {
    let newest = events.newest();
    // Right after a start, or a delta that was too long, there is none to send: then the one that changes nothing, which
    // is signed and so says that the stream is alive.
    let last = last.or_else(|| newest.delta.is_none().then_some(newest.seq));
    let led = last.map(|last| issuer.revocation_delta(last)).transpose()?.flatten();
    let led = led.as_ref().and_then(|led| Some((led.seq, std::str::from_utf8(&led.document).ok()?)));
    Ok(match led {
        Some((seq, delta)) => (seq, event(seq, Some(delta))),
        None => (newest.seq, newest.frame(frame)),
    })
}

fn frame(step: &Step) -> Bytes {
    event(step.seq, step.delta.as_deref())
}

fn event(seq: u64, delta: Option<&str>) -> Bytes {
    Bytes::from(match delta {
        Some(delta) => format!("id: {seq}\ndata: {delta}\n\n"),
        None => format!("event: list\nid: {seq}\ndata: {seq}\n\n"),
    })
}

/// Returns the number in `Last-Event-ID`. Anything else is as good as nothing: the field is a hint.
fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_delta_or_the_number_of_a_list_to_fetch() {
        assert_eq!(event(7, Some("a.b.c")), "id: 7\ndata: a.b.c\n\n");
        assert_eq!(event(7, None), "event: list\nid: 7\ndata: 7\n\n");
    }

    #[test]
    fn a_last_event_id_that_is_no_number_is_none() {
        let with = |value: &'static str| HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from_static(value))]);
        assert_eq!(last_event_id(&with("1700000000123")), Some(1_700_000_000_123));
        for value in ["", "-1", "x", "1.5", "18446744073709551616", "1, 2"] {
            assert_eq!(last_event_id(&with(value)), None, "{value}");
        }
        assert_eq!(last_event_id(&HeaderMap::new()), None);
    }
}
