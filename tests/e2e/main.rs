//! End to end: the real binary, over HTTP, as clients, browsers, attackers and operators meet it.

// Test code, which clippy.toml exempts only inside #[test].
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

mod acts;
mod audit;
mod backup;
mod bad_fields;
mod bad_input;
mod cli;
mod clients;
mod config;
mod cookies;
mod crash;
mod credentials;
mod damage;
mod described;
mod endpoints;
mod exchange;
mod follow;
mod good_paths;
mod headers;
mod keys;
mod limits;
mod log;
mod login;
mod master_key;
mod metrics;
mod oauth;
mod refresh;
mod reload;
mod revocations;
mod revoke;
mod sessions;
mod slow_clients;
mod start_up;
mod status;
mod tls;
mod traces;
mod users;

use countersign_tests::{Daemon, claims};
use token::error::Rejection;
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify::{Policy, Verified, Verifier};

/// Returns a verifier for audience `api` with the keys and the list that the daemon publishes right now.
fn verifier(daemon: &Daemon) -> Verifier {
    let keys = KeySet::parse(&daemon.client().get("/.well-known/jwks.json").body).expect("a key set");
    let policy = Policy {
        issuer: Some(daemon.url()),
        audience: Some(vec!["api".to_owned()]),
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    };
    let mut verifier = Verifier::new(policy, keys).expect("a policy that makes sense");
    let list = daemon.client().get("/revocations").body;
    // The tests read no clock: a list is judged at the moment it was signed.
    let head =
        list.split(|byte| *byte == b'\n').next().and_then(|head| std::str::from_utf8(head).ok()).expect("a head");
    let signed = claims(head)["iat"].as_u64().and_then(UnixTime::from_secs).expect("a time");
    verifier.load_revocations(&list, signed).expect("a list");
    verifier
}

/// Judges `token` at the moment it was issued, with what the daemon publishes right now.
fn verify(daemon: &Daemon, token: &str) -> Result<Verified, Rejection> {
    let issued = claims(token)["iat"].as_u64().and_then(UnixTime::from_secs).expect("a time");
    verifier(daemon).verify(token, issued)
}
