//! The set of revoked tokens in memory, and what is remembered of the newest published list.
//!
//! The set only grows; whole epochs leave it once no verifier can accept a token of theirs. Nothing here reads a clock,
//! signs or stores: `operations/publish.rs` does.

use std::collections::{BTreeMap, BTreeSet};
use token::id::{Jti, epoch};
use token::revocation::codec::{self, Malformed};
use token::revocation::{ListId, Revoked};
use token::time::UnixTime;

/// What is stored of a revocation list before it is served: the intent, by which a later start proves that the store
/// still holds every revocation of that list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    /// Number of the list.
    pub seq: u64,
    /// Its `iat`.
    pub iat: UnixTime,
    /// The latest `exp` of it and all lists before.
    pub exp: UnixTime,
    /// State of its body.
    pub id: ListId,
    /// It holds the revocations with a number up to this one…
    pub upto: u64,
    /// … whose epoch is not below this one.
    pub low: u32,
    /// `cut.all`, while that rule is in force.
    pub cut_all: Option<UnixTime>,
}

/// The revoked tokens whose epochs have not left.
#[derive(Debug, Default)]
pub(crate) struct RevokedSet {
    epochs: BTreeMap<u32, BTreeSet<u32>>,
    low: u32,
}

impl RevokedSet {
    /// Returns the empty set whose epochs below `low` have left.
    pub(crate) fn new(low: u32) -> Self {
        Self { epochs: BTreeMap::new(), low }
    }

    /// Adds a token; one of an epoch that has left changes nothing.
    pub(crate) fn insert(&mut self, jti: Jti) {
        if jti.epoch >= self.low {
            self.epochs.entry(jti.epoch).or_default().insert(jti.index);
        }
    }

    /// Returns the lowest epoch that has not left.
    pub(crate) fn low(&self) -> u32 {
        self.low
    }

    /// Lets the epochs below `low` leave.
    pub(crate) fn drop_below(&mut self, low: u32) {
        self.low = self.low.max(low);
        self.epochs = self.epochs.split_off(&self.low);
    }

    /// Returns the body of a list of this set.
    ///
    /// # Errors
    /// [`Malformed`] when an index is beyond the format, which the allocator never hands out.
    pub(crate) fn body(&self) -> Result<Vec<u8>, Malformed> {
        let sorted: Vec<(u32, Vec<u32>)> =
            self.epochs.iter().map(|(epoch, indices)| (*epoch, indices.iter().copied().collect())).collect();
        codec::encode(sorted.iter().map(|(epoch, indices)| (*epoch, indices.as_slice())))
    }
}

/// Returns the lowest epoch that must stay at `certain`: one leaves when 256·(e+1) + leeway has passed, never before.
pub(crate) fn lowest_epoch(certain: UnixTime, leeway_secs: u64) -> u32 {
    epoch(certain.minus_secs(leeway_secs))
}

/// Returns whether `next` lists every token that `previous` lists in epochs from `low` on.
pub(crate) fn nothing_is_missing(previous: &Revoked, next: &Revoked, low: u32) -> bool {
    let next = next.to_map();
    let is_held = |(epoch, indices): (u32, Vec<u32>)| {
        let mut held = next.get(&epoch).into_iter().flatten(); // both ascend, so one walk decides
        epoch < low || indices.iter().all(|index| held.any(|other| other == index))
    };
    previous.to_map().into_iter().all(is_held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use token::id::epoch_end;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs).unwrap()
    }

    #[test]
    fn an_epoch_leaves_at_its_end_plus_the_leeway_and_not_a_second_before() {
        assert_eq!(lowest_epoch(at(256 * 11 + 4), 5), 10);
        assert_eq!(lowest_epoch(at(256 * 11 + 5), 5), 11);
        assert_eq!(lowest_epoch(at(0), 5), 0);
        for (leeway, now) in (0..70).flat_map(|leeway| (50_000..51_000).map(move |now| (leeway, now))) {
            let low = lowest_epoch(at(now), leeway);
            assert!(epoch_end(low).plus_secs(leeway) > at(now));
            assert!(low == 0 || epoch_end(low - 1).plus_secs(leeway) <= at(now));
        }
    }

    #[test]
    fn epochs_that_left_never_come_back() {
        let mut set = RevokedSet::new(5);
        for (epoch, index) in [(4, 1), (5, 1), (6, 9), (6, 3), (6, 9), (8, 0)] {
            set.insert(Jti { epoch, index });
        }
        set.drop_below(6);
        set.drop_below(2);
        set.insert(Jti { epoch: 5, index: 7 });
        let revoked = codec::decode(&set.body().unwrap()).unwrap();
        assert_eq!(revoked.to_map(), BTreeMap::from([(6, vec![3, 9]), (8, vec![0])]));
        assert_eq!(set.low(), 6);
    }

    #[test]
    fn a_missing_entry_is_found_unless_its_epoch_left() {
        let list = |entries: &[(u32, u32)]| {
            let mut set = RevokedSet::new(0);
            entries.iter().for_each(|(epoch, index)| set.insert(Jti { epoch: *epoch, index: *index }));
            codec::decode(&set.body().unwrap()).unwrap()
        };
        let previous = list(&[(5, 1), (6, 1), (6, 2)]);
        assert!(nothing_is_missing(&previous, &list(&[(5, 1), (6, 1), (6, 2), (6, 3), (7, 0)]), 0));
        assert!(nothing_is_missing(&previous, &list(&[(6, 1), (6, 2)]), 6));
        assert!(!nothing_is_missing(&previous, &list(&[(6, 1), (6, 2)]), 5));
        assert!(!nothing_is_missing(&previous, &list(&[(5, 1), (6, 2)]), 5));
    }
}
