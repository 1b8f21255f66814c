//! Following the revocation list: one event for each publication, and deltas from any list that is remembered.

use crate::verifier;
use countersign_tests::{Client, Daemon, Event, Follower, Pair, Reply, Setup, claims};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::io::{ErrorKind, Read};
use token::time::UnixTime;
use token::verify::{Loaded, Verifier};

fn pair(daemon: &Daemon) -> Pair {
    daemon.mint(json!({"sub": "alice", "aud": "api"}))
}

/// Revokes the access token and returns the number of the list that the answer names.
fn revoked(daemon: &Daemon, pair: &Pair) -> u64 {
    let reply = daemon.revoke(&pair.access_token);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["seq"].as_u64().expect("a number")
}

fn held(verifier: &Verifier) -> u64 {
    verifier.list().expect("a list").head().seq
}

/// Loads a delta at the moment it was signed.
fn load(verifier: &mut Verifier, delta: &str) -> Loaded {
    let signed = claims(delta)["iat"].as_u64().and_then(UnixTime::from_secs).expect("a time");
    verifier.load_revocations(delta.as_bytes(), signed).expect("a delta of this issuer")
}

fn is_revoked(verifier: &Verifier, pair: &Pair) -> bool {
    let issued = pair.claims()["iat"].as_u64().and_then(UnixTime::from_secs).expect("a time");
    match verifier.verify(&pair.access_token, issued) {
        Ok(_) => false,
        Err(rejection) => {
            assert_eq!(rejection.code(), "ERR_TOKEN_REVOKED");
            true
        }
    }
}

fn newest(daemon: &Daemon) -> u64 {
    let reply = daemon.client().get("/revocations");
    reply.header("etag").expect("an ETag").trim_matches('"').parse().expect("a number")
}

fn typ(delta: &str) -> String {
    let header = token::base64url::decode(delta.split('.').next().expect("a header").as_bytes()).expect("base64url");
    serde_json::from_slice::<serde_json::Value>(&header).expect("JSON")["typ"].as_str().expect("a text").to_owned()
}

#[test]
fn each_publication_is_an_event_that_leads_on_from_the_one_before() {
    let daemon = Daemon::start();
    let (mut verifier, pairs) = (verifier(&daemon), [pair(&daemon), pair(&daemon), pair(&daemon)]);
    let mut follower = daemon.client().follow(None);
    let first = follower.event().expect("the newest, at once");
    assert_eq!(first.id, held(&verifier));
    assert_eq!(load(&mut verifier, &first.data), Loaded::Same, "nothing leads to the first list, but it is signed");
    for pair in &pairs {
        let seq = revoked(&daemon, pair);
        assert!(!is_revoked(&verifier, pair), "not known before the event");
        while held(&verifier) < seq {
            let event = follower.event().expect("the stream goes on");
            assert_eq!((event.name.as_str(), typ(&event.data).as_str()), ("message", "revdelta+jwt"));
            assert_eq!(load(&mut verifier, &event.data), Loaded::Newer, "no step is left out");
            assert_eq!(held(&verifier), event.id);
        }
        assert!(is_revoked(&verifier, pair));
    }
    let again = daemon.client().follow(None).event().expect("the newest, at once");
    assert_eq!(load(&mut verifier, &again.data), Loaded::Same);
}

#[test]
fn who_comes_back_is_led_from_the_last_list_it_had_in_one_event() {
    let daemon = Daemon::start();
    let (mut verifier, pairs) = (verifier(&daemon), [pair(&daemon), pair(&daemon), pair(&daemon)]);
    let last = held(&verifier).to_string();
    let seq = pairs.each_ref().map(|pair| revoked(&daemon, pair))[2];
    let mut follower = daemon.client().follow(Some(&last));
    let event = follower.event().expect("at once");
    assert!(event.id >= seq);
    assert_eq!(load(&mut verifier, &event.data), Loaded::Newer);
    assert!(pairs.iter().all(|pair| is_revoked(&verifier, pair)));
    let up_to_date = daemon.client().follow(Some(&event.id.to_string())).event().expect("at once");
    assert_eq!(load(&mut verifier, &up_to_date.data), Loaded::Same);
    let (next, number) = (pair(&daemon), event.id);
    let seq = revoked(&daemon, &next);
    assert!(seq > number);
    while held(&verifier) < seq {
        assert_eq!(load(&mut verifier, &follower.event().expect("the stream goes on").data), Loaded::Newer);
    }
    assert!(is_revoked(&verifier, &next));
}

