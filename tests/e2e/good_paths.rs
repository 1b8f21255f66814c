//! Each endpoint does what it is for.

use crate::{verifier, verify};
use countersign_tests::{Daemon, Setup, claims};
use serde_json::{Value, json};

#[test]
fn a_backend_mints_a_pair_with_everything_it_asked_for() {
    let daemon = Daemon::start();
    let reply = daemon
        .client()
        .json(
            "/v1/tokens",
            &json!({
                "sub": "alice", "aud": ["api", "files"], "scope": "read write", "roles": ["editor"], "permissions": ["a:b"],
                "auth_time": 1_700_000_000, "claims": {"tenant": {"id": 7}}, "access_ttl": 60, "refresh_ttl": 600, "session_ttl": 6000
            }),
        )
        .basic(daemon.admin())
        .send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let answer = reply.json();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"], &answer["refresh_expires_in"]),
        (&json!("Bearer"), &json!(60), &json!(600))
    );
    assert_eq!(answer["scope"], "read write");
    let signed = claims(answer["access_token"].as_str().expect("a token"));
    assert_eq!(signed["iss"], json!(daemon.url()));
    assert_eq!(signed["aud"], json!(["api", "files"]));
    assert_eq!(
        (&signed["sub"], &signed["client_id"], &signed["sid"]),
        (&json!("alice"), &json!("admin"), &answer["sid"])
    );
    assert_eq!(
        (&signed["roles"], &signed["permissions"], &signed["auth_time"]),
        (&json!(["editor"]), &json!(["a:b"]), &json!(1_700_000_000))
    );
    assert_eq!(signed["tenant"], json!({"id": 7}));
    let times = |name: &str| signed[name].as_u64().expect("a time");
    assert_eq!(times("exp") - times("iat"), 60);
    assert_eq!(answer["session_expires_at"], json!(times("iat") + 6000));
}

#[test]
fn a_minted_token_is_verified_with_the_published_keys_and_list() {
    let daemon = Daemon::start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let verified = verify(&daemon, &pair.access_token).expect("valid");
    assert_eq!(verified.claims.sub, "alice");
    assert_eq!(verified.claims.sid.as_deref(), Some(pair.sid.as_str()));
    assert_eq!(
        verify(&daemon, &pair.refresh_token).expect_err("not an access token").code(),
        "ERR_JWT_CLAIM_VALIDATION_FAILED"
    );
}

#[test]
fn a_client_gets_an_access_token_for_itself_and_no_refresh_token() {
    let daemon = Daemon::start();
    let reply = daemon
        .client()
        .form("/oauth/token", &[("grant_type", "client_credentials"), ("scope", "a b")])
        .basic(daemon.admin())
        .send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let answer = reply.json();
    assert!(answer.get("refresh_token").is_none() && answer.get("session_expires_at").is_none(), "{answer}");
    let verified = verify(&daemon, &reply.member("access_token")).expect("valid for the default audience");
    assert_eq!((verified.claims.sub.as_str(), verified.claims.scope.as_deref()), ("admin", Some("a b")));

    let fields = [
        ("grant_type", "client_credentials"),
        ("audience", "files"),
        ("client_id", "admin"),
        ("client_secret", daemon.admin().1),
    ];
    let reply = daemon.client().form("/oauth/token", &fields).send();
    assert_eq!(claims(&reply.member("access_token"))["aud"], "files", "{}", reply.text());
}

#[test]
fn the_default_audience_and_lives_are_those_of_the_settings() {
    let setup =
        Setup::new().set("default_audience", "things").set("access_ttl_seconds", "77").set("algorithm", "Ed25519");
    let daemon = setup.start();
    let reply =
        daemon.client().form("/oauth/token", &[("grant_type", "client_credentials")]).basic(daemon.admin()).send();
    assert_eq!(reply.json()["expires_in"], 77);
    let token = reply.member("access_token");
    assert_eq!(claims(&token)["aud"], "things");
    let keys = daemon.client().get("/.well-known/jwks.json").json();
    assert!(keys["keys"].as_array().expect("keys").iter().all(|key| key["alg"] == "Ed25519"), "{keys}");
}

