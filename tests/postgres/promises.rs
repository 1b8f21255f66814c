//! What clients were promised, kept while they work, and held against a daemon afterwards.

use countersign_tests::{Client, Daemon, Pair, claims};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

/// Requests that nobody answers until a client gives up: some seconds of refused connections.
const MOST_UNKNOWN: usize = 200_000;
/// A client gives up that is promised nothing for so long: a daemon that answers, and never what was asked, is as good as gone.
const PATIENCE: Duration = Duration::from_secs(40);

/// What one client was told.
#[derive(Default)]
pub(crate) struct Promised {
    /// Sessions with their newest pair.
    pub(crate) newest: Vec<Pair>,
    /// Sessions that were ended.
    pub(crate) ended: Vec<Pair>,
    /// What the audit log must hold: the act, and the token or session that it names.
    pub(crate) told: BTreeSet<(&'static str, String)>,
    /// Answers that were no promise: the daemon said that it could not say.
    pub(crate) unknown: usize,
    /// The longest time between two answers that were.
    pub(crate) longest_gap: Duration,
}

/// Mints, refreshes and ends sessions until `stop`, whatever happens to the daemon; counts what was promised.
pub(crate) fn work(client: &Client, secret: &str, stop: &AtomicBool, count: &AtomicUsize) -> Promised {
    work_at(&[*client], secret, stop, count)
}

/// Does the same at several daemons of one database: at the next one when one does not answer.
pub(crate) fn work_at(clients: &[Client], secret: &str, stop: &AtomicBool, count: &AtomicUsize) -> Promised {
    let mut promised = Promised::default();
    let mut clients = clients.iter().cycle();
    let mut client = clients.next().expect("a daemon");
    let mut since = Instant::now();
    let mut pair: Option<Pair> = None;
    let (mut turn, mut may_have_ended) = (0, false);
    while !stop.load(Ordering::Relaxed) {
        let ends = turn % 7 == 6;
        let request = match &pair {
            None => client.json("/v1/tokens", &json!({"sub": "alice", "aud": "api"})),
            Some(pair) if ends => client.form("/oauth/revoke", &[("token", &pair.refresh_token)]),
            Some(pair) => {
                client.form("/oauth/token", &[("grant_type", "refresh_token"), ("refresh_token", &pair.refresh_token)])
            }
        };
        let reply = match request.basic(("admin", secret)).try_send() {
            Ok(reply) if reply.status == 200 => reply,
            Ok(reply) => {
                assert!(reply.status >= 500, "{} {}", reply.status, reply.text());
                assert!(since.elapsed() < PATIENCE, "the daemon promises nothing more: {}", reply.text());
                promised.unknown += 1;
                may_have_ended |= ends;
                continue; // what was asked is asked again: a refresh that took place is answered the same
            }
            Err(_) => {
                promised.unknown += 1;
                may_have_ended |= ends;
                client = clients.next().expect("the first one again");
                assert!(promised.unknown < MOST_UNKNOWN && since.elapsed() < PATIENCE, "the daemon does not come back");
                std::thread::yield_now();
                continue;
            }
        };
        turn += 1;
        may_have_ended = false;
        count.fetch_add(1, Ordering::Relaxed);
        promised.longest_gap = promised.longest_gap.max(since.elapsed());
        since = Instant::now();
        match pair.take() {
            Some(ended) if ends => {
                promised.told.insert(("session.revoked", claim(&ended, "sid")));
                promised.ended.push(ended);
            }
            before => {
                let new: Pair = serde_json::from_slice(&reply.body).expect("a pair");
                let act = if before.is_some() { "token.refreshed" } else { "token.issued" };
                promised.told.insert((act, claim(&new, "jti")));
                pair = Some(new);
            }
        }
    }
    promised.newest.extend(pair.filter(|_| !may_have_ended));
    promised
}

/// Waits until something is so, as long as any client goes on.
pub(crate) fn until(clients: &[ScopedJoinHandle<'_, Promised>], is_so: impl Fn() -> bool) {
    while !is_so() {
        assert!(!clients.iter().all(ScopedJoinHandle::is_finished), "every client has given up");
        std::thread::yield_now();
    }
}

/// Asserts that everything holds that was promised.
pub(crate) fn held(daemon: &Daemon, promised: &[Promised]) {
    let told = audit(daemon);
    for one in promised {
        let missing: Vec<_> = one.told.iter().filter(|act| !told.contains(*act)).collect();
        assert!(missing.is_empty(), "answered, and not in the audit log: {missing:?}");
        for pair in &one.ended {
            let refused = daemon.refresh(&pair.refresh_token);
            assert_eq!((refused.status, refused.member("error").as_str()), (400, "invalid_grant"));
        }
        for pair in &one.newest {
            let reply = daemon.refresh(&pair.refresh_token);
            assert_eq!(reply.status, 200, "a session that nobody ended goes on: {}", reply.text());
        }
    }
}

/// Every act in the audit log; none was done twice.
fn audit(daemon: &Daemon) -> BTreeSet<(&'static str, String)> {
    let mut acts = BTreeSet::new();
    for (act, member) in [("token.issued", "jti"), ("token.refreshed", "jti"), ("session.revoked", "sid")] {
        let mut after = String::new();
        loop {
            let path = format!("/v1/audit?act={act}&limit=200{after}");
            let page = daemon.client().request("GET", &path).basic(daemon.admin()).send().json();
            for item in page["items"].as_array().expect("items") {
                let name = item["event"][member].as_str().expect("a name").to_owned();
                // A revocation whose answer was lost is asked for again.
                let again = item["event"]["detail"] == "it had ended before";
                assert!(acts.insert((act, name)) || again, "told twice: {item}");
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
    }
    acts
}

/// A claim of a pair's access token that names it or its session.
fn claim(pair: &Pair, claim: &str) -> String {
    claims(&pair.access_token)[claim].as_str().expect("a name").to_owned()
}
