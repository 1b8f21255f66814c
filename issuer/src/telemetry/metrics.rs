//! What Prometheus reads: every metric has its name, its meaning and its place in one struct. docs/metrics.md lists them and
//! deploy/grafana/countersign.json draws them; tests hold both against this file.
//!
//! Labels hold only what the code knows: routes as patterns, statuses, names of acts and limits. Nothing that a request
//! says becomes a label, so their number is bounded.

#[cfg(test)]
mod tests;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::sync::LazyLock;
use std::time::Duration;

/// The media type of what [`Metrics::text`] returns (OpenMetrics 1.0).
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of this process: there is one of each, like the log.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Seconds of an answer: from a read out of memory to a client that uploads slowly.
const ANSWERS: [f64; 13] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 10.0];
/// Seconds of a sync: from a disk with a battery to one that is failing.
const SYNCS: [f64; 10] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];
/// Seconds that a password waits to be hashed: nothing, a few hashes, or all that may wait.
const WAITS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
/// Changes of a group, of which there are 256 at most.
const GROUPS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limit {
    limit: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fate {
    fate: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Purpose {
    purpose: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Act {
    act: &'static str,
}

/// Everything that is counted or measured.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    rate_limited: Family<Limit, Counter>,
    connections: Gauge,
    connections_refused: Counter,
    events: Family<Act, Counter>,
    groups: Histogram,
    syncs: Histogram,
    ready: Gauge,
    not_ready: Family<Reason, Gauge>,
    list_seq: Gauge,
    list_age: Gauge,
    list_bytes: Gauge,
    followers: Gauge,
    keys: Gauge,
    key_age: Family<Purpose, Gauge>,
    audit_seq: Gauge,
    audit_events: Gauge,
    audit_oldest_age: Gauge,
    sessions_live: Gauge,
    store_bytes: Gauge,
    hashes_waiting: Gauge,
    hash_waits: Histogram,
    hashes_refused: Counter,
    trace_spans: Family<Fate, Counter>,
    forwarded: Family<Fate, Counter>,
    forwards_waiting: Gauge,
}

/// What is not counted but looked at when somebody asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The codes of why the issuer is not ready; empty when it is.
    pub not_ready: Vec<&'static str>,
    /// Number of the newest revocation list.
    pub list_seq: u64,
    /// Seconds since it was signed.
    pub list_age_secs: u64,
    /// Bytes of it.
    pub list_bytes: usize,
    /// Keys in the JWK Set.
    pub keys: usize,
    /// Of the key that signs for each purpose: since when it does, in seconds.
    pub key_ages_secs: Vec<(&'static str, u64)>,
    /// Number of the newest event of the audit log; `None` when the store does not tell it.
    pub audit_seq: Option<u64>,
    /// Events of the audit log that are kept.
    pub audit_events: Option<u64>,
    /// Seconds since the oldest of them; `None` when there is none.
    pub audit_oldest_age_secs: Option<u64>,
    /// Sessions that were live at the last count; `None` before the first.
    pub sessions_live: Option<u64>,
    /// Bytes of the store on disk; `None` where its engine does not tell.
    pub store_bytes: Option<u64>,
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let mut entries = Entries(&mut registry);
        let requests = entries.add("http_requests", "Requests that were answered", Family::default());
        let answers: fn() -> Histogram = || Histogram::new(ANSWERS);
        let durations = entries.add(
            "http_request_duration_seconds",
            "From the end of a request's head to its answer",
            Family::new_with_constructor(answers),
        );
        Self {
            requests,
            durations,
            rate_limited: entries.add("rate_limited", "Requests that a rate limit refused", Family::default()),
            connections: entries.add("connections", "Connections that are open", Gauge::default()),
            connections_refused: entries.add(
                "connections_refused",
                "Connections that were refused because a cap was reached",
                Counter::default(),
            ),
            events: entries.add("events", "Events of the audit log that became durable, by act", Family::default()),
            groups: entries.add(
                "store_group_changes",
                "Changes that shared one sync of the store",
                Histogram::new(GROUPS),
            ),
            syncs: entries.add(
                "store_sync_seconds",
                "How long writing and syncing a group of changes took",
                Histogram::new(SYNCS),
            ),
            ready: entries.add("ready", "1 when every promise can be kept, else 0", Gauge::default()),
            not_ready: entries.add(
                "not_ready",
                "1 for each reason why not, as GET /readyz tells it",
                Family::default(),
            ),
            list_seq: entries.add("list_seq", "Number of the newest revocation list", Gauge::default()),
            list_age: entries.add("list_age_seconds", "Since the newest revocation list was signed", Gauge::default()),
            list_bytes: entries.add("list_bytes", "Size of the newest revocation list", Gauge::default()),
            followers: entries.add("followers", "Clients that follow the revocation list", Gauge::default()),
            key_age: entries.add("key_age_seconds", "How long a key has been signing, by purpose", Family::default()),
            audit_seq: entries.add("audit_seq", "Number of the newest event of the audit log", Gauge::default()),
            audit_events: entries.add("audit_events", "Events of the audit log that are kept", Gauge::default()),
            audit_oldest_age: entries.add(
                "audit_oldest_age_seconds",
                "Since the oldest event of the audit log that is kept",
                Gauge::default(),
            ),
            sessions_live: entries.add("sessions_live", "Sessions that were live at the last count", Gauge::default()),
            store_bytes: entries.add("store_bytes", "Bytes of the store on disk", Gauge::default()),
            hashes_waiting: entries.add(
                "password_hashes_waiting",
                "Passwords that wait to be hashed",
                Gauge::default(),
            ),
            hash_waits: entries.add(
                "password_hash_wait_seconds",
                "How long a password waited to be hashed",
                Histogram::new(WAITS),
            ),
            hashes_refused: entries.add(
                "password_hashes_refused",
                "Requests that were refused because too many passwords were waiting",
                Counter::default(),
            ),
            keys: entries.add("keys_published", "Keys in the JWK Set", Gauge::default()),
            forwarded: entries.add(
                "forwarded_requests",
                "Requests that this daemon was to pass on while it stood by, by fate",
                Family::default(),
            ),
            forwards_waiting: entries.add(
                "forwards_waiting",
                "Requests that wait for a daemon that has the database",
                Gauge::default(),
            ),
            trace_spans: entries.add("trace_spans", "Spans that went to the collector, by fate", Family::default()),
            registry,
        }
    }

    /// Counts an answer of `route` and how long it took to make.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Answered { route, status: u64::from(status) }).inc();
        self.durations.get_or_create(&Route { route }).observe(took.as_secs_f64());
    }

    /// Counts a request that the limit of this name refused.
    pub fn rate_limited(&self, limit: &'static str) {
        self.rate_limited.get_or_create(&Limit { limit }).inc();
    }

    /// Counts a connection that was admitted.
    pub fn connected(&self) {
        self.connections.inc();
    }

    /// Counts the end of one that was.
    pub fn disconnected(&self) {
        self.connections.dec();
    }

    /// Counts a connection that was not admitted.
    pub fn refused_connection(&self) {
        self.connections_refused.inc();
    }

    /// Counts a client that follows the revocation list.
    pub fn followed(&self) {
        self.followers.inc();
    }

    /// Counts one that has left.
    pub fn unfollowed(&self) {
        self.followers.dec();
    }

    /// Counts an event of the audit log.
    pub fn event(&self, act: &'static str) {
        self.events.get_or_create(&Act { act }).inc();
    }

    /// Measures a group of changes that became durable in `took`.
    pub fn committed(&self, changes: usize, took: Duration) {
        self.groups.observe(u32::try_from(changes).map_or(f64::INFINITY, f64::from));
        self.syncs.observe(took.as_secs_f64());
    }

    /// Counts a password that waits to be hashed, until what is returned is dropped.
    pub fn hash_waits(&self) -> Waiting<'_> {
        self.hashes_waiting.inc();
        Waiting(&self.hashes_waiting)
    }

    /// Measures how long one has waited.
    pub fn hash_waited(&self, took: Duration) {
        self.hash_waits.observe(took.as_secs_f64());
    }

    /// Counts one that could not wait, because too many did.
    pub fn hash_refused(&self) {
        self.hashes_refused.inc();
    }

    /// Counts spans that the collector took, or that were lost because it did not.
    pub fn exported(&self, spans: usize, taken: bool) {
        let fate = if taken { "sent" } else { "lost" };
        self.trace_spans.get_or_create(&Fate { fate }).inc_by(u64::try_from(spans).unwrap_or(u64::MAX));
    }

    /// Counts a request of a daemon that stands by, by what became of it.
    pub fn forwarded(&self, fate: &'static str) {
        self.forwarded.get_or_create(&Fate { fate }).inc();
    }

    /// Counts one that waits for a daemon that has the database, until what is returned is dropped.
    pub fn forward_waits(&self) -> Waiting<'_> {
        self.forwards_waiting.inc();
        Waiting(&self.forwards_waiting)
    }

    /// Returns everything in the text format of OpenMetrics, with what was `seen` just now.
    pub fn text(&self, seen: &Seen) -> String {
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let count = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.ready.set(i64::from(seen.not_ready.is_empty()));
        self.not_ready.clear();
        for reason in &seen.not_ready {
            self.not_ready.get_or_create(&Reason { reason }).set(1);
        }
        self.list_seq.set(gauge(seen.list_seq));
        self.list_age.set(gauge(seen.list_age_secs));
        self.list_bytes.set(count(seen.list_bytes));
        self.keys.set(count(seen.keys));
        for (purpose, age) in &seen.key_ages_secs {
            self.key_age.get_or_create(&Purpose { purpose }).set(gauge(*age));
        }
        for (metric, value) in [
            (&self.audit_seq, seen.audit_seq),
            (&self.audit_events, seen.audit_events),
            (&self.audit_oldest_age, seen.audit_oldest_age_secs),
            (&self.sessions_live, seen.sessions_live),
            (&self.store_bytes, seen.store_bytes),
        ] {
            value.map(|value| metric.set(gauge(value)));
        }
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry); // writing to a String does not fail
        text
    }
}

/// Something that is counted while it waits, also when whoever waits for it goes away.
pub struct Waiting<'a>(&'a Gauge);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

struct Entries<'a>(&'a mut Registry);

impl Entries<'_> {
    fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }
}
