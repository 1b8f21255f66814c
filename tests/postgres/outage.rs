//! A database that goes away under load and comes back.

use crate::promises::{held, until, work};
use crate::{SECRET, master_key, setup};
use countersign_tests::{Cluster, Daemon};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Lets four clients work while `disturb` is called; returns what they were promised.
fn under_load(daemon: &Daemon, disturb: impl FnOnce(&dyn Fn(usize))) -> Vec<crate::promises::Promised> {
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = daemon.client();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| work(&client, SECRET, &stop, &count))).collect();
        // Waits until so many more promises have been made.
        let more = |most: usize| {
            let from = count.load(Ordering::Relaxed);
            until(&clients, || count.load(Ordering::Relaxed) >= from + most);
        };
        more(40);
        disturb(&more);
        more(40);
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("no panic")).collect()
    })
}

#[test]
fn a_database_that_crashes_under_load_and_comes_back_loses_nothing_and_the_daemon_goes_on() {
    let mut cluster = Cluster::start();
    let (_folder, key) = master_key();
    let mut daemon = setup(&cluster.schema("outage"), &key).start();
    let promised = under_load(&daemon, |more| {
        for _ in 0..3 {
            cluster.restart();
            more(40);
        }
    });
    held(&daemon, &promised);
    assert_eq!(daemon.client().get("/readyz").status, 200);
    assert!(daemon.log().contains("the database is away"), "{}", daemon.log());
    assert!(daemon.stop().success());
}

#[test]
fn while_the_database_is_away_lists_and_keys_are_served_and_what_needs_it_is_refused_as_retryable() {
    let mut cluster = Cluster::start();
    let (_folder, key) = master_key();
    let daemon = setup(&cluster.schema("away"), &key).set("store.patience_seconds", "1").start();
    cluster.stop();
    let refused =
        daemon.client().json("/v1/tokens", &serde_json::json!({"sub": "a", "aud": "api"})).basic(daemon.admin()).send();
    assert_eq!(refused.status, 503, "{}", refused.text());
    for path in ["/revocations", "/.well-known/jwks.json", "/healthz"] {
        assert_eq!(daemon.client().get(path).status, 200, "{path}");
    }
    cluster.start_again();
    let again = || {
        daemon.client().json("/v1/tokens", &serde_json::json!({"sub": "a", "aud": "api"})).basic(daemon.admin()).send()
    };
    assert!((0..60).any(|_| again().status == 200), "it goes on by itself: {}", daemon.log());
}
