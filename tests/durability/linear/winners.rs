//! One refresh token presented by many at once has one winner; a revocation has no refresh behind it.

use countersign_tests::{Client, Daemon, Load, Pair, Reply, given};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

/// Clients that present one token at once.
const CROWDS: [usize; 4] = [2, 8, 64, 256];

/// Sends the same requests at once, and returns their answers.
fn at_once<T: Send>(count: usize, send: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        let one = |number| {
            let (barrier, send) = (&barrier, &send);
            scope.spawn(move || {
                barrier.wait();
                send(number)
            })
        };
        let threads: Vec<_> = (0..count).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn mint(daemon: &Daemon) -> Pair {
    daemon.mint(json!({"sub": "alice", "aud": "api"}))
}

/// Whether the daemon's newest list and keys accept the token.
fn accepts(daemon: &Daemon, token: &str) -> bool {
    countersign_tests::accepts(daemon.client(), token).unwrap()
}

/// How often each crowd is tried; the soak says more.
fn trials(crowd: usize) -> u64 {
    given("COUNTERSIGN_LINEAR_TRIALS").unwrap_or(u64::try_from(512 / crowd / 8).unwrap()).max(1)
}

#[test]
fn within_the_retry_window_everybody_gets_the_one_next_pair() {
    let daemon = Load::setup().start();
    for crowd in CROWDS {
        for _ in 0..trials(crowd) {
            let pair = mint(&daemon);
            let answers = at_once(crowd, |_| daemon.refresh(&pair.refresh_token));
            assert!(answers.iter().all(|reply| reply.status == 200), "{answers:?}");
            let bodies: BTreeSet<&[u8]> = answers.iter().map(|reply| &*reply.body).collect();
            assert_eq!(bodies.len(), 1, "one winner, of {crowd}");
            assert_eq!(daemon.refresh(&answers[0].member("refresh_token")).status, 200);
        }
    }
}

#[test]
fn without_a_retry_window_one_wins_and_the_second_ends_the_session() {
    let daemon = Load::setup().set("retry_window_seconds", "0").start();
    for crowd in CROWDS {
        for _ in 0..trials(crowd) {
            let pair = mint(&daemon);
            let answers = at_once(crowd, |_| daemon.refresh(&pair.refresh_token));
            let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|reply| reply.status == 200);
            assert_eq!((won.len(), lost.len()), (1, crowd - 1), "one winner, of {crowd}");
            assert!(lost.iter().all(|reply| (reply.status, &*reply.member("error")) == (400, "invalid_grant")));
            assert_eq!(daemon.refresh(&won[0].member("refresh_token")).member("error"), "invalid_grant");
        }
    }
}

#[test]
fn behind_a_revocation_no_refresh_succeeds_and_the_next_list_has_all_that_was_before_it() {
    let daemon = Load::setup().start();
    for trial in 0..trials(8) * 4 {
        let pair = mint(&daemon);
        let answers = at_once(8, |number| match number {
            0 => vec![daemon.revoke(&pair.refresh_token)],
            _ => refreshed_twice(daemon.client(), &pair.refresh_token),
        });
        assert_eq!(answers[0][0].status, 200, "{}", answers[0][0].text());
        let mut tokens = vec![pair.access_token.clone()];
        for reply in answers.iter().skip(1).flatten() {
            tokens.push(reply.member("access_token"));
            assert_eq!(daemon.refresh(&reply.member("refresh_token")).status, 400, "trial {trial}");
        }
        assert_eq!(daemon.refresh(&pair.refresh_token).status, 400, "trial {trial}");
        for token in tokens {
            assert!(!accepts(&daemon, &token), "a token of a revoked session is accepted, trial {trial}");
        }
    }
}

/// Presents a token, and what it buys, and returns the answers with a pair.
fn refreshed_twice(client: Client, refresh_token: &str) -> Vec<Reply> {
    let (mut answers, mut token) = (Vec::new(), refresh_token.to_owned());
    for _ in 0..2 {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
        let reply = client.form("/oauth/token", &fields).basic(("admin", Load::SECRET)).send();
        if reply.status == 200 {
            token = reply.member("refresh_token");
            answers.push(reply);
        }
    }
    answers
}
