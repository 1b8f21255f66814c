//! Signing keys, each under its `kid`.

use super::PostgresStore;
use super::load::Wanted;
use super::read::decoded;
use super::rows::Batch;
use crate::audit::Event;
use crate::keys::SealedKey;
use crate::store::keys::rows;
use crate::store::{Answer, Keys, layout};

impl Keys for PostgresStore {
    fn keys(&self) -> Answer<Vec<SealedKey>> {
        self.read(Wanted::all(layout::KEY, usize::MAX), |found| decoded(&found))
    }

    fn put_keys(&self, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()> {
        self.change_for_good(
            |_| Wanted::Rows(Vec::new()),
            move |engine, _| {
                engine.tell(&events);
                engine.apply(batch(&keys));
                Ok(())
            },
        )
    }

    fn forget_keys(&self, kids: Vec<String>, events: Vec<Event>) -> Answer<()> {
        self.change_for_good(
            |_| Wanted::Rows(Vec::new()),
            move |engine, _| {
                engine.tell(&events);
                let mut batch = Batch::default();
                kids.iter().for_each(|kid| batch.remove(layout::key(kid)));
                engine.apply(batch);
                Ok(())
            },
        )
    }
}

/// Returns what stores these keys, with whatever belongs to the same change.
pub(super) fn batch(keys: &[SealedKey]) -> Batch {
    let mut batch = Batch::default();
    rows(keys).for_each(|(key, record)| batch.insert(key, record));
    batch
}
