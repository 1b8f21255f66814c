//! When a key gets its tables, and how many keys may have some.

use super::Tables;
use super::engine::{Growing, Point, Table};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// The accepted signature of a key with which its tables begin to be made: about what making them costs, in time saved by
/// having them. It and those behind it make a row each, of 32, so that nobody waits for more.
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
    /// The key's own, while it is being made.
    growing: Mutex<Option<(Growing, Place)>>,
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
        let accepted = AtomicU32::new(0);
        let multiples = Self { wanted, budget, accepted, growing: Mutex::default(), made: OnceLock::new() };
        while wanted == Tables::AtOnce && multiples.made.get().is_none() && multiples.grow(minus_a, true) {}
        multiples
    }

    /// Returns the base point's table and the key's, once they exist.
    #[inline]
    pub(super) fn made(&self) -> Option<(&Table, &Table)> {
        self.made.get().map(|made| (made.base, &made.key))
    }

    /// Counts an accepted signature, and makes a row of each table of `minus_a` if it is time to. Threads that come
    /// meanwhile go on without.
    #[inline]
    pub(super) fn accepted(&self, minus_a: &Point) {
        if self.wanted == Tables::Never || self.made.get().is_some() {
            return;
        }
        let before = self.accepted.fetch_add(1, Ordering::Relaxed); // starts again at zero after 2^32, a multiple too
        if before >= COLD_VERIFICATIONS - 1 {
            self.grow(minus_a, before % COLD_VERIFICATIONS == COLD_VERIFICATIONS - 1);
        }
    }

    /// Makes a row of the base point's table and one of the key's, which is begun if it `may_begin` and there is a place.
    /// Returns whether the key's is being made, or is whole.
    #[cold]
    fn grow(&self, minus_a: &Point, may_begin: bool) -> bool {
        let Ok(mut growing) = self.growing.try_lock() else { return true };
        if self.made.get().is_some() {
            return true; // by somebody who was at it just now
        }
        if growing.is_none() && may_begin {
            *growing = self.budget.place().map(|place| (Growing::of(minus_a), place));
        }
        let Some((table, _)) = growing.as_mut() else { return false };
        table.grow();
        let is_whole = table.is_whole();
        if let (Some(base), true) = (BASE.grown(), is_whole)
            && let Some((table, place)) = growing.take()
        {
            self.made.get_or_init(|| Made { base, key: table.table(), _place: place });
        }
        true
    }

    /// Returns how many rows of the key's table there are while it is being made.
    #[cfg(test)]
    pub(super) fn rows(&self) -> Option<usize> {
        self.growing.lock().unwrap().as_ref().map(|(table, _)| table.rows())
    }

    /// Returns the key's table, to be damaged.
    #[cfg(test)]
    pub(super) fn key_table_mut(&mut self) -> Option<&mut Table> {
        self.made.get_mut().map(|made| &mut made.key)
    }
}

/// The table of the base point, one for the process.
static BASE: Base = Base { growing: Mutex::new(None), made: OnceLock::new() };

struct Base {
    growing: Mutex<Option<Growing>>,
    made: OnceLock<Table>,
}

impl Base {
    /// Makes a row, unless somebody is at it, and returns the table once it is whole.
    fn grown(&self) -> Option<&Table> {
        if self.made.get().is_none()
            && let Ok(mut growing) = self.growing.try_lock()
            && self.made.get().is_none()
        {
            let table = growing.get_or_insert_with(|| Growing::of(&Point::base()));
            table.grow();
            if table.is_whole()
                && let Some(table) = growing.take()
            {
                self.made.get_or_init(|| table.table());
            }
        }
        self.made.get()
    }
}
