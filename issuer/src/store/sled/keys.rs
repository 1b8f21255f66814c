//! Signing keys, each under its `kid`.

use super::engine::Engine;
use super::layers::{self, Batch};
use super::room::Room;
use super::{SledStore, layout, reading};
use crate::audit::Event;
use crate::keys::SealedKey;
use crate::store::keys::rows;
use crate::store::{Answer, Keys, StoreError};

impl Keys for SledStore {
    fn keys(&self) -> Answer<Vec<SealedKey>> {
        self.read(|rows| reading::records(rows, &layers::of_kind(layout::KEY), usize::MAX))
    }

    fn put_keys(&self, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| engine.put_keys(&keys, events))
    }

    fn forget_keys(&self, kids: Vec<String>, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| engine.forget_keys(&kids, events))
    }
}

impl Engine {
    fn put_keys(&mut self, keys: &[SealedKey], events: Vec<Event>) -> Result<(), StoreError> {
        self.needs(Room::Scarce)?;
        self.tell(events);
        self.apply(batch(keys));
        Ok(())
    }

    fn forget_keys(&mut self, kids: &[String], events: Vec<Event>) -> Result<(), StoreError> {
        self.needs(Room::Scarce)?;
        self.tell(events);
        let mut batch = Batch::default();
        kids.iter().for_each(|kid| batch.remove(layout::key(kid)));
        self.apply(batch);
        Ok(())
    }
}

/// Returns what stores these keys, with whatever belongs to the same change.
pub(super) fn batch(keys: &[SealedKey]) -> Batch {
    let mut batch = Batch::default();
    rows(keys).for_each(|(key, record)| batch.insert(key, record));
    batch
}
