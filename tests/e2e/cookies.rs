//! Logins with cookies, as a browser sends them; and what a page of another site gets.

use crate::users::{OTHER, PASSWORD, maria, refused, with_users};
use crate::verify;
use countersign_tests::{Daemon, Reply, Request};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use token::error::Rejection;

/// The cookies that a browser would have kept, by name, and what it was told of each.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
}

impl Browser {
    fn take(&mut self, reply: &Reply) {
        for (_, cookie) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, attributes) = cookie.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            self.attributes.insert(name.to_owned(), attributes.to_owned());
        }
    }

    fn cookie(&self, name: &str) -> &str {
        self.cookies.get(name).map_or("", String::as_str)
    }

    fn header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// A request as a page of the issuer's origin sends it, but for the CSRF token.
    fn bare(&self, daemon: &Daemon, path: &str, body: &Value) -> Request {
        let request = daemon.client().json(path, body).header("Cookie", &self.header());
        request.header("Sec-Fetch-Site", "same-origin").header("Origin", &daemon.url())
    }

    fn post(&mut self, daemon: &Daemon, path: &str, body: &Value) -> Reply {
        let reply = self.bare(daemon, path, body).header("X-CSRF-Token", self.cookie("__Host-csrf")).send();
        self.take(&reply);
        reply
    }

    fn login(&mut self, daemon: &Daemon) -> Reply {
        self.post(daemon, "/v1/session", &json!({"username": "maria", "password": PASSWORD, "transport": "cookie"}))
    }
}

fn logged_in(daemon: &Daemon) -> Browser {
    let mut browser = Browser::default();
    let reply = browser.login(daemon);
    assert_eq!(reply.status, 200, "{}", reply.text());
    browser
}

#[test]
fn a_cookie_of_somebody_else_on_the_host_hides_none_of_ours() {
    let daemon = with_users().start();
    maria(&daemon);
    let mut browser = logged_in(&daemon);
    browser.cookies.insert("!lang".to_owned(), "espa\u{f1}ol".to_owned());
    assert!(browser.header().starts_with("!lang="));
    let reply = browser.post(&daemon, "/v1/session/refresh", &json!({}));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(browser.post(&daemon, "/v1/session/logout", &json!({})).status, 200);
}

#[test]
fn a_login_with_cookies_keeps_the_tokens_from_scripts() {
    let daemon = with_users().start();
    maria(&daemon);
    let mut browser = Browser::default();
    let reply = browser.login(&daemon);
    let body = reply.json();
    assert!(body.get("access_token").is_none() && body.get("refresh_token").is_none(), "{body}");
    assert_eq!(
        (&body["expires_in"], &body["scope"], body["csrf_token"].as_str()),
        (&json!(900), &json!("read write"), Some(browser.cookie("__Host-csrf")))
    );
    for token in ["__Host-access", "__Secure-refresh"] {
        assert!(!reply.text().contains(browser.cookie(token)));
    }
    let expected = [
        ("__Host-access", "Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Lax"),
        ("__Host-csrf", "Path=/; Max-Age=604800; Secure; SameSite=Strict"),
        ("__Secure-device", "Path=/v1/session; Max-Age=15552000; Secure; HttpOnly; SameSite=Strict"),
        ("__Secure-refresh", "Path=/v1/session; Max-Age=604800; Secure; HttpOnly; SameSite=Strict"),
    ];
    assert!(browser.attributes.iter().map(|(name, attributes)| (name.as_str(), attributes.as_str())).eq(expected));
    verify(&daemon, browser.cookie("__Host-access")).expect("valid");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[test]
fn a_refresh_by_cookie_is_answered_in_cookies_and_a_logout_clears_them() {
    let daemon = with_users().start();
    maria(&daemon);
    let mut browser = logged_in(&daemon);
    let first = browser.cookie("__Host-access").to_owned();
    let reply = browser.post(&daemon, "/v1/session/refresh", &json!({}));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.json().get("access_token").is_none());
    let second = browser.cookie("__Host-access").to_owned();
    assert_ne!(first, second);
    let out = browser.post(&daemon, "/v1/session/logout", &json!({}));
    assert_eq!((out.status, out.header("clear-site-data")), (200, Some("\"cache\", \"storage\"")), "{}", out.text());
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Secure-device"], "the device stays known");
    for token in [&first, &second] {
        assert!(matches!(verify(&daemon, token), Err(Rejection::Revoked(_))));
    }
}

