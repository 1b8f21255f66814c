//! Three daemons on one database, all of them useful: whichever is asked, the one with the right to write does what is asked.

use crate::promises::{Promised, held, until, work_at};
use crate::{SECRET, cluster, fresh_schema, list_seq, master_key, setup};
use countersign_tests::{Client, Cluster, Daemon, Setup};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

mod soak;

/// As a load balancer sees them: the first one has the database when the test begins.
struct Three {
    daemons: Vec<Daemon>,
}

fn one_of(url: &str, key: &Path) -> Setup {
    setup(url, key).set("store.lease_seconds", "3")
}

impl Three {
    fn start(url: &str, key: &Path) -> Self {
        Self::of(|| one_of(url, key))
    }

    /// Three whose lease is longer than any start of a database takes: the one that writes goes on when that is back.
    fn patient(url: &str, key: &Path) -> Self {
        Self::of(|| setup(url, key).set("store.lease_seconds", "60").set("store.patience_seconds", "60"))
    }

    fn of(one: impl Fn() -> Setup) -> Self {
        let mut daemons = vec![one().start()];
        daemons.extend((0..2).map(|_| one().alongside()));
        let three = Self { daemons };
        three.daemons.iter().skip(1).for_each(|daemon| is_ready(daemon, "standing_by"));
        three
    }

    /// The clients of this round: each begins at another daemon, and goes to the next when one does not answer.
    fn clients(&self) -> Vec<Vec<Client>> {
        let all: Vec<Client> = self.daemons.iter().map(Daemon::client).collect();
        let turned = |by: usize| {
            let mut clients = all.clone();
            clients.rotate_left(by % all.len());
            clients
        };
        (0..6).map(turned).collect()
    }

    /// Lets clients work at all daemons while `disturb` is called; returns what they were promised.
    fn under_load(&mut self, disturb: impl FnOnce(&mut Self, &dyn Fn(usize))) -> Vec<Promised> {
        let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
        let everybody = self.clients();
        let promised: Vec<Promised> = thread::scope(|scope| {
            let work = |clients| {
                let (stop, count) = (&stop, &count);
                move || work_at(clients, SECRET, stop, count)
            };
            let clients: Vec<_> = everybody.iter().map(|clients| scope.spawn(work(clients))).collect();
            let more = |most: usize| {
                let from = count.load(Ordering::Relaxed);
                until(&clients, || count.load(Ordering::Relaxed) >= from + most);
            };
            more(60);
            disturb(self, &more);
            more(60);
            stop.store(true, Ordering::Relaxed);
            clients.into_iter().map(|client| client.join().expect("no panic")).collect()
        });
        let longest = promised.iter().map(|one| one.longest_gap).max().expect("clients");
        let unknown: usize = promised.iter().map(|one| one.unknown).sum();
        println!("{} promises, {unknown} without an answer, longest gap {longest:?}", count.into_inner());
        promised
    }
}

/// Waits until a daemon says of itself that it is ready in this way.
fn is_ready(daemon: &Daemon, how: &str) {
    for _ in 0..3_000_000 {
        let told = daemon.client().request("GET", "/readyz").try_send();
        if told.is_ok_and(|told| told.status == 200 && told.member("status") == how) {
            return;
        }
        thread::yield_now();
    }
    panic!("it is not {how}: {}", daemon.log());
}

/// True when the daemon says that it is the one that writes.
fn has_the_database(client: &Client) -> bool {
    let told = client.request("GET", "/readyz").try_send();
    told.is_ok_and(|told| told.status == 200 && told.member("status") == "ready")
}

/// Waits until one of the daemons has the database, and returns which.
fn holder(daemons: &[Daemon]) -> usize {
    for _ in 0..3_000_000 {
        if let Some(place) = daemons.iter().position(|daemon| has_the_database(&daemon.client())) {
            return place;
        }
        thread::yield_now();
    }
    panic!("nobody takes over");
}

fn events(daemon: &Daemon, act: &str) -> Vec<Value> {
    let path = format!("/v1/audit?act={act}");
    let page = daemon.client().request("GET", &path).basic(daemon.admin()).send().json();
    page["items"].as_array().expect("items").clone()
}

/// Waits until the audit log tells of a refusal of this address, which the next tick writes; returns all of them.
fn refused_of(daemon: &Daemon, address: &str) -> Vec<Value> {
    for _ in 0..5_000 {
        let refused = events(daemon, "client.refused");
        if refused.iter().any(|event| event["event"]["address"] == address) {
            return refused;
        }
    }
    panic!("nothing of {address}");
}

