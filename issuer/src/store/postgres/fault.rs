//! What went wrong between this process and the database, by what can be done about it.

use crate::store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Why a statement was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection, or the server behind it, is gone or not ready. Whether the statement took effect is not known.
    Lost(String),
    /// It took no effect, and may at once be tried again: another transaction was in the way.
    Conflict,
    /// Somebody else has the right to write by now.
    Superseded,
    /// It will not go better next time.
    Final(StoreError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let Some(code) = error.code() else { return Self::Lost(words(&error)) };
        let conflicts = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        if conflicts.contains(code) {
            return Self::Conflict;
        }
        // 08 connection, 53 resources, 57 the operator stops it or a timeout did, 58 the system below, 25006 a standby
        // answers, 25P03 waited too long inside of a transaction, 40003 the outcome is not known, 55P03 a lock was not given.
        let passing = ["08", "53", "57", "58"].iter().any(|class| code.code().starts_with(class));
        if passing || ["25006", "25P03", "40003", "55P03"].contains(&code.code()) {
            Self::Lost(words(&error))
        } else {
            Self::Final(StoreError::Failed { detail: words(&error).into() })
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

impl Fault {
    /// Returns what a store says that does not try again.
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Lost(detail) => StoreError::Unreachable { detail: detail.into() },
            Self::Conflict => StoreError::Unreachable { detail: "another transaction was in the way".into() },
            Self::Superseded => superseded(),
            Self::Final(error) => error,
        }
    }
}

/// What is said once another daemon writes.
pub(super) fn superseded() -> StoreError {
    let detail = "another daemon has taken over this database; this one may not write any more";
    StoreError::Failed { detail: detail.into() }
}

/// The server's words with their code, or those of the connection with their cause. There are no values in them: statements
/// carry theirs apart, and details, which may quote rows, are left out.
fn words(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
            format!("{error}{}", cause.unwrap_or_default())
        }
    }
}
