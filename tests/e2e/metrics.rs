//! Metrics on a listener of their own: they count what happens, and nothing of a request is in them.

use countersign_tests::{Client, Daemon, Setup};
use serde_json::json;

/// Starts a daemon that tells metrics, and returns a client of that listener.
fn told(setup: Setup) -> (Daemon, Client) {
    let daemon = setup.set("telemetry.metrics_listen", "127.0.0.1:0").set("log_format", "json").start();
    let log = daemon.log();
    let line = log.lines().find(|line| line.contains("metrics are told")).expect("a line");
    let listen: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let address = listen["listen"].as_str().expect("an address").parse().expect("an address");
    (daemon, Client::new(address))
}

/// The value of the sample with this name and these labels.
fn value(metrics: &Client, sample: &str) -> Option<f64> {
    let reply = metrics.get("/metrics");
    assert_eq!(reply.status, 200);
    let text = reply.text().to_owned();
    text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn what_happens_is_counted() {
    let (daemon, metrics) = told(Setup::new());
    let first = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    daemon.refresh(&first.refresh_token);
    daemon
        .client()
        .form("/oauth/revoke", &[("token", "x")])
        .basic(("admin", "a-wrong-secret-of-some-length-0000"))
        .send();
    daemon.client().get("/no/such/path/as/canary");
    let one = Some(1.0);
    assert_eq!(value(&metrics, "countersign_http_requests_total{route=\"/v1/tokens\",status=\"200\"}"), one);
    assert_eq!(value(&metrics, "countersign_http_requests_total{route=\"/oauth/revoke\",status=\"401\"}"), one);
    assert_eq!(value(&metrics, "countersign_http_requests_total{route=\"(none)\",status=\"404\"}"), one);
    assert_eq!(value(&metrics, "countersign_http_request_duration_seconds_count{route=\"/v1/tokens\"}"), one);
    assert_eq!(value(&metrics, "countersign_events_total{act=\"token.issued\"}"), one);
    assert_eq!(value(&metrics, "countersign_events_total{act=\"token.refreshed\"}"), one);
    assert_eq!(value(&metrics, "countersign_ready"), one);
    let list = u32::try_from(daemon.client().get("/revocations").body.len()).map(f64::from).expect("a short list");
    assert!(value(&metrics, "countersign_list_bytes").is_some_and(|bytes| (bytes - list).abs() < 64.0));
    assert!(value(&metrics, "countersign_list_seq").is_some_and(|seq| seq > 1.7e12));
    assert!(value(&metrics, "countersign_list_age_seconds").is_some_and(|age| age < 60.0));
    assert!(value(&metrics, "countersign_audit_seq").is_some_and(|seq| seq >= 3.0));
    assert!(value(&metrics, "countersign_store_sync_seconds_count").is_some_and(|syncs| syncs >= 2.0));
    assert!(value(&metrics, "countersign_keys_published").is_some_and(|keys| keys >= 2.0));
    for purpose in ["token", "revocations"] {
        let age = value(&metrics, &format!("countersign_key_age_seconds{{purpose=\"{purpose}\"}}"));
        assert!(age.is_some_and(|age| age < 3_600.0), "{purpose}: {age:?}");
    }
    assert_eq!(value(&metrics, "countersign_followers"), Some(0.0));
    assert_eq!(
        value(&metrics, "countersign_audit_events"),
        value(&metrics, "countersign_audit_seq"),
        "nothing was removed"
    );
    assert!(value(&metrics, "countersign_audit_oldest_age_seconds").is_some_and(|age| age < 600.0));
    assert!(value(&metrics, "countersign_store_bytes").is_some_and(|bytes| bytes > 1_000.0));
    assert_eq!(value(&metrics, "countersign_password_hashes_waiting"), Some(0.0));
    assert!(!metrics.get("/metrics").text().contains("canary"));
}

#[test]
fn it_is_off_unless_set_and_never_among_what_clients_reach() {
    let daemon = Daemon::start();
    assert_eq!(daemon.client().get("/metrics").status, 404);
    assert!(!daemon.log().contains("metrics are told"));
    let (daemon, metrics) = told(Setup::new());
    assert_eq!(daemon.client().get("/metrics").status, 404);
    assert_eq!(metrics.get("/v1/tokens").status, 404);
    assert_eq!(metrics.get("/").status, 404);
    assert!(metrics.request("POST", "/metrics").body("x").send().status >= 400);
    let reply = metrics.get("/metrics");
    assert_eq!(reply.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(reply.text().ends_with("# EOF\n"));
}

#[test]
fn refusals_by_a_limit_are_counted_by_its_name() {
    let (daemon, metrics) = told(Setup::new().set("rate_limits.failures_per_minute", "1"));
    let guess = || {
        let form = daemon.client().form("/oauth/token", &[("grant_type", "client_credentials")]);
        form.basic(("admin", "a-wrong-secret-of-some-length-0000")).send().status
    };
    assert_eq!((guess(), guess()), (401, 429));
    assert_eq!(value(&metrics, "countersign_rate_limited_total{limit=\"failures\"}"), Some(1.0));
}

#[test]
fn an_address_in_use_is_told_before_anything_is_served() {
    let other = Daemon::start();
    let setup = Setup::new().set("telemetry.metrics_listen", &other.address().to_string());
    let output = setup.command(&["serve"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("for metrics"));
}
