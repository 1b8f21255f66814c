//! Files that are older than what was acknowledged on them: nobody goes on with them unless the operator says so.

use countersign_tests::{Daemon, Reply};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// What holds the rows of a store.
const LOGS: [&str; 3] = ["db", "journal.0", "journal.1"];

fn logs(store: &Path) -> [Vec<u8>; 3] {
    LOGS.map(|name| fs::read(store.join(name)).expect("a log"))
}

/// Puts the logs of an earlier moment in the place of those that are there, as a disk might that lost its last writes.
fn lay_logs(store: &Path, logs: &[Vec<u8>; 3]) {
    for entry in fs::read_dir(store).expect("the store").map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            fs::remove_file(entry.path()).expect("removed");
        }
    }
    LOGS.iter().zip(logs).for_each(|(name, log)| fs::write(store.join(name), log).expect("written"));
}

/// Runs a command beside the daemon's files; returns how it ended and what it said, as JSON where it did well.
fn run(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = daemon.setup().command(arguments).arg("--json").stdin(Stdio::null()).output().expect("it runs");
    (output.status.code(), serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn made(daemon: &Daemon, client_id: &str) -> String {
    let reply = daemon
        .client()
        .json("/v1/clients", &json!({"client_id": client_id, "grants": ["client_credentials"]}))
        .basic(daemon.admin())
        .send();
    assert!(reply.status < 300, "{}", reply.text());
    reply.member("client_secret")
}

fn own_token(daemon: &Daemon, client_id: &str, secret: &str) -> Reply {
    let form = [("grant_type", "client_credentials"), ("audience", "api")];
    daemon.client().form("/oauth/token", &form).basic((client_id, secret)).send()
}

#[test]
fn a_client_that_was_disabled_does_not_come_back_with_an_older_log_unless_the_operator_accepts_that() {
    let mut daemon = Daemon::start();
    let secret = made(&daemon, "backend");
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    daemon.stop();
    let store = daemon.setup().data_dir().join("store");
    let earlier = logs(&store);
    daemon.restart();
    assert_eq!(own_token(&daemon, "backend", &secret).status, 200);
    let change = daemon.client().request("PATCH", "/v1/clients/backend").header("Content-Type", "application/json");
    let disabled = change.body(json!({"disabled": true}).to_string()).basic(daemon.admin()).send();
    assert_eq!(disabled.status, 200, "{}", disabled.text());
    assert_eq!(own_token(&daemon, "backend", &secret).status, 401);
    daemon.kill();

    lay_logs(&store, &earlier);
    for _ in 0..2 {
        let refused = daemon.try_start_again().expect_err("it has lost that the client was disabled");
        assert_eq!(refused.status.code(), Some(3), "{}", refused.said);
        for way_out in ["countersign restore", "countersign store accept-damage", "its log ends at event"] {
            assert!(refused.said.contains(way_out), "{}", refused.said);
        }
    }
    let file = daemon.setup().folder().join("all");
    let file = file.to_str().expect("UTF-8");
    for arguments in [&["client", "list"][..], &["store", "export", file], &["backup", "--out", file]] {
        let (code, said) = run(&daemon, arguments);
        assert_eq!((code, &said["error"]["code"]), (Some(3), &json!("store_unusable")), "{said}");
        assert!(!Path::new(file).exists(), "of what lacks something nothing is made");
    }

    let (code, said) = run(&daemon, &["store", "accept-damage"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said["accepted"].as_str().is_some_and(|found| found.starts_with("its log ends at event")), "{said}");
    daemon.restart();
    assert!(crate::verify(&daemon, &pair.access_token).is_err(), "what was revoked since is not known");
    let told = daemon.client().request("GET", "/v1/audit?act=store.behind").basic(daemon.admin()).send();
    assert_eq!(told.json()["items"].as_array().map(Vec::len), Some(1), "{}", told.text());
    daemon.stop();
    assert_eq!(run(&daemon, &["store", "accept-damage"]), (Some(0), json!({"accepted": null})), "it is whole again");
    daemon.restart();
    assert_eq!(daemon.refresh(&pair.refresh_token).status, 200, "sessions go on");
}
