//! What the system lets this process do: as many open files as it may have, and no core dumps.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not connections: the store, logs, the runtime.
const OTHERS: u64 = 64;

/// Raises the number of open files as far as the system allows, and forbids core dumps, which would hold private keys.
///
/// A limit that cannot be set is logged; the daemon works within what it has.
pub(super) fn apply(max_connections: usize) {
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: files.maximum, maximum: files.maximum };
    let files = if setrlimit(Resource::Nofile, raised).is_ok() { raised.current } else { files.current };
    let wanted = u64::try_from(max_connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    if files.is_some_and(|files| files < wanted) {
        tracing::warn!(
            "the system allows fewer open files than max_connections needs: connections above wait to be accepted"
        );
    }
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if setrlimit(Resource::Core, none).is_err() {
        tracing::warn!("core dumps cannot be forbidden; one would hold private keys");
    }
}
