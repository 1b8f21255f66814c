//! A refresh token: rotated, answered again, and deadly when it comes back late.

use crate::{verifier, verify};
use countersign_tests::{Daemon, Pair, Reply, Setup};
use serde_json::json;
use std::sync::Barrier;
use std::thread;

fn pair(reply: &Reply) -> Pair {
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_slice(&reply.body).expect("a pair")
}

fn refused(reply: &Reply) {
    let expected = json!({"error": "invalid_grant", "error_description": "the refresh token is not valid"});
    assert_eq!((reply.status, reply.json()), (400, expected));
}

#[test]
fn a_refresh_rotates_the_pair_within_the_same_session() {
    let daemon = Daemon::start();
    let first = daemon.mint(json!({"sub": "alice", "aud": "api", "scope": "a b", "claims": {"tenant": "t"}}));
    let reply = daemon.refresh(&first.refresh_token);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let second = pair(&reply);
    assert_eq!((&second.sid, &second.scope), (&first.sid, &first.scope));
    assert_ne!(second.access_token, first.access_token);
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(second.session_expires_at, first.session_expires_at, "the absolute clock does not move");
    let (before, after) = (first.claims(), second.claims());
    assert_eq!((&after["sub"], &after["aud"], &after["tenant"]), (&before["sub"], &before["aud"], &before["tenant"]));
    assert_ne!(after["jti"], before["jti"]);
    verify(&daemon, &second.access_token).expect("valid");
    verify(&daemon, &first.access_token).expect("the older access token lives until it expires");
}

#[test]
fn the_same_token_within_the_window_buys_the_same_bytes() {
    let daemon = Daemon::start();
    let first = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let answers: Vec<Reply> = (0..3).map(|_| daemon.refresh(&first.refresh_token)).collect();
    assert_eq!(answers[0].status, 200);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    pair(&daemon.refresh(&pair(&answers[0]).refresh_token));
}

#[test]
fn sixty_four_presenters_at_once_get_one_successor() {
    let daemon = Daemon::start();
    let first = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let together = Barrier::new(64);
    let answers: Vec<Reply> = thread::scope(|scope| {
        let present = || {
            together.wait();
            daemon.refresh(&first.refresh_token)
        };
        let presenters: Vec<_> = (0..64).map(|_| scope.spawn(present)).collect();
        presenters.into_iter().map(|presenter| presenter.join().expect("an answer")).collect()
    });
    let successor = pair(&answers[0]);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body), "every presenter gets the same bytes");
    pair(&daemon.refresh(&successor.refresh_token));
}

#[test]
fn an_old_token_that_comes_back_ends_the_session_and_its_access_tokens() {
    let daemon = Daemon::start();
    let bystander = daemon.mint(json!({"sub": "bob", "aud": "api"}));
    let first = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let second = pair(&daemon.refresh(&first.refresh_token));
    let third = pair(&daemon.refresh(&second.refresh_token));
    refused(&daemon.refresh(&first.refresh_token));
    refused(&daemon.refresh(&third.refresh_token));
    refused(&daemon.refresh(&second.refresh_token));
    for token in [&first.access_token, &second.access_token, &third.access_token] {
        // Nobody waits for this revocation, so it is published with the next list, within a second or so.
        let refused = std::iter::repeat_with(|| verify(&daemon, token)).take(100_000).find_map(Result::err);
        assert_eq!(refused.expect("published").code(), "ERR_TOKEN_REVOKED");
    }
    verify(&daemon, &bystander.access_token).expect("another session is left alone");
    pair(&daemon.refresh(&bystander.refresh_token));
    let told = daemon.log().lines().any(|line| line.contains("reuse") && line.contains(&first.sid));
    assert!(told, "the log says that it was reuse, and of which session");
}

#[test]
fn without_a_window_a_second_presentation_is_reuse() {
    let daemon = Setup::new().set("retry_window_seconds", "0").start();
    let first = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let second = pair(&daemon.refresh(&first.refresh_token));
    refused(&daemon.refresh(&first.refresh_token));
    refused(&daemon.refresh(&second.refresh_token));
}

#[test]
fn a_scope_may_become_narrower_for_one_access_token_and_never_wider() {
    let daemon = Daemon::start();
    let first = daemon.mint(json!({"sub": "alice", "aud": "api", "scope": "a b"}));
    let refresh = |token: &str, scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        daemon.client().form("/oauth/token", &fields).basic(daemon.admin()).send()
    };
    let wider = refresh(&first.refresh_token, "a b c");
    assert_eq!((wider.status, wider.member("error").as_str()), (400, "invalid_scope"));
    let narrower = pair(&refresh(&first.refresh_token, "a"));
    assert_eq!(narrower.claims()["scope"], "a");
    assert_eq!(narrower.scope.as_deref(), Some("a"));
    let whole = pair(&daemon.refresh(&narrower.refresh_token));
    assert_eq!(whole.claims()["scope"], "a b");
}

#[test]
fn what_is_no_refresh_token_of_ours_is_refused_in_one_text() {
    let daemon = Daemon::start();
    let other = Daemon::start();
    let ours = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let theirs = other.mint(json!({"sub": "alice", "aud": "api"}));
    let mut tampered = ours.refresh_token.clone();
    tampered.pop();
    for token in ["rubbish", "a.b.c", &ours.access_token, &theirs.refresh_token, &tampered, &"x".repeat(9000)] {
        refused(&daemon.refresh(token));
    }
    pair(&daemon.refresh(&ours.refresh_token));
    assert_eq!(verifier(&daemon).keys().keys().len(), 2);
}
