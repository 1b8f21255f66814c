//! Public documents as the daemon that has the database answered them last: served when it cannot be reached (RFC 5861 §4), so
//! that verifiers do not notice when one daemon follows another.
//!
//! What is served so says how old it is, and that it may be kept for a second. A list says in itself when it ends, and a key
//! is published long before it signs: what is a few seconds old is as good as new. After five minutes it is not served any more.

use super::super::{jwks, metadata, revocations, status};
use bytes::Bytes;
use http::header::{AGE, CACHE_CONTROL, ETAG};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What every standby keeps, whether anybody asks for it or not.
pub(super) const ALWAYS: [&str; 3] = [jwks::ENDPOINT.route, metadata::ENDPOINT.route, revocations::NEWEST.route];
/// Documents that are kept besides because somebody asked for them: deltas, and status lists in their forms.
const MOST: usize = 32;
/// Bytes of a document that is kept.
pub(super) const MAX_DOCUMENT: usize = 8 * 1024 * 1024;
/// Bytes of all that somebody asked for.
const MAX_ASKED: usize = 64 * 1024 * 1024;
/// So long after it was confirmed last a document is served.
const USABLE: Duration = Duration::from_secs(300);

/// Fields that are told of a document; others are of the answer it came with.
const TOLD: [&str; 6] = [
    "content-type",
    "etag",
    "vary",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "x-content-type-options",
];

/// A document and the form it is in, where it has several.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name {
    path: String,
    form: &'static str,
}

struct Document {
    headers: HeaderMap,
    body: Bytes,
    /// When it was known to be the newest, on the clock that never goes back.
    confirmed: Duration,
}

/// The documents.
#[derive(Default)]
pub(super) struct Kept(Mutex<Documents>);

#[derive(Default)]
struct Documents {
    named: HashMap<Name, Document>,
    /// Those that somebody asked for, the oldest first.
    asked: VecDeque<Name>,
}

impl Name {
    /// Returns which document a GET or HEAD is for; `None` for what is no public document.
    pub(super) fn of(path: &str, headers: &HeaderMap) -> Option<Self> {
        let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| revocations::number(rest).is_some());
        let form = if below("/status/") {
            status::preferred(headers)?.1
        } else if ALWAYS.contains(&path) || path == status::ALL.route || below("/revocations/since/") {
            ""
        } else {
            return None;
        };
        Some(Self { path: path.to_owned(), form })
    }

    /// Returns one that is kept always.
    pub(super) fn always(path: &str) -> Self {
        Self { path: path.to_owned(), form: "" }
    }
}

impl Kept {
    /// Keeps the document of a good answer, unless a later one of the same is kept by now.
    pub(super) fn keep(&self, name: Name, headers: &HeaderMap, body: Bytes, now: Duration) {
        if body.len() > MAX_DOCUMENT {
            return;
        }
        let told = |known: &&'static str| Some((HeaderName::from_static(known), headers.get(*known)?.clone()));
        let document = Document { headers: TOLD.iter().filter_map(told).collect(), body, confirmed: now };
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_older =
            |kept: &Document| seq(&kept.headers).zip(seq(&document.headers)).is_some_and(|(kept, new)| kept > new);
        if name.path == revocations::NEWEST.route && documents.named.get(&name).is_some_and(is_older) {
            return; // two answers have overtaken each other
        }
        if documents.named.insert(name.clone(), document).is_none() && !ALWAYS.contains(&name.path.as_str()) {
            documents.asked.push_back(name);
        }
        documents.shrink();
    }

    /// Returns the tag of a document, to ask for a newer one.
    pub(super) fn tag(&self, name: &Name) -> Option<HeaderValue> {
        let documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        documents.named.get(name)?.headers.get(ETAG).cloned()
    }

    /// Notes that a document is still the newest.
    pub(super) fn confirm(&self, name: &Name, now: Duration) {
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        documents.named.get_mut(name).into_iter().for_each(|document| document.confirmed = now);
    }

    /// Returns a document as an answer to a request with these fields, if it is not too old.
    pub(super) fn answer(&self, name: &Name, asked: &HeaderMap, now: Duration) -> Option<Response<Bytes>> {
        let documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let document = documents.named.get(name)?;
        let age = now.saturating_sub(document.confirmed);
        if age > USABLE {
            return None;
        }
        let tag = document.headers.get(ETAG).and_then(|tag| tag.to_str().ok());
        let has_it = tag.is_some_and(|tag| revocations::matches(asked, tag));
        let mut answer = Response::new(if has_it { Bytes::new() } else { document.body.clone() });
        *answer.headers_mut() = document.headers.clone();
        if has_it {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            answer.headers_mut().remove(http::header::CONTENT_TYPE);
        }
        answer.headers_mut().insert(AGE, HeaderValue::from(age.as_secs()));
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=1"));
        Some(answer)
    }
}

