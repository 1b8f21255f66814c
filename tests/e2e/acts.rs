//! Every act that the documentation lists is done here, by real requests, and is then in the audit log.

use crate::audit::events;
use crate::clients::{call, made};
use crate::users::{OTHER, PASSWORD, ask, maria, send, with_users};
use countersign_tests::{Daemon, Pair, Reply};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// Acts that take days, and the tests with a clock that moves in which they are seen.
const OF_TIME: [&str; 3] = [
    "audit.trimmed",   // operations: old_events_go_by_the_hour_and_that_is_told
    "key.unpublished", // operations: the_life_of_a_key_is_told_to_its_end
    "key.forgotten",   // operations: the_life_of_a_key_is_told_to_its_end
];

fn documented() -> BTreeSet<String> {
    let page = include_str!("../../docs/operations.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| act |")).skip(2);
    let named = rows.map_while(|line| line.strip_prefix("| `")?.split_once('`'));
    named.map(|(name, _)| name.to_owned()).collect()
}

fn ok(reply: &Reply) {
    assert!(reply.status < 300, "{}", reply.text());
}

fn tokens(daemon: &Daemon) {
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let second = daemon.refresh(&pair.refresh_token);
    daemon.refresh(&pair.refresh_token); // repeated
    let third = daemon.refresh(&second.member("refresh_token"));
    daemon.refresh("no token");
    let exchanged = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &third.member("access_token")),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    ok(&daemon.client().form("/oauth/token", &exchanged).basic(daemon.admin()).send());
    ok(&daemon.revoke(&third.member("access_token")));
    assert_eq!(daemon.refresh(&pair.refresh_token).status, 400, "reused");
    let other = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    ok(&daemon.revoke(&other.refresh_token));
}

fn clients(daemon: &Daemon) {
    let (id, secret) = made(daemon, json!({"grants": ["mint"], "audiences": ["api"]}));
    let denied = daemon.client().json("/v1/tokens", &json!({"sub": "a", "aud": "other"})).basic((&id, &secret)).send();
    assert_eq!(denied.status, 400, "{}", denied.text());
    daemon.client().json("/v1/tokens", &json!({"sub": "a", "aud": "api"})).basic((&id, "wrong")).send();
    let path = format!("/v1/clients/{id}");
    ok(&call(daemon, "PATCH", &path, &json!({"name": "shop"})));
    ok(&call(daemon, "PATCH", &path, &json!({"disabled": true})));
    ok(&call(daemon, "PATCH", &path, &json!({"disabled": false})));
    let before = call(daemon, "POST", &format!("{path}/secrets"), &json!({}));
    ok(&before);
    let shown = daemon.client().request("GET", &path).basic(daemon.admin()).send().json();
    let old = shown["secrets"][0]["id"].as_str().expect("an id").to_owned();
    ok(&daemon.client().request("DELETE", &format!("{path}/secrets/{old}")).basic(daemon.admin()).send());
    ok(&call(daemon, "PATCH", &path, &json!({"disabled": true})));
    ok(&daemon.client().request("DELETE", &path).basic(daemon.admin()).send());
}

fn users(daemon: &Daemon) {
    let sub = maria(daemon);
    let path = format!("/v1/users/{sub}");
    let log_in = |password: &str| {
        daemon.client().json("/v1/session", &json!({"username": "maria", "password": password})).send()
    };
    assert_eq!(log_in("not at all the password").status, 401);
    let pair: Pair = serde_json::from_slice(&log_in(PASSWORD).body).expect("a pair");
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        let request = daemon.client().json("/v1/session/password", &body);
        request.header("Authorization", &format!("Bearer {}", pair.access_token)).send()
    };
    assert_eq!(change(OTHER, "five very small foxes").status, 403);
    ok(&change(PASSWORD, OTHER));
    ok(&send(daemon, "PATCH", &path, &json!({"roles": ["owner"]})));
    let code = send(daemon, "POST", &format!("{path}/reset-code"), &json!({}));
    let reset = json!({"code": code.member("code"), "new_password": PASSWORD});
    ok(&daemon.client().json("/v1/session/password/reset", &reset).send());
    ok(&ask(daemon, "DELETE", &path).send());
}

