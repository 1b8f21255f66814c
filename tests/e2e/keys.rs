//! Keys over HTTP: they change under traffic, are asked for, brought along and given up.

use crate::{verifier, verify};
use countersign_tests::{Daemon, Pair, Reply, Setup, claims};
use serde_json::{Value, json};
use token::jwk::KeySet;
use token::time::UnixTime;

/// How long a daemon may take to do what is due after eleven seconds.
const PATIENCE_SECS: u64 = 60;

fn setup() -> Setup {
    // The shortest lives there are: a key set is cached for a second, and takes ten more to reach whoever keeps it.
    Setup::new().set("jwks_max_age_seconds", "1").set("keys_publish_before_seconds", "11")
}

fn minted(daemon: &Daemon) -> Pair {
    daemon.mint(json!({"sub": "u", "aud": "api"}))
}

fn keys(daemon: &Daemon) -> Vec<Value> {
    let reply = daemon.client().request("GET", "/v1/keys").basic(daemon.admin()).send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["items"].as_array().expect("a list").clone()
}

fn kid(daemon: &Daemon, purpose: &str, state: &str) -> Option<String> {
    let is = |key: &&Value| key["purpose"] == purpose && key["state"] == state;
    keys(daemon).iter().find(is).map(|key| key["kid"].as_str().expect("a kid").to_owned())
}

fn post(daemon: &Daemon, path: &str, body: &Value) -> Reply {
    daemon.client().json(path, body).basic(daemon.admin()).send()
}

