//! What one client is promised over a kill -9, how the daemon ends when it is asked to, and who may use a data folder.

use crate::verify;
use countersign_tests::{Daemon, Pair, Setup};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::Stdio;

fn pair(body: &[u8]) -> Pair {
    serde_json::from_slice(body).expect("a pair")
}

#[test]
fn what_was_acknowledged_before_a_kill_holds_after_the_restart() {
    let mut daemon = Daemon::start();
    let keys = kids(&daemon);
    let revoked = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let first = daemon.mint(json!({"sub": "bob", "aud": "api"}));
    let rotated = daemon.refresh(&first.refresh_token);
    let ended = daemon.mint(json!({"sub": "carol", "aud": "api"}));
    assert_eq!(daemon.revoke(&revoked.access_token).status, 200);
    assert_eq!(daemon.revoke(&ended.refresh_token).status, 200);
    let seq = list_seq(&daemon);
    daemon.kill();
    daemon.restart();
    assert_eq!(daemon.client().get("/readyz").status, 200);
    assert_eq!(kids(&daemon), keys, "the same keys");
    assert!(list_seq(&daemon) > seq, "the list's number grows over a crash");
    for token in [&revoked.access_token, &ended.access_token] {
        assert_eq!(verify(&daemon, token).expect_err("still revoked").code(), "ERR_TOKEN_REVOKED");
    }
    assert_eq!(daemon.refresh(&ended.refresh_token).member("error"), "invalid_grant");
    assert_eq!(daemon.refresh(&first.refresh_token).body, rotated.body, "a lost answer is given again, byte for byte");
    assert_eq!(daemon.refresh(&rotated.member("refresh_token")).status, 200);
    verify(&daemon, &first.access_token).expect("still valid");
}

fn kids(daemon: &Daemon) -> BTreeSet<String> {
    let keys = daemon.client().get("/.well-known/jwks.json").json();
    keys["keys"].as_array().expect("keys").iter().map(|key| key["kid"].to_string()).collect()
}

fn list_seq(daemon: &Daemon) -> u64 {
    let reply = daemon.client().get("/revocations");
    reply.header("etag").and_then(|etag| etag.trim_matches('"').parse().ok()).expect("a number")
}

#[test]
fn a_second_daemon_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let daemon = Daemon::start();
    let second = daemon.setup().command(&["serve"]).stdin(Stdio::null()).output().expect("it runs");
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(3), "{told}");
    assert!(told.contains("in use by another process"), "{told}");
    assert!(!String::from_utf8_lossy(&second.stdout).contains("ready"));
    daemon.mint(json!({"sub": "alice", "aud": "api"}));
}

#[test]
fn asked_to_stop_it_ends_with_0_and_starts_again_where_it_was() {
    let mut daemon = Daemon::start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    daemon.revoke(&pair.access_token);
    assert_eq!(daemon.stop().code(), Some(0));
    daemon.restart();
    assert_eq!(verify(&daemon, &pair.access_token).expect_err("revoked").code(), "ERR_TOKEN_REVOKED");
    assert_eq!(daemon.refresh(&pair.refresh_token).status, 200);
    daemon.signal(rustix::process::Signal::INT);
    assert_eq!(daemon.wait().code(), Some(0), "SIGINT is the same");
}

#[test]
fn a_request_that_has_begun_is_answered_before_it_stops() {
    use std::io::{BufReader, Write};
    let daemon = Daemon::start();
    let body = "grant_type=client_credentials";
    let request =
        daemon.client().post("/oauth/token", "application/x-www-form-urlencoded", body).basic(daemon.admin()).bytes();
    let (begun, rest) = request.split_at(request.len() - 5);
    let mut stream = daemon.client().connect();
    stream.write_all(begun).expect("sent");
    // The daemon reads the connections in the order they came: an answer to this one means that the other has begun.
    while !daemon.log().contains("answered") {
        daemon.client().get("/healthz");
    }
    daemon.signal(rustix::process::Signal::TERM);
    while daemon.client().request("GET", "/healthz").try_send().is_ok() {}
    stream.write_all(rest).expect("sent");
    let reply = countersign_tests::Reply::read(&mut BufReader::new(stream), false).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn when_the_disk_takes_no_more_nothing_is_acknowledged_and_the_process_ends_with_3() {
    let secret = "development-only-0123456789abcdef";
    // Files of this process end at a few megabytes; a write beyond fails, as on a full disk, instead of killing it.
    let full = ["sh", "-c", "trap '' XFSZ; ulimit -f 2000; exec \"$0\" \"$@\""];
    let mut daemon = Setup::new().set("admin_secret", secret).set("log_level", "warn").through(&full).start();
    let mut acknowledged = Vec::new();
    let refused = loop {
        let request = daemon
            .client()
            .json("/v1/tokens", &json!({"sub": "alice", "aud": "api", "roles": vec!["x".repeat(100); 30]}));
        match request.basic(daemon.admin()).try_send() {
            Ok(reply) if reply.status == 200 => acknowledged.push(pair(&reply.body)),
            other => break other,
        }
        assert!(acknowledged.len() < 100_000, "the disk never fills");
    };
    if let Ok(reply) = refused {
        assert_eq!((reply.status, reply.member("code").as_str()), (503, "store_unavailable"), "{}", reply.text());
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(daemon.wait().code(), Some(3), "{}", daemon.log());
    let (data, listen) = (daemon.setup().data_dir(), daemon.address().to_string());
    let again = Setup::new()
        .set("admin_secret", secret)
        .set("listen", &listen)
        .set("data_dir", data.to_str().expect("UTF-8"))
        .start();
    for pair in acknowledged.iter().rev().take(200) {
        assert_eq!(again.refresh(&pair.refresh_token).status, 200, "an acknowledged session is there");
    }
}