#[test]
fn without_the_csrf_token_of_the_very_session_nothing_happens() {
    let daemon = with_users().start();
    maria(&daemon);
    let (browser, other) = (logged_in(&daemon), logged_in(&daemon));
    let (own, foreign) = (browser.cookie("__Host-csrf"), other.cookie("__Host-csrf"));
    let password = json!({"current_password": PASSWORD, "new_password": OTHER});
    for (path, body) in
        [("/v1/session/refresh", json!({})), ("/v1/session/logout", json!({})), ("/v1/session/password", password)]
    {
        refused(&browser.bare(&daemon, path, &body).send(), 403, "invalid_csrf_token");
        for wrong in ["", "x", foreign] {
            refused(
                &browser.bare(&daemon, path, &body).header("X-CSRF-Token", wrong).send(),
                403,
                "invalid_csrf_token",
            );
        }
        let twice = browser.bare(&daemon, path, &body).header("X-CSRF-Token", own).header("X-CSRF-Token", own).send();
        refused(&twice, 403, "invalid_csrf_token");
        // A cookie that another host of the domain has put there, with its own header: equal, but of another session.
        let tossed = browser.header().replace(own, foreign);
        let request = daemon.client().json(path, &body).header("Cookie", &tossed).header("Origin", &daemon.url());
        refused(&request.header("X-CSRF-Token", foreign).send(), 403, "invalid_csrf_token");
    }
    verify(&daemon, browser.cookie("__Host-access")).expect("nothing has happened");
}

