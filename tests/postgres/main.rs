//! The daemon on PostgreSQL: what holds on one machine holds here, also when the database goes away at any moment, and one
//! daemon takes over from another.

#![allow(clippy::disallowed_methods)] // how long clients waited is measured
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)] // test code

mod cluster;
mod cutting;
mod encrypted;
mod export;
mod outage;
mod paths;
mod promises;
mod stalled;
mod takeover;

use countersign_tests::{Cluster, Daemon, Setup};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One server for all tests of this process that let it run; each has a schema of its own.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// Returns the URL of a schema that nobody else has.
fn fresh_schema(cluster: &Cluster) -> String {
    static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
    cluster.schema(&format!("s{}", SCHEMAS.fetch_add(1, Ordering::Relaxed)))
}

/// Returns a folder with a master key, and where that is.
fn master_key() -> (tempfile::TempDir, PathBuf) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("master.key");
    let mut made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).expect("a file");
    std::io::Write::write_all(&mut made, b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n").expect("written");
    (folder, file)
}

/// The secret of `admin`, where several daemons must know it.
const SECRET: &str = "a-secret-that-every-daemon-of-this-test-has";

/// Where clients are told that it is, wherever it listens: tokens hold over a change of daemons.
const ISSUER: &str = "http://localhost:9";

fn setup(url: &str, key: &std::path::Path) -> Setup {
    Setup::new().postgres(url, key).set("admin_secret", SECRET).set("log_level", "info").set("issuer", ISSUER)
}

fn list_seq(daemon: &Daemon) -> u64 {
    let reply = daemon.client().get("/revocations");
    reply.header("etag").and_then(|etag| etag.trim_matches('"').parse().ok()).expect("a number")
}
