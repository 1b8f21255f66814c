//! `/v1/sessions`: the sessions of a subject, shown and ended.

use crate::verify;
use countersign_tests::{Daemon, Pair, Reply};
use serde_json::{Value, json};

fn request(daemon: &Daemon, method: &str, path: &str) -> Reply {
    daemon.client().request(method, path).basic(daemon.admin()).send()
}

fn post(daemon: &Daemon, path: &str, body: &Value) -> Reply {
    daemon.client().json(path, body).basic(daemon.admin()).send()
}

fn begin(daemon: &Daemon, sub: &str, device: &str) -> (Pair, String) {
    let reply = post(daemon, "/v1/tokens", &json!({"sub": sub, "aud": "api", "device": device}));
    assert_eq!(reply.status, 200, "{}", reply.text());
    (serde_json::from_slice(&reply.body).expect("a pair"), reply.member("sid"))
}

fn listed(daemon: &Daemon, query: &str) -> Vec<Value> {
    let reply = request(daemon, "GET", &format!("/v1/sessions?{query}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["items"].as_array().expect("items").clone()
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.member("code"))
}

#[test]
fn a_session_is_listed_shown_and_ended_by_its_name() {
    let daemon = Daemon::start();
    let (pair, sid) = begin(&daemon, "alice smith", "Firefox on Käthe\u{2019}s laptop");
    begin(&daemon, "bob", "a phone");
    let path = format!("/v1/sessions/{sid}");
    let items = listed(&daemon, "sub=alice%20smith");
    assert_eq!(items, [request(&daemon, "GET", &path).json()]);
    let (view, issued) = (&items[0], &countersign_tests::claims(&pair.access_token)["iat"]);
    assert_eq!((&view["sid"], &view["sub"], &view["client_id"]), (&json!(sid), &json!("alice smith"), &json!("admin")));
    assert_eq!(view["device"], "Firefox on Käthe\u{2019}s laptop");
    assert_eq!((&view["created_at"], &view["last_refreshed_at"], &view["active"]), (issued, issued, &json!(true)));
    let begun = issued.as_u64().expect("a time");
    assert_eq!((&view["expires_at"], &view["ends_at"]), (&json!(begun + 604_800), &json!(begun + 2_592_000)));
    assert_eq!(view.get("ended"), None);
    let ended = request(&daemon, "DELETE", &path);
    assert_eq!(ended.status, 200, "{}", ended.text());
    assert!(ended.json()["seq"].is_u64() && ended.json()["effective_by"].is_u64());
    assert_eq!(verify(&daemon, &pair.access_token).expect_err("revoked").code(), "ERR_TOKEN_REVOKED");
    assert_eq!(daemon.refresh(&pair.refresh_token).member("error"), "invalid_grant");
    let view = request(&daemon, "GET", &path).json();
    assert_eq!((&view["active"], &view["ended"]["reason"]), (&json!(false), &json!("revoked")));
    assert_eq!(listed(&daemon, "sub=alice%20smith&active=true"), Vec::<Value>::new());
    assert_eq!(request(&daemon, "DELETE", &path).status, 200, "again");
}

#[test]
fn all_sessions_end_but_the_one_that_asks() {
    let daemon = Daemon::start();
    let sessions: Vec<(Pair, String)> = ["a", "b", "c"].iter().map(|device| begin(&daemon, "alice", device)).collect();
    let (other, _) = begin(&daemon, "bob", "a");
    let reply = post(&daemon, "/v1/sessions/revoke", &json!({"sub": "alice", "except": sessions[2].1}));
    assert_eq!((reply.status, &reply.json()["ended"]), (200, &json!(2)), "{}", reply.text());
    assert!(reply.json()["seq"].is_u64());
    let devices: Vec<Value> =
        listed(&daemon, "sub=alice&active=true").iter().map(|view| view["device"].clone()).collect();
    assert_eq!(devices, ["c"]);
    assert!(verify(&daemon, &sessions[2].0.access_token).is_ok() && verify(&daemon, &other.access_token).is_ok());
    assert_eq!(verify(&daemon, &sessions[0].0.access_token).expect_err("revoked").code(), "ERR_TOKEN_REVOKED");
    let all = post(&daemon, "/v1/sessions/revoke", &json!({"sub": "alice"}));
    assert_eq!(all.json()["ended"], 1);
    assert_eq!(daemon.refresh(&sessions[2].0.refresh_token).member("error"), "invalid_grant");
    assert_eq!(daemon.refresh(&other.refresh_token).status, 200);
}

#[test]
fn what_cannot_be_a_session_is_refused_with_its_code() {
    let daemon = Daemon::start();
    let sid = "AAAAAAAAAAAAAAAAAAAAAA";
    for method in ["GET", "DELETE"] {
        for sid in [sid, "x", "%20", &"x".repeat(255)] {
            let reply = request(&daemon, method, &format!("/v1/sessions/{sid}"));
            assert_eq!(code(&reply), (404, "unknown_session".to_owned()), "{method} {sid}");
        }
    }
    for (path, expected) in [
        ("/v1/sessions", "missing_field"),
        ("/v1/sessions?sub=", "missing_field"),
        ("/v1/sessions?sub=a&active=yes", "invalid_field"),
        ("/v1/sessions?sub=a&after=x", "invalid_field"),
        ("/v1/sessions?sub=a&client=b", "unknown_field"),
    ] {
        assert_eq!(code(&request(&daemon, "GET", path)), (400, expected.to_owned()), "{path}");
    }
    for (body, expected) in [
        (json!({}), "missing_field"),
        (json!({"sub": "a", "except": "x"}), "invalid_field"),
        (json!({"sub": "a", "except": 1}), "invalid_field"),
        (json!({"sub": "a\u{0}"}), "invalid_field"),
        (json!({"sub": "a", "all": true}), "unknown_field"),
    ] {
        assert_eq!(code(&post(&daemon, "/v1/sessions/revoke", &body)), (400, expected.to_owned()), "{body}");
    }
    for device in ["", "a\nb", &"x".repeat(256)] {
        let reply = post(&daemon, "/v1/tokens", &json!({"sub": "a", "aud": "api", "device": device}));
        assert_eq!(code(&reply), (400, "invalid_field".to_owned()), "{device:?}");
    }
    assert_eq!(code(&request(&daemon, "GET", "/v1/sessions/revoke")), (405, "method_not_allowed".to_owned()));
    assert_eq!(code(&request(&daemon, "POST", &format!("/v1/sessions/{sid}"))), (405, "method_not_allowed".to_owned()));
    let stranger = daemon.client().get("/v1/sessions?sub=a");
    assert_eq!(code(&stranger), (401, "invalid_client".to_owned()));
}

#[test]
fn every_token_answer_says_how_long_its_parts_live() {
    let daemon = Daemon::start();
    let minted = post(&daemon, "/v1/tokens", &json!({"sub": "alice", "aud": "api"}));
    let rotated = daemon.refresh(&minted.member("refresh_token"));
    for reply in [&minted, &rotated] {
        let told = reply.json();
        let issued = countersign_tests::claims(&reply.member("access_token"));
        assert_eq!((&told["expires_in"], &told["refresh_expires_in"]), (&json!(900), &json!(604_800)));
        assert!(told["session_expires_at"].as_u64() >= issued["iat"].as_u64());
    }
    assert_eq!(minted.json()["session_expires_at"], rotated.json()["session_expires_at"]);
    let own =
        daemon.client().form("/oauth/token", &[("grant_type", "client_credentials")]).basic(daemon.admin()).send();
    assert_eq!((&own.json()["expires_in"], own.json().get("refresh_expires_in")), (&json!(900), None));
}
