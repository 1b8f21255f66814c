//! Administration of built-in users, over HTTP.

use countersign_tests::{Daemon, Reply, Request, Setup};
use serde_json::{Value, json};

/// A password that nothing is wrong with.
pub(crate) const PASSWORD: &str = "three quiet otters";
/// Another one.
pub(crate) const OTHER: &str = "seven loud herons in a row";

/// A daemon with built-in users.
pub(crate) fn with_users() -> Setup {
    Setup::new().set("users.enabled", "true").set("users.reset_url", "https://app.example/reset")
}

/// Begins a request of the administrator.
pub(crate) fn ask(daemon: &Daemon, method: &str, path: &str) -> Request {
    daemon.client().request(method, path).basic(daemon.admin())
}

/// Sends JSON as the administrator.
pub(crate) fn send(daemon: &Daemon, method: &str, path: &str, body: &Value) -> Reply {
    ask(daemon, method, path).header("Content-Type", "application/json").body(body.to_string()).send()
}

/// Makes the user `maria` and returns her `sub`.
pub(crate) fn maria(daemon: &Daemon) -> String {
    let body = json!({
        "user_name": "Maria", "email": "maria@example.com", "password": PASSWORD, "roles": ["editor"],
        "permissions": ["a:b"], "scope": "read write"
    });
    let reply = send(daemon, "POST", "/v1/users", &body);
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.member("sub")
}

/// Asserts a refusal and its code.
#[track_caller]
pub(crate) fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.member("code").as_str()), (status, code), "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
}

