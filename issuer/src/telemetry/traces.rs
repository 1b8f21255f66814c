//! Traces for an OpenTelemetry collector, where there is one: which spans there are, and what is in them.
//!
//! ```text
//! request (a server span: method, route, status, code, id of the request)
//!   └─ operation, by the name of its method: authenticate, mint, refresh …
//!        ├─ store commit     from the queue of the store until the change is durable
//!        └─ publication      where the caller waits for a revocation list
//! ```
//!
//! A span says what the code knows: names, routes, statuses, stable codes. No token, secret, subject, client or address is in
//! one; the id of the request leads to its lines in the log. Spans have a target of their own, so that log lines stay what they
//! are, and where nobody takes spans the target is off and a span costs one comparison.
//!
//! Ended spans wait in a queue that is bounded. What does not fit in, and what the collector does not take, is lost: a trace is
//! never a reason for a request to wait. `cli` brings the collector, this folder makes the bytes for it.

mod export;
#[cfg(test)]
mod tests;

use crate::env::Env;
use export::Exporter;
use http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanId, TraceId, TracerProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, IdGenerator, Sampler, SdkTracerProvider, SpanLimits,
};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// The target of every span that is for the collector, and of nothing else.
pub(crate) const TARGET: &str = "countersign::trace";

/// The media type of what a [`Collector`] takes (OTLP 1.0, binary protobuf).
pub const MEDIA_TYPE: &str = "application/x-protobuf";

/// Ended spans that wait at most; some 500 bytes each.
const QUEUE: usize = 8_192;
/// Spans that are sent together at most.
const BATCH: usize = 512;
/// How long an ended span waits for others.
const DELAY: Duration = Duration::from_secs(2);
/// How long the last spans may take when the daemon stops.
const LAST: Duration = Duration::from_secs(2);

/// Names of attributes: those of OpenTelemetry's conventions for HTTP where there is one.
mod attribute {
    pub(super) const METHOD: &str = "http.request.method";
    pub(super) const ROUTE: &str = "http.route";
    pub(super) const STATUS: &str = "http.response.status_code";
    pub(super) const CODE: &str = "error.type";
    pub(super) const REQUEST: &str = "countersign.request";
    pub(super) const NAME: &str = "otel.name";
    pub(super) const KIND: &str = "otel.kind";
    pub(super) const OUTCOME: &str = "otel.status_code";
}

/// What comes of sending: nothing, or why not.
pub type Taken = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Whoever takes spans: it gets an `ExportTraceServiceRequest` of OTLP in binary protobuf, and has its own bounds on time.
pub trait Collector: Send + Sync {
    /// Sends these bytes once.
    ///
    /// # Errors
    /// Why they were not taken, for the log; nothing of a secret.
    fn take(&self, spans: Vec<u8>) -> Taken;
}

/// What is traced, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracing {
    /// `service.name` of every span.
    pub service_name: String,
    /// How many of a thousand traces are kept that begin here; one that a trusted proxy began is kept if it says so.
    pub sample_per_mille: u64,
}

/// The way of spans to a collector.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends spans to `collector` from now on, whose work is done on `runtime`.
    pub fn start(tracing: Tracing, env: Env, collector: Box<dyn Collector>, runtime: Handle) -> Self {
        let exporter = Exporter::new(collector, runtime);
        let queue = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let kept = u32::try_from(tracing.sample_per_mille).map_or(1.0, |kept| f64::from(kept) / 1_000.0);
        let resource = Resource::builder_empty()
            .with_service_name(tracing.service_name)
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        // Every setting is named here: what is not would be taken from variables of the environment.
        let provider = SdkTracerProvider::builder()
            .with_id_generator(Ids(env))
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(kept))))
            .with_span_limits(SpanLimits::default())
            .with_resource(resource.build())
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(queue).build());
        Self(provider.build())
    }

    /// Returns what makes spans of OpenTelemetry from those with [`TARGET`].
    pub(super) fn layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let spans = tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("countersign"))
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false);
        spans.with_filter(only_traces(true)).boxed()
    }

    /// Sends what is waiting, for a moment at most; blocks, so it is for a thread that may.
    pub fn end(&self) {
        drop(self.0.shutdown_with_timeout(LAST)); // what does not arrive is lost, as it would be at any other time
    }
}

/// Lets through spans for the collector, or everything else.
pub(super) fn only_traces(traces: bool) -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    let hint = if traces { LevelFilter::INFO } else { LevelFilter::TRACE };
    filter_fn(move |metadata: &Metadata<'_>| (metadata.target() == TARGET) == traces).with_max_level_hint(hint)
}

/// The span of one request.
pub struct RequestSpan(Span);

impl RequestSpan {
    /// Begins the span of a request for `route`, a pattern of the route table.
    pub fn begin(method: &'static str, route: &'static str, request: &str) -> Self {
        Self(tracing::info_span!(
            target: TARGET,
            "request",
            { attribute::NAME } = format!("{method} {route}"),
            { attribute::KIND } = "server",
            { attribute::METHOD } = method,
            { attribute::ROUTE } = route,
            { attribute::REQUEST } = request,
            { attribute::STATUS } = Empty,
            { attribute::CODE } = Empty,
            { attribute::OUTCOME } = Empty,
        ))
    }

    /// Goes on with the trace that `headers` name (W3C Trace Context), where they name one. They must be those of somebody who
    /// is trusted: he chooses the trace, and whether it is kept.
    pub fn continues(&self, headers: &HeaderMap) {
        let named = headers.get("traceparent").and_then(|field| field.to_str().ok());
        if !self.0.is_disabled() && named.is_some_and(is_traceparent) {
            // An error means that nobody takes spans, or that this one has begun: nothing is to be done about either.
            drop(self.0.set_parent(TraceContextPropagator::new().extract(&Fields(headers))));
        }
    }

    /// Notes how it was answered.
    pub fn answered(&self, status: u16, code: Option<&'static str>) {
        self.0.record(attribute::STATUS, i64::from(status));
        if let Some(code) = code {
            self.0.record(attribute::CODE, code);
        }
        if status >= 500 {
            self.0.record(attribute::OUTCOME, "error"); // what a client does wrong is no error of a server span
        }
    }

    /// Returns the span, for what is done within.
    pub fn span(&self) -> Span {
        self.0.clone()
    }
}

/// Begins the span of a change that the store makes durable; none outside of an operation, so that what is due every second
/// makes no traces of its own.
pub fn commit() -> Span {
    match Span::current().metadata() {
        Some(metadata) if metadata.target() == TARGET => tracing::info_span!(target: TARGET, "store commit"),
        Some(_) | None => Span::none(),
    }
}

/// Draws the names of traces and spans from the one source of randomness.
struct Ids(Env);

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        self.0.random().map_or(TraceId::INVALID, TraceId::from_bytes)
    }

    fn new_span_id(&self) -> SpanId {
        self.0.random().map_or(SpanId::INVALID, SpanId::from_bytes)
    }
}

/// Returns whether the parts of a text are as long as those of a `traceparent` (W3C Trace Context §3.2.2): the library takes
/// shorter ones, and looks at everything else itself.
fn is_traceparent(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').take(4).map(str::len).collect();
    lengths == [2, 32, 16, 2]
}

/// The fields of a request, as OpenTelemetry reads them.
struct Fields<'a>(&'a HeaderMap);

impl Extractor for Fields<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
