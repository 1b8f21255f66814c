//! Rate limits: who guesses is stopped, nobody else; who stands behind a trusted proxy is told from its other clients.

use countersign_tests::{Daemon, Reply, Setup};
use serde_json::json;
use std::io::{Read as _, Write as _};

/// Tries a wrong secret of `client_id` as the client at `address`, told by a proxy.
fn guess(daemon: &Daemon, client_id: &str, address: &str) -> Reply {
    let guess = daemon.client().form("/oauth/token", &[("grant_type", "client_credentials")]);
    guess.basic((client_id, "a-wrong-secret-of-some-length-0000")).header("X-Forwarded-For", address).send()
}

/// Asks for a token with the right secret.
fn honest(daemon: &Daemon, address: &str) -> Reply {
    let request = daemon.client().form("/oauth/token", &[("grant_type", "client_credentials")]);
    request.basic(daemon.admin()).header("X-Forwarded-For", address).send()
}

fn behind_a_proxy() -> Setup {
    Setup::new().set("trusted_proxies", "127.0.0.0/8")
}

#[test]
fn guessing_a_secret_is_throttled_by_default_and_locks_nobody_else_out() {
    let daemon = behind_a_proxy().start();
    let statuses: Vec<u16> = (0..40).map(|_| guess(&daemon, "admin", "192.0.2.1").status).collect();
    let wrong = statuses.iter().filter(|status| **status == 401).count();
    assert!((30..=32).contains(&wrong), "{statuses:?}"); // one or two more, if seconds have passed
    assert_eq!(statuses.last(), Some(&429));
    let told = honest(&daemon, "192.0.2.1");
    assert_eq!(told.status, 429, "not even the right secret is looked at");
    assert_eq!(told.member("error"), "temporarily_unavailable");
    let retry_after: u64 = told.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=2).contains(&retry_after), "{retry_after}");
    assert_eq!(told.header("ratelimit-policy"), Some("\"failures\";q=30;w=60"));
    assert!(told.header("ratelimit").expect("RateLimit").starts_with("\"failures\";r=0;t="), "{:?}", told.headers);
    assert_eq!(honest(&daemon, "192.0.2.2").status, 200, "the owner is elsewhere, and is not locked out");
    assert_eq!(guess(&daemon, "other", "192.0.2.1").status, 401, "other clients have budgets of their own");
    assert_eq!(daemon.client().get("/revocations").status, 200);
}

#[test]
fn without_a_trusted_proxy_nothing_that_a_client_says_changes_who_it_is() {
    let daemon = Setup::new().set("rate_limits.failures_per_minute", "3").start();
    let statuses: Vec<u16> =
        (0..5).map(|number| guess(&daemon, "admin", &format!("192.0.2.{number}")).status).collect();
    assert_eq!(statuses[..3], [401; 3], "{statuses:?}");
    assert!(statuses[3..].contains(&429), "{statuses:?}");
}

