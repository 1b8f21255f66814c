//! Where sessions, revocations, keys and clients live. (The trait arrives with the next change.)

mod error;

pub use error::StoreError;

/// Keeps what the issuer must not forget.
pub trait Store: Send + Sync {}
