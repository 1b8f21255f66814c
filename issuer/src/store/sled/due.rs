//! Rows that say when to look at sessions, each at many of them: a row for each session would be a third of all rows, and sled
//! keeps 16 rows in a leaf, however small they are.
//!
//! Time is cut in stretches of five minutes. Sessions that are due in the same stretch go into its row until that is full; which
//! rows are not full yet is only known in memory, so a start begins new ones. A row may be looked at before the last of
//! its sessions is due, or, by less than a stretch, after the first: whoever looks puts those that live on into
//! other rows.

use super::layout;
use crate::session::SessionId;
use crate::store::PURGE_STEP;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use token::time::UnixTime;

/// Seconds of one stretch.
const STRETCH: u64 = 300;
/// Sessions of one row: half a kilobyte, which is written again with each of them.
const SESSIONS: usize = 32;
/// Rows that take more sessions, one for each stretch: those of a week, in at most 1.5 MiB.
const OPEN: usize = 2_048;
const _: () = assert!(SESSIONS <= PURGE_STEP, "one step of a purge takes a row at least");

/// The rows that are not full.
#[derive(Default)]
pub(super) struct Due {
    open: BTreeMap<u64, Row>,
}

struct Row {
    due: UnixTime,
    first: SessionId,
    more: Vec<u8>,
}

impl Due {
    /// Puts a session into a row, and returns that row: its key, and what it holds from now on.
    pub(super) fn add(&mut self, due: UnixTime, sid: SessionId) -> (Vec<u8>, Vec<u8>) {
        let stretch = due.as_secs() / STRETCH;
        let row = match self.open.entry(stretch) {
            Entry::Occupied(taken) => {
                let row = taken.into_mut();
                row.more.extend_from_slice(&sid.0);
                row
            }
            Entry::Vacant(free) => free.insert(Row { due, first: sid, more: Vec::new() }),
        };
        let made = (layout::due(row.due, row.first), row.more.clone());
        if row.more.len() >= (SESSIONS - 1) * size_of::<SessionId>() {
            self.open.remove(&stretch);
        }
        if self.open.len() > OPEN {
            self.open.pop_first();
        }
        made
    }

    /// Adds nothing more to rows that are looked at before this time.
    pub(super) fn close(&mut self, before: UnixTime) {
        self.open.retain(|_, row| row.due >= before);
    }
}

/// Returns the sessions that a row speaks of, as far as it can be read.
pub(super) fn sessions(key: &[u8], row: &[u8]) -> Vec<SessionId> {
    let (more, _) = row.as_chunks();
    layout::parse_due(key).into_iter().chain(more.iter().copied().map(SessionId)).take(SESSIONS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::at;

    fn sid(name: u32) -> SessionId {
        let mut sid = [7; 16];
        sid[..4].copy_from_slice(&name.to_be_bytes());
        SessionId(sid)
    }

    #[test]
    fn a_row_takes_sessions_of_its_stretch_until_it_is_full_and_holds_all_that_it_took() {
        let mut due = Due::default();
        let mut rows = BTreeMap::new();
        for name in 0..2_000 {
            let (key, row) = due.add(at(u64::from(name % 7) * STRETCH), sid(name));
            assert_eq!(sessions(&key, &row).last(), Some(&sid(name)));
            rows.insert(key, row);
        }
        assert_eq!(rows.len(), 7 * (2_000_usize / 7 + 1).div_ceil(SESSIONS));
        let mut held: Vec<_> = rows.iter().flat_map(|(key, row)| sessions(key, row)).collect();
        held.sort();
        assert_eq!(held, (0..2_000).map(sid).collect::<Vec<_>>());
        assert!(rows.values().all(|row| row.len() <= (SESSIONS - 1) * 16));
    }

    #[test]
    fn few_rows_are_remembered_and_none_that_was_closed() {
        let mut due = Due::default();
        let alone = |(key, row): (Vec<u8>, Vec<u8>)| sessions(&key, &row).len() == 1;
        for stretch in 0..2 * u32::try_from(OPEN).unwrap() {
            assert!(alone(due.add(at(u64::from(stretch) * STRETCH), sid(stretch))));
        }
        assert_eq!(due.open.len(), OPEN);
        assert!(alone(due.add(at(0), sid(1))), "the earliest were forgotten");
        let last = at((2 * u64::try_from(OPEN).unwrap() - 1) * STRETCH);
        due.close(last);
        assert!(!alone(due.add(last, sid(2))), "it is not before");
        due.close(last.plus_secs(1));
        assert!(alone(due.add(last, sid(3))));
    }

    #[test]
    fn a_row_is_read_as_far_as_it_can_be() {
        let (key, row) = ([&b"x"[..], &[0; 8], &[1; 16]].concat(), [[2; 16], [3; 16]].concat());
        let of = |names: &[u8]| names.iter().map(|name| SessionId([*name; 16])).collect::<Vec<_>>();
        assert_eq!(sessions(&key, &row), of(&[1, 2, 3]));
        assert_eq!(sessions(&key, &row[..31]), of(&[1, 2]));
        assert_eq!(sessions(&key[..20], &row), of(&[2, 3]));
        assert_eq!(sessions(&key, &[]), of(&[1]));
        assert_eq!(sessions(&key, &[1; 16 * 4_000]).len(), SESSIONS, "no step of a purge is larger than it may be");
    }
}
