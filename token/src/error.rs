//! Why something from outside was refused: one type for tokens, one for key sets, one for revocation lists.
//!
//! Misuse of the API is none of these; it has [`crate::verify::Misuse`]. Codes are stable; where jose has a code for
//! the same meaning it is jose's. What caller, user and operator do on each is in docs/errors.md.

mod key_set;
mod list;
mod token;

pub use key_set::KeySetRejection;
pub use list::ListRejection;
pub use token::{ClaimFault, JwsFault, Rejection, RevokedBy, Staleness};
