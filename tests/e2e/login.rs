//! Logging in, refreshing, logging out and new passwords, with tokens in the body.

use crate::users::{OTHER, PASSWORD, ask, maria, refused, send, with_users};
use crate::{verifier, verify};
use countersign_tests::{Daemon, Pair, Reply, claims};
use serde_json::{Value, json};
use token::error::Rejection;

fn post(daemon: &Daemon, path: &str, body: &Value) -> Reply {
    daemon.client().json(path, body).send()
}

fn try_login(daemon: &Daemon, username: &str, password: &str) -> Reply {
    post(daemon, "/v1/session", &json!({"username": username, "password": password}))
}

fn login(daemon: &Daemon, username: &str, password: &str) -> Pair {
    let reply = try_login(daemon, username, password);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("set-cookie"), None, "tokens are in one place");
    serde_json::from_slice(&reply.body).expect("a pair")
}

fn refresh(daemon: &Daemon, refresh_token: &str) -> Reply {
    post(daemon, "/v1/session/refresh", &json!({"refresh_token": refresh_token}))
}

fn with_token(daemon: &Daemon, path: &str, token: &str, body: &Value) -> Reply {
    daemon.client().json(path, body).header("Authorization", &format!("Bearer {token}")).send()
}

#[test]
fn a_user_logs_in_refreshes_and_logs_out() {
    let daemon = with_users().start();
    let sub = maria(&daemon);
    let pair = login(&daemon, "maria@EXAMPLE.com", PASSWORD);
    let signed = pair.claims();
    assert_eq!((signed["sub"].as_str(), &signed["client_id"]), (Some(sub.as_str()), &json!("login")));
    assert_eq!(
        (&signed["roles"], &signed["permissions"], &signed["scope"]),
        (&json!(["editor"]), &json!(["a:b"]), &json!("read write"))
    );
    assert_eq!(signed["auth_time"], signed["iat"]);
    assert_eq!((pair.expires_in, pair.refresh_expires_in), (900, 604_800));
    verify(&daemon, &pair.access_token).expect("valid");
    let next = refresh(&daemon, &pair.refresh_token);
    assert_eq!(next.status, 200, "{}", next.text());
    assert_eq!(refresh(&daemon, &pair.refresh_token).body, next.body, "a lost answer is answered again, byte for byte");
    assert_eq!(claims(&next.member("access_token"))["auth_time"], signed["auth_time"]);
    let out = post(&daemon, "/v1/session/logout", &json!({"refresh_token": next.member("refresh_token")}));
    assert_eq!((out.status, out.json()["seq"].is_u64()), (200, true), "{}", out.text());
    for token in [&pair.access_token, &next.member("access_token")] {
        assert!(matches!(verify(&daemon, token), Err(Rejection::Revoked(_))), "a logout really ends the session");
    }
    refused(&refresh(&daemon, &next.member("refresh_token")), 400, "invalid_grant");
    let again = post(&daemon, "/v1/session/logout", &json!({"refresh_token": next.member("refresh_token")}));
    assert_eq!(again.status, 200, "a logout can be repeated");
}

#[test]
fn whoever_does_not_exist_reads_as_whoever_has_the_wrong_password() {
    let daemon = with_users().start();
    maria(&daemon);
    let shape = |reply: Reply| {
        let headers = reply
            .headers
            .iter()
            .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
            .cloned()
            .collect::<Vec<_>>();
        (reply.status, headers, reply.body)
    };
    let wrong = try_login(&daemon, "maria", OTHER);
    refused(&wrong, 401, "invalid_login");
    assert_eq!(
        wrong.header("www-authenticate"),
        Some("Bearer realm=\"countersign\""),
        "no browser asks for Basic credentials"
    );
    let wrong = shape(wrong);
    for name in ["nobody", "nobody@example.com", "", "a b", "@", "mari\u{430}"] {
        assert_eq!(shape(try_login(&daemon, name, OTHER)), wrong, "{name}");
    }
    let log = daemon.log();
    assert!(
        !log.contains(OTHER) && !log.contains(PASSWORD) && !log.contains("nobody@example.com"),
        "the log repeats neither"
    );
}