fn keys_and_rules(daemon: &Daemon) {
    let post = |path: &str, body: &Value| daemon.client().json(path, body).basic(daemon.admin()).send();
    ok(&post("/v1/keys/rotate", &json!({"purpose": "revocations"})));
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let der: Vec<u8> = head.into_iter().chain((0..32).map(|byte: u8| byte * 7 + 29)).collect();
    let der = token::base64url::encode(&der).replace('-', "+").replace('_', "/");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
    ok(&post("/v1/keys/import", &json!({"purpose": "token", "pkcs8": pem})));
    let master = daemon.setup().data_dir().join("master.key");
    let new = master.with_file_name("master.key.new");
    fs::copy(&master, &new).expect("copied with its mode");
    fs::write(&new, "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\n").expect("written");
    ok(&post("/v1/keys/rewrap", &json!({})));
    ok(&post("/v1/backup", &json!({})));
    let keys = daemon.client().request("GET", "/v1/keys").basic(daemon.admin()).send().json();
    let active = |key: &&Value| key["state"] == "active" && key["purpose"] == "token";
    let kid = keys["items"].as_array().expect("keys").iter().find(active).expect("one signs")["kid"].clone();
    for body in [json!({"subject": "alice"}), json!({"client": "admin"}), json!({"key": kid}), json!({"all": true})] {
        ok(&post("/v1/revocations", &body));
    }
}

#[test]
fn every_act_that_is_documented_is_told_when_it_is_done() {
    let limits = ["rate_limits.failures_per_minute", "rate_limits.address_failures_per_minute"];
    let mut daemon = limits.into_iter().fold(with_users(), |setup, limit| setup.set(limit, "0")).start();
    tokens(&daemon);
    clients(&daemon);
    users(&daemon);
    for _ in 0..100 {
        daemon.client().form("/oauth/token", &[]).basic(("admin", "wrong")).send(); // more than are kept of one second
    }
    keys_and_rules(&daemon);
    assert_eq!(daemon.stop().code(), Some(0));
    // A copy of the store knows that it is one by its lock file, and not what was revoked since it was made.
    let lock = daemon.setup().data_dir().join("store/lock");
    fs::remove_file(&lock).expect("there");
    fs::write(&lock, "").expect("made anew");
    daemon.restart();
    let told = events(&daemon, "");
    let told: BTreeSet<String> = told.iter().map(|event| event["act"].as_str().expect("an act").to_owned()).collect();
    let missing: Vec<String> =
        documented().into_iter().filter(|act| !told.contains(act) && !OF_TIME.contains(&act.as_str())).collect();
    assert!(missing.is_empty(), "never told: {missing:?}");
    let unknown: Vec<&String> = told.iter().filter(|act| !documented().contains(*act)).collect();
    assert!(unknown.is_empty(), "told and not documented: {unknown:?}");
}

#[test]
fn what_a_client_may_not_have_is_told_with_what_it_was_and_how_it_was_answered() {
    let mut daemon = Daemon::start();
    let (id, secret) =
        made(&daemon, json!({"grants": ["mint", "client_credentials"], "audiences": ["api"], "scopes": ["r"]}));
    let as_client = |path: &str, body: &Value| daemon.client().json(path, body).basic((&id, &secret)).send();
    let form = |fields: &[(&str, &str)]| daemon.client().form("/oauth/token", fields).basic((&id, &secret)).send();
    let foreign = daemon.mint(json!({"sub": "bob", "aud": "api"}));
    for (reply, status) in [
        (as_client("/v1/tokens", &json!({"sub": "a", "aud": "other"})), 400),
        (as_client("/v1/tokens", &json!({"sub": "a", "aud": "api", "scope": "w"})), 400),
        (as_client("/v1/tokens", &json!({"sub": "admin", "aud": "api"})), 400),
        (as_client("/v1/tokens", &json!({"sub": "", "aud": "api"})), 400), // badly written: no event
        (form(&[("grant_type", "client_credentials"), ("scope", "w")]), 400),
        (form(&[("grant_type", "client_credentials"), ("audience", "other")]), 400),
        (form(&[("grant_type", "refresh_token"), ("refresh_token", "x")]), 400),
        (as_client("/v1/revocations", &json!({"all": true})), 403),
        (as_client("/v1/backup", &json!({})), 403),
        (daemon.client().request("GET", "/v1/audit").basic((&id, &secret)).send(), 403),
        (daemon.client().form("/oauth/revoke", &[("token", &foreign.access_token)]).basic((&id, &secret)).send(), 400),
    ] {
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    daemon.stop();
    daemon.restart();
    let told = events(&daemon, "act=client.denied");
    let member = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let told: Vec<(String, String)> = told
        .iter()
        .inspect(|event| assert_eq!((&event["client_id"], &event["address"]), (&json!(id), &json!("127.0.0.1"))))
        .map(|event| (member(event, "detail"), member(event, "code")))
        .collect();
    let expected = [
        ("mint", "invalid_request"),
        ("mint", "invalid_request"),
        ("mint", "invalid_request"),
        ("client_credentials", "invalid_scope"),
        ("client_credentials", "invalid_target"),
        ("refresh_token", "unauthorized_client"),
        ("revocations", "unauthorized_client"),
        ("backup", "unauthorized_client"),
        ("audit", "unauthorized_client"),
        ("revoke", "unauthorized_client"),
    ]
    .map(|(what, code)| (what.to_owned(), code.to_owned()));
    assert_eq!(told, expected);
}
