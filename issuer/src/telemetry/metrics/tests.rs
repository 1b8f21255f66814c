//! The names in the code, in the documentation and on the dashboard are the same.

use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// A registry in which everything has been counted once.
fn used() -> Metrics {
    let metrics = Metrics::new();
    metrics.answered("/oauth/token", 200, Duration::from_millis(3));
    metrics.rate_limited("failures");
    metrics.connected();
    metrics.refused_connection();
    metrics.followed();
    metrics.event("token.issued");
    metrics.committed(3, Duration::from_micros(700));
    metrics.exported(3, true);
    metrics.exported(2, false);
    metrics.hash_waited(Duration::from_millis(20));
    metrics.hash_refused();
    metrics.forwarded("answered");
    metrics
}

fn seen() -> Seen {
    Seen {
        not_ready: vec!["closing"],
        list_seq: 7,
        list_age_secs: 2,
        list_bytes: 300,
        keys: 2,
        key_ages_secs: vec![("token", 86_400)],
        audit_seq: Some(9),
        audit_events: Some(5),
        audit_oldest_age_secs: Some(60),
        sessions_live: Some(4),
        store_bytes: Some(524_288),
    }
}

/// Every name that a sample can have, without labels.
fn sample_names(text: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
}

/// What a sample's name is documented as: a histogram is one row.
fn documented_as(name: &str) -> String {
    let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
    histogram.unwrap_or(name).to_owned()
}

#[test]
fn what_was_counted_is_told() {
    let text = used().text(&seen());
    for line in [
        "countersign_http_requests_total{route=\"/oauth/token\",status=\"200\"} 1",
        "countersign_http_request_duration_seconds_bucket{le=\"0.005\",route=\"/oauth/token\"} 1",
        "countersign_http_request_duration_seconds_bucket{le=\"0.0025\",route=\"/oauth/token\"} 0",
        "countersign_rate_limited_total{limit=\"failures\"} 1",
        "countersign_connections 1",
        "countersign_connections_refused_total 1",
        "countersign_events_total{act=\"token.issued\"} 1",
        "countersign_store_group_changes_sum 3.0",
        "countersign_store_sync_seconds_bucket{le=\"0.001\"} 1",
        "countersign_ready 0",
        "countersign_not_ready{reason=\"closing\"} 1",
        "countersign_list_seq 7",
        "countersign_list_age_seconds 2",
        "countersign_list_bytes 300",
        "countersign_followers 1",
        "countersign_keys_published 2",
        "countersign_audit_seq 9",
        "countersign_audit_events 5",
        "countersign_audit_oldest_age_seconds 60",
        "countersign_sessions_live 4",
        "countersign_store_bytes 524288",
        "countersign_password_hashes_waiting 0",
        "countersign_password_hash_wait_seconds_bucket{le=\"0.025\"} 1",
        "countersign_password_hashes_refused_total 1",
        "countersign_trace_spans_total{fate=\"sent\"} 3",
        "countersign_trace_spans_total{fate=\"lost\"} 2",
        "countersign_key_age_seconds{purpose=\"token\"} 86400",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn a_password_counts_as_waiting_until_it_is_hashed_or_given_up() {
    let metrics = Metrics::new();
    let waiting = || metrics.text(&seen()).contains("countersign_password_hashes_waiting 1\n");
    let one = metrics.hash_waits();
    assert!(waiting());
    drop(one);
    assert!(!waiting());
}

#[test]
fn a_reason_that_is_gone_is_told_no_more() {
    let metrics = used();
    metrics.text(&seen());
    let text = metrics.text(&Seen { not_ready: Vec::new(), ..seen() });
    assert!(text.contains("countersign_ready 1\n") && !text.contains("countersign_not_ready{"), "{text}");
}

#[test]
fn every_metric_is_documented_and_nothing_else() {
    let page = include_str!("../../../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `countersign_")?.split_once(['`', '{']));
    let documented: BTreeSet<String> = rows.map(|(name, _)| format!("countersign_{name}")).collect();
    let told: BTreeSet<String> = sample_names(&used().text(&seen())).iter().map(|name| documented_as(name)).collect();
    assert_eq!(told, documented);
}

#[test]
fn the_dashboard_asks_for_nothing_that_does_not_exist() {
    let dashboard = include_str!("../../../../deploy/grafana/countersign.json");
    serde_json::from_str::<Value>(dashboard).expect("JSON");
    let told = sample_names(&used().text(&seen()));
    let is_name = |character: char| character.is_ascii_lowercase() || character == '_';
    let asked: BTreeSet<&str> =
        dashboard.split(|character| !is_name(character)).filter(|word| word.starts_with("countersign_")).collect();
    assert!(asked.len() > 10, "{asked:?}");
    let unknown: Vec<_> = asked.iter().filter(|name| !told.contains(**name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
