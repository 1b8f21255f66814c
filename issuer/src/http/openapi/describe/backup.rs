//! Everything there is, for administrators.

use super::operation::Operation;
use super::refusals;
use super::schema::exactly;
use crate::error::Error;
use crate::http::v1_backup;
use serde_json::json;

/// The group of these operations.
pub(super) const TAG: &str = "Backup";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::of(&v1_backup::ENDPOINT, TAG, "backup", "Back everything up")
            .says(
                "Encrypted under the master key, piece by piece while the daemon goes on, as fast as the client takes it. A backup that could not \
                 be made whole has no end mark, and `countersign restore` refuses it. One is made at a time.",
            )
            .by_administrators()
            .takes_json(exactly(&[], json!({})), json!({}))
            .answers(200, "The backup.", "application/octet-stream", json!({"type": "string", "format": "binary"}))
            .refused(refusals::change())
            .refused(vec![Error::Entropy.into(), Error::BackupRunning.into()]),
    ]
}
