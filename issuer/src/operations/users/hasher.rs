//! Where passwords are hashed: on threads that may block, as many at a time as there are processors, and four times as many
//! waiting. Who comes when all of these places are taken is told to come again.

use crate::env::Stopwatch;
use crate::error::Error;
use crate::passwords::{Costs, HashFault, Password, PasswordHash};
use crate::telemetry::metrics::METRICS;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// Hashings that may wait for each that runs.
const WAITING: usize = 4;
/// When there is likely to be room again: a hash takes some 30 ms.
const RETRY_AFTER_SECS: u64 = 1;

/// Runs hashings. The memory they take is never more than that of those that run at a time.
pub(super) struct Hasher {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
    costs: Costs,
}

/// A place among those that run or wait.
pub(super) struct Turn<'a> {
    hasher: &'a Hasher,
    place: OwnedSemaphorePermit,
}

impl Hasher {
    /// Runs `at_once` hashings at a time, at least one.
    pub(super) fn new(at_once: usize, costs: Costs) -> Self {
        let at_once = at_once.clamp(1, 1024);
        let places = at_once.saturating_mul(1 + WAITING);
        Self { places: Arc::new(Semaphore::new(places)), running: Arc::new(Semaphore::new(at_once)), costs }
    }

    /// Returns what a hash costs that is made now.
    pub(super) fn costs(&self) -> Costs {
        self.costs
    }

    /// Takes a place at once.
    ///
    /// # Errors
    /// [`Error::HasherBusy`] when all are taken.
    pub(super) fn turn(&self) -> Result<Turn<'_>, Error> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            METRICS.hash_refused();
            Error::HasherBusy { retry_after_secs: RETRY_AFTER_SECS }
        })?;
        Ok(Turn { hasher: self, place })
    }
}

impl Turn<'_> {
    /// Returns whether `hash` is that of `password`.
    ///
    /// # Errors
    /// [`Error::Hashing`] for a damaged hash.
    pub(super) async fn compare(self, hash: PasswordHash, password: Password) -> Result<bool, Error> {
        self.run(move || hash.is_of(&password)).await
    }

    /// Returns the hash of `password`, of what costs now.
    ///
    /// # Errors
    /// [`Error::Hashing`].
    pub(super) async fn hash(self, password: Password, salt: [u8; 16]) -> Result<PasswordHash, Error> {
        let costs = self.hasher.costs;
        self.run(move || PasswordHash::of(&password, salt, costs)).await
    }

    /// The place and the permit go with the work: who leaves while it runs does not make room for more than may run.
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> Result<T, HashFault> + Send + 'static,
    ) -> Result<T, Error> {
        let (waiting, watch) = (METRICS.hash_waits(), Stopwatch::start());
        let permit = Arc::clone(&self.hasher.running).acquire_owned().await.map_err(|_| Error::Hashing)?;
        drop(waiting);
        METRICS.hash_waited(watch.elapsed());
        let held = (self.place, permit);
        let done = spawn_blocking(move || {
            let result = work();
            drop(held);
            result
        });
        match done.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(HashFault)) | Err(_) => Err(Error::Hashing),
        }
    }
}