#[test]
fn a_page_of_another_site_can_do_nothing_with_the_cookies() {
    let daemon = with_users().set("cors_origins", "https://app.example").start();
    maria(&daemon);
    let browser = logged_in(&daemon);
    let post = |path: &str, headers: &[(&str, &str)]| {
        let body = json!({"username": "maria", "password": PASSWORD, "transport": "cookie"});
        let body = if path == "/v1/session" { body } else { json!({}) };
        let request = daemon.client().json(path, &body).header("Cookie", &browser.header());
        let request = request.header("X-CSRF-Token", browser.cookie("__Host-csrf"));
        headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    };
    for headers in [
        &[("Origin", "https://evil.example")][..],
        &[("Origin", "null")],
        &[("Origin", "https://app.example.evil.example")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
        &[("Sec-Fetch-Site", "Same-Origin"), ("Origin", "https://evil.example")],
    ] {
        for path in ["/v1/session", "/v1/session/refresh", "/v1/session/logout"] {
            refused(&post(path, headers), 403, "cross_site_request");
        }
    }
    let listed = post("/v1/session/refresh", &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://app.example")]);
    assert_eq!(listed.status, 200, "{}", listed.text());
    assert_eq!(listed.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(listed.header("access-control-allow-credentials"), Some("true"));
    let no_browser = post("/v1/session/refresh", &[]);
    assert_eq!(no_browser.status, 200, "who is no browser sends neither field: {}", no_browser.text());
    let asked = daemon.client().request("OPTIONS", "/v1/session/refresh");
    let asked = asked.header("Origin", "https://evil.example").header("Access-Control-Request-Method", "POST").send();
    assert_eq!(
        (asked.header("access-control-allow-origin"), asked.header("access-control-allow-credentials")),
        (None, None)
    );
    let asked =
        daemon.client().request("OPTIONS", "/v1/session/refresh").header("Origin", "https://app.example").send();
    assert_eq!(asked.header("access-control-allow-headers"), Some("Authorization, Content-Type, X-CSRF-Token"));
}

#[test]
fn tokens_come_in_one_place_and_cookies_once() {
    let daemon = with_users().start();
    maria(&daemon);
    let browser = logged_in(&daemon);
    let csrf = browser.cookie("__Host-csrf");
    let both =
        browser.bare(&daemon, "/v1/session/refresh", &json!({"refresh_token": browser.cookie("__Secure-refresh")}));
    refused(&both.header("X-CSRF-Token", csrf).send(), 400, "invalid_credentials");
    let both = browser.bare(&daemon, "/v1/session/logout", &json!({"refresh_token": "x"}));
    refused(&both.header("X-CSRF-Token", csrf).send(), 400, "invalid_credentials");
    let bearer = format!("Bearer {}", browser.cookie("__Host-access"));
    let password = json!({"current_password": PASSWORD, "new_password": OTHER});
    let both = browser.bare(&daemon, "/v1/session/password", &password).header("Authorization", &bearer);
    refused(&both.header("X-CSRF-Token", csrf).send(), 400, "invalid_credentials");
    let twice = format!("{}; __Secure-refresh=x", browser.header());
    let request = daemon.client().json("/v1/session/refresh", &json!({})).header("Cookie", &twice);
    refused(&request.header("X-CSRF-Token", csrf).send(), 400, "invalid_cookie");
    let split = daemon.client().json("/v1/session/refresh", &json!({})).header("Cookie", &browser.header());
    refused(&split.header("Cookie", "__Host-csrf=x").header("X-CSRF-Token", csrf).send(), 400, "invalid_cookie");
    refused(&browser.bare(&daemon, "/v1/session/refresh", &json!({"transport": "body"})).send(), 400, "unknown_field");
}

#[test]
fn a_login_over_cookies_of_another_session_ends_that_one() {
    let daemon = with_users().start();
    maria(&daemon);
    let mut browser = logged_in(&daemon);
    let old = browser.cookie("__Host-access").to_owned();
    let reply = browser.login(&daemon);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(matches!(verify(&daemon, &old), Err(Rejection::Revoked(_))));
    verify(&daemon, browser.cookie("__Host-access")).expect("the new one stands");
}

#[test]
fn cookies_that_buy_nothing_any_more_are_cleared() {
    let daemon = with_users().start();
    maria(&daemon);
    let mut browser = logged_in(&daemon);
    assert_eq!(daemon.revoke(browser.cookie("__Secure-refresh")).status, 200);
    let reply = browser.post(&daemon, "/v1/session/refresh", &json!({}));
    refused(&reply, 400, "invalid_grant");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Secure-device"]);
    let mut browser = logged_in(&daemon);
    assert_eq!(daemon.revoke(browser.cookie("__Secure-refresh")).status, 200);
    browser.cookies.remove("__Secure-refresh");
    let reply = browser.post(&daemon, "/v1/session/logout", &json!({}));
    assert_eq!(reply.status, 200, "what is over can be logged out of: {}", reply.text());
}

#[test]
fn a_password_is_changed_with_the_access_cookie() {
    let daemon = with_users().start();
    maria(&daemon);
    let mut browser = logged_in(&daemon);
    let body = json!({"current_password": PASSWORD, "new_password": OTHER});
    let reply = browser.post(&daemon, "/v1/session/password", &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(browser.post(&daemon, "/v1/session/refresh", &json!({})).status, 200, "this session goes on");
}

#[test]
fn a_token_that_no_cookie_holds_is_not_made() {
    let daemon = with_users().start();
    let sub = maria(&daemon);
    let mut browser = logged_in(&daemon);
    let roles: Vec<String> = (0..40).map(|number| format!("{number:0>100}")).collect();
    let changed = crate::users::send(&daemon, "PATCH", &format!("/v1/users/{sub}"), &json!({"roles": roles}));
    assert_eq!(changed.status, 200, "{}", changed.text());
    refused(&browser.post(&daemon, "/v1/session/refresh", &json!({})), 400, "token_too_long");
    refused(&Browser::default().login(&daemon), 400, "token_too_long");
    crate::users::send(&daemon, "PATCH", &format!("/v1/users/{sub}"), &json!({"roles": []}));
    assert_eq!(
        browser.post(&daemon, "/v1/session/refresh", &json!({})).status,
        200,
        "the refresh token was not used up"
    );
}

#[test]
fn names_domain_paths_and_the_switch_are_the_operators() {
    let daemon = with_users()
        .set("cookies.access_name", "__Secure-a")
        .set("cookies.csrf_name", "c")
        .set("cookies.domain", "example.com")
        .set("cookies.refresh_path", "/auth/v1/session")
        .set("cookies.access_same_site", "Strict")
        .set("cookies.csrf", "false")
        .set("cookies.clear_site_data", "")
        .start();
    maria(&daemon);
    let mut browser = logged_in(&daemon);
    assert_eq!(
        browser.attributes["__Secure-a"],
        "Path=/; Domain=example.com; Max-Age=900; Secure; HttpOnly; SameSite=Strict"
    );
    assert!(browser.attributes["__Secure-refresh"].starts_with("Path=/auth/v1/session; Domain=example.com; "));
    let bare = daemon.client().json("/v1/session/refresh", &json!({})).header("Cookie", &browser.header());
    let reply = bare.header("Origin", "https://elsewhere.example").send();
    assert_eq!(reply.status, 200, "nothing is asked: {}", reply.text());
    browser.take(&reply);
    let out = daemon.client().json("/v1/session/logout", &json!({})).header("Cookie", &browser.header()).send();
    assert_eq!((out.status, out.header("clear-site-data")), (200, None));
}