#[test]
fn whichever_daemon_is_asked_the_answer_is_the_same_and_the_client_is_known_as_who_it_is() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let limited = |setup: Setup| setup.set("rate_limits.address_failures_per_minute", "3");
    let holder = limited(one_of(&url, &key)).start();
    let standby = limited(one_of(&url, &key).set("trusted_proxies", "127.0.0.1")).alongside();
    is_ready(&standby, "standing_by");

    let pair = standby.mint(json!({"sub": "alice", "aud": "api"}));
    let rotated = holder.refresh(&pair.refresh_token);
    assert_eq!(standby.refresh(&pair.refresh_token).body, rotated.body, "a retry is the same at any daemon");
    assert_eq!(standby.revoke(&rotated.member("refresh_token")).status, 200);
    assert_eq!(holder.refresh(&rotated.member("refresh_token")).member("error"), "invalid_grant");
    assert_eq!(list_seq(&standby), list_seq(&holder));
    for path in ["/.well-known/jwks.json", "/revocations", "/", "/openapi.json"] {
        assert_eq!(standby.client().get(path).body, holder.client().get(path).body, "{path}");
    }
    assert_eq!(standby.client().get("/nothing").status, 404);
    let long = standby.client().post("/v1/tokens", "application/json", vec![b' '; 16 * 1024 + 1]).send();
    assert_eq!((long.status, long.member("code").as_str()), (413, "body_too_large"));

    // Guesses of one address are not held against another, though both come from one daemon.
    let guess = |address: &str| {
        let form = standby.client().form("/oauth/revoke", &[("token", "x")]).header("X-Forwarded-For", address);
        form.basic(("admin", "wrong")).send().status
    };
    while guess("192.0.2.1") == 401 {}
    assert_eq!((guess("192.0.2.1"), guess("192.0.2.2")), (429, 401));
    refused_of(&holder, "192.0.2.2");

    // Who makes the field up is who he is.
    let forged = holder.client().form("/oauth/revoke", &[("token", "x")]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let field = format!("1;{now};192.0.2.99;bmFtZQ;{}", "A".repeat(43));
    let forged = forged.header("Countersign-Forwarded", &field).basic(("admin", "wrong"));
    assert_eq!(forged.send().status, 401);
    let refused = refused_of(&holder, "127.0.0.1");
    assert!(!refused.iter().any(|event| event.to_string().contains("192.0.2.99")), "{refused:?}");
}

#[test]
fn a_request_is_passed_on_once_and_refused_where_the_address_of_the_holder_is_wrong() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let third = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let _holder = one_of(&url, &key).set("store.advertise", &format!("http://{third}")).start();
    let impatient = || one_of(&url, &key).set("store.patience_seconds", "1");
    let second = impatient().alongside();
    let third = impatient().begin_at(third);
    let refused = second.client().json("/v1/tokens", &json!({"sub": "a", "aud": "api"})).basic(second.admin()).send();
    assert_eq!((refused.status, refused.member("code").as_str()), (503, "standing_by"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    let seen = third.log().matches("answered while standing by").count();
    assert!((1..60).contains(&seen), "{seen} requests came to a daemon that was asked for a second");
    assert_eq!(second.client().get("/readyz").status, 503);
    assert_eq!(second.client().get("/healthz").status, 200);
}

#[test]
fn a_stream_through_a_daemon_that_stands_by_tells_what_is_revoked_and_ends_with_the_holder() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let mut first = one_of(&url, &key).start();
    let second = one_of(&url, &key).alongside();
    is_ready(&second, "standing_by");
    let pair = second.mint(json!({"sub": "alice", "aud": "api"}));
    let mut follower = second.client().follow(None);
    let before = follower.event().expect("the first event").id;
    assert_eq!(second.revoke(&pair.access_token).status, 200);
    let told = follower.event().expect("an event").id;
    assert!(told > before);
    let keys = second.client().get("/.well-known/jwks.json");
    first.kill();
    follower.ended();
    // While nobody has the database, what is public is there.
    let list = second.client().get("/revocations");
    assert_eq!(list.status, 200);
    assert!(list.header("age").is_some(), "it is the one that was kept");
    assert_eq!(second.client().get("/.well-known/jwks.json").body, keys.body);
    // Whoever asks for more waits, and is answered by the one that takes over: this one.
    let asked = second.client().json("/v1/tokens", &json!({"sub": "bob", "aud": "api"})).basic(second.admin());
    let minted = asked.try_send().unwrap_or_else(|error| panic!("{error}: {}", second.log()));
    let minted: countersign_tests::Pair = serde_json::from_slice(&minted.body).expect("a pair");
    assert_eq!(second.refresh(&minted.refresh_token).status, 200);
    let mut follower = second.client().follow(Some(&told.to_string()));
    assert!(follower.event().expect("an event").id > told, "numbers go on");
}

