//! The revocation list: a signed head, and a body that names the revoked tokens by expiry epoch and index.
//!
//! [`codec`] reads and writes bodies, [`revoked`] holds what they list, [`list`] reads full lists and answers whether a
//! token is revoked, [`delta`] reads what leads from one state of a list to a later one, [`head`] is what the two have in
//! common, and [`cut`] holds the rules that revoke without naming indices, in the maps of [`sorted`].

pub mod codec;
pub mod cut;
pub mod delta;
pub mod head;
pub mod list;
pub mod revoked;
pub mod sorted;

pub use cut::{Cut, Tag};
pub use delta::Delta;
pub use head::{Head, ListId};
pub use list::RevocationList;
pub use revoked::Revoked;
