//! Signing keys, sealed.

use super::record::Record;
use super::{Answer, layout};
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

/// Returns the rows of these keys, each as its key and its record, the same in every engine.
pub(super) fn rows(keys: &[SealedKey]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    keys.iter().map(|sealed| {
        let key = layout::key(&sealed.kid);
        let record = sealed.encode(&key);
        (key, record)
    })
}
