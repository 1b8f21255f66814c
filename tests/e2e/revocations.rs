//! Revocation by name over HTTP: each target, judged by a verifier with what the daemon publishes.

use crate::{verifier, verify};
use countersign_tests::{Daemon, Pair, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use token::error::{Rejection, RevokedBy};
use token::jwk::KeySet;
use token::revocation::{Cut, Tag, cut::TagKind};
use token::time::UnixTime;

fn revoke_by(daemon: &Daemon, request: &Value) -> Reply {
    daemon.client().json("/v1/revocations", request).basic(daemon.admin()).send()
}

fn revoked_by(daemon: &Daemon, request: &Value) -> u64 {
    let before = verifier(daemon).list().expect("a list").head().clone();
    let reply = revoke_by(daemon, request);
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-store")), "{}", reply.text());
    let mut members: Vec<String> = reply.json().as_object().expect("an object").keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["effective_by", "seq"]);
    let (seq, by) =
        (reply.json()["seq"].as_u64().expect("seq"), reply.json()["effective_by"].as_u64().expect("a time"));
    assert!(seq <= before.seq || by >= before.exp.as_secs(), "until then a verifier may use a list without it");
    assert!(verifier(daemon).list().expect("a list").head().seq >= seq, "the answer comes after the list");
    seq
}

fn mint(daemon: &Daemon, sub: &str) -> Pair {
    daemon.mint(json!({"sub": sub, "aud": "api"}))
}

fn refreshed(daemon: &Daemon, pair: &Pair) -> Pair {
    let reply = daemon.refresh(&pair.refresh_token);
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_slice(&reply.body).expect("a pair")
}

fn refusal(daemon: &Daemon, pair: &Pair) -> Option<Rejection> {
    verify(daemon, &pair.access_token).err()
}

fn is_active(daemon: &Daemon, token: &str) -> bool {
    let reply = daemon.client().form("/oauth/introspect", &[("token", token)]).basic(daemon.admin()).send();
    reply.json()["active"].as_bool().expect("active")
}

/// Asserts that both tokens buy nothing any more.
fn is_gone(daemon: &Daemon, pair: &Pair, by: RevokedBy) {
    assert_eq!(refusal(daemon, pair), Some(Rejection::Revoked(by)));
    assert_eq!(daemon.refresh(&pair.refresh_token).member("error"), "invalid_grant");
    assert!(!is_active(daemon, &pair.access_token) && !is_active(daemon, &pair.refresh_token));
}

/// Asserts that both tokens are as good as ever; the refresh token is used by it.
fn holds(daemon: &Daemon, pair: &Pair) {
    assert_eq!(refusal(daemon, pair), None);
    assert!(is_active(daemon, &pair.access_token) && is_active(daemon, &pair.refresh_token));
    assert_eq!(refusal(daemon, &refreshed(daemon, pair)), None);
}

#[test]
fn a_subject_is_revoked_with_all_its_sessions_and_nobody_else() {
    let mut daemon = Daemon::start();
    let (one, two, bob) = (mint(&daemon, "alice"), mint(&daemon, "alice"), mint(&daemon, "bob"));
    let next = refreshed(&daemon, &two);
    let before = one.claims()["iat"].as_u64().expect("a time") - 1;
    revoked_by(&daemon, &json!({"subject": "alice", "issued_before": before}));
    assert_eq!(refusal(&daemon, &one), None, "it began later");
    let seq = revoked_by(&daemon, &json!({"subject": "alice"}));
    let fresh = mint(&daemon, "alice");
    for pair in [&one, &two, &next] {
        is_gone(&daemon, pair, RevokedBy::Index);
    }
    holds(&daemon, &bob);
    holds(&daemon, &fresh);
    assert!(revoked_by(&daemon, &json!({"subject": "nobody"})) >= seq);
    daemon.kill();
    daemon.restart();
    is_gone(&daemon, &next, RevokedBy::Index);
    assert_eq!(refusal(&daemon, &fresh), None);
}