fn signer(token: &str) -> String {
    let header = token::base64url::decode(token.split('.').next().expect("a header").as_bytes()).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

#[test]
fn a_verifier_with_the_oldest_keys_it_may_have_follows_a_rotation_under_traffic() {
    let daemon = setup().start();
    let (first, old) = (minted(&daemon), kid(&daemon, "token", "active").expect("an active key"));
    let next = post(&daemon, "/v1/keys/rotate", &json!({"purpose": "token"}));
    assert_eq!((next.status, next.member("state").as_str()), (200, "next"), "{}", next.text());
    let again = post(&daemon, "/v1/keys/rotate", &json!({"purpose": "token"}));
    assert_eq!(again.json(), next.json(), "there is a next key already");
    let began = next.json()["since"].as_u64().expect("seconds");
    let mut cached = (began, verifier(&daemon));
    let mut pairs = vec![first.clone()];
    let turned_at = loop {
        let pair = minted(&daemon);
        let issued = claims(&pair.access_token)["iat"].as_u64().expect("seconds");
        let verdict = cached.1.verify(&pair.access_token, UnixTime::from_secs(issued).expect("a time"));
        assert!(verdict.is_ok(), "with keys of {}, at {issued}: {verdict:?}", cached.0);
        let signer = signer(&pair.access_token);
        pairs.push(pair);
        if signer == next.member("kid") {
            break issued;
        }
        assert_eq!(signer, old);
        assert!(issued < began + PATIENCE_SECS, "the next key never signed");
        if issued > cached.0 {
            cached = (issued, verifier(&daemon)); // it has kept its keys for a second, as it may
        }
    };
    assert!(turned_at >= began + 11, "published for {} s", turned_at - began);
    assert_eq!(kid(&daemon, "token", "retired"), Some(old));
    pairs.iter().for_each(|pair| assert!(verify(&daemon, &pair.access_token).is_ok()));
    assert_eq!(daemon.refresh(&first.refresh_token).status, 200);
}

#[test]
fn a_restart_keeps_every_key_in_its_state() {
    let mut daemon = setup().start();
    for purpose in ["token", "revocations"] {
        assert_eq!(post(&daemon, "/v1/keys/rotate", &json!({"purpose": purpose})).status, 200);
    }
    let (before, jwks) = (keys(&daemon), daemon.client().get("/.well-known/jwks.json").body);
    assert_eq!(KeySet::parse(&jwks).expect("a key set").keys().len(), 4);
    daemon.kill();
    daemon.restart();
    assert_eq!((keys(&daemon), daemon.client().get("/.well-known/jwks.json").body), (before, jwks));
}

#[test]
fn a_next_key_that_is_withdrawn_takes_no_token_with_it() {
    let daemon = setup().start();
    let pair = minted(&daemon);
    let next = post(&daemon, "/v1/keys/rotate", &json!({"purpose": "token"})).member("kid");
    assert_eq!(post(&daemon, "/v1/revocations", &json!({"key": next})).status, 200);
    assert_eq!(kid(&daemon, "token", "withdrawn"), Some(next));
    assert!(verify(&daemon, &pair.access_token).is_ok());
    assert_eq!(daemon.refresh(&pair.refresh_token).status, 200);
}

#[test]
fn a_withdrawn_active_key_is_followed_by_the_next_one_that_verifiers_know() {
    let daemon = setup().start();
    let (pair, old) = (minted(&daemon), kid(&daemon, "token", "active").expect("an active key"));
    let next = post(&daemon, "/v1/keys/rotate", &json!({"purpose": "token"})).member("kid");
    assert_eq!(post(&daemon, "/v1/revocations", &json!({"key": old})).status, 200);
    assert_eq!(kid(&daemon, "token", "active"), Some(next));
    assert!(verify(&daemon, &pair.access_token).is_err());
    assert!(verify(&daemon, &minted(&daemon).access_token).is_ok());
}

#[test]
fn a_key_is_imported_as_a_jwk_and_its_private_half_is_shown_to_nobody() {
    let daemon = setup().start();
    let seed = "2Eyy5OOh9wlVy-DSb5F6NEa4LF4JEPPXpY7mJLt8kSo";
    let bytes = zeroize::Zeroizing::new(token::base64url::decode_array(seed).expect("32 bytes"));
    let key =
        token::issue::SigningKey::from_seed(&bytes, token::jwk::Purpose::Revocations, token::jwk::Algorithm::EdDsa)
            .expect("a key");
    let x = token::base64url::encode(key.public().as_bytes());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "d": seed, "x": x, "kid": "the name it had"});
    let reply = post(&daemon, "/v1/keys/import", &json!({"purpose": "revocations", "jwk": jwk}));
    assert_eq!((reply.status, reply.member("kid").as_str()), (200, key.kid()), "{}", reply.text());
    for (body, code) in [
        (json!({"purpose": "revocations", "jwk": jwk}), "invalid_field"),
        (json!({"purpose": "token", "pkcs8": "MC4CAQAwBQYDK2VwBCIEIA=="}), "invalid_field"),
        (json!({"purpose": "token", "pkcs8": "", "jwk": jwk}), "invalid_field"),
        (json!({"purpose": "token"}), "missing_field"),
        (json!({"jwk": jwk}), "missing_field"),
        (json!({"purpose": "other", "jwk": jwk}), "invalid_field"),
    ] {
        let refused = post(&daemon, "/v1/keys/import", &body);
        assert_eq!((refused.status, refused.member("code").as_str()), (400, code), "{body}: {}", refused.text());
    }
    let shown =
        [daemon.client().get("/.well-known/jwks.json").text().to_owned(), daemon.log(), format!("{:?}", keys(&daemon))];
    assert!(shown[0].contains(&x));
    assert!(shown.iter().all(|text| !text.contains(seed)));
}

#[test]
fn keys_are_the_business_of_administrators_and_no_key_signs_before_it_is_known() {
    let daemon = Daemon::start();
    assert_eq!(daemon.client().get("/v1/keys").member("code"), "invalid_client");
    for path in ["/v1/keys/rotate", "/v1/keys/import"] {
        assert_eq!(daemon.client().json(path, &json!({"purpose": "token"})).send().member("code"), "invalid_client");
    }
    let at_once = post(&daemon, "/v1/keys/rotate", &json!({"purpose": "token", "now": true}));
    assert_eq!((at_once.status, at_once.member("code").as_str()), (400, "invalid_field"));
    assert!(at_once.text().contains("/v1/revocations"), "{}", at_once.text());
    assert_eq!(post(&daemon, "/v1/keys/rotate", &json!({})).member("code"), "missing_field");
    assert_eq!(keys(&daemon).len(), 2);
}
