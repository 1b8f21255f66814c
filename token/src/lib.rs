//! What the Countersign issuer and every verifier agree on.
//!
//! Access tokens, JSON Web Key Sets and revocation lists: how they are read, judged and, with the feature `issue`,
//! made. Nothing here does I/O, reads a clock or starts a thread: bytes and the time are arguments, verdicts are values.
//!
//! ```text
//! bytes ──► verify::Verifier ──► verify::Judged, in memory that is lent, or Verified, in memory of its own
//!               ▲       ▲
//! jwk::KeySet ──┘       └── revocation::RevocationList
//! ```
//!
//! Used by `issuer` (with `issue`) and by `verifier-wasm` (without).

#[cfg(feature = "issue")]
pub mod assertion;
pub mod base64url;
pub mod claims;
pub mod error;
pub mod id;
#[cfg(feature = "issue")]
pub mod issue;
pub mod json;
pub mod jwk;
pub mod jws;
#[cfg(feature = "issue")]
pub mod refresh;
pub mod revocation;
#[cfg(feature = "issue")]
pub mod status_list;
pub mod time;
pub mod verify;

pub use ed25519;
pub use error::{KeySetRejection, ListRejection, Rejection};