#[test]
fn an_account_says_what_it_is_to_the_right_password_alone() {
    let daemon = with_users().start();
    let sub = maria(&daemon);
    let path = format!("/v1/users/{sub}");
    let pair = login(&daemon, "maria", PASSWORD);
    send(&daemon, "PATCH", &path, &json!({"must_reset": true}));
    assert!(
        verifier(&daemon)
            .verify(
                &pair.access_token,
                token::time::UnixTime::from_secs(pair.claims()["iat"].as_u64().expect("a time")).expect("a time")
            )
            .is_err()
    );
    refused(&refresh(&daemon, &pair.refresh_token), 400, "invalid_grant");
    refused(&try_login(&daemon, "maria", OTHER), 401, "invalid_login");
    let reply = try_login(&daemon, "maria", PASSWORD);
    refused(&reply, 403, "password_reset_required");
    assert_eq!(reply.member("reset_url"), "https://app.example/reset");
    assert!(reply.json().get("access_token").is_none());

    let code = ask(&daemon, "POST", &format!("{path}/reset-code")).send();
    assert_eq!((code.status, code.member("reset_url").as_str()), (200, "https://app.example/reset"), "{}", code.text());
    let reset = |new: &str| {
        post(&daemon, "/v1/session/password/reset", &json!({"code": code.member("code"), "new_password": new}))
    };
    let weak = reset("maria@example.com");
    refused(&weak, 400, "password_refused");
    assert_eq!(weak.member("reason"), "name");
    assert_eq!(reset(OTHER).status, 200);
    refused(&reset(PASSWORD), 400, "invalid_reset_code");
    refused(&try_login(&daemon, "maria", PASSWORD), 401, "invalid_login");
    login(&daemon, "maria", OTHER);

    send(&daemon, "PATCH", &path, &json!({"status": "disabled"}));
    refused(&try_login(&daemon, "maria", PASSWORD), 401, "invalid_login");
    refused(&try_login(&daemon, "maria", OTHER), 403, "account_disabled");
}

#[test]
fn a_change_of_the_password_ends_the_other_sessions() {
    let daemon = with_users().start();
    maria(&daemon);
    let (here, there) = (login(&daemon, "maria", PASSWORD), login(&daemon, "maria", PASSWORD));
    let change = |token: &str, current: &str, new: &str| {
        with_token(&daemon, "/v1/session/password", token, &json!({"current_password": current, "new_password": new}))
    };
    refused(&change("nonsense", PASSWORD, OTHER), 401, "invalid_token");
    refused(&change(&here.refresh_token, PASSWORD, OTHER), 401, "invalid_token");
    let of_backend = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    refused(&change(&of_backend.access_token, PASSWORD, OTHER), 401, "invalid_token");
    refused(&change(&here.access_token, OTHER, "five very small foxes"), 403, "wrong_password");
    assert_eq!(change(&here.access_token, PASSWORD, OTHER).status, 200);
    verify(&daemon, &here.access_token).expect("this session goes on");
    assert!(matches!(verify(&daemon, &there.access_token), Err(Rejection::Revoked(_))));
    assert_eq!(refresh(&daemon, &here.refresh_token).status, 200);
    refused(&refresh(&daemon, &there.refresh_token), 400, "invalid_grant");
    refused(&change(&there.access_token, OTHER, PASSWORD), 401, "invalid_token");
    login(&daemon, "maria", OTHER);
}

#[test]
fn guessing_slows_down_and_says_when_to_come_again() {
    let daemon = with_users().start();
    maria(&daemon);
    let throttled =
        (0..10).map(|_| try_login(&daemon, "maria", OTHER)).find(|reply| reply.status == 429).expect("slowed down");
    refused(&throttled, 429, "too_many_attempts");
    let wait: u64 = throttled.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((1..=2).contains(&wait));
    let unknown = (0..10).map(|_| try_login(&daemon, "nobody", OTHER)).find(|reply| reply.status == 429);
    refused(&unknown.expect("who does not exist is slowed down the same"), 429, "too_many_attempts");
}

#[test]
fn a_role_that_changes_is_in_the_next_token() {
    let daemon = with_users().start();
    let sub = maria(&daemon);
    let pair = login(&daemon, "maria", PASSWORD);
    send(&daemon, "PATCH", &format!("/v1/users/{sub}"), &json!({"roles": ["admin"], "scope": "read"}));
    let next = refresh(&daemon, &pair.refresh_token);
    let signed = claims(&next.member("access_token"));
    assert_eq!((&signed["roles"], &signed["scope"]), (&json!(["admin"]), &json!("read")));
}

