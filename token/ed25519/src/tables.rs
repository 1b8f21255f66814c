//! When a key gets its tables, and how many keys may have some.

use super::Tables;
use super::engine::{Point, Table};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Accepted signatures of a key before its tables are made: about what making them costs, in time saved by having them.
pub(super) const COLD_VERIFICATIONS: u32 = 32;

/// Keys of a process that may have tables at a time.
const MAX_TABLES: usize = if cfg!(target_arch = "wasm32") { 8 } else { 64 };

/// The budget of the process.
pub(super) static PROCESS: Budget = Budget::new(MAX_TABLES);

/// How many tables there may be.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    taken: AtomicUsize,
}

impl Budget {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, taken: AtomicUsize::new(0) }
    }

    /// Returns a place for one table, unless all are taken.
    fn place(&'static self) -> Option<Place> {
        let one_more = |taken| (taken < self.most).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok().map(|_| Place(self))
    }

    /// Returns how many places are taken.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// A place in a budget, given back on drop.
#[derive(Debug)]
struct Place(&'static Budget);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The tables of one key, from when they are worth it.
#[derive(Debug)]
pub(super) struct Multiples {
    wanted: Tables,
    budget: &'static Budget,
    accepted: AtomicU32,
    made: OnceLock<Made>,
}

#[derive(Debug)]
struct Made {
    base: &'static Table,
    key: Table,
    _place: Place,
}

impl Multiples {
    pub(super) fn new(budget: &'static Budget, wanted: Tables, minus_a: &Point) -> Self {
        let multiples = Self { wanted, budget, accepted: AtomicU32::new(0), made: OnceLock::new() };
        if wanted == Tables::AtOnce {
            multiples.make(minus_a);
        }
        multiples
    }

    /// Returns the base point's table and the key's, once they exist.
    #[inline]
    pub(super) fn made(&self) -> Option<(&Table, &Table)> {
        self.made.get().map(|made| (made.base, &made.key))
    }

    /// Counts an accepted signature, and makes the tables of `minus_a` if it is time to. Other threads go on without
    /// them meanwhile.
    #[inline]
    pub(super) fn accepted(&self, minus_a: &Point) {
        if self.wanted == Tables::Never || self.made.get().is_some() {
            return;
        }
        let before = self.accepted.fetch_add(1, Ordering::Relaxed); // starts again at zero after 2^32, a multiple too
        if before % COLD_VERIFICATIONS == COLD_VERIFICATIONS - 1 {
            self.make(minus_a);
        }
    }

    /// Makes the tables, if there is a place for them.
    #[cold]
    fn make(&self, minus_a: &Point) {
        static BASE: OnceLock<Table> = OnceLock::new();
        let Some(place) = self.budget.place() else { return };
        self.made.get_or_init(|| {
            let base = BASE.get_or_init(|| Table::of(&Point::base()));
            Made { base, key: Table::of(minus_a), _place: place }
        });
    }

    /// Returns the key's table, to be damaged.
    #[cfg(test)]
    pub(super) fn key_table_mut(&mut self) -> Option<&mut Table> {
        self.made.get_mut().map(|made| &mut made.key)
    }
}
