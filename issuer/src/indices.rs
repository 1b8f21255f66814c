//! Places in the revocation list, handed out once each.
//!
//! ```text
//! index = page * 1024 + slot        page leased durably from the store, slots in random order
//! ```
//!
//! A token shows neither in which order tokens were issued nor how many there are finer than a page. What is left of a
//! page when the process ends is abandoned: an index is never handed out twice.

use crate::Error;
use crate::env::Env;
use crate::store::{Store, StoreError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use token::id::{Jti, epoch};
use token::time::UnixTime;

/// Indices in a page.
pub(crate) const PAGE: u16 = 1024;

/// Hands out places, by expiry epoch.
pub(crate) struct Indices {
    store: Arc<dyn Store>,
    env: Env,
    epochs: Mutex<BTreeMap<u32, Arc<Epoch>>>,
}

/// One expiry epoch.
#[derive(Default)]
struct Epoch {
    free: Mutex<Vec<u32>>,
    /// Held by the one who leases the next page; the others wait for what it brings.
    leasing: tokio::sync::Mutex<()>,
}

impl Epoch {
    fn take(&self) -> Option<u32> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn add(&self, indices: impl IntoIterator<Item = u32>) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).extend(indices);
    }
}

impl Indices {
    /// Returns an allocator above the store; nothing is leased yet.
    pub(crate) fn new(store: Arc<dyn Store>, env: Env) -> Self {
        Self { store, env, epochs: Mutex::new(BTreeMap::new()) }
    }

    /// Returns the place of a token that expires at `exp`.
    ///
    /// # Errors
    /// [`Error::Store`] when no page could be leased, [`Error::Entropy`].
    pub(crate) async fn allocate(&self, exp: UnixTime) -> Result<Jti, Error> {
        let number = epoch(exp);
        let epoch = Arc::clone(self.epochs.lock().unwrap_or_else(PoisonError::into_inner).entry(number).or_default());
        if let Some(index) = epoch.take() {
            return Ok(Jti { epoch: number, index });
        }
        let _leasing = epoch.leasing.lock().await;
        loop {
            if let Some(index) = epoch.take() {
                return Ok(Jti { epoch: number, index });
            }
            let page = self.store.lease_page(number).await?;
            epoch.add(self.shuffled(page)?);
        }
    }

    /// Takes back a place that nobody outside this process has seen.
    pub(crate) fn give_back(&self, place: Jti) {
        if let Some(epoch) = self.epochs.lock().unwrap_or_else(PoisonError::into_inner).get(&place.epoch) {
            epoch.add([place.index]);
        }
    }

    /// Forgets epochs below `low`; what is left of their pages is abandoned.
    pub(crate) fn drop_below(&self, low: u32) {
        let mut epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        *epochs = epochs.split_off(&low);
    }

    /// Returns the indices of a page in random order (Fisher-Yates).
    fn shuffled(&self, page: u32) -> Result<Vec<u32>, Error> {
        let first = page.checked_mul(u32::from(PAGE)).ok_or(Error::Store(StoreError::NoIndices))?;
        let mut random = [0_u8; 4 * 1024];
        self.env.fill(&mut random)?;
        let mut indices: Vec<u32> = (0..u32::from(PAGE)).map(|slot| first + slot).collect();
        for (last, bytes) in (1..usize::from(PAGE)).rev().zip(random.as_chunks::<4>().0) {
            // The bias of the remainder is below 2^-21; the order hides, it does not protect.
            let other = usize::try_from(u32::from_le_bytes(*bytes)).unwrap_or(0) % (last + 1);
            indices.swap(last, other);
        }
        Ok(indices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;
    use std::collections::HashSet;

    const NOW: u64 = 1_700_000_000;

    fn exp(secs: u64) -> UnixTime {
        UnixTime::from_secs(NOW + secs).unwrap()
    }

    fn indices(directory: &std::path::Path, seed: u64) -> Indices {
        Indices::new(store::open(directory).unwrap(), Env::fixed(exp(0), seed).0)
    }

    #[tokio::test]
    async fn no_place_is_handed_out_twice_even_to_many_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let indices = Arc::new(indices(directory.path(), 1));
        let tasks: Vec<_> = (0..64_u64)
            .map(|task| {
                let indices = Arc::clone(&indices);
                tokio::spawn(async move {
                    let mut taken = Vec::new();
                    for round in 0..50 {
                        taken.push(indices.allocate(exp(256 * ((task + round) % 2))).await.unwrap());
                    }
                    taken
                })
            })
            .collect();
        let mut seen = HashSet::new();
        for task in tasks {
            for place in task.await.unwrap() {
                assert!(seen.insert(place), "{place} was handed out twice");
            }
        }
        // 1,600 of each epoch: exactly the pages 0 and 1, so pages were leased one at a time.
        assert!(seen.iter().all(|place| place.index < 2048));
    }

    #[tokio::test]
    async fn after_a_restart_the_rest_of_the_page_is_abandoned() {
        let directory = tempfile::tempdir().unwrap();
        assert!(indices(directory.path(), 1).allocate(exp(0)).await.unwrap().index < 1024);
        assert!((1024..2048).contains(&indices(directory.path(), 1).allocate(exp(0)).await.unwrap().index));
    }

    #[tokio::test]
    async fn the_order_within_a_page_is_not_the_order_of_issue() {
        let directory = tempfile::tempdir().unwrap();
        let indices = indices(directory.path(), 1);
        let mut page = Vec::new();
        for _ in 0..1024 {
            page.push(indices.allocate(exp(0)).await.unwrap().index);
        }
        let ascending = page.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((400..624).contains(&ascending), "{ascending} of 1,023 steps go up");
        page.sort_unstable();
        assert!(page.into_iter().eq(0..1024));
    }

    #[tokio::test]
    async fn what_is_given_back_is_handed_out_again_unless_its_epoch_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let indices = indices(directory.path(), 1);
        let place = indices.allocate(exp(0)).await.unwrap();
        indices.give_back(place);
        assert_eq!(indices.allocate(exp(0)).await, Ok(place));
        indices.drop_below(place.epoch + 1);
        indices.give_back(place);
        assert!(indices.allocate(exp(0)).await.unwrap().index >= 1024);
    }
}
