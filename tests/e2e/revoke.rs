//! Revoked, published, and refused by a verifier that has the list.

use crate::{verifier, verify};
use countersign_tests::Daemon;
use serde_json::json;

#[test]
fn a_revoked_token_is_in_the_list_that_the_answer_names() {
    let daemon = Daemon::start();
    let bystander = daemon.mint(json!({"sub": "bob", "aud": "api"}));
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let before = verifier(&daemon);
    let reply = daemon.revoke(&pair.access_token);
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-store")), "{}", reply.text());
    let (seq, effective_by) =
        (reply.json()["seq"].as_u64().expect("seq"), reply.json()["effective_by"].as_u64().expect("a time"));
    let after = verifier(&daemon);
    let head = after.list().expect("a list").head();
    assert!(head.seq >= seq, "{} is published, {seq} was promised", head.seq);
    let old = before.list().expect("a list").head();
    assert!(effective_by >= old.exp.as_secs(), "until then a verifier may use a list without it");
    assert_eq!(verify(&daemon, &pair.access_token).expect_err("revoked").code(), "ERR_TOKEN_REVOKED");
    verify(&daemon, &bystander.access_token).expect("another token is left alone");
    let refreshed = daemon.refresh(&pair.refresh_token);
    assert_eq!(refreshed.status, 200, "revoking an access token leaves its session");
}

#[test]
fn revoking_a_refresh_token_ends_the_session_and_all_its_access_tokens() {
    let daemon = Daemon::start();
    let first = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let second = daemon.refresh(&first.refresh_token);
    assert_eq!(daemon.revoke(&second.member("refresh_token")).status, 200);
    for token in [&first.access_token, &second.member("access_token")] {
        assert_eq!(verify(&daemon, token).expect_err("revoked").code(), "ERR_TOKEN_REVOKED");
    }
    assert_eq!(daemon.refresh(&second.member("refresh_token")).member("error"), "invalid_grant");
}

#[test]
fn an_unknown_token_is_answered_like_a_known_one() {
    let daemon = Daemon::start();
    let other = Daemon::start();
    let foreign = other.mint(json!({"sub": "alice", "aud": "api"}));
    for token in ["rubbish", "a.b.c", &foreign.access_token, &foreign.refresh_token, "\u{fc}"] {
        let reply = daemon.revoke(token);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let mut members: Vec<String> = reply.json().as_object().expect("an object").keys().cloned().collect();
        members.sort();
        assert_eq!(members, ["effective_by", "seq"]);
    }
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let twice = [daemon.revoke(&pair.access_token), daemon.revoke(&pair.access_token)];
    assert!(twice.iter().all(|reply| reply.status == 200));
}

#[test]
fn a_revoked_session_is_revoked_for_a_verifier_that_had_an_older_list() {
    let daemon = Daemon::start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let mut verifier = verifier(&daemon);
    daemon.revoke(&pair.refresh_token);
    let issued = pair.claims()["iat"].as_u64().and_then(token::time::UnixTime::from_secs).expect("a time");
    verifier.verify(&pair.access_token, issued).expect("the older list does not have it");
    verifier.load_revocations(&daemon.client().get("/revocations").body, issued).expect("a newer list");
    assert_eq!(verifier.verify(&pair.access_token, issued).expect_err("revoked").code(), "ERR_TOKEN_REVOKED");
}
