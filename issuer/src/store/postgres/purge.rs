//! Forgetting epochs that have left, in bounded steps: revocations, then pages.

use super::PostgresStore;
use super::engine::Engine;
use super::load::{Stored, Wanted};
use super::rows::Batch;
use crate::store::record::{Count, Record};
use crate::store::{Answer, PURGE_STEP, layout};

impl PostgresStore {
    /// Two changes: each reads one table. The first tells whether the other would have to go on.
    pub(super) fn purge_epochs_in_turn(&self, below: u32, pages_below: u32) -> Answer<bool> {
        let revocations = self.change(
            // A start must be able to prove the newest list from the rows, so they outlive it.
            move |engine| below_epoch(layout::REVOCATION, below.min(engine.low)),
            |engine, found| {
                let mut batch = Batch::default();
                found.iter().for_each(|(key, _)| batch.remove(&**key));
                engine.apply(batch);
                Ok(found.len() == PURGE_STEP)
            },
        );
        let pages = self.change(
            move |_| below_epoch(layout::PAGES, pages_below),
            move |engine, found| {
                engine.purge_pages(found, pages_below);
                Ok(found.len() == PURGE_STEP)
            },
        );
        Box::pin(async move { Ok(revocations.await? | pages.await?) })
    }
}

impl Engine {
    fn purge_pages(&mut self, found: &[Stored], pages_below: u32) {
        let mut batch = Batch::default();
        for (key, _) in found {
            batch.remove(&**key);
            if let Some(epoch) = layout::parse_epoch(key) {
                batch.remove(layout::of_epoch(layout::SWEPT, epoch));
            }
        }
        if !found.is_empty() && pages_below > self.floor {
            batch.insert(layout::FLOOR, Count(pages_below).encode(layout::FLOOR));
            self.floor = pages_below;
        }
        self.apply(batch);
    }
}

fn below_epoch(kind: u8, epoch: u32) -> Wanted {
    Wanted::Range {
        from: layout::of_epoch(kind, 0),
        below: layout::of_epoch(kind, epoch),
        newest_first: false,
        most: PURGE_STEP,
    }
}