#[test]
fn one_address_cannot_try_one_client_after_the_other() {
    let daemon = behind_a_proxy().set("rate_limits.address_failures_per_minute", "5").start();
    let statuses: Vec<u16> =
        (0..8).map(|number| guess(&daemon, &format!("client-{number}"), "2001:db8::1").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert_eq!(guess(&daemon, "client-9", "2001:db8::ffff").status, 429, "the same network");
    assert_eq!(guess(&daemon, "client-9", "2001:db8:0:1::1").status, 401);
}

#[test]
fn a_backend_at_full_speed_meets_no_limit() {
    let daemon = Daemon::start();
    let workers = (0..4).map(|_| {
        let (address, admin) = (daemon.client(), (daemon.admin().0.to_owned(), daemon.admin().1.to_owned()));
        std::thread::spawn(move || {
            let mint = json!({"sub": "alice", "aud": "api"});
            for _ in 0..250 {
                let reply = address.json("/v1/tokens", &mint).basic((&admin.0, &admin.1)).send();
                assert_eq!(reply.status, 200, "{}", reply.text());
                assert!(reply.header("ratelimit").is_some_and(|field| field.starts_with("\"token\";r=")));
            }
        })
    });
    workers.collect::<Vec<_>>().into_iter().for_each(|worker| worker.join().expect("no limit"));
}

#[test]
fn each_class_has_its_budget_and_problems_tell_it_too() {
    let daemon = behind_a_proxy()
        .set("rate_limits.client_per_second", "2")
        .set("rate_limits.management_per_second", "1")
        .set("rate_limits.public_per_second", "1")
        .start();
    // Each burst is far shorter than the second after which more is allowed, or it is tried again.
    let refused = |mut send: Box<dyn FnMut() -> Reply>| {
        (0..200).map(|_| send()).find(|reply| reply.status == 429).expect("a limit is reached")
    };
    let client = daemon.client();
    let told = refused(Box::new(move || client.get("/revocations")));
    assert_eq!(told.json()["code"], "rate_limited");
    assert_eq!(told.header("content-type"), Some("application/problem+json"));
    assert_eq!(told.header("ratelimit-policy"), Some("\"public\";q=1;w=1"));
    let body = json!({"token": "x"});
    let told = refused(Box::new(move || client.json("/v1/revocations", &body).send()));
    assert_eq!(told.header("ratelimit-policy"), Some("\"management\";q=1;w=1"));
    let admin = (daemon.admin().0.to_owned(), daemon.admin().1.to_owned());
    let form = [("grant_type", "client_credentials")];
    let told = refused(Box::new(move || client.form("/oauth/token", &form).basic((&admin.0, &admin.1)).send()));
    assert_eq!(told.header("ratelimit-policy"), Some("\"client\";q=2;w=1"));
    assert!((0..50).all(|_| client.get("/healthz").status == 200), "health is never limited");
}

#[test]
fn zero_turns_a_limit_off() {
    let daemon = Setup::new().set("rate_limits.failures_per_minute", "0").start();
    assert!((0..60).all(|_| guess(&daemon, "admin", "192.0.2.1").status == 401));
}

#[test]
fn the_log_tells_for_whom_a_proxy_spoke_and_its_request_id_only_when_it_is_trusted() {
    let send = |daemon: &Daemon| {
        let request = daemon.client().request("GET", "/healthz");
        request.header("X-Forwarded-For", "192.0.2.77").header("X-Request-Id", "from-the-proxy.1").send()
    };
    let mut trusting = behind_a_proxy().start();
    assert_eq!(send(&trusting).header("x-request-id"), Some("from-the-proxy.1"));
    for id in ["", "with space", "quote\"", &"x".repeat(65)] {
        let reply = trusting.client().request("GET", "/healthz").header("X-Request-Id", id).send();
        assert_ne!(reply.header("x-request-id"), Some(id), "{id}");
    }
    trusting.stop();
    assert!(trusting.log().contains("192.0.2.77") && trusting.log().contains("from-the-proxy.1"));
    let mut other = Daemon::start();
    assert_ne!(send(&other).header("x-request-id"), Some("from-the-proxy.1"));
    other.stop();
    assert!(!other.log().contains("192.0.2.77") && !other.log().contains("from-the-proxy.1"));
}

#[test]
fn one_network_does_not_take_the_places_of_all_who_follow() {
    let daemon = behind_a_proxy().set("max_connections_per_address", "2").start();
    let follow = |address: &str| {
        let mut stream = daemon.client().connect();
        let request = format!("GET /revocations/events HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("an answer");
        (String::from_utf8_lossy(&status[9..]).into_owned(), stream)
    };
    let (first, _second) = (follow("192.0.2.1"), follow("192.0.2.1"));
    assert_eq!((first.0.as_str(), follow("192.0.2.1").0.as_str()), ("200", "503"));
    assert_eq!(follow("192.0.2.2").0, "200");
    let untold: Vec<_> = (0..5).map(|_| daemon.client().follow(None)).collect();
    assert!(untold.iter().all(|followed| followed.head.status == 200), "a proxy asks for many");
    drop(first);
    while follow("192.0.2.1").0 == "503" {}
}

#[test]
fn a_proxy_header_in_front_of_the_request_is_believed_of_trusted_proxies_only() {
    let sent = |daemon: &Daemon| {
        let mut stream = daemon.client().connect();
        let request = b"PROXY TCP4 192.0.2.88 10.0.0.1 4711 80\r\nGET /healthz HTTP/1.0\r\n\r\n";
        stream.write_all(request).expect("sent");
        let mut received = String::new();
        stream.read_to_string(&mut received).expect("an answer");
        received
    };
    let mut trusting = behind_a_proxy().set("proxy_protocol", "true").start();
    assert!(sent(&trusting).starts_with("HTTP/1.0 200"));
    trusting.stop();
    assert!(trusting.log().contains("192.0.2.88:4711"));
    let other = Setup::new().set("proxy_protocol", "true").start();
    assert!(sent(&other).starts_with("HTTP/1.1 400"));
}