#[test]
fn every_request_that_is_wrong_is_refused_by_name() {
    let daemon = with_users().start();
    maria(&daemon);
    for (path, body, code) in [
        ("/v1/session", json!({"password": PASSWORD}), "missing_field"),
        ("/v1/session", json!({"username": "maria"}), "missing_field"),
        ("/v1/session", json!({"username": "maria", "password": 1}), "invalid_field"),
        ("/v1/session", json!({"username": "maria", "password": ""}), "invalid_field"),
        ("/v1/session", json!({"username": "maria", "password": "x".repeat(1025)}), "invalid_field"),
        ("/v1/session", json!({"username": "maria", "password": PASSWORD, "transport": "both"}), "invalid_field"),
        ("/v1/session", json!({"username": "maria", "password": PASSWORD, "user_id": 1}), "unknown_field"),
        ("/v1/session", json!({"username": "maria", "password": PASSWORD, "scope": "a  b"}), "invalid_scope"),
        ("/v1/session", json!({"username": "maria", "password": PASSWORD, "scope": "admin"}), "invalid_scope"),
        ("/v1/session/refresh", json!({}), "missing_field"),
        ("/v1/session/refresh", json!({"refresh_token": "x"}), "invalid_grant"),
        ("/v1/session/password/reset", json!({"code": "x"}), "missing_field"),
        ("/v1/session/password/reset", json!({"code": "x", "new_password": OTHER}), "invalid_reset_code"),
        ("/v1/session/password/reset", json!({"code": "x", "new_password": "short"}), "password_refused"),
    ] {
        refused(&post(&daemon, path, &body), 400, code);
    }
    let password = json!({"current_password": "a", "new_password": "b"});
    refused(&post(&daemon, "/v1/session/password", &password), 401, "invalid_token");
    refused(&post(&daemon, "/v1/session/logout", &json!({})), 401, "invalid_token");
    for path in [
        "/v1/session",
        "/v1/session/refresh",
        "/v1/session/logout",
        "/v1/session/password",
        "/v1/session/password/reset",
    ] {
        assert_eq!(daemon.client().get(path).status, 405, "{path}");
        assert_eq!(daemon.client().post(path, "text/plain", "{}").send().status, 415, "{path}");
        assert_eq!(daemon.client().request("OPTIONS", path).send().status, 204, "{path}");
    }
}

#[test]
fn users_see_their_own_logins_and_end_them() {
    let daemon = with_users().start();
    maria(&daemon);
    let other = json!({"user_name": "otto", "password": OTHER});
    assert_eq!(send(&daemon, "POST", "/v1/users", &other).status, 201);
    let on = |device: &str| {
        let body = json!({"username": "maria", "password": PASSWORD, "device": device});
        serde_json::from_slice::<Pair>(&post(&daemon, "/v1/session", &body).body).expect("a pair")
    };
    let (laptop, phone, tablet) = (on("laptop"), on("phone"), on("tablet"));
    let otto = login(&daemon, "otto", OTHER);
    let list = |token: &str| {
        let request = daemon.client().request("GET", "/v1/session/sessions");
        let list = request.header("Authorization", &format!("Bearer {token}")).send();
        assert_eq!(list.status, 200, "{}", list.text());
        let items = list.json()["items"].as_array().cloned().expect("items");
        let mut devices: Vec<String> =
            items.iter().map(|item| item["device"].as_str().unwrap_or("-").to_owned()).collect();
        devices.sort();
        devices
    };
    assert_eq!(list(&laptop.access_token), ["laptop", "phone", "tablet"]);
    assert_eq!(list(&otto.access_token), ["-"]);
    let revoke = |token: &str, body: &Value| with_token(&daemon, "/v1/session/sessions/revoke", token, body);
    refused(&revoke(&laptop.access_token, &json!({"sid": otto.sid})), 404, "unknown_session");
    refused(&revoke(&laptop.access_token, &json!({})), 400, "missing_field");
    refused(&revoke(&laptop.access_token, &json!({"others": true, "all": true})), 400, "invalid_field");
    let one = revoke(&laptop.access_token, &json!({"sid": phone.sid}));
    assert_eq!((one.status, &one.json()["ended"]), (200, &json!(1)), "{}", one.text());
    assert!(matches!(verify(&daemon, &phone.access_token), Err(Rejection::Revoked(_))));
    assert_eq!(revoke(&laptop.access_token, &json!({"others": true})).json()["ended"], json!(1));
    refused(&refresh(&daemon, &tablet.refresh_token), 400, "invalid_grant");
    assert_eq!(list(&laptop.access_token), ["laptop"]);
    assert_eq!(revoke(&laptop.access_token, &json!({"all": true})).json()["ended"], json!(1));
    refused(&revoke(&laptop.access_token, &json!({"all": true})), 401, "invalid_token");
    verify(&daemon, &otto.access_token).expect("nobody else's");
}
