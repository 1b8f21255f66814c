//! The revoked indices in memory: by epoch, each epoch sorted or as a bitmap, whichever is smaller.
//!
//! Made by [`super::codec::decode`] from a body, and grown by [`Revoked::apply`] with what a delta adds.

use super::codec::MAX_EPOCHS;
use crate::id::MAX_INDEX;
use std::collections::BTreeMap;

/// Entries that a list grown by deltas may have; with at most 4 bytes each that is 512 MiB.
pub const MAX_ENTRIES: usize = 1 << 27;

/// Which indices of which epochs are revoked. Two are equal when they list the same.
#[derive(Debug, Clone, Default)]
pub struct Revoked {
    /// Ascending by epoch, none of them empty.
    epochs: Vec<(u32, Indices)>,
    entries: usize,
}

/// The indices of one epoch.
#[derive(Debug, Clone)]
pub(super) enum Indices {
    /// Ascending.
    Sorted(Vec<u32>),
    /// Index `i` is bit `i % 8` of byte `i / 8`; `count` of them are set.
    Bitmap { bits: Vec<u8>, count: usize },
}

/// A list grown by deltas would have more than [`MAX_ENTRIES`] entries or [`MAX_EPOCHS`] epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Revoked {
    /// Returns whether this index of this epoch is listed. Takes time logarithmic in the list's size.
    pub fn contains(&self, epoch: u32, index: u32) -> bool {
        self.of(epoch).is_some_and(|indices| indices.contains(index))
    }

    /// Returns how many tokens are listed.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Returns all epochs and indices, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.epochs.iter().flat_map(|(epoch, indices)| indices.iter().map(|index| (*epoch, index)))
    }

    /// Returns the indices of one epoch, ascending.
    pub fn indices(&self, epoch: u32) -> impl Iterator<Item = u32> + '_ {
        self.of(epoch).into_iter().flat_map(Indices::iter)
    }

    /// Returns all indices by epoch, as [`super::codec::encode`] takes them.
    pub fn to_map(&self) -> BTreeMap<u32, Vec<u32>> {
        self.epochs.iter().map(|(epoch, indices)| (*epoch, indices.iter().collect())).collect()
    }

    /// Returns whether `other` lists all that this lists in epochs from `low` on.
    pub fn is_within(&self, other: &Self, low: u32) -> bool {
        let mut counted = self.epochs.iter().filter(|(epoch, _)| *epoch >= low);
        counted.all(|(epoch, indices)| other.of(*epoch).is_some_and(|held| indices.is_within(held)))
    }

    /// Drops the epochs below `low` and lists what `add` lists, too.
    ///
    /// # Errors
    /// [`TooMany`]; nothing has changed then.
    pub fn apply(&mut self, low: u32, add: &Self) -> Result<(), TooMany> {
        let gone = self.epochs.partition_point(|(epoch, _)| *epoch < low);
        let new_epochs = add.epochs.iter().filter(|(epoch, _)| self.of(*epoch).is_none()).count();
        let many_epochs = self.epochs.len() - gone + new_epochs > MAX_EPOCHS;
        if many_epochs || self.entries.saturating_add(add.entries) > MAX_ENTRIES {
            return Err(TooMany);
        }
        let dropped: usize = self.epochs.drain(..gone).map(|(_, indices)| indices.count()).sum();
        self.entries -= dropped;
        for (epoch, indices) in &add.epochs {
            let place = self.epochs.binary_search_by_key(epoch, |(epoch, _)| *epoch);
            self.entries += match place.map(|at| self.epochs.get_mut(at)) {
                Ok(Some((_, held))) => held.merge(indices),
                Ok(None) => 0, // not reached: the place was found
                Err(at) => {
                    self.epochs.insert(at, (*epoch, indices.clone()));
                    indices.count()
                }
            };
        }
        Ok(())
    }

    /// Returns the lowest epoch that is listed.
    pub(super) fn lowest(&self) -> Option<u32> {
        self.epochs.first().map(|(epoch, _)| *epoch)
    }

    /// Returns how many epochs have entries.
    pub(super) fn epochs(&self) -> usize {
        self.epochs.len()
    }

    /// Adds an epoch above all others.
    pub(super) fn push(&mut self, epoch: u32, indices: Indices) {
        self.entries += indices.count();
        self.epochs.push((epoch, indices));
    }

    /// Returns the bytes that the indices take.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let of = |indices: &Indices| match indices {
            Indices::Sorted(indices) => 4 * indices.len(),
            Indices::Bitmap { bits, .. } => bits.len(),
        };
        self.epochs.iter().map(|(_, indices)| of(indices)).sum()
    }

    fn of(&self, epoch: u32) -> Option<&Indices> {
        let position = self.epochs.binary_search_by_key(&epoch, |(epoch, _)| *epoch).ok()?;
        self.epochs.get(position).map(|(_, indices)| indices)
    }
}