#[test]
fn with_the_holder_killed_under_load_nothing_is_lost_and_the_others_go_on() {
    let (_folder, key) = master_key();
    let mut three = Three::start(&fresh_schema(cluster()), &key);
    let seq = list_seq(&three.daemons[0]);
    let promised = three.under_load(|three, more| {
        three.daemons[0].kill();
        let began = Instant::now();
        more(1);
        println!("killed: written again after {:?}", began.elapsed());
    });
    let holder = 1 + holder(&three.daemons[1..]);
    held(&three.daemons[holder], &promised);
    assert!(three.daemons[1..].iter().all(|daemon| list_seq(daemon) > seq));
}

#[test]
fn a_holder_that_stood_still_for_longer_than_its_lease_writes_nothing_and_the_others_go_on() {
    let (_folder, key) = master_key();
    let mut three = Three::start(&fresh_schema(cluster()), &key);
    let asked =
        three.daemons[0].client().json("/v1/tokens", &json!({"sub": "mallory", "aud": "api"})).basic(("admin", SECRET));
    let promised = three.under_load(|three, more| {
        three.daemons[0].signal(Signal::STOP);
        let began = Instant::now();
        let late = thread::spawn(move || asked.try_send());
        holder(&three.daemons[1..]);
        println!("paused: another has the database after {:?}", began.elapsed());
        more(60);
        three.daemons[0].signal(Signal::CONT);
        let late = late.join().expect("no panic");
        assert!(late.map_or(true, |reply| reply.status >= 500), "it may write nothing, and says so");
        assert_eq!(three.daemons[0].ended().code(), Some(3));
        more(60);
    });
    let place = 1 + holder(&three.daemons[1..]);
    held(&three.daemons[place], &promised);
    let issued = events(&three.daemons[place], "token.issued");
    assert!(!issued.iter().any(|event| event.to_string().contains("mallory")), "{issued:?}");
    three.daemons[0].begin_again();
    is_ready(&three.daemons[0], "standing_by");
    three.daemons[0].mint(json!({"sub": "carol", "aud": "api"}));
}

#[test]
fn a_database_that_crashes_under_three_daemons_loses_nothing_and_all_go_on() {
    let mut database = Cluster::start();
    let (_folder, key) = master_key();
    let mut three = Three::patient(&database.schema("three"), &key);
    let promised = three.under_load(|_, more| {
        for _ in 0..2 {
            let began = Instant::now();
            database.restart();
            more(1);
            println!("database restarted: written again after {:?}", began.elapsed());
            more(60);
        }
    });
    let place = holder(&three.daemons);
    held(&three.daemons[place], &promised);
    // Whoever has it now, the others stand by and pass on.
    for daemon in &three.daemons {
        daemon.mint(json!({"sub": "carol", "aud": "api"}));
    }
}

#[test]
fn with_the_primary_lost_and_its_synchronous_standby_promoted_nothing_acknowledged_is_lost() {
    let mut primary = Cluster::start();
    let mut standby = primary.synchronous_standby();
    let both = format!("127.0.0.1:{},127.0.0.1:{}", primary.port(), standby.port());
    let url = primary.schema("failover").replace(&format!("127.0.0.1:{}", primary.port()), &both);
    let (_folder, key) = master_key();
    let mut three = Three::patient(&url, &key);
    let seq = list_seq(&three.daemons[0]);
    let promised = three.under_load(|_, more| {
        primary.stop();
        let began = Instant::now();
        standby.promote();
        println!("primary lost: promoted after {:?}", began.elapsed());
        more(1);
        println!("primary lost: written again after {:?}", began.elapsed());
        more(60);
    });
    let place = holder(&three.daemons);
    held(&three.daemons[place], &promised);
    for daemon in &three.daemons {
        assert!(list_seq(daemon) >= seq, "numbers go on");
        daemon.mint(json!({"sub": "carol", "aud": "api"}));
    }
}
