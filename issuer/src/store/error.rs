//! What can go wrong below the domain, independent of the engine.

use std::fmt;
use std::sync::Arc;

/// Why a store did not open or did not take a change. Cheap to clone: one failed sync answers many waiting callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Another process has this directory open.
    InUse {
        /// The directory.
        path: Arc<str>,
    },
    /// What is on disk is not what was written: the engine or a record's checksum says so.
    Damaged {
        /// What was found, without data.
        detail: Arc<str>,
    },
    /// The store opens, and its files lack what was acknowledged last.
    Incomplete {
        /// What is known of the loss.
        found: Arc<str>,
    },
    /// The store was written in a format that this version does not read.
    Format {
        /// The version found.
        found: u8,
    },
    /// The directory cannot be used: permissions, a full disk, an I/O error while opening.
    Unusable {
        /// The system's words.
        detail: Arc<str>,
    },
    /// The disk has no room for this change; nothing was changed.
    Full,
    /// The database does not answer. Whether a change that waited for it takes place is not known; reading may be tried again.
    Unreachable {
        /// What was seen of it.
        detail: Arc<str>,
    },
    /// More changes are queued than are allowed to wait; nothing was changed.
    Busy,
    /// The store has been closed; nothing was changed.
    Closed,
    /// Writing or syncing failed. What was in flight is unknown, nothing more is acknowledged, the process must end.
    Failed {
        /// What failed.
        detail: Arc<str>,
    },
    /// A list or rules of this number or a higher one are stored already: another writer was faster; nothing was changed.
    Superseded,
    /// An epoch's 2^31 indices are used up, or the epoch is already gone.
    NoIndices,
}

impl StoreError {
    /// True when the same request may succeed later in this process or the next.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Full
            | Self::Busy
            | Self::Closed
            | Self::Failed { .. }
            | Self::NoIndices
            | Self::Unreachable { .. } => true,
            Self::Superseded
            | Self::InUse { .. }
            | Self::Damaged { .. }
            | Self::Incomplete { .. }
            | Self::Format { .. }
            | Self::Unusable { .. } => false,
        }
    }

    /// Returns the damage that `detail` describes.
    pub fn damaged(detail: impl Into<Arc<str>>) -> Self {
        Self::Damaged { detail: detail.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => write!(f, "{path} is in use by another process"),
            Self::Damaged { detail } => write!(f, "the store is damaged: {detail}"),
            Self::Incomplete { found } => write!(f, "the store has lost what was acknowledged: {found}"),
            Self::Format { found } => write!(f, "the store has format {found}, which this version does not read"),
            Self::Unusable { detail } => write!(f, "the store cannot be opened: {detail}"),
            Self::Full => f.write_str("the disk is full"),
            Self::Unreachable { detail } => write!(f, "the database does not answer: {detail}"),
            Self::Busy => f.write_str("too many changes are waiting for the store"),
            Self::Closed => f.write_str("the store is closed"),
            Self::Failed { detail } => write!(f, "the store failed for good: {detail}"),
            Self::Superseded => f.write_str("this number or a higher one is stored already"),
            Self::NoIndices => f.write_str("no index is left in this expiry epoch"),
        }
    }
}

impl std::error::Error for StoreError {}