#[test]
fn a_last_event_that_is_not_known_gets_the_newest_delta_as_published() {
    let daemon = Daemon::start();
    let mut verifier = verifier(&daemon);
    for _ in 0..3 {
        revoked(&daemon, &pair(&daemon));
    }
    let published = daemon.client().follow(None).event().expect("the newest");
    for unknown in ["1", "9007199254740991", "", "-1", "rubbish", "18446744073709551616"] {
        let event = daemon.client().follow(Some(unknown)).event().expect("the newest");
        // On a slow machine it may have been signed again since.
        assert!(event == published || event.id > published.id, "{unknown}: {event:?}");
    }
    assert_eq!(load(&mut verifier, &published.data), Loaded::Gap, "which a verifier that is further behind notices");
}

#[test]
fn a_list_that_is_signed_again_is_a_sign_of_life() {
    let daemon = Setup::new().set("list_interval_seconds", "1").start();
    let (mut verifier, mut follower) = (verifier(&daemon), daemon.client().follow(None));
    let mut before = follower.event().expect("the newest").id;
    for _ in 0..3 {
        let event = follower.event().expect("the stream goes on");
        assert!(event.id > before);
        before = event.id;
        assert_ne!(load(&mut verifier, &event.data), Loaded::Gap);
    }
    assert_eq!(held(&verifier), before);
}

#[test]
fn who_never_reads_is_dropped_and_everybody_else_gets_everything() {
    // A long identifier makes each event some 5 KB, so that few fill what the system keeps for a client.
    let issuer = format!("http://127.0.0.1/{}", "x".repeat(2000));
    let daemon = Setup::new().set("issuer", &issuer).set("write_timeout_seconds", "1").start();
    let mut silent = daemon.client().follow_and_never_read();
    let mut followers: Vec<Follower> = (0..50).map(|_| daemon.client().follow(None)).collect();
    let mut seen: Vec<Event> = followers.iter_mut().map(|follower| follower.event().expect("the newest")).collect();
    let mut rounds = 0;
    while !daemon.log().contains("the client does not read") {
        let seq = revoked(&daemon, &pair(&daemon));
        for (follower, seen) in followers.iter_mut().zip(&mut seen) {
            while seen.id < seq {
                let event = follower.event().expect("the stream goes on");
                if seen.name == "message" {
                    let claims = [claims(&seen.data), claims(&event.data)];
                    let base = claims[1].get("base").unwrap_or(&claims[1]["id"]); // a heartbeat has none
                    assert_eq!(*base, claims[0]["id"], "no step is left out");
                }
                *seen = event;
            }
        }
        rounds += 1;

        assert!(rounds < 200, "nobody was dropped");
    }
    let mut received = Vec::new();
    match silent.read_to_end(&mut received) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert!(!received.ends_with(b"0\r\n\r\n"), "it was cut, not ended");
}

#[test]
fn above_the_cap_nobody_more_may_follow_until_one_leaves() {
    let daemon = Setup::new().set("max_followers", "2").start();
    let first = daemon.client().follow(None);
    let _second = daemon.client().follow(None);
    assert_eq!(daemon.client().follow(None).head.status, 503);
    let refused = daemon.client().get("/revocations/events");
    assert_eq!((refused.status, refused.member("code").as_str()), (503, "too_many_followers"), "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"), "a page can read why");
    assert!(!daemon.log().contains("ERROR"), "no fault of ours");
    assert_eq!(daemon.client().get("/revocations").status, 200);
    drop(first);
    while daemon.client().follow(None).head.status == 503 {}
}