#[test]
fn a_session_is_revoked_and_the_other_of_its_subject_is_not() {
    let daemon = Daemon::start();
    let (one, two) = (mint(&daemon, "alice"), mint(&daemon, "alice"));
    let next = refreshed(&daemon, &one);
    let seq = revoked_by(&daemon, &json!({"session": one.sid}));
    is_gone(&daemon, &one, RevokedBy::Index);
    is_gone(&daemon, &next, RevokedBy::Index);
    holds(&daemon, &two);
    for sid in [one.sid.as_str(), "AAAAAAAAAAAAAAAAAAAAAA"] {
        assert!(revoked_by(&daemon, &json!({"session": sid})) >= seq, "nothing to revoke is answered the same");
    }
}

#[test]
fn a_client_loses_what_it_got_so_far_also_over_a_restart() {
    let mut daemon = Daemon::start();
    let lost = mint(&daemon, "alice");
    let next = refreshed(&daemon, &lost);
    revoked_by(&daemon, &json!({"client": "admin"}));
    let fresh = mint(&daemon, "alice");
    is_gone(&daemon, &lost, RevokedBy::Client);
    is_gone(&daemon, &next, RevokedBy::Client);
    holds(&daemon, &fresh);
    daemon.kill();
    daemon.restart();
    is_gone(&daemon, &next, RevokedBy::Client);
    assert_eq!(refusal(&daemon, &fresh), None);
    holds(&daemon, &mint(&daemon, "alice"));
}

#[test]
fn everything_is_revoked_also_over_a_restart() {
    let mut daemon = Daemon::start();
    let (lost, bob) = (mint(&daemon, "alice"), mint(&daemon, "bob"));
    let before = lost.claims()["iat"].as_u64().expect("a time") - 1;
    revoked_by(&daemon, &json!({"all": true, "issued_before": before}));
    assert_eq!(refusal(&daemon, &lost), None, "it was issued later");
    revoked_by(&daemon, &json!({"all": true}));
    let fresh = mint(&daemon, "alice");
    is_gone(&daemon, &lost, RevokedBy::All);
    is_gone(&daemon, &bob, RevokedBy::All);
    holds(&daemon, &fresh);
    daemon.kill();
    daemon.restart();
    is_gone(&daemon, &bob, RevokedBy::All);
    assert_eq!(refusal(&daemon, &fresh), None);
}

