//! The audit log: what is in it, that it can be proven, and what is never in it.

use crate::log::exercise;
use countersign_tests::{Daemon, Reply, Setup};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::process::Output;

/// One part of the log.
fn part(daemon: &Daemon, query: &str) -> Reply {
    let reply = daemon.client().request("GET", &format!("/v1/audit?{query}")).basic(daemon.admin()).send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// All events that a query asks for.
pub(crate) fn events(daemon: &Daemon, query: &str) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), String::new());
    loop {
        let part = part(daemon, &format!("limit=200&{query}{after}")).json();
        events.extend(part["items"].as_array().expect("items").iter().map(|item| item["event"].clone()));
        let Some(next) = part["next"].as_str() else { return events };
        after = format!("&after={next}");
    }
}

fn acts(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["act"].as_str().expect("an act")).collect()
}

/// Runs `countersign audit` on the folder of a daemon.
fn audit(setup: &Setup, arguments: &[&str]) -> (Option<i32>, String, String) {
    let arguments: Vec<&str> = ["audit"].iter().chain(arguments).copied().collect();
    let Output { status, stdout, stderr } = setup.command(&arguments).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn each_act_is_told_with_who_did_it_to_whom_and_from_where() {
    let daemon = Daemon::start();
    let minted =
        daemon.client().json("/v1/tokens", &json!({"sub": "alice", "aud": "api"})).basic(daemon.admin()).send();
    let rotated = daemon.refresh(&minted.member("refresh_token"));
    daemon.refresh(&minted.member("refresh_token")); // again within the window
    let third = daemon.refresh(&rotated.member("refresh_token"));
    assert_eq!(daemon.refresh(&minted.member("refresh_token")).status, 400); // reuse
    daemon.revoke(&third.member("access_token"));
    daemon.revoke(&third.member("refresh_token"));
    let told = events(&daemon, "sub=alice");
    assert_eq!(
        acts(&told),
        [
            "token.issued",
            "token.refreshed",
            "token.repeated",
            "token.refreshed",
            "token.reused",
            "token.revoked",
            "session.revoked"
        ]
    );
    let claims = countersign_tests::claims(&minted.member("access_token"));
    let (id, issued) = (minted.header("x-request-id").expect("an id"), &told[0]);
    assert_eq!(
        (&issued["client_id"], &issued["sid"], &issued["jti"]),
        (&json!("admin"), &claims["sid"], &claims["jti"])
    );
    assert_eq!(
        (&issued["request"], &issued["address"], &issued["at"]),
        (&json!(id), &json!("127.0.0.1"), &claims["iat"])
    );
    assert_eq!(told[2]["jti"], told[1]["jti"], "the same pair once more");
    assert_eq!((&told[4]["code"], &told[4]["sid"]), (&json!("reused"), &claims["sid"]));
    assert_eq!(events(&daemon, "sub=alice&act=token.reused").len(), 1);
    assert_eq!(events(&daemon, &format!("sid={}", minted.member("sid"))).len(), 7);
    let newest = part(&daemon, "sub=alice&order=newest&limit=1").json();
    assert_eq!(newest["items"][0]["event"], told[6]);
}

#[test]
fn what_administrators_do_is_told_and_what_the_daemon_does_by_itself() {
    let daemon = Daemon::start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let sid = countersign_tests::claims(&pair.access_token)["sid"].as_str().expect("a sid").to_owned();
    let keys = daemon.client().get("/.well-known/jwks.json").json();
    let kid = keys["keys"][0]["kid"].as_str().expect("a kid").to_owned();
    for body in [
        json!({"subject": "alice"}),
        json!({"session": sid}),
        json!({"client": "admin"}),
        json!({"key": kid}),
        json!({"all": true, "issued_before": 1_000}),
        json!({"all": true}),
    ] {
        let reply = daemon.client().json("/v1/revocations", &body).basic(daemon.admin()).send();
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let told = events(&daemon, "");
    assert_eq!(
        acts(&told),
        [
            "key.created",
            "key.created",
            "daemon.started",
            "client.created",
            "token.issued",
            "session.revoked",
            "subject.revoked",
            "session.revoked",
            "client.revoked",
            "key.withdrawn",
            "key.activated",
            "all.revoked",
            "all.revoked"
        ]
    );
    assert_eq!((&told[3]["target"], told[3].get("address")), (&json!("admin"), None));
    assert_eq!((&told[6]["sub"], &told[6]["detail"]), (&json!("alice"), &json!("1 sessions")));
    assert_eq!(told[7]["detail"], "it had ended before");
    assert_eq!((&told[8]["target"], &told[8]["client_id"]), (&json!("admin"), &json!("admin")));
    assert_eq!(told[9]["target"], kid);
    assert_eq!((&told[11]["detail"], told[12].get("detail")), (&json!("until 1000"), None));
}

#[test]
fn refusals_are_told_by_the_next_second_and_a_stop_tells_the_last() {
    let mut daemon = Daemon::start();
    daemon.client().form("/oauth/token", &[]).basic(("admin", "wrong")).send();
    daemon.client().form("/oauth/token", &[]).basic(("perhaps-a-secret", "wrong")).send();
    daemon.refresh("no token");
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    daemon.revoke(&pair.refresh_token);
    daemon.refresh(&pair.refresh_token);
    assert_eq!(daemon.stop().code(), Some(0));
    daemon.restart();
    let refused = events(&daemon, "act=client.refused");
    assert_eq!(refused.len(), 2);
    assert_eq!((&refused[0]["client_id"], &refused[0]["address"]), (&json!("admin"), &json!("127.0.0.1")));
    assert_eq!(refused[1].get("client_id"), None, "what nobody is called may be anything");
    let refused = events(&daemon, "act=token.refused");
    assert_eq!(
        refused.iter().map(|event| event["code"].as_str().expect("why")).collect::<Vec<_>>(),
        ["not_ours", "ended"]
    );
    let all = events(&daemon, "");
    let stop = acts(&all).into_iter().position(|act| act == "daemon.stopped").expect("told");
    assert_eq!(acts(&all)[stop + 1..], ["daemon.started"]);
}

#[test]
fn whoever_has_the_events_can_follow_the_chain_by_hand() {
    let daemon = Daemon::start();
    for n in 0..30 {
        daemon.mint(json!({"sub": format!("käthe \"{n}\""), "aud": "api"}));
    }
    let (mut hash, mut seq, mut after) = ([0_u8; 32], 0, String::new());
    loop {
        let part = part(&daemon, &format!("limit=9{after}"));
        // The text of each event, cut out of the answer as it was sent: parsing and writing it again might change it.
        for item in part.text().split("{\"seq\":").skip(1) {
            let (number, rest) = item.split_once(",\"hash\":\"").expect("a hash");
            let (told, rest) = rest.split_once("\",\"event\":").expect("an event");
            let (event, _) = rest.split_at(rest.find("\"}}").expect("its end") + 2);
            hash = Sha256::new().chain_update(hash).chain_update(event).finalize().into();
            seq += 1;
            assert_eq!((number, told), (seq.to_string().as_str(), token::base64url::encode(&hash).as_str()), "{event}");
        }
        let Some(next) = part.json()["next"].as_str().map(str::to_owned) else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seq, 34, "two keys, a start, a client and the tokens");
}

#[test]
fn a_stopped_store_is_proven_and_listed_by_the_command_line() {
    let mut daemon = Setup::new().set("log_format", "json").start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let (code, _, told) = audit(daemon.setup(), &["verify"]);
    assert_eq!(code, Some(3), "the daemon is running: {told}");
    assert_eq!(daemon.stop().code(), Some(0));
    let noted: Vec<String> = daemon
        .log()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["noted"].as_str().map(str::to_owned))
        .collect();
    assert!(noted.len() >= 2, "at the start and at the end: {}", daemon.log());
    let newest = noted.last().expect("the end");
    let setup = daemon.setup();
    let (code, told, _) = audit(setup, &["verify", "--noted", &noted[0], "--noted", newest]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains(&format!("newest={newest}")), "{told}");
    let (code, told, _) = audit(setup, &["verify", "--json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        (code, &told["whole"], &told["first"], &told["newest"]),
        (Some(0), &json!(true), &json!(1), &json!(newest))
    );
    let last = told["last"].as_u64().expect("a number");
    let (code, told, _) = audit(setup, &["verify", "--noted", &format!("2:{}", "A".repeat(43))]);
    assert_eq!(code, Some(1));
    assert!(told.contains("event 2 does not have the hash that was noted"), "{told}");
    let cut = format!("{}:{}", last + 1, "A".repeat(43));
    let (code, told, _) = audit(setup, &["verify", "--json", "--noted", &cut]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["whole"]), (Some(1), &json!(false)));
    let (code, listed, _) = audit(setup, &["list", "--json", "--sub", "alice"]);
    let listed: Value = serde_json::from_str(&listed).expect("one document");
    assert_eq!((code, &listed["items"][0]["event"]["act"]), (Some(0), &json!("token.issued")));
    assert_eq!(listed["items"][0]["event"]["jti"], countersign_tests::claims(&pair.access_token)["jti"]);
    let (_, listed, _) = audit(setup, &["list"]);
    assert_eq!(u64::try_from(listed.lines().count()).expect("few"), last);
    let (_, listed, _) = audit(setup, &["list", "--act", "token.reused"]);
    assert_eq!(listed, "");
    assert_eq!(audit(setup, &["list", "--act", "token"]).0, Some(2));
    let elsewhere = setup.folder().join("nothing");
    let (code, _, told) = audit(setup, &["verify", "--data-dir", elsewhere.to_str().expect("UTF-8")]);
    assert_eq!(code, Some(2), "{told}");
    assert!(!elsewhere.exists());
}

#[test]
fn no_secret_and_no_token_is_ever_in_an_event() {
    let mut daemon = Daemon::start();
    let canaries = exercise(&daemon);
    daemon.stop();
    let (_, listed, _) = audit(daemon.setup(), &["list"]);
    let acts: BTreeSet<&str> = listed.split("\"act\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(acts.contains("token.reused") && acts.contains("client.refused") && acts.len() > 7, "{acts:?}");
    for part in canaries.iter().flat_map(|canary| canary.split('.')).filter(|part| part.len() > 6) {
        let line = listed.lines().find(|line| line.contains(part));
        assert!(line.is_none(), "{part}: {line:?}");
    }
}
