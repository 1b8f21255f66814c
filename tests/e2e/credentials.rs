//! Who may act: the credentials of a client, right, wrong, twice and nowhere.

use countersign_tests::{Daemon, Reply, Request};
use serde_json::{Value, json};

const POSTS: [&str; 5] = ["/v1/tokens", "/v1/revocations", "/oauth/token", "/oauth/revoke", "/oauth/introspect"];

/// A right request but for its credentials.
fn request(daemon: &Daemon, path: &str, more: &str) -> Request {
    match path {
        "/v1/tokens" => daemon.client().json(path, &json!({"sub": "a", "aud": "api"})),
        "/v1/revocations" => daemon.client().json(path, &json!({"subject": "a"})),
        "/oauth/token" => form(daemon, path, &format!("grant_type=client_credentials{more}")),
        _ => form(daemon, path, &format!("token=x{more}")),
    }
}

fn form(daemon: &Daemon, path: &str, body: &str) -> Request {
    daemon.client().post(path, "application/x-www-form-urlencoded", body)
}

/// What the outside learns, without what differs from answer to answer.
fn told(reply: &Reply) -> (u16, Vec<(String, String)>, Value) {
    let differs = |name: &str| matches!(name, "date" | "x-request-id" | "ratelimit");
    let headers = reply.headers.iter().filter(|(name, _)| !differs(name)).cloned().collect();
    (reply.status, headers, reply.json())
}

#[test]
fn an_unknown_client_and_a_wrong_secret_are_told_the_same() {
    let daemon = Daemon::start();
    for path in POSTS {
        let wrong_secret = request(&daemon, path, "").basic(("admin", "wrong")).send();
        let unknown = request(&daemon, path, "").basic(("nobody", daemon.admin().1)).send();
        let both_wrong = request(&daemon, path, "").basic(("nobody", "wrong")).send();
        assert_eq!(wrong_secret.status, 401);
        assert_eq!(wrong_secret.header("www-authenticate"), Some("Basic realm=\"countersign\""));
        assert_eq!(told(&wrong_secret), told(&unknown), "{path}");
        assert_eq!(told(&wrong_secret), told(&both_wrong), "{path}");
        let code = wrong_secret.member(if path.starts_with("/oauth") { "error" } else { "code" });
        assert_eq!(code, "invalid_client");
    }
}

#[test]
fn credentials_that_prove_nobody_are_told_the_same_as_wrong_ones() {
    let daemon = Daemon::start();
    let secret = daemon.admin().1;
    for path in POSTS {
        let wrong = told(&request(&daemon, path, "").basic(("admin", "wrong")).send());
        let absent = request(&daemon, path, "");
        let empty = request(&daemon, path, "").basic(("", ""));
        let almost = request(&daemon, path, "").basic(("admin", secret.split_at(secret.len() - 1).0));
        let longer = request(&daemon, path, "").basic(("admin", &format!("{secret}x")));
        let upper = request(&daemon, path, "").basic(("ADMIN", secret));
        let mut wrong_ones = vec![absent, empty, almost, longer, upper];
        for value in
            ["Basic", "Basic !", "Basic YWRtaW4=", "Bearer abc", "", "Digest username=\"admin\"", "Basic \u{e9}"]
        {
            wrong_ones.push(request(&daemon, path, "").header("Authorization", value));
        }
        for request in wrong_ones {
            assert_eq!(told(&request.send()), wrong, "{path}");
        }
    }
}

#[test]
fn the_form_may_carry_the_credentials_of_oauth_endpoints_only() {
    let daemon = Daemon::start();
    let given = format!("&client_id=admin&client_secret={}", daemon.admin().1);
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        assert_eq!(request(&daemon, path, &given).send().status, 200, "{path}");
        let wrong = request(&daemon, path, "&client_id=admin&client_secret=wrong").send();
        let unknown = request(&daemon, path, "&client_id=nobody&client_secret=wrong").send();
        assert_eq!((wrong.status, told(&wrong)), (401, told(&unknown)), "{path}");
        let half = request(&daemon, path, "&client_id=admin").send();
        assert_eq!(told(&half), told(&wrong), "{path}");
    }
    let json = json!({"sub": "a", "aud": "api", "client_id": "admin", "client_secret": daemon.admin().1});
    assert_eq!(daemon.client().json("/v1/tokens", &json).send().status, 401);
}

#[test]
fn credentials_in_two_places_are_refused_even_when_both_are_right() {
    let daemon = Daemon::start();
    let given = format!("&client_id=admin&client_secret={}", daemon.admin().1);
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        for (more, status) in
            [(given.as_str(), 400), ("&client_id=other", 400), ("&client_id=admin", 200), ("&client_secret=x", 400)]
        {
            let reply = request(&daemon, path, more).basic(daemon.admin()).send();
            assert_eq!(reply.status, status, "{path} {more}: {}", reply.text());
            assert_eq!(status == 400, reply.member("error") == "invalid_request");
        }
    }
    for path in POSTS {
        let twice = request(&daemon, path, "").basic(daemon.admin()).basic(daemon.admin()).send();
        assert_eq!(twice.status, 400, "{path}");
    }
}

#[test]
fn nothing_is_done_for_a_client_that_is_not_proved() {
    let daemon = Daemon::start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let wrong = ("admin", "wrong");
    let revoke = daemon.client().form("/oauth/revoke", &[("token", &pair.refresh_token)]).basic(wrong).send();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", pair.refresh_token.as_str())];
    let refresh = daemon.client().form("/oauth/token", &refresh).basic(wrong).send();
    let introspect = daemon.client().form("/oauth/introspect", &[("token", &pair.access_token)]).basic(wrong).send();
    assert_eq!((revoke.status, refresh.status, introspect.status), (401, 401, 401));
    assert_eq!(daemon.refresh(&pair.refresh_token).status, 200, "the session is as it was");
}

#[test]
fn an_oversized_authorization_field_is_refused() {
    let daemon = Daemon::start();
    let long = daemon.client().request("GET", "/healthz").header("Authorization", &"x".repeat(20_000)).send();
    assert_eq!(long.status, 431);
    let shorter = request(&daemon, "/oauth/revoke", "").basic(("admin", &"x".repeat(8_000))).send();
    assert_eq!(shorter.status, 401);
}
