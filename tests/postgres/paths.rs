//! The paths that everybody walks, over restarts and kills.

use crate::promises::{held, until, work};
use crate::{SECRET, cluster, fresh_schema, list_seq, master_key, setup};
use countersign_tests::Setup;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

#[test]
fn what_was_acknowledged_holds_after_a_stop_and_after_a_kill() {
    let (_folder, key) = master_key();
    let mut daemon = setup(&fresh_schema(cluster()), &key).start();
    let revoked = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let first = daemon.mint(json!({"sub": "bob", "aud": "api"}));
    let rotated = daemon.refresh(&first.refresh_token);
    assert_eq!(daemon.refresh(&first.refresh_token).body, rotated.body, "a retry is the same, byte for byte");
    let stolen = daemon.mint(json!({"sub": "carol", "aud": "api"}));
    let second = daemon.refresh(&stolen.refresh_token);
    let third = daemon.refresh(&second.member("refresh_token"));
    assert_eq!(daemon.refresh(&stolen.refresh_token).member("error"), "invalid_grant", "reuse");
    assert_eq!(daemon.revoke(&revoked.refresh_token).status, 200);
    let mut seq = list_seq(&daemon);
    for kill in [false, true] {
        if kill {
            daemon.kill();
        } else {
            assert!(daemon.stop().success(), "{}", daemon.log());
        }
        daemon.restart();
        assert_eq!(daemon.client().get("/readyz").status, 200);
        assert!(list_seq(&daemon) > seq, "the list's number grows");
        seq = list_seq(&daemon);
        for ended in [&revoked.refresh_token, &third.member("refresh_token")] {
            assert_eq!(daemon.refresh(ended).member("error"), "invalid_grant");
        }
        for token in [&revoked.access_token, &third.member("access_token")] {
            let told = daemon.client().form("/oauth/introspect", &[("token", token)]).basic(daemon.admin()).send();
            assert_eq!(told.json()["active"], false);
        }
        assert_eq!(daemon.refresh(&first.refresh_token).body, rotated.body, "a lost answer is given again");
    }
    assert_eq!(daemon.refresh(&rotated.member("refresh_token")).status, 200);
}

#[test]
fn killed_in_the_middle_of_writing_it_loses_nothing_that_a_client_was_told() {
    let (_folder, key) = master_key();
    let mut daemon = setup(&fresh_schema(cluster()), &key).start();
    for round in 0..3 {
        let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
        let client = daemon.client();
        let promised: Vec<_> = thread::scope(|scope| {
            let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| work(&client, SECRET, &stop, &count))).collect();
            until(&clients, || count.load(Ordering::Relaxed) >= 60 * (round + 1));
            daemon.kill();
            stop.store(true, Ordering::Relaxed);
            clients.into_iter().map(|client| client.join().expect("no panic")).collect()
        });
        daemon.restart();
        held(&daemon, &promised);
    }
}

#[test]
fn a_database_without_tables_is_refused_until_it_is_migrated() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let setup = setup(&url, &key).set("store.migrate", "false");
    let refused = setup.command(&["serve"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("countersign store migrate"), "{said}");
    let migrated = setup.command(&["store", "migrate"]).output().expect("it runs");
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    assert_eq!(setup.start().client().get("/readyz").status, 200);
}

#[test]
fn another_master_key_than_the_databases_is_refused_at_once() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let daemon = setup(&url, &key).start();
    // Its place could not be taken, so it does not stand by either.
    let other = Setup::new().set("store.engine", "postgres").set("store.url", &url);
    let refused = other.command(&["serve"]).output().expect("it runs");
    assert!(!refused.status.success());
    assert!(!other.data_dir().join("master.key").exists(), "no key is made for a database that has one");
    drop(daemon);
}