fn kid_for(daemon: &Daemon, purpose: &str) -> String {
    let keys = daemon.client().get("/.well-known/jwks.json").json();
    let keys = keys["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 2);
    let key = keys.iter().find(|key| key["purpose"] == purpose).expect("a key for it");
    key["kid"].as_str().expect("a kid").to_owned()
}

#[test]
fn a_withdrawn_token_key_is_gone_from_the_keys_and_named_in_the_list_also_over_a_restart() {
    let mut daemon = Daemon::start();
    let (lost, kid) = (mint(&daemon, "alice"), kid_for(&daemon, "token"));
    let mut behind = verifier(&daemon);
    revoked_by(&daemon, &json!({"key": kid}));
    let issued = lost.claims()["iat"].as_u64().and_then(UnixTime::from_secs).expect("a time");
    behind.load_revocations(&daemon.client().get("/revocations").body, issued).expect("a list");
    let by_key = Rejection::Revoked(RevokedBy::Key);
    assert_eq!(behind.verify(&lost.access_token, issued).err(), Some(by_key), "with the keys of before");
    let new = kid_for(&daemon, "token");
    let fresh = mint(&daemon, "alice");
    let check = |daemon: &Daemon| {
        assert!(kid_for(daemon, "token") == new && new != kid);
        assert_eq!(refusal(daemon, &lost), Some(Rejection::NoMatchingKey), "with the keys of now");
        assert_eq!(daemon.refresh(&lost.refresh_token).member("error"), "invalid_grant");
        assert!(!is_active(daemon, &lost.access_token) && !is_active(daemon, &lost.refresh_token));
        assert_eq!(verify(daemon, &fresh.access_token).expect("the new key").kid, new);
    };
    check(&daemon);
    revoked_by(&daemon, &json!({"key": kid}));
    check(&daemon);
    daemon.kill();
    daemon.restart();
    check(&daemon);
    holds(&daemon, &fresh);
}

#[test]
fn a_withdrawn_list_key_signs_nothing_more_and_no_token_is_lost() {
    let mut daemon = Daemon::start();
    let (pair, kid) = (mint(&daemon, "alice"), kid_for(&daemon, "revocations"));
    let old_keys = KeySet::parse(&daemon.client().get("/.well-known/jwks.json").body).expect("keys");
    revoked_by(&daemon, &json!({"key": kid}));
    let list = daemon.client().get("/revocations").body;
    assert!(token::revocation::RevocationList::open(&list, &old_keys).is_err());
    assert_ne!(kid_for(&daemon, "revocations"), kid);
    assert_eq!(refusal(&daemon, &pair), None);
    daemon.kill();
    daemon.restart();
    assert_ne!(kid_for(&daemon, "revocations"), kid);
    holds(&daemon, &pair);
}

#[test]
fn rules_in_a_row_are_slowed_down_before_dates_leave_the_clock() {
    let daemon = Daemon::start();
    let refused = (0..60).find_map(|_| {
        let pair = mint(&daemon, "alice");
        let reply = revoke_by(&daemon, &json!({"all": true}));
        if reply.status == 200 {
            is_gone(&daemon, &pair, RevokedBy::All);
            return None;
        }
        assert_eq!((reply.status, reply.member("code").as_str()), (429, "too_many_rules"), "{}", reply.text());
        let seconds: u64 = reply.header("retry-after").expect("a time").parse().expect("seconds");
        assert!((1..=10).contains(&seconds));
        Some(pair)
    });
    assert_eq!(refusal(&daemon, &refused.expect("a refusal")), None, "nothing was revoked by it");
}

/// Mints and refreshes until told to stop; each token with when its session began.
fn busy(daemon: &Daemon, stop: &AtomicBool, got: &Mutex<Vec<(u64, Pair)>>) {
    while !stop.load(Ordering::SeqCst) {
        let mut newest = mint(daemon, "alice");
        let began = newest.claims()["iat"].as_u64().expect("a time");
        got.lock().expect("a lock").push((began, newest.clone()));
        for _ in 0..2 {
            let reply = daemon.refresh(&newest.refresh_token);
            if reply.status != 200 {
                assert_eq!(reply.member("error"), "invalid_grant", "{}", reply.text());
                break;
            }
            newest = serde_json::from_slice(&reply.body).expect("a pair");
            got.lock().expect("a lock").push((began, newest.clone()));
        }
    }
}

/// Until when the rule of this cut takes back tokens of `admin`.
fn until(cut: &Cut) -> u64 {
    let tag = Tag::new(&cut.salt, TagKind::Client, "admin");
    cut.cid.get(&tag).copied().max(cut.all).expect("a rule").as_secs()
}

#[test]
fn while_many_mint_and_refresh_a_rule_takes_back_what_is_dated_until_it_and_nothing_later() {
    let daemon = Daemon::start();
    for round in 0..10 {
        let (stop, got) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let (early, late) = thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(|| busy(&daemon, &stop, &got))));
            while got.lock().expect("a lock").len() < 12 {
                thread::yield_now();
            }
            let early = mint(&daemon, "alice");
            revoked_by(&daemon, &if round % 2 == 0 { json!({"client": "admin"}) } else { json!({"all": true}) });
            let late = mint(&daemon, "alice");
            let before = got.lock().expect("a lock").len();
            while got.lock().expect("a lock").len() < before + 12 {
                thread::yield_now();
            }
            stop.store(true, Ordering::SeqCst);
            (early, late)
        });
        let verifier = verifier(&daemon);
        let until = until(&verifier.list().expect("a list").head().cut);
        let judge = |pair: &Pair| {
            let iat = pair.claims()["iat"].as_u64().and_then(UnixTime::from_secs).expect("a time");
            verifier.verify(&pair.access_token, iat).err()
        };
        assert!(judge(&early).is_some(), "answered before it was asked for");
        assert_eq!(judge(&late), None, "asked for after it was answered");
        let mut counts = BTreeMap::new();
        for (began, pair) in got.into_inner().expect("a lock") {
            let iat = pair.claims()["iat"].as_u64().expect("a time");
            assert_eq!(judge(&pair).is_some(), iat <= until, "dated {iat}, the rule is until {until}");
            assert_eq!(began <= until, iat <= until, "a session outlived the rule by a token");
            *counts.entry(iat <= until).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 2, "some before and some after: {counts:?}");
    }
}
