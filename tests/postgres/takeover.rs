//! One daemon at a time: the next one stands by, says so, and takes over.

use crate::promises::{held, until, work};
use crate::{SECRET, cluster, fresh_schema, list_seq, master_key, setup};
use countersign_tests::{Client, Cluster, Daemon, Setup, Starting};
use rustix::process::Signal;
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// A daemon that begins while another has the database, and where it listens.
fn beside(url: &str, key: &Path) -> (Starting, SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    (short(url, key).set("listen", &address.to_string()).begin(), address)
}

fn short(url: &str, key: &Path) -> Setup {
    setup(url, key).set("store.lease_seconds", "3")
}

/// Waits until it answers that it stands by for a daemon that is ready, and returns which that is.
fn stands_by(address: SocketAddr) -> String {
    for _ in 0..1_000_000 {
        match Client::new(address).request("GET", "/readyz").try_send() {
            Ok(reply) if reply.status == 200 => {
                assert_eq!(reply.member("status"), "standing_by");
                return reply.member("holder");
            }
            Ok(reply) => assert_eq!(reply.json()["reasons"][0]["code"], "standing_by", "{}", reply.text()),
            Err(_) => {}
        }
        thread::yield_now();
    }
    panic!("it does not answer");
}

#[test]
fn a_second_daemon_stands_by_and_takes_over_when_the_first_is_killed_and_when_it_stops() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let mut first = short(&url, &key).start();
    let (second, address) = beside(&url, &key);
    let told = stands_by(address);
    assert!(told.contains(&format!("process {}", first.pid())), "{told}");
    assert_eq!(Client::new(address).get("/healthz").status, 200, "it lives");

    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = first.client();
    let promised: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| work(&client, SECRET, &stop, &count))).collect();
        until(&clients, || count.load(Ordering::Relaxed) >= 100);
        first.kill();
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("no panic")).collect()
    });
    let mut second = second.ready();
    held(&second, &promised);
    assert_eq!(second.client().get("/readyz").status, 200);

    // The other way round, and at once: a clean end gives the lease up.
    let seq = list_seq(&second);
    first.begin_again();
    stands_by(first.address());
    assert!(second.stop().success(), "{}", second.log());
    first.logs("ready", first.log().matches("ready").count());
    assert!(list_seq(&first) > seq, "the list's number grows over the change");
}

#[test]
fn a_daemon_that_stood_still_for_longer_than_its_lease_writes_nothing_more_and_ends() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let mut first = short(&url, &key).start();
    let pair = first.mint(json!({"sub": "alice", "aud": "api"}));
    let (second, address) = beside(&url, &key);
    stands_by(address);
    first.signal(Signal::STOP);
    let second: Daemon = second.ready();
    let rotated = second.refresh(&pair.refresh_token);
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let client = first.client();
    first.signal(Signal::CONT);
    // Whatever it still answers is no promise.
    let request = client.json("/v1/tokens", &json!({"sub": "bob", "aud": "api"})).basic(first.admin());
    assert!(request.try_send().map_or(true, |reply| reply.status >= 500));
    assert_eq!(first.ended().code(), Some(3));
    assert!(first.log().contains("another daemon has taken over this database"), "{}", first.log());
    assert_eq!(second.refresh(&pair.refresh_token).body, rotated.body);
}

#[test]
fn a_command_over_the_database_of_a_daemon_that_runs_is_refused_and_says_who_has_it() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let daemon = short(&url, &key).start();
    let other = short(&url, &key);
    std::fs::create_dir_all(other.data_dir().join("postgres")).expect("a folder");
    let file = other.folder().join("file");
    let refused = other.command(&["store", "export", file.to_str().expect("a path")]).output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains(&format!("process {}", daemon.pid())), "{said}");
    assert!(!file.exists());
}

#[test]
fn one_that_stands_by_says_once_that_the_database_is_away_and_once_that_it_is_back() {
    let mut cluster = Cluster::start();
    let (_folder, key) = master_key();
    let url = cluster.schema("away");
    let one = || setup(&url, &key).set("store.lease_seconds", "60");
    let _first = one().start();
    let second = one().alongside();
    stands_by(second.address());
    for time in 0..2 {
        cluster.stop();
        second.logs("the database is away", time);
        cluster.start_again();
        second.logs("the database is back", time);
    }
    stands_by(second.address());
    assert_eq!(second.log().matches("the database is away").count(), 2, "{}", second.log());
}
