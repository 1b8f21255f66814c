//! The set of revoked tokens in memory, and what is remembered of the newest published list.
//!
//! The set only grows; whole epochs leave it once no verifier can accept a token of theirs. Nothing here reads a clock,
//! signs or stores: `operations/publish.rs` does. `history.rs` remembers what led from one list to the next.

mod history;

pub(crate) use history::{History, Since, State};

use std::collections::{BTreeMap, BTreeSet};
use token::id::{Jti, epoch};
use token::revocation::codec::{self, Malformed};
use token::revocation::revoked::TooMany;
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
    /// Its `cut.all`.
    pub cut_all: Option<UnixTime>,
    /// Version of the rules that its `cut` comes from.
    pub rules: u64,
}

/// Tokens by epoch, none of them empty.
pub(crate) type Places = BTreeMap<u32, BTreeSet<u32>>;

/// The revoked tokens whose epochs have not left: those of the newest served list, and those since.
#[derive(Debug, Default)]
pub(crate) struct RevokedSet {
    served: Revoked,
    fresh: Places,
    low: u32,
}

/// What the next list will be.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Everything it lists.
    pub(crate) revoked: Revoked,
    /// Its body.
    pub(crate) body: Vec<u8>,
    /// What it lists and the served one does not.
    pub(crate) added: Places,
    /// Epochs below leave.
    pub(crate) low: u32,
}

impl RevokedSet {
    /// Returns the set after a list that held these tokens and whose epochs below `low` had left.
    ///
    /// # Errors
    /// [`Malformed`] when an index is beyond the format, which the allocator never hands out.
    pub(crate) fn after(served: impl IntoIterator<Item = Jti>, low: u32) -> Result<Self, Malformed> {
        let mut set = Self { low, ..Self::default() };
        served.into_iter().for_each(|jti| set.insert(jti));
        let draft = set.draft(low)?;
        set.serve(draft);
        Ok(set)
    }

    /// Adds a token; one that is listed, or of an epoch that has left, changes nothing.
    pub(crate) fn insert(&mut self, jti: Jti) {
        if jti.epoch >= self.low && !self.served.contains(jti.epoch, jti.index) {
            self.fresh.entry(jti.epoch).or_default().insert(jti.index);
        }
    }

    /// Returns the list of everything here whose epoch is not below `low`, nor below the lowest that is left.
    ///
    /// # Errors
    /// [`Malformed`] when an index or the number of them is beyond the format.
    pub(crate) fn draft(&self, low: u32) -> Result<Draft, Malformed> {
        let low = low.max(self.low);
        let mut added = self.fresh.clone();
        let added = added.split_off(&low);
        let mut revoked = self.served.clone();
        revoked.apply(low, &codec::decode(&body(&added)?)?).map_err(|TooMany| Malformed)?;
        let listed = revoked.to_map();
        let body = codec::encode(listed.iter().map(|(epoch, indices)| (*epoch, indices.as_slice())))?;
        Ok(Draft { revoked, body, added, low })
    }

    /// Notes that the list of this draft, and of nothing newer, is served.
    pub(crate) fn serve(&mut self, draft: Draft) {
        self.served = draft.revoked;
        self.low = draft.low;
        self.fresh.clear();
    }
}

/// Returns the body that lists these places.
///
/// # Errors
/// [`Malformed`] when an index is beyond the format.
pub(crate) fn body(places: &Places) -> Result<Vec<u8>, Malformed> {
    let sorted: Vec<(u32, Vec<u32>)> =
        places.iter().map(|(epoch, indices)| (*epoch, indices.iter().copied().collect())).collect();
    codec::encode(sorted.iter().map(|(epoch, indices)| (*epoch, indices.as_slice())))
}

/// Returns the lowest epoch that must stay at `certain`: one leaves when 256·(e+1) + leeway has passed, never before.
pub(crate) fn lowest_epoch(certain: UnixTime, leeway_secs: u64) -> u32 {
    epoch(certain.minus_secs(leeway_secs))
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

    fn jti(epoch: u32, index: u32) -> Jti {
        Jti { epoch, index }
    }

    #[test]
    fn epochs_that_left_never_come_back() {
        let mut set = RevokedSet::after([jti(4, 1), jti(5, 1), jti(6, 9)], 5).unwrap();
        [jti(6, 3), jti(6, 9), jti(8, 0), jti(4, 7)].into_iter().for_each(|jti| set.insert(jti));
        let draft = set.draft(6).unwrap();
        assert_eq!(draft.added, Places::from([(6, [3].into()), (8, [0].into())]));
        set.serve(draft);
        set.insert(jti(5, 7));
        let draft = set.draft(2).unwrap();
        assert_eq!((draft.low, &draft.added), (6, &Places::new()));
        let listed = codec::decode(&draft.body).unwrap();
        assert_eq!(listed.to_map(), BTreeMap::from([(6, vec![3, 9]), (8, vec![0])]));
        assert_eq!(listed, draft.revoked);
    }

    #[test]
    fn a_draft_that_is_not_served_loses_nothing() {
        let mut set = RevokedSet::after([jti(6, 1)], 0).unwrap();
        set.insert(jti(7, 2));
        assert_eq!(set.draft(0).unwrap().added, Places::from([(7, [2].into())]));
        set.insert(jti(7, 3));
        assert_eq!(set.draft(0).unwrap().added, Places::from([(7, [2, 3].into())]));
    }
}