#[test]
fn introspection_tells_the_claims_of_an_active_token_and_nothing_of_another() {
    let daemon = Daemon::start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api", "scope": "read", "claims": {"tenant": "t"}}));
    let introspect = |token: &str, hint: &str| {
        let reply = daemon
            .client()
            .form("/oauth/introspect", &[("token", token), ("token_type_hint", hint)])
            .basic(daemon.admin())
            .send();
        assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-store")), "{}", reply.text());
        reply.json()
    };
    let active = introspect(&pair.access_token, "refresh_token"); // the hint is wrong and does not matter
    assert_eq!(
        (&active["active"], &active["sub"], &active["tenant"], &active["scope"]),
        (&json!(true), &json!("alice"), &json!("t"), &json!("read"))
    );
    let tampered = format!("{}x", pair.access_token);
    for token in ["rubbish", tampered.as_str(), "a.b.c"] {
        assert_eq!(introspect(token, "access_token"), json!({"active": false}));
    }
    daemon.revoke(&pair.access_token);
    assert_eq!(introspect(&pair.access_token, ""), json!({"active": false}));
}

#[test]
fn the_key_set_has_a_key_for_tokens_and_one_for_lists() {
    let daemon = Daemon::start();
    let reply = daemon.client().get("/.well-known/jwks.json");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/jwk-set+json")));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=300"));
    let keys = reply.json();
    let keys = keys["keys"].as_array().expect("keys");
    let purposes: Vec<&Value> = keys.iter().map(|key| &key["purpose"]).collect();
    assert!(purposes.contains(&&json!("token")) && purposes.contains(&&json!("revocations")), "{purposes:?}");
    for key in keys {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["use"], &key["alg"]),
            (&json!("OKP"), &json!("Ed25519"), &json!("sig"), &json!("EdDSA"))
        );
        assert!(key.get("d").is_none(), "a private key is published");
    }
}

#[test]
fn the_metadata_says_where_everything_is_and_every_url_in_it_answers() {
    let daemon = Daemon::start();
    let reply = daemon.client().get("/.well-known/oauth-authorization-server");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let document = reply.json();
    assert_eq!(document["issuer"], json!(daemon.url()));
    assert_eq!(
        document["grant_types_supported"],
        json!(["client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"])
    );
    assert_eq!(document["response_types_supported"], json!([]));
    let urls = document
        .as_object()
        .expect("an object")
        .values()
        .filter_map(Value::as_str)
        .filter_map(|url| url.strip_prefix(&daemon.url()));
    let paths: Vec<&str> = urls.filter(|path| !path.is_empty()).collect();
    assert_eq!(paths.len(), 10, "{paths:?}");
    for path in paths {
        assert!(matches!(daemon.client().request("HEAD", path).send().status, 200 | 401 | 405), "{path}"); // one of them never ends
    }
}

#[test]
fn a_fresh_daemon_is_alive_and_ready() {
    let daemon = Daemon::start();
    for (path, status) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let reply = daemon.client().get(path);
        assert_eq!((reply.status, reply.member("status").as_str()), (200, status));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn the_list_is_signed_again_before_it_gets_old() {
    let daemon = Setup::new().set("list_interval_seconds", "1").start();
    let first = daemon.client().get("/revocations");
    let newer = std::iter::repeat_with(|| daemon.client().get("/revocations"))
        .take(100_000)
        .find(|newer| newer.body != first.body);
    assert!(newer.is_some(), "no newer list");
    let seq = first.header("etag").expect("an ETag").trim_matches('"').to_owned();
    let kept = daemon.client().get(&format!("/revocations/{seq}"));
    assert_eq!((kept.status, &kept.body), (200, &first.body), "the older list is kept under its number");
    assert!(verifier(&daemon).list().is_some());
}
