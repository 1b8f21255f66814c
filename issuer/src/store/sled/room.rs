//! Room on the disk that nobody else can take.
//!
//! sled fails for good when the disk is full under a write, and does not open where it has no room for what it writes then.
//! So the blocks that the log needs next are claimed before it is written, and so is what opening needs.
//!
//! ```text
//! db        ######## log ########|~~~~~~~~~~~~~~~ 6 MiB ~~~~~~~~~~~~~~~|   every change is taken, and rows move into the tree
//!                                |~~~~~ less ~~~~~|                        rows go on moving, and that is all
//!                                |~ below 4 MiB ~|                         rows stay in the journal
//! journal.* ## 1.5 MiB ##|~~~~~~ 2.5 MiB ~~~~~~|       for lists, revocations and what is rare, also while no row moves
//! reserve   |~ 1 MiB and a 64th of the log ~|          given up when the store does not open for want of room
//! ```
//!
//! Claimed blocks lie behind the end of a file (`fallocate` with `KEEP_SIZE`), which stays as long as it was. Where a file
//! system cannot do that, what it has left is looked at instead, and somebody else may be faster.

use super::journal::{CLAIMED, FILES, FULL};
use super::open::SEGMENT_BYTES;
use rustix::fs::{FallocateFlags, fallocate, fstatvfs};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

const SEGMENT: u64 = 2 * 1024 * 1024;
const _: () = assert!(SEGMENT_BYTES == 2 * 1024 * 1024 && LEAST < AHEAD && FULL < CLAIMED - LAST);
/// Claimed behind the segment that the log ends in.
const AHEAD: u64 = 3 * SEGMENT;
/// With less than this sled is given nothing to write, so that no piece can meet the end, nor what a start writes.
const LEAST: u64 = 2 * SEGMENT;
/// With less than this left of what is claimed for a file of the journal, nothing is taken: what a group writes before its last
/// change, and the largest one, which ends sessions of a subject.
pub(super) const LAST: u64 = (512 + 64 * 16 + 64) * 1024;
/// The name of the file that claims what opening needs: mostly a snapshot of where each page lies, some 60 bytes for a page
/// of 30 rows.
const RESERVE: &str = "reserve";
const RESERVE_BYTES: u64 = 1024 * 1024;
const RESERVE_SHARE: u64 = 64;

/// How much may still be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    /// Nothing.
    Gone,
    /// What must go on: lists, revocations, and what happens rarely.
    Scarce,
    /// Everything.
    Ample,
}

/// The claims of an open store.
pub(super) struct Claims {
    log: File,
    /// Files of the journal whose room could not be claimed yet.
    journals: Vec<File>,
    /// None where there was no room for as much as its name.
    reserve: Option<File>,
    /// Where the claimed blocks of the log end.
    claimed: u64,
    /// Where the segment ends that the log ends in, when it was looked at last.
    end: u64,
    /// The file system cannot claim.
    unable: bool,
}

