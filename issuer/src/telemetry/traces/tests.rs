//! Spans as a collector gets them.

use super::*;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span as Sent;
use prost::Message as _;
use std::sync::{Arc, Mutex};
use token::time::UnixTime;
use tracing_subscriber::layer::SubscriberExt as _;

/// Keeps what it is sent.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Vec<u8>>>>);

impl Collector for Kept {
    fn take(&self, spans: Vec<u8>) -> Taken {
        self.0.lock().unwrap().push(spans);
        Box::pin(async { Ok(()) })
    }
}

/// Returns every span that a collector got while `work` was done, the first to end first.
fn sent(sample_per_mille: u64, work: impl FnOnce()) -> Vec<Sent> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let kept = Kept::default();
    let tracing = Tracing { service_name: "tested".to_owned(), sample_per_mille };
    let env = Env::fixed(UnixTime::MIN, 7).0;
    let traces = Traces::start(tracing, env, Box::new(kept.clone()), runtime.handle().clone());
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(traces.layer()).with(log), work);
    traces.end();
    let requests = std::mem::take(&mut *kept.0.lock().unwrap());
    let requests = requests.iter().map(|bytes| ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap());
    let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|spans| spans.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn work(request: &RequestSpan) {
    let inside = tracing::info_span!("a span of the log").in_scope(|| {
        let operation = tracing::info_span!(target: TARGET, "mint", token = "named by the code");
        operation.in_scope(|| {
            tracing::info!("a line of the log");
            drop(commit());
        });
        request.answered(503, Some("not_ready"));
        commit()
    });
    assert!(inside.is_none(), "outside of an operation there is no such span");
}

fn headers(traceparent: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", traceparent.parse().unwrap());
    headers
}

#[test]
fn a_request_is_one_trace_and_the_log_is_not_in_it() {
    let spans = sent(1_000, || {
        let request = RequestSpan::begin("POST", "/v1/tokens", "an-id");
        request.span().in_scope(|| work(&request));
    });
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["store commit", "mint", "POST /v1/tokens"]);
    let [commit, mint, request] = spans.as_slice() else { panic!("three spans") };
    assert!(spans.iter().all(|span| span.trace_id == request.trace_id && span.events.is_empty()));
    assert_eq!((&commit.parent_span_id, &mint.parent_span_id), (&mint.span_id, &request.span_id));
    assert!(request.parent_span_id.is_empty());
    let mut attributes: Vec<&str> = request.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        ["countersign.request", "error.type", "http.request.method", "http.response.status_code", "http.route"]
    );
    assert_eq!(request.status.as_ref().map(|status| status.code), Some(2), "an error of ours");
    assert!(commit.attributes.is_empty());
}

#[test]
fn a_trace_that_was_begun_elsewhere_goes_on_and_is_kept_as_it_says() {
    let named = |flags: &str| {
        sent(0, || {
            let request = RequestSpan::begin("GET", "/healthz", "an-id");
            request.continues(&headers(&format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}")));
            drop(request.span().entered());
        })
    };
    let kept = named("01");
    let [span] = kept.as_slice() else { panic!("one span") };
    assert_eq!(span.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
    assert_eq!(span.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    assert!(named("00").is_empty());
}

#[test]
fn what_names_no_trace_begins_one() {
    for text in ["", "00", "00-00000000000000000000000000000000-0000000000000000-01", "a-b-c-d", "00-zz-zz-01"] {
        let spans = sent(1_000, || {
            let request = RequestSpan::begin("GET", "/healthz", "an-id");
            request.continues(&headers(text));
            drop(request.span().entered());
        });
        assert!(spans.iter().all(|span| span.parent_span_id.is_empty()), "{text}");
        assert_eq!(spans.len(), 1, "{text}");
    }
}

#[test]
fn of_a_thousand_traces_as_many_are_kept_as_was_asked() {
    let requests = || (0..1_000).for_each(|_| drop(RequestSpan::begin("GET", "/healthz", "an-id").span().entered()));
    assert_eq!(sent(0, requests).len(), 0);
    assert_eq!(sent(1_000, requests).len(), 1_000);
    assert!((50..200).contains(&sent(100, requests).len()), "the names of traces decide, and they follow from a seed");
}

#[test]
fn a_collector_that_never_answers_does_not_hold_anybody_up() {
    struct Silent;
    impl Collector for Silent {
        fn take(&self, _spans: Vec<u8>) -> Taken {
            Box::pin(std::future::pending())
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let tracing = Tracing { service_name: "tested".to_owned(), sample_per_mille: 1_000 };
    let env = Env::fixed(UnixTime::MIN, 7).0;
    let traces = Traces::start(tracing, env, Box::new(Silent), runtime.handle().clone());
    let more_than_wait = QUEUE + 2 * BATCH;
    tracing::subscriber::with_default(tracing_subscriber::registry().with(traces.layer()), || {
        for _ in 0..more_than_wait {
            drop(RequestSpan::begin("GET", "/healthz", "an-id"));
        }
    });
    traces.end();
}