#[test]
fn the_head_of_the_stream_is_for_browsers_and_proxies_alike() {
    let daemon = Daemon::start();
    let head = daemon.client().request("HEAD", "/revocations/events").send();
    let get = daemon.client().follow(None).head;
    for reply in [&head, &get] {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("text/event-stream"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-accel-buffering"), Some("no"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(reply.header("content-length"), None);
    }
    assert_eq!((head.body.len(), get.header("transfer-encoding")), (0, Some("chunked")));
    let preflight = daemon.client().request("OPTIONS", "/revocations/events");
    let preflight = preflight
        .header("Origin", "https://any.example")
        .header("Access-Control-Request-Headers", "last-event-id")
        .send();
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
    assert!(preflight.header("access-control-allow-headers").expect("fields").contains("Last-Event-ID"));
    let metadata = daemon.client().get("/.well-known/oauth-authorization-server").json();
    assert_eq!(metadata["countersign_revocation_events_uri"], format!("{}/revocations/events", daemon.url()));
}

#[test]
fn stopping_ends_every_stream_in_good_order_and_at_once() {
    let mut daemon = Setup::new().set("drain_seconds", "600").start();
    let mut followers: Vec<Follower> = (0..20).map(|_| daemon.client().follow(None)).collect();
    for follower in &mut followers {
        follower.event().expect("the newest");
    }
    assert!(daemon.stop().success());
    assert!(followers.iter_mut().all(|follower| follower.event().is_none()));
}

fn since(client: &Client, seq: &str) -> Reply {
    client.get(&format!("/revocations/since/{seq}"))
}

#[test]
fn a_delta_leads_from_any_remembered_list_to_the_newest() {
    let daemon = Setup::new().set("list_interval_seconds", "150").start(); // nothing is signed that nobody asked for
    let (mut verifier, pairs) = (verifier(&daemon), [pair(&daemon), pair(&daemon)]);
    let first = held(&verifier);
    let second = revoked(&daemon, &pairs[0]);
    let newest = revoked(&daemon, &pairs[1]);
    let delta = since(&daemon.client(), &first.to_string());
    assert_eq!((delta.status, delta.header("content-type")), (200, Some("application/vnd.countersign.revdelta")));
    assert_eq!(delta.header("cache-control"), Some("public, max-age=1"));
    assert_eq!(delta.header("etag"), Some(format!("\"{newest}\"").as_str()));
    assert_eq!(delta.header("access-control-allow-origin"), Some("*"));
    assert_eq!(load(&mut verifier, delta.text()), Loaded::Newer);
    assert_eq!(held(&verifier), newest);
    assert!(pairs.iter().all(|pair| is_revoked(&verifier, pair)));
    assert_eq!(since(&daemon.client(), &second.to_string()).status, 200);
    let nothing_new = since(&daemon.client(), &newest.to_string());
    assert_eq!((nothing_new.status, claims(nothing_new.text()).get("add")), (200, None), "a heartbeat");
    assert_eq!(load(&mut verifier, nothing_new.text()), Loaded::Same);
}

#[test]
fn who_has_the_newest_list_is_told_so_in_304() {
    let daemon = Setup::new().set("list_interval_seconds", "150").start();
    let first = newest(&daemon);
    let seq = revoked(&daemon, &pair(&daemon));
    for from in [first, seq] {
        let path = format!("/revocations/since/{from}");
        let known = daemon.client().request("GET", &path).header("If-None-Match", &format!("\"{seq}\"")).send();
        assert_eq!(
            (known.status, known.body.len(), known.header("cache-control")),
            (304, 0, Some("public, max-age=1"))
        );
        let old = daemon.client().request("GET", &path).header("If-None-Match", &format!("\"{first}\"")).send();
        assert_eq!(old.status, 200);
    }
}

#[test]
fn where_no_delta_leads_the_answer_is_where_the_list_is() {
    let daemon = Daemon::start();
    let list = format!("{}/revocations", daemon.url());
    for unknown in ["1", "9007199254740991", "18446744073709551615"] {
        let reply = since(&daemon.client(), unknown);
        assert_eq!(
            (reply.status, reply.header("location"), reply.body.len()),
            (303, Some(list.as_str()), 0),
            "{unknown}"
        );
        assert_eq!(reply.header("cache-control"), Some("public, max-age=1"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
    for nothing in ["", "x", "01", "-1", "1/", "1.0"] {
        let reply = since(&daemon.client(), nothing);
        assert_eq!((reply.status, reply.member("code").as_str()), (404, "not_found"), "{nothing}");
    }
}

/// As many connections as the system lets this process have, and a few less than `wanted` where it must be.
fn affordable(wanted: u64) -> usize {
    let files = getrlimit(Resource::Nofile);
    let current = files.maximum.unwrap_or(wanted * 2);
    if files.current.is_some_and(|files| files < current) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: files.maximum })
            .expect("up to the maximum");
    }
    usize::try_from(wanted.min(current / 2)).expect("a number")
}

/// Resident memory of a process in KiB; none where the system does not say.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

#[test]
fn two_thousand_followers_hear_of_a_revocation_and_cost_little() {
    let count = affordable(2000);
    let daemon = Setup::new().set("log_level", "warn").start();
    let pair = pair(&daemon);
    let before = resident(daemon.pid());
    let mut followers: Vec<Follower> = (0..count).map(|_| daemon.client().follow(None)).collect();
    for follower in &mut followers {
        follower.event().expect("the newest");
    }
    if let (Some(before), Some(after)) = (before, resident(daemon.pid())) {
        let each = after.saturating_sub(before) * 1024 / u64::try_from(count).expect("a number");
        assert!(each < 10_000, "{each} bytes each");
    }
    let seq = revoked(&daemon, &pair);
    for follower in &mut followers {
        follower.event_of(seq);
    }
}