impl Claims {
    /// Returns the claims of a store that has its log; nothing is claimed yet.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let log = OpenOptions::new().write(true).open(directory.join("db"))?;
        let open = |name| OpenOptions::new().create(true).truncate(false).write(true).open(directory.join(name));
        let journals = FILES.into_iter().map(open).collect::<io::Result<_>>()?;
        let reserve = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join(RESERVE));
        Ok(Self { log, journals, reserve: reserve.ok(), claimed: 0, end: 0, unable: false })
    }

    /// Claims what the next group may need and returns how much of it there is, where the journal is so long.
    pub(super) fn room(&mut self, journal: u64) -> Room {
        self.claim_journals();
        let left = self.claim_log();
        let kept = if self.unable { left } else { CLAIMED.saturating_sub(journal) };
        match (left, kept) {
            _ if !self.journals.is_empty() => Room::Gone,
            (_, ..LAST) => Room::Gone,
            (AHEAD.., _) => Room::Ample,
            _ => Room::Scarce,
        }
    }

    /// Returns whether sled has room for another piece.
    pub(super) fn may_move(&mut self) -> bool {
        self.claim_log() >= LEAST
    }

    /// Lets there be no room from now on, as on a file system that cannot claim and has nothing left.
    #[cfg(test)]
    pub(super) fn starve(&mut self) {
        self.log = File::open("/proc/version").unwrap();
        self.unable = true;
        assert_eq!(self.available(), 0);
    }

    fn claim_journals(&mut self) {
        let mut unable = self.unable;
        self.journals.retain(|journal| match claim(journal, 0, CLAIMED) {
            Ok(claimed) => !claimed,
            Err(error) => {
                tell_unable(&mut unable, error);
                false
            }
        });
        self.unable = unable;
    }

    /// Claims what the log may need next and returns how much of it there is.
    fn claim_log(&mut self) -> u64 {
        let Ok(length) = self.log.metadata().map(|metadata| metadata.len()) else { return u64::MAX }; // a write will say more
        let end = length.next_multiple_of(SEGMENT).max(SEGMENT);
        if self.claimed < end || end < self.end {
            self.claimed = end - SEGMENT; // just opened, or cut, and what was behind the cut is given back
        }
        self.end = end;
        let wanted = end.saturating_add(AHEAD);
        while self.claimed < wanted && !self.unable {
            match claim(&self.log, self.claimed, SEGMENT) {
                Ok(true) => self.claimed = self.claimed.saturating_add(SEGMENT),
                Ok(false) => break,
                Err(error) => tell_unable(&mut self.unable, error),
            }
            if let (true, Some(reserve)) = (self.claimed == wanted, &self.reserve) {
                // What opening needs has grown, too. Without it the next start may need somebody to make room.
                claim(reserve, 0, RESERVE_BYTES.saturating_add(wanted / RESERVE_SHARE)).ok();
            }
        }
        if self.unable { self.available() } else { self.claimed.saturating_sub(end) }
    }

    /// Returns what the file system has left for us.
    fn available(&self) -> u64 {
        fstatvfs(&self.log).map_or(u64::MAX, |system| system.f_bavail.saturating_mul(system.f_frsize))
    }
}

fn tell_unable(unable: &mut bool, error: Errno) {
    if !std::mem::replace(unable, true) {
        tracing::warn!(%error, "the file system cannot set room aside for the store");
    }
}

/// Claims blocks of a file, whose length stays; false when the disk has none.
fn claim(file: &File, from: u64, length: u64) -> Result<bool, Errno> {
    match fallocate(file, FallocateFlags::KEEP_SIZE, from, length) {
        Ok(()) => Ok(true),
        Err(Errno::NOSPC | Errno::DQUOT) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Gives up what is reserved for opening; false when nothing was.
pub(super) fn give_up(directory: &Path) -> io::Result<bool> {
    match std::fs::remove_file(directory.join(RESERVE)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SUBJECT_STEP;
    use crate::store::sled::cleaner::UNSYNCED;
    use crate::store::sled::layers::GROUP_BYTES;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn what_is_left_is_enough_for_what_may_be_written() {
        const ROW: usize = 16 * 1024;
        assert!(LEAST >= u64::try_from(UNSYNCED).unwrap());
        assert!(LAST > u64::try_from(GROUP_BYTES + SUBJECT_STEP * ROW).unwrap());
    }

    #[test]
    fn room_is_claimed_behind_the_log_which_stays_as_long_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("db");
        std::fs::write(&log, b"log").unwrap();
        let mut claims = Claims::open(directory.path()).unwrap();
        assert_eq!(claims.room(0), Room::Ample);
        let of = |name: &str| directory.path().join(name).metadata().unwrap();
        assert_eq!((of("db").len(), of(RESERVE).len()), (3, 0));
        if !claims.unable {
            assert!(of("db").blocks() * 512 >= SEGMENT + AHEAD);
            assert!(of(RESERVE).blocks() * 512 >= RESERVE_BYTES);
            File::options().write(true).open(&log).unwrap().set_len(2 * SEGMENT).unwrap();
            assert_eq!((claims.room(0), claims.claimed), (Room::Ample, 2 * SEGMENT + AHEAD));
            File::options().write(true).open(&log).unwrap().set_len(1).unwrap();
            assert_eq!(
                (claims.room(0), claims.claimed),
                (Room::Ample, SEGMENT + AHEAD),
                "what was cut is claimed anew"
            );
        }
        for name in FILES {
            assert_eq!(of(name).len(), 0);
            assert!(claims.unable || of(name).blocks() * 512 >= CLAIMED);
        }
        assert_eq!((claims.room(CLAIMED - LAST), claims.room(CLAIMED - LAST + 1)), (Room::Ample, Room::Gone));
        assert!(claims.may_move());
        assert!(give_up(directory.path()).unwrap());
        assert!(!give_up(directory.path()).unwrap());
    }
}
