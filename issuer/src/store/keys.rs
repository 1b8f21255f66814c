//! Signing keys, sealed.

use super::Answer;
use crate::audit::Event;
use crate::keys::SealedKey;

/// Keeps signing keys.
pub trait Keys {
    /// Returns all keys.
    fn keys(&self) -> Answer<Vec<SealedKey>>;

    /// Stores keys, replacing those of the same `kid`, in one atomic change.
    fn put_keys(&self, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()>;

    /// Forgets the keys of these names, in one atomic change; those that are not there are passed over.
    fn forget_keys(&self, kids: Vec<String>, events: Vec<Event>) -> Answer<()>;
}
