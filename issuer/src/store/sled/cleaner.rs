//! Getting sled to use the room in its log again.
//!
//! sled puts what changes behind the log, in segments, and uses a segment again once the rest of what lives in it was written
//! elsewhere. It writes one such page whenever it writes another page anew, which falls behind. The thread that it has for more
//! (`flush_every_ms`) goes on for as long as it likes between two syncs, and sled takes what it has written for durable: it
//! would put new rows over old ones whose other place a power cut can still take. So that thread is not started. Instead a
//! row, in a tree of its own, is changed until its page is due to be written anew: a stroke, which moves one page. Of the
//! bytes that a flush has written we know whether there was one.

use sled::{Db, Tree};

/// What sled may write between two syncs: as much must follow the new place of a row before it writes over the old one. (It may
/// give the old one back to the file system after half of that; a file system that keeps the order of its own
/// changes does not do so before the new one is on the disk.)
pub(super) const UNSYNCED: usize = 2 * super::open::SEGMENT_BYTES;
/// Bytes written after which it is time for a sync.
const MUCH: usize = 256 * 1024;
/// Changes of a row after which sled writes its page anew.
const CHANGES: usize = 11;
/// Pages that are moved before it is looked how large they were: of 17 rows below 16 KiB each. Where a segment ends meanwhile,
/// sled writes what is before that by itself and the flush does not tell of it, so there may be twice as many.
const PAGES: usize = 7;
const _: () = assert!(MUCH + 2 * PAGES * 17 * 16 * 1024 < UNSYNCED);
/// Looks between two syncs.
const LOOKS: u32 = 12;
/// What so many strokes write themselves.
const OWN: usize = PAGES * 270;
/// How often in a row that must be all before we take it that nothing is left: pages that wait may have been written
/// elsewhere meanwhile, which takes a stroke each to find out.
const IDLE: u32 = 30;

const TREE: &str = "strokes";
const ROW: &[u8] = b"s";

/// Moves what is left of stale segments.
pub(super) struct Cleaner {
    db: Db,
    strokes: Option<Tree>,
    changes: u64,
    /// How often in a row nothing was moved.
    idle: u32,
}

impl Cleaner {
    /// Returns one for this store. What the last process left is not cleaned yet.
    pub(super) fn of(db: Db) -> Self {
        Self { db, strokes: None, changes: 0, idle: 0 }
    }

    /// Says that rows were written, so that others are stale.
    pub(super) fn begin(&mut self) {
        self.idle = 0;
    }

    /// Returns whether nothing was left to move.
    pub(super) fn is_done(&self) -> bool {
        self.idle >= IDLE
    }

    /// Moves pages until nothing is left or a sync is due.
    pub(super) fn clean(&mut self) -> sled::Result<()> {
        let mut written = 0_usize;
        for _ in 0..LOOKS {
            written = written.saturating_add(self.strokes()?);
            if written >= MUCH || self.is_done() {
                break;
            }
        }
        Ok(())
    }

    /// Returns what was written.
    fn strokes(&mut self) -> sled::Result<usize> {
        let strokes = match &mut self.strokes {
            Some(strokes) => strokes,
            none => none.insert(self.db.open_tree(TREE)?),
        };
        for _ in 0..PAGES * CHANGES {
            self.changes = self.changes.wrapping_add(1); // what stays as it is is not written
            strokes.insert(ROW, &self.changes.to_le_bytes())?;
        }
        let written = strokes.flush()?;
        self.idle = if written <= OWN { self.idle.saturating_add(1) } else { 0 };
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sled::open::open_sled;

    fn open(directory: &std::path::Path) -> Db {
        open_sled(directory).unwrap()
    }

    const ROWS: u32 = 40_000;

    fn row(number: u32) -> Vec<u8> {
        number.to_be_bytes().repeat(50)
    }

    fn write(db: &Db) {
        for number in 0..ROWS {
            db.insert(number.to_be_bytes(), row(number)).unwrap();
        }
        db.flush().unwrap();
    }

    #[test]
    fn what_is_written_to_see_that_nothing_is_left_is_little() {
        let directory = tempfile::tempdir().unwrap();
        let mut cleaner = Cleaner::of(open(directory.path()));
        cleaner.strokes().unwrap(); // its tree is made
        let much = (0..1000).filter(|_| cleaner.strokes().unwrap() > OWN).count();
        assert!(much <= 2, "but where a segment ends: {much}");
        cleaner.begin();
        assert!(!cleaner.is_done());
        let done = |_| {
            cleaner.clean().unwrap();
            cleaner.is_done()
        };
        assert!((0..=2 * IDLE.div_ceil(LOOKS)).any(done), "a look where a segment ends counts anew");
        cleaner.begin();
        write(&cleaner.db);
        assert!((0..100).all(|_| cleaner.strokes().unwrap() < MUCH), "nothing of a new tree is stale");
    }

    /// A row that changes all the time fills segments in which a few pages of others live on.
    #[test]
    fn room_is_used_again_that_was_not_without_and_no_row_is_lost() {
        const OFTEN: [u8; 4] = u32::MAX.to_be_bytes();
        let [without, with] = [false, true].map(|cleans| {
            let directory = tempfile::tempdir().unwrap();
            let mut cleaner = Cleaner::of(open(directory.path()));
            write(&cleaner.db);
            let mut said: Vec<u32> = (0..ROWS).collect();
            for turn in 0..64_u32 {
                for change in 0..100 {
                    cleaner.db.insert(OFTEN, (turn * 100 + change).to_be_bytes().repeat(4_000)).unwrap();
                }
                let changed = |number: &u32| number.wrapping_mul(2_654_435_761) >> 24 == turn;
                for (number, said) in (0..).zip(&mut said).filter(|(number, _)| changed(number)) {
                    *said = turn;
                    cleaner.db.insert(u32::to_be_bytes(number), row(turn)).unwrap();
                }
                cleaner.db.flush().unwrap();
                cleaner.begin();
                while cleans && !cleaner.is_done() {
                    cleaner.clean().unwrap();
                }
            }
            let size = cleaner.db.size_on_disk().unwrap();
            drop(cleaner);
            let mut rows = open(directory.path()).iter().map(Result::unwrap).collect::<Vec<_>>();
            assert_eq!(rows.pop(), Some(((&OFTEN).into(), 6_399_u32.to_be_bytes().repeat(4_000).into())));
            let wanted = (0..).zip(&said).map(|(number, said)| ((&u32::to_be_bytes(number)).into(), row(*said).into()));
            assert_eq!(rows, wanted.collect::<Vec<(sled::IVec, sled::IVec)>>());
            size
        });
        assert!(with * 2 <= without, "half of it at most: {with} and {without} bytes");
    }
}
