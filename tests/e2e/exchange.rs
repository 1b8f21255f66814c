//! Token exchange (RFC 8693): never worth more than the subject token, and of the same session to its end.

use crate::clients::{call, code, made, refused};
use countersign_tests::{Daemon, Pair, Reply, claims};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

type Credentials = (String, String);
/// Who asks, with which token, for what else, and the code of the refusal.
type Refused<'a> = (&'a Credentials, &'a str, Vec<(&'a str, &'a str)>, &'a str);

fn exchange(daemon: &Daemon, (id, secret): &Credentials, token: &str, more: &[(&str, &str)]) -> Reply {
    let fields = [("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS)];
    daemon.client().form("/oauth/token", &[&fields, more].concat()).basic((id, secret)).send()
}

/// An API that gets tokens for itself and asks a billing service in the name of whoever asked it.
fn api(daemon: &Daemon) -> Credentials {
    made(daemon, json!({"grants": ["token_exchange"], "audiences": ["api", "billing"], "scopes": ["r", "w"]}))
}

fn user(daemon: &Daemon) -> Pair {
    let claims = json!({"tenant": "t-1"});
    daemon.mint(json!({"sub": "alice", "aud": "api", "scope": "r w admin", "roles": ["editor"], "claims": claims}))
}

fn token_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.member("access_token")
}

/// Whether introspection finds it active, for an administrator.
fn active(daemon: &Daemon, token: &str) -> bool {
    let reply = daemon.client().form("/oauth/introspect", &[("token", token)]).basic(daemon.admin()).send();
    reply.json()["active"] == true
}

#[test]
fn an_api_acts_for_a_user_with_a_narrower_token_of_the_same_session() {
    let daemon = Daemon::start();
    let (api, pair) = (api(&daemon), user(&daemon));
    let reply = exchange(&daemon, &api, &pair.access_token, &[("audience", "billing"), ("scope", "w")]);
    let token = token_of(&reply);
    let body = reply.json();
    assert_eq!(
        (&body["issued_token_type"], &body["token_type"], &body["scope"]),
        (&json!(ACCESS), &json!("Bearer"), &json!("w"))
    );
    assert!(body.get("refresh_token").is_none());
    let (before, after) = (claims(&pair.access_token), claims(&token));
    let mut expected = before.clone();
    for (name, value) in
        [("aud", json!("billing")), ("scope", json!("w")), ("client_id", json!(api.0)), ("act", json!({"sub": api.0}))]
    {
        expected[name] = value;
    }
    for name in ["jti", "iat", "exp"] {
        expected[name] = after[name].clone();
    }
    assert_eq!(after, expected, "all else is as in the subject token");
    assert!(after["exp"].as_u64() <= before["exp"].as_u64() && after["jti"] != before["jti"]);
    assert!(active(&daemon, &token));
    let all = token_of(&exchange(&daemon, &api, &pair.access_token, &[]));
    assert_eq!(
        (&claims(&all)["aud"], &claims(&all)["scope"]),
        (&json!("api"), &json!("r w")),
        "what the client may have of it"
    );
    assert!(crate::verify(&daemon, &all).is_ok());
}

#[test]
fn who_acts_for_whom_is_told_and_bounded() {
    let daemon = Daemon::start();
    let mut token = user(&daemon).access_token;
    let mut acted: Value = json!(null);
    for turn in 0..5 {
        let (id, secret) = made(&daemon, json!({"grants": ["token_exchange"], "audiences": ["api"]}));
        let reply = exchange(&daemon, &(id.clone(), secret), &token, &[]);
        if turn == 4 {
            assert_eq!(code(&reply), refused(400, "invalid_request"));
            break;
        }
        token = token_of(&reply);
        acted = if acted.is_null() { json!({"sub": id}) } else { json!({"sub": id, "act": acted}) };
        assert_eq!(claims(&token)["act"], acted);
    }
}

#[test]
fn no_exchange_buys_more_than_was_held() {
    let daemon = Daemon::start();
    let (api, pair) = (api(&daemon), user(&daemon));
    let token = pair.access_token.as_str();
    let stranger = made(&daemon, json!({"grants": ["token_exchange"]}));
    let idle = made(&daemon, json!({"grants": ["client_credentials"], "audiences": ["api"]}));
    let short = daemon.mint(json!({"sub": "alice", "aud": "api", "access_ttl": 30})).access_token;
    let forged = format!(
        "{}AA",
        token.rsplit_once('.').map(|(signed, _)| format!("{signed}.")).unwrap_or_default() + &"A".repeat(84)
    );
    let cases: [Refused; 11] = [
        (&api, token, vec![("audience", "admin")], "invalid_target"),
        (&api, token, vec![("scope", "admin")], "invalid_scope"),
        (&api, token, vec![("scope", "r x")], "invalid_scope"),
        (&api, token, vec![("scope", "r  w")], "invalid_scope"),
        (
            &api,
            token,
            vec![("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
            "invalid_request",
        ),
        (&api, token, vec![("actor_token", token)], "invalid_request"),
        (&api, &forged, vec![], "invalid_request"),
        (&api, &pair.refresh_token, vec![], "invalid_request"),
        (&api, "x", vec![], "invalid_request"),
        (&stranger, token, vec![], "invalid_request"),
        (&idle, token, vec![], "unauthorized_client"),
    ];
    for (client, token, more, expected) in cases {
        assert_eq!(code(&exchange(&daemon, client, token, &more)), refused(400, expected), "{more:?}");
    }
    let kinds = [
        ("grant_type", GRANT),
        ("subject_token", token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2"),
    ];
    let saml = daemon.client().form("/oauth/token", &kinds).basic((&api.0, &api.1)).send();
    assert_eq!(code(&saml), refused(400, "invalid_request"));
    let bought = token_of(&exchange(&daemon, &api, &short, &[]));
    assert!(claims(&bought)["exp"].as_u64() <= claims(&short)["exp"].as_u64());
    // An administrator without a list gets no audience that the subject token does not have.
    let admin = (daemon.admin().0.to_owned(), daemon.admin().1.to_owned());
    assert_eq!(code(&exchange(&daemon, &admin, token, &[("audience", "billing")])), refused(400, "invalid_target"));
    assert_eq!(exchange(&daemon, &admin, token, &[("audience", "api")]).status, 200);
    daemon.revoke(token);
    assert_eq!(
        code(&exchange(&daemon, &api, token, &[])),
        refused(400, "invalid_request"),
        "a revoked token buys nothing"
    );
}

#[test]
fn whatever_ends_the_session_takes_back_what_it_was_exchanged_for() {
    let daemon = Daemon::start();
    let api = api(&daemon);
    let revoke = |target: Value| {
        let reply = call(&daemon, "POST", "/v1/revocations", &target);
        assert_eq!(reply.status, 200, "{}", reply.text());
    };
    let bought = |pair: &Pair| token_of(&exchange(&daemon, &api, &pair.access_token, &[]));
    let ends: [&dyn Fn(&Pair); 5] = [
        &|pair| drop(daemon.revoke(&pair.refresh_token)),
        &|pair| revoke(json!({"session": pair.sid})),
        &|_| revoke(json!({"subject": "alice"})),
        &|pair| {
            let next: Pair = serde_json::from_value(daemon.refresh(&pair.refresh_token).json()).unwrap();
            daemon.refresh(&next.refresh_token);
            assert_eq!(code(&daemon.refresh(&pair.refresh_token)), refused(400, "invalid_grant"), "reused");
            revoke(json!({"session": "AAAAAAAAAAAAAAAAAAAAAA"})); // what reuse takes back is published by then
        },
        &|_| revoke(json!({"client": "admin"})),
    ];
    for (which, end) in ends.into_iter().enumerate() {
        let pair = user(&daemon);
        let token = bought(&pair);
        assert!(active(&daemon, &token) && crate::verify(&daemon, &token).is_ok(), "{which}");
        end(&pair);
        assert!(!active(&daemon, &token), "{which}");
        assert!(crate::verify(&daemon, &token).is_err(), "{which}");
        assert_eq!(code(&exchange(&daemon, &api, &pair.access_token, &[])), refused(400, "invalid_request"), "{which}");
    }
    let token = bought(&user(&daemon));
    revoke(json!({"client": api.0}));
    assert!(crate::verify(&daemon, &token).is_err(), "and so does whatever ends the client that got it");
}

#[test]
fn no_exchange_slips_by_a_revocation() {
    let daemon = Daemon::start();
    let api = api(&daemon);
    for _ in 0..10 {
        let pair = user(&daemon);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let exchanging = || {
                let mut bought = Vec::new();
                loop {
                    let late = over.load(Ordering::SeqCst);
                    let reply = exchange(&daemon, &api, &pair.access_token, &[]);
                    if reply.status != 200 {
                        assert!(matches!(reply.status, 400 | 429), "{}", reply.text());
                        return bought;
                    }
                    assert!(!late, "exchanged after the revocation was answered");
                    bought.push(reply.member("access_token"));
                }
            };
            let racers: Vec<_> = (0..3).map(|_| scope.spawn(exchanging)).collect();
            assert_eq!(daemon.revoke(&pair.refresh_token).status, 200);
            over.store(true, Ordering::SeqCst);
            for token in racers.into_iter().flat_map(|racer| racer.join().unwrap()) {
                assert!(crate::verify(&daemon, &token).is_err(), "a token slipped between exchange and revocation");
            }
        });
    }
}