#[test]
fn a_user_is_made_shown_changed_listed_and_deleted() {
    let daemon = with_users().start();
    let sub = maria(&daemon);
    assert_eq!(sub.len(), 22);
    let path = format!("/v1/users/{sub}");
    let shown = ask(&daemon, "GET", &path).send().json();
    let expected = json!({
        "sub": sub, "user_name": "Maria", "email": "maria@example.com", "status": "active", "must_reset": false,
        "has_password": true, "roles": ["editor"], "permissions": ["a:b"], "scope": "read write", "aud": [], "claims": {},
        "failures": 0, "created_at": shown["created_at"], "password_set_at": shown["created_at"]
    });
    assert_eq!(shown, expected);
    let changed = send(
        &daemon,
        "PATCH",
        &path,
        &json!({"user_name": null, "roles": [], "claims": {"tenant": 7}, "access_ttl": 60}),
    );
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = changed.json();
    assert!(changed.get("user_name").is_none() && changed.get("revocation").is_none(), "{changed}");
    assert_eq!(
        (&changed["roles"], &changed["claims"], &changed["access_ttl"]),
        (&json!([]), &json!({"tenant": 7}), &json!(60))
    );
    assert_eq!(changed["permissions"], json!(["a:b"]), "what is not named stays");
    let mut subs = vec![sub.clone()];
    for number in 0..4 {
        let reply = send(&daemon, "POST", "/v1/users", &json!({"user_name": format!("u{number}")}));
        subs.push(reply.member("sub"));
    }
    subs.sort_by_key(|sub| token::base64url::decode(sub.as_bytes()).expect("base64url"));
    let (mut listed, mut after) = (Vec::new(), String::new());
    loop {
        let list = ask(&daemon, "GET", &format!("/v1/users?limit=2{after}")).send().json();
        listed.extend(
            list["items"].as_array().expect("items").iter().map(|user| user["sub"].as_str().expect("a sub").to_owned()),
        );
        match list["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(listed, subs);
    let deleted = ask(&daemon, "DELETE", &path).send();
    assert_eq!((deleted.status, deleted.json()["seq"].is_u64()), (200, true), "{}", deleted.text());
    refused(&ask(&daemon, "GET", &path).send(), 404, "unknown_user");
    refused(&ask(&daemon, "DELETE", &path).send(), 404, "unknown_user");
}

#[test]
fn what_a_user_may_not_be_is_refused_by_name() {
    let daemon = with_users().start();
    maria(&daemon);
    for (body, code) in [
        (json!({"user_name": "maria"}), "name_taken"),
        (json!({"email": "MARIA@EXAMPLE.COM"}), "name_taken"),
        (json!({"user_name": "a", "email": "maria@example.com"}), "name_taken"),
    ] {
        refused(&send(&daemon, "POST", "/v1/users", &body), 409, code);
    }
    for (body, named) in [
        (json!({}), "user_name"),
        (json!({"user_name": "a@b"}), "user_name"),
        (json!({"user_name": "a b"}), "user_name"),
        (json!({"email": "a"}), "email"),
        (json!({"user_name": "a", "roles": [""]}), "roles"),
        (json!({"user_name": "a", "scope": "a  b"}), "scope"),
        (json!({"user_name": "a", "claims": {"sub": "b"}}), "claims"),
        (json!({"user_name": "a", "access_ttl": 0}), "access_ttl"),
        (json!({"user_name": "a", "session_ttl": 99_999_999}), "session_ttl"),
        (json!({"user_name": "a", "password": "tab\there is none"}), "password"),
    ] {
        let reply = send(&daemon, "POST", "/v1/users", &body);
        refused(&reply, 400, "invalid_field");
        assert!(
            reply.member("detail").starts_with(named) || reply.member("detail").starts_with(&format!("'{named}'")),
            "{}",
            reply.text()
        );
    }
    for (password, reason) in [
        ("shorter than 15", None),
        ("too short", Some("too_short")),
        ("maria@example.net", Some("name")),
        ("passwordpassword1", Some("common")),
    ] {
        let body = json!({"user_name": "other", "email": "maria@example.net", "password": password});
        let reply = send(&daemon, "POST", "/v1/users", &body);
        match reason {
            Some(reason) => {
                refused(&reply, 400, "password_refused");
                assert_eq!(reply.member("reason"), reason);
            }
            None => {
                assert_eq!(reply.status, 201, "fifteen characters are enough: {}", reply.text());
                assert_eq!(ask(&daemon, "DELETE", &format!("/v1/users/{}", reply.member("sub"))).send().status, 200);
            }
        }
    }
    for sub in ["nobody", "AAAAAAAAAAAAAAAAAAAAAA", "%2e%2e"] {
        refused(&ask(&daemon, "GET", &format!("/v1/users/{sub}")).send(), 404, "unknown_user");
    }
    refused(&daemon.client().get("/v1/users"), 401, "invalid_client");
}

#[test]
fn users_survive_a_crash_and_an_acknowledged_change_does_too() {
    let mut daemon = with_users().start();
    let sub = maria(&daemon);
    let disabled = send(&daemon, "PATCH", &format!("/v1/users/{sub}"), &json!({"status": "disabled"}));
    assert!(disabled.json()["revocation"]["effective_by"].is_u64(), "{}", disabled.text());
    daemon.kill();
    daemon.restart();
    assert_eq!(ask(&daemon, "GET", &format!("/v1/users/{sub}")).send().member("status"), "disabled");
    refused(&send(&daemon, "POST", "/v1/users", &json!({"user_name": "MARIA"})), 409, "name_taken");
}

#[test]
fn where_users_are_off_there_is_nothing_of_them() {
    let daemon = Daemon::start();
    refused(&send(&daemon, "POST", "/v1/users", &json!({"user_name": "a"})), 404, "users_off");
    refused(&ask(&daemon, "GET", "/v1/users").send(), 404, "users_off");
    let login = json!({"username": "a", "password": PASSWORD});
    refused(&daemon.client().json("/v1/session", &login).send(), 404, "users_off");
    refused(&daemon.client().json("/v1/session/refresh", &json!({"refresh_token": "x"})).send(), 404, "users_off");
}

#[test]
fn the_client_of_logins_is_nobodys_to_use() {
    let daemon = with_users().start();
    maria(&daemon);
    let body = json!({"username": "maria", "password": PASSWORD});
    let pair = daemon.client().json("/v1/session", &body).send();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &pair.member("refresh_token"))];
    for secret in ["", "login", PASSWORD] {
        let reply = daemon.client().form("/oauth/token", &fields).basic(("login", secret)).send();
        assert_eq!((reply.status, reply.member("error").as_str()), (401, "invalid_client"));
    }
    let reply = daemon.client().form("/oauth/token", &fields).basic(daemon.admin()).send();
    assert_eq!(
        (reply.status, reply.member("error").as_str()),
        (400, "invalid_grant"),
        "not the administrator's either"
    );
    refused(&send(&daemon, "POST", "/v1/clients", &json!({"client_id": "login", "grants": []})), 409, "client_exists");
    let all = send(&daemon, "POST", "/v1/revocations", &json!({"client": "login"}));
    assert_eq!(all.status, 200, "all logins end at once: {}", all.text());
    let refresh = json!({"refresh_token": pair.member("refresh_token")});
    refused(&daemon.client().json("/v1/session/refresh", &refresh).send(), 400, "invalid_grant");
}
