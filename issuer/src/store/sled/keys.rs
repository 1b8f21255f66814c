//! Signing keys, each under its `kid`.

use super::engine::{self, Engine};
use super::{SledStore, layout};
use crate::audit::Event;
use crate::keys::SealedKey;
use crate::store::record::Record;
use crate::store::{Answer, Keys, StoreError};
use sled::Batch;

impl Keys for SledStore {
    fn keys(&self) -> Answer<Vec<SealedKey>> {
        self.read(|tree| engine::read_all(tree, layout::KEY))
    }

    fn put_keys(&self, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| engine.put_keys(&keys, events))
    }
}

impl Engine {
    fn put_keys(&mut self, keys: &[SealedKey], events: Vec<Event>) -> Result<(), StoreError> {
        self.tell(events);
        self.apply(batch(keys))
    }
}

/// Returns what stores these keys, with whatever belongs to the same change.
pub(super) fn batch(keys: &[SealedKey]) -> Batch {
    let mut batch = Batch::default();
    for sealed in keys {
        let key = layout::key(&sealed.kid);
        let record = sealed.encode(&key);
        batch.insert(key, record);
    }
    batch
}
