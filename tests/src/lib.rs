//! The harness: the real daemon in a temporary folder, and a small blocking HTTP client that shows every byte.
//!
//! ```no_run
//! use countersign_tests::{Daemon, Reply};
//!
//! let daemon = Daemon::start(); // port 0, its own folder, the admin secret read from its standard output
//! let pair = daemon.mint(serde_json::json!({"sub": "alice", "aud": "api"}));
//! let reply: Reply = daemon.client().form("/oauth/introspect", &[("token", &pair.access_token)]).basic(daemon.admin()).send();
//! assert_eq!(reply.status, 200);
//! // dropping it kills that process and removes the folder
//! ```
//!
//! The binary is the file that `COUNTERSIGN_BIN` names, which `cargo xtask test` sets; without it, the harness builds
//! the package `countersign` once, in the profile and target folder that the test itself was built in.
//!
//! Every answer is held against docs/openapi.json: one that is not described there fails the test that saw it.
//!
//! Everything here panics when it cannot do its work: that is a failed test. Nothing sleeps.

// Test code, which clippy.toml exempts only inside #[test].
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::unwrap_in_result)]

mod binary;
mod client;
#[path = "../../issuer/src/store/postgres/tests/cluster.rs"] // the issuer's own tests need one too
mod cluster;
mod daemon;
mod dice;
mod document;
mod follower;
mod load;
mod promises;
mod reply;
mod seed;

pub use binary::binary;
pub use client::{Client, Request};
pub use cluster::Cluster;
pub use daemon::{Daemon, NotStarted, Pair, Setup, Starting, claims};
pub use dice::Dice;
pub use follower::{Event, Follower};
pub use load::{Extent, Load, Progress};
pub use promises::accepts;
pub use reply::Reply;
pub use seed::{given, seed};
