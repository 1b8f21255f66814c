//! A database that takes no change for a while: who asked for one is let go, and what was asked for is in force once it is
//! stored, in memory as on disk.

use crate::{cluster, fresh_schema, master_key, setup};
use countersign_tests::{Cluster, Daemon, Reply};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn minted(daemon: &Daemon) -> Reply {
    daemon.client().json("/v1/tokens", &json!({"sub": "alice", "aud": "api"})).basic(daemon.admin()).send()
}

fn revoked(daemon: &Daemon, what: &Value) -> Reply {
    daemon.client().json("/v1/revocations", what).basic(daemon.admin()).send()
}

fn kid(access_token: &str) -> String {
    let header = token::base64url::decode(access_token.split('.').next().expect("a header").as_bytes());
    let header: Value = serde_json::from_slice(&header.expect("base64url")).expect("a header");
    header["kid"].as_str().expect("a kid").to_owned()
}

#[test]
fn what_was_answered_503_is_in_force_once_it_is_stored_and_nobody_waits_behind_it_for_ever() {
    let (_folder, key) = master_key();
    let url = fresh_schema(cluster());
    let setup = setup(&url, &key).set("store.patience_seconds", "1").set("store.lease_seconds", "60");
    let mut daemon = setup.start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let withdrawn = kid(&pair.access_token);
    for what in [json!({"client": "admin"}), json!({"key": withdrawn}), json!({"all": true})] {
        let held = Cluster::hold(&url, "LOCK TABLE countersign_head IN EXCLUSIVE MODE");
        let began = Instant::now();
        for refused in [revoked(&daemon, &what), minted(&daemon), revoked(&daemon, &what)] {
            assert_eq!((refused.status, refused.member("code").as_str()), (503, "store_unavailable"), "{what}");
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        drop(held);
        assert!((0..60).any(|_| minted(&daemon).status == 200), "{what}: {}", daemon.log());
        assert_eq!(daemon.refresh(&pair.refresh_token).member("error"), "invalid_grant", "{what}");
        let again = revoked(&daemon, &what);
        assert_eq!(again.status, 200, "{what}: {}", again.text());
    }
    for _ in 0..2 {
        let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
        assert_ne!(kid(&pair.access_token), withdrawn);
        let keys = daemon.client().get("/.well-known/jwks.json");
        assert!(!keys.text().contains(&withdrawn) && keys.text().contains(&kid(&pair.access_token)), "{}", keys.text());
        assert!(daemon.stop().success(), "{}", daemon.log());
        daemon.restart();
    }
}