impl PartialEq for Revoked {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries && self.is_within(other, 0)
    }
}

impl Eq for Revoked {}

impl Indices {
    /// Returns the empty bitmap.
    pub(super) fn bitmap() -> Self {
        Self::Bitmap { bits: Vec::new(), count: 0 }
    }

    /// Adds an index above all others.
    pub(super) fn push(&mut self, index: u32) {
        match self {
            Self::Sorted(indices) => indices.push(index),
            Self::Bitmap { bits, count } => {
                let (at, bit) = place(index);
                if bits.len() <= at {
                    bits.resize(at.saturating_add(1), 0);
                }
                if let Some(byte) = bits.get_mut(at) {
                    *count += usize::from(*byte & bit == 0);
                    *byte |= bit;
                }
            }
        }
    }

    fn contains(&self, index: u32) -> bool {
        match self {
            Self::Sorted(indices) => indices.binary_search(&index).is_ok(),
            Self::Bitmap { bits, .. } => {
                let (at, bit) = place(index);
                bits.get(at).is_some_and(|byte| byte & bit != 0)
            }
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Sorted(indices) => indices.len(),
            Self::Bitmap { count, .. } => *count,
        }
    }

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (sorted, bits): (&[u32], &[u8]) = match self {
            Self::Sorted(indices) => (indices, &[]),
            Self::Bitmap { bits, .. } => (&[], bits),
        };
        let of_byte = |(first, byte): (u32, &u8)| {
            let byte = *byte;
            (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| first + bit)
        };
        sorted.iter().copied().chain((0..=MAX_INDEX).step_by(8).zip(bits).flat_map(of_byte))
    }

    fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sorted(indices), Self::Sorted(held)) => {
                let mut held = held.iter(); // both ascend, so one walk decides
                indices.iter().all(|index| held.any(|other| other == index))
            }
            (Self::Bitmap { bits, .. }, Self::Bitmap { bits: held, .. }) => {
                let held = held.iter().copied().chain(std::iter::repeat(0));
                bits.iter().zip(held).all(|(bits, held)| bits & !held == 0)
            }
            (Self::Sorted(_), Self::Bitmap { .. }) | (Self::Bitmap { .. }, Self::Sorted(_)) => {
                self.iter().all(|index| other.contains(index))
            }
        }
    }

    /// Adds what `more` holds, and returns how many of it are new.
    fn merge(&mut self, more: &Self) -> usize {
        let before = self.count();
        let last = more.iter().last().unwrap_or(0);
        if let Self::Bitmap { bits, count } = self
            && (place(last).0 < bits.len() || is_dense(last, *count))
        {
            more.iter().for_each(|index| self.push(index));
        } else {
            *self = Self::of_sorted(union(self.iter(), more.iter()));
        }
        self.count() - before
    }

    fn of_sorted(indices: Vec<u32>) -> Self {
        if indices.last().is_none_or(|last| !is_dense(*last, indices.len())) {
            return Self::Sorted(indices);
        }
        let mut bitmap = Self::bitmap();
        indices.into_iter().for_each(|index| bitmap.push(index));
        bitmap
    }
}

/// Whether a bitmap up to `last` takes no more bytes than `count` numbers do.
fn is_dense(last: u32, count: usize) -> bool {
    place(last).0 < count.saturating_mul(4)
}

