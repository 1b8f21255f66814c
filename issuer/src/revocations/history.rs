//! What led from each of the last lists to the next, so that a verifier that held one of them needs no whole list.

use super::Places;
use std::collections::VecDeque;
use token::revocation::ListId;

/// Lists that are remembered: seven minutes of a burst, hours of quiet.
const MAX_CHANGES: usize = 4096;
/// Tokens in all of them together: about 20 MiB.
const MAX_PLACES: usize = 1 << 19;
/// More of them are not even put together: that takes long, and a delta of 32 KiB says so many only where nearly all are revoked.
const MAX_IN_DELTA: usize = 1 << 18;

/// The last lists, oldest first.
#[derive(Debug, Default)]
pub(crate) struct History {
    changes: VecDeque<Change>,
    places: usize,
}

#[derive(Debug)]
struct Change {
    seq: u64,
    state: State,
    /// What this list has and the one before had not; nothing for the oldest, whose predecessor is not remembered.
    added: Places,
}

/// The state of a list, by which a delta says what it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// State of its body.
    pub(crate) id: ListId,
    /// Epochs below had left.
    pub(crate) low: u32,
}

/// How a list differs from an earlier one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Since {
    /// State of the earlier list.
    pub(crate) base: State,
    /// What was added since; it may name epochs that have left meanwhile.
    pub(crate) added: Places,
}

impl History {
    /// Notes that the list `seq` follows the newest one by adding `added`.
    pub(crate) fn push(&mut self, seq: u64, state: State, added: Places) {
        self.places += count(&added);
        self.changes.push_back(Change { seq, state, added });
        while self.changes.len() > MAX_CHANGES || (self.changes.len() > 1 && self.places > MAX_PLACES) {
            // What the new oldest added is of no use without the one before it.
            let oldest = self.changes.pop_front().map(|change| change.added);
            let next = self.changes.front_mut().map(|change| std::mem::take(&mut change.added));
            self.places -= oldest.iter().chain(&next).map(count).sum::<usize>();
        }
    }

    /// Returns how the newest list differs from the list `seq`; `None` when that is not remembered or no delta could say it.
    pub(crate) fn since(&self, seq: u64) -> Option<Since> {
        let at = self.changes.binary_search_by_key(&seq, |change| change.seq).ok()?;
        let base = self.changes.get(at)?.state;
        let later = || self.changes.iter().skip(at + 1);
        if later().map(|change| count(&change.added)).sum::<usize>() > MAX_IN_DELTA {
            return None;
        }
        let mut added = Places::new();
        for change in later() {
            for (epoch, indices) in &change.added {
                added.entry(*epoch).or_default().extend(indices);
            }
        }
        Some(Since { base, added })
    }
}

fn count(places: &Places) -> usize {
    places.values().map(std::collections::BTreeSet::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(seq: u64) -> State {
        State { id: ListId::of(&seq.to_le_bytes()), low: 3 }
    }

    fn history(lists: u64, each: u32) -> History {
        let mut history = History::default();
        for seq in 1..=lists {
            let first = u32::try_from(seq).unwrap() * each;
            history.push(seq * 10, state(seq), Places::from([(7, (first..first + each).collect())]));
        }
        history
    }

    #[test]
    fn the_difference_is_what_was_added_after_the_list_named() {
        let history = history(3, 2);
        assert_eq!(history.since(10), Some(Since { base: state(1), added: Places::from([(7, [4, 5, 6, 7].into())]) }));
        assert_eq!(history.since(30), Some(Since { base: state(3), added: Places::new() }));
        for unknown in [0, 11, 40] {
            assert_eq!(history.since(unknown), None);
        }
    }

    #[test]
    fn the_oldest_leave_when_there_are_too_many_lists_or_tokens() {
        let many = history(5_000, 0);
        assert_eq!((many.since(9_040), many.since(9_050).is_some()), (None, true));
        let large = history(600, 1_000);
        assert!(large.places <= MAX_PLACES && large.since(10).is_none());
        assert_eq!(large.since(5_990).unwrap().added[&7].len(), 1_000);
    }
}