impl Documents {
    /// Lets the oldest go of what somebody asked for, until the rest is within its limits.
    fn shrink(&mut self) {
        let length =
            |documents: &Self, name: &Name| documents.named.get(name).map_or(0, |document| document.body.len());
        while self.asked.len() > MOST
            || self.asked.iter().map(|name| length(self, name)).fold(0, usize::saturating_add) > MAX_ASKED
        {
            let Some(oldest) = self.asked.pop_front() else { return };
            self.named.remove(&oldest);
        }
    }
}

/// Returns the number of a list, which is its tag.
fn seq(headers: &HeaderMap) -> Option<u64> {
    headers.get(ETAG)?.to_str().ok()?.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(tag: &str) -> HeaderMap {
        let fields = [("etag", tag), ("content-type", "text/plain"), ("x-request-id", "r-1"), ("ratelimit", "x")];
        fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")))
            .collect()
    }

    fn list() -> Name {
        Name::always("/revocations")
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_document_is_served_with_its_age_and_without_what_was_of_its_answer() {
        let kept = Kept::default();
        kept.keep(list(), &answer("\"7\""), Bytes::from_static(b"list"), secs(10));
        let served = kept.answer(&list(), &HeaderMap::new(), secs(13)).expect("kept");
        assert_eq!((served.status(), served.body().as_ref()), (StatusCode::OK, &b"list"[..]));
        let field = |name: &str| served.headers().get(name).map(|value| value.to_str().expect("text"));
        assert_eq!((field("age"), field("cache-control")), (Some("3"), Some("public, max-age=1")));
        assert_eq!((field("etag"), field("x-request-id"), field("ratelimit")), (Some("\"7\""), None, None));
        let asked = HeaderMap::from_iter([(http::header::IF_NONE_MATCH, HeaderValue::from_static("\"7\""))]);
        let served = kept.answer(&list(), &asked, secs(13)).expect("kept");
        assert_eq!((served.status(), served.body().len()), (StatusCode::NOT_MODIFIED, 0));
    }

    #[test]
    fn a_document_is_served_for_five_minutes_after_it_was_confirmed() {
        let kept = Kept::default();
        kept.keep(list(), &answer("\"7\""), Bytes::new(), secs(0));
        assert!(kept.answer(&list(), &HeaderMap::new(), secs(300)).is_some());
        assert!(kept.answer(&list(), &HeaderMap::new(), secs(301)).is_none());
        kept.confirm(&list(), secs(200));
        assert!(kept.answer(&list(), &HeaderMap::new(), secs(500)).is_some());
    }

    #[test]
    fn a_list_is_not_followed_by_an_older_one() {
        let kept = Kept::default();
        kept.keep(list(), &answer("\"8\""), Bytes::from_static(b"new"), secs(0));
        kept.keep(list(), &answer("\"7\""), Bytes::from_static(b"old"), secs(1));
        assert_eq!(kept.answer(&list(), &HeaderMap::new(), secs(1)).expect("kept").body().as_ref(), b"new");
    }

    #[test]
    fn what_is_asked_for_is_bounded_and_never_takes_the_place_of_what_is_kept_always() {
        let kept = Kept::default();
        for path in ALWAYS {
            kept.keep(Name::always(path), &answer("\"7\""), Bytes::new(), secs(0));
        }
        let since = |seq: u64| Name::of(&format!("/revocations/since/{seq}"), &HeaderMap::new()).expect("public");
        for seq in 0..100 {
            kept.keep(since(seq), &answer("\"7\""), Bytes::from_static(b"delta"), secs(0));
        }
        assert!(kept.answer(&since(67), &HeaderMap::new(), secs(0)).is_none());
        assert!(kept.answer(&since(68), &HeaderMap::new(), secs(0)).is_some());
        for path in ALWAYS {
            assert!(kept.answer(&Name::always(path), &HeaderMap::new(), secs(0)).is_some());
        }
        let big = Bytes::from(vec![0; MAX_DOCUMENT]);
        for seq in 200..209 {
            kept.keep(since(seq), &answer("\"7\""), big.clone(), secs(0));
        }
        assert!(kept.answer(&since(200), &HeaderMap::new(), secs(0)).is_none(), "nine are more than 64 MiB");
        assert!(kept.answer(&since(208), &HeaderMap::new(), secs(0)).is_some());
        kept.keep(since(300), &answer("\"7\""), Bytes::from(vec![0; MAX_DOCUMENT + 1]), secs(0));
        assert!(kept.answer(&since(300), &HeaderMap::new(), secs(0)).is_none());
    }

    #[test]
    fn only_public_documents_have_a_name_and_each_form_its_own() {
        for path in ["/", "/oauth/token", "/v1/keys", "/revocations/7", "/revocations/events", "/status/x", "/readyz"] {
            assert_eq!(Name::of(path, &HeaderMap::new()), None, "{path}");
        }
        let accept =
            |form: &'static str| HeaderMap::from_iter([(http::header::ACCEPT, HeaderValue::from_static(form))]);
        let (jwt, cwt) =
            (Name::of("/status/7", &HeaderMap::new()), Name::of("/status/7", &accept("application/statuslist+cwt")));
        assert!(jwt.is_some() && cwt.is_some() && jwt != cwt);
        assert_eq!(Name::of("/status/7", &accept("text/html")), None);
    }
}
