//! The conformance suite over PostgreSQL, and what only this engine has.

#[allow(dead_code, unreachable_pub)] // the tests that cross crates have the same file, and use more of it
mod cluster;
mod fencing;
mod moving;
mod reaching;

use super::*;
use crate::env::Env;
use crate::store::conformance::conformance;
use cluster::Cluster;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::OnceLock;

/// One server for all tests of this process; each has a schema of its own.
pub(super) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// The settings of the schema that belongs to a directory.
pub(super) fn settings(name: &Path) -> PostgresSettings {
    let hash = Sha256::digest(name.as_os_str().as_encoded_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    PostgresSettings {
        url: cluster().schema(&format!("t{hex}")),
        password: None,
        tls: PostgresTls::Off,
        connections: 2,
        timeout: Duration::from_secs(20),
        patience: Duration::from_secs(60),
        lease: Duration::from_secs(8),
        migrate: true,
        holder: "a test".to_owned(),
        origin: None,
    }
}

/// Opens the store of `directory` in the schema of `name`, from outside of any runtime.
pub(super) fn opened(settings: PostgresSettings, directory: &Path) -> Result<PostgresStore, StoreError> {
    std::thread::scope(|scope| {
        let open = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(PostgresStore::open(settings, directory, &Env::system(), Waiting::Refuse))
        };
        scope.spawn(open).join().unwrap()
    })
}

conformance!(|directory| Arc::new(opened(settings(directory), &directory.join("postgres")).unwrap()));
