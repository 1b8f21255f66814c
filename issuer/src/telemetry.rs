//! What the daemon says about itself while it runs: log lines on stderr, with field names from one table.
//!
//! No token, secret, key or request body is ever a field. A token is named by its `sid` or `jti`, a request by its id.
//! Standard output carries only what a person or a script was promised there: the first secret and the line of readiness.

pub mod metrics;
pub mod traces;

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use traces::{Traces, only_traces};
use tracing_subscriber::filter::{FilterExt as _, ParseError};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// The name of every field of a log line, and what its value is.
pub mod field {
    /// The address at the other end of the connection.
    pub const PEER: &str = "peer";
    /// The address for which a trusted proxy speaks; absent when the one at the other end speaks for itself.
    pub const ADDRESS: &str = "address";
    /// The id of one request, repeated in the `X-Request-Id` of the answer: unique while the daemon runs, or a trusted proxy's.
    pub const REQUEST: &str = "request";
    /// The method of a request.
    pub const METHOD: &str = "method";
    /// The route that answered, as its pattern; never the path that was sent, which can hold anything.
    pub const ROUTE: &str = "route";
    /// The status of an answer.
    pub const STATUS: &str = "status";
    /// The stable code of a refusal.
    pub const CODE: &str = "code";
    /// How long the answer took to make, in microseconds.
    pub const MICROS: &str = "micros";
    /// The client that authenticated itself.
    pub const CLIENT: &str = "client_id";
    /// The session a line is about.
    pub const SESSION: &str = "sid";
    /// Why something failed, for the operator; the outside sees less.
    pub const ERROR: &str = "error";
    /// The phase of a connection that took too long.
    pub const PHASE: &str = "phase";
    /// The address the daemon listens on.
    pub const LISTEN: &str = "listen";
    /// The issuer identifier in force.
    pub const ISSUER: &str = "issuer";
    /// How many connections a line is about.
    pub const CONNECTIONS: &str = "connections";
    /// Names of settings, separated by commas.
    pub const SETTINGS: &str = "settings";
    /// Where in the source something happened that must not happen.
    pub const LOCATION: &str = "location";
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for a person.
    Text,
    /// One JSON object a line, for a log collector.
    Json,
}

/// Which lines are written: a parsed `tracing` directive such as `info` or `issuer=debug,warn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevel(String);

impl LogLevel {
    /// Returns the level that `text` names.
    ///
    /// # Errors
    /// The text is not a list of `target=level` directives.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        EnvFilter::builder().parse(text).map(|_| Self(text.to_owned()))
    }

    /// Returns the directives as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Changes which log lines are written, while the process runs.
pub struct LogControl(Box<dyn Fn(&LogLevel) + Send>);

impl LogControl {
    /// Writes lines of `level` from now on.
    pub fn set(&self, level: &LogLevel) {
        (self.0)(level);
    }
}

/// Sends log lines of this process to stderr from now on, and panics with them: their place, never their message. Where
/// there are `traces`, spans go there.
///
/// A second call changes nothing.
pub fn start(format: LogFormat, level: &LogLevel, traces: Option<&Traces>) -> LogControl {
    let filter = |level: &LogLevel| EnvFilter::builder().parse_lossy(&level.0).and(only_traces(false)).boxed();
    let (lines, handle) = reload::Layer::new(filter(level));
    let written = fmt::layer().with_writer(std::io::stderr);
    let written: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => written.with_ansi(std::io::stderr().is_terminal()).with_filter(lines).boxed(),
        LogFormat::Json => written.json().flatten_event(true).with_filter(lines).boxed(),
    };
    let mut layers = vec![written];
    layers.extend(traces.map(Traces::layer));
    // An error of `try_init` means that a subscriber is set already; whoever set it gets the lines. One of `reload` means
    // that this one is gone, with all lines.
    drop(tracing_subscriber::registry().with(layers).try_init());
    let control = LogControl(Box::new(move |level| drop(handle.reload(filter(level)))));
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!({ field::LOCATION } = location, "panic: this is a bug of countersign");
    }));
    control
}

/// Names requests: a prefix drawn at start, then a count.
#[derive(Debug)]
pub struct RequestIds {
    prefix: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Names requests beginning with `prefix`, which keeps two runs of the daemon apart in one log.
    pub const fn new(prefix: u32) -> Self {
        Self { prefix, next: AtomicU64::new(1) }
    }

    /// Returns a name that no other request of this run has.
    pub fn next(&self) -> String {
        format!("{:08x}-{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ_within_a_run_and_between_runs() {
        let ids = RequestIds::new(0xab);
        assert_eq!((ids.next().as_str(), ids.next().as_str()), ("000000ab-1", "000000ab-2"));
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        assert!(LogLevel::parse("info").is_ok());
        assert!(LogLevel::parse("issuer=debug,warn").is_ok());
        assert!(LogLevel::parse("issuer=loudly").is_err());
    }
}