fn place(index: u32) -> (usize, u8) {
    (usize::try_from(index >> 3).unwrap_or(usize::MAX), 1 << (index & 7))
}

/// Returns the members of two ascending sequences, ascending, each once.
fn union(left: impl Iterator<Item = u32>, right: impl Iterator<Item = u32>) -> Vec<u32> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    let mut members = Vec::new();
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) => *a.min(b),
            (Some(a), None) => *a,
            (None, Some(b)) => *b,
            (None, None) => return members,
        };
        left.next_if_eq(&next);
        right.next_if_eq(&next);
        members.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::{decode, encode};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    type Model = BTreeMap<u32, BTreeSet<u32>>;

    fn revoked(model: &Model) -> Revoked {
        let sorted: Vec<(u32, Vec<u32>)> = model.iter().map(|(e, run)| (*e, run.iter().copied().collect())).collect();
        decode(&encode(sorted.iter().map(|(epoch, run)| (*epoch, run.as_slice()))).unwrap()).unwrap()
    }

    fn pairs(model: &Model) -> Vec<(u32, u32)> {
        model.iter().flat_map(|(epoch, run)| run.iter().map(|index| (*epoch, *index))).collect()
    }

    fn models() -> impl Strategy<Value = Model> {
        let index = prop_oneof![4 => 0..64_u32, 2 => 0..5_000_u32, 1 => 0..=MAX_INDEX];
        let run = prop_oneof![
            proptest::collection::btree_set(index, 1..40),
            proptest::collection::btree_set(0..300_u32, 1..250),
        ];
        proptest::collection::btree_map(5..12_u32, run, 0..5)
    }

    proptest! {
        #[test]
        fn what_is_applied_is_the_set_that_a_plain_set_would_be(start in models(), more in models(), low in 0..14_u32) {
            let more: Model = more.into_iter().filter(|(epoch, _)| *epoch >= low).collect();
            let mut grown = revoked(&start);
            grown.apply(low, &revoked(&more)).unwrap();
            let mut expected: Model = start.clone().split_off(&low);
            for (epoch, run) in more {
                expected.entry(epoch).or_default().extend(run);
            }
            prop_assert_eq!(grown.iter().collect::<Vec<_>>(), pairs(&expected));
            prop_assert_eq!(grown.entries(), pairs(&expected).len());
            prop_assert_eq!(&grown, &revoked(&expected));
            for (epoch, index) in pairs(&expected) {
                prop_assert!(grown.contains(epoch, index));
                prop_assert_eq!(grown.contains(epoch, index ^ 1), expected[&epoch].contains(&(index ^ 1)));
            }
            prop_assert!(revoked(&start).is_within(&grown, low));
            let gone = pairs(&start).into_iter().any(|(epoch, _)| epoch < low);
            prop_assert_eq!(revoked(&start).is_within(&grown, 0), !gone);
        }
    }

    #[test]
    fn one_far_index_does_not_blow_up_a_bitmap() {
        let dense: Model = [(7, (0..4_000).collect())].into();
        let mut grown = revoked(&dense);
        assert!(matches!(grown.of(7), Some(Indices::Bitmap { .. })));
        grown.apply(0, &revoked(&[(7, [MAX_INDEX].into())].into())).unwrap();
        assert!(matches!(grown.of(7), Some(Indices::Sorted(indices)) if indices.len() == 4_001));
        grown.apply(0, &revoked(&[(7, (5_000..9_000).collect())].into())).unwrap();
        assert_eq!(grown.entries(), 8_001);
    }

    #[test]
    fn more_than_the_most_entries_change_nothing() {
        let mut full = Revoked { entries: MAX_ENTRIES, ..revoked(&[(7, [1].into())].into()) };
        assert_eq!(full.apply(9, &revoked(&[(7, [2].into())].into())), Err(TooMany));
        assert!(full.contains(7, 1) && !full.contains(7, 2));
        assert_eq!(full.apply(0, &Revoked::default()), Ok(()));
    }
}
