//! The revocation list: a signed head, and a body that names the revoked tokens by expiry epoch and index.
//!
//! [`codec`] reads and writes bodies, [`list`] reads signed documents and answers whether a token is revoked, [`cut`]
//! holds the rules that revoke without naming indices.

pub mod codec;
pub mod cut;
pub mod list;

pub use codec::Revoked;
pub use cut::{Cut, Tag};
pub use list::{Head, ListId, RevocationList};
