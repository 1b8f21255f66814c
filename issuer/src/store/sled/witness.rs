//! A second, tiny file that knows the numbers of the newest list and of the newest event, and in which directory they were
//! written.
//!
//! sled 0.34 takes a damaged stretch of its log for the end of the log: it opens, older than it was, and says nothing. So
//! the numbers are also written here, after the log and before anybody is answered. A store whose log ends before them has
//! lost writes. The number of a list is synced before the list is served. That of an event is handed to the operating system
//! only, and synced with the next list and at the end: it survives the end of the process, and of a power cut it may
//! miss the last seconds, which a damaged log then loses without a trace; it is never ahead of what was synced.
//!
//! A copy of the whole directory, such as a backup, proves itself to be whole although lists have been served since it was
//! made. It is told apart by the lock file, which is made once and never written again: a copy of it has another inode, or
//! its inode has changed since. A snapshot of the disk keeps both and cannot be told; whoever goes back to one says so.
//!
//! ```text
//! witness = seq:u64 place:20 bytes event:u64 crc:u32    little-endian; one write of 40 bytes
//! place   = inode:u64 seconds:u64 nanoseconds:u32       of the lock file: when its inode was changed last (ctime)
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

const NAME: &str = "newest-list";

/// The open file.
pub(super) struct Witness {
    file: File,
    place: Place,
    newest: Newest,
}

/// What a log must reach to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Newest {
    /// Number of the newest list; 0 for none.
    pub(super) list: u64,
    /// Number of the newest event; 0 for none.
    pub(super) event: u64,
}

impl Newest {
    const NOTHING: Self = Self { list: 0, event: 0 };
    /// No log reaches it: what there was is not known.
    const UNKNOWN: Self = Self { list: u64::MAX, event: u64::MAX };

    /// Whether a log with these newest numbers has all that `known` says.
    pub(super) fn reaches(self, known: Self) -> bool {
        known.list <= self.list && known.event <= self.event
    }

    /// Returns what a log with these newest numbers lacks of what is `known`; none where nothing is known, as in a copy.
    pub(super) fn damage(self, known: Self) -> Option<Arc<str>> {
        if self.reaches(known) || known.list == Self::UNKNOWN.list {
            return None;
        }
        let ends = format!("its log ends at event {} and list {}", self.event, self.list);
        Some(format!("{ends}, and event {} and list {} had been written", known.event, known.list).into())
    }
}

/// What tells a directory from a copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    inode: [u8; 8],
    seconds: [u8; 8],
    nanoseconds: [u8; 4],
}

impl Place {
    fn of(lock: &File) -> io::Result<Self> {
        let metadata = lock.metadata()?;
        let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or(0);
        Ok(Self {
            inode: metadata.ino().to_le_bytes(),
            seconds: metadata.ctime().to_le_bytes(),
            nanoseconds: nanoseconds.to_le_bytes(),
        })
    }

    /// Whether both may be the same; a file system may forget the nanoseconds.
    fn is(self, other: Self) -> bool {
        let fraction = self.nanoseconds == other.nanoseconds || [self.nanoseconds, other.nanoseconds].contains(&[0; 4]);
        self.inode == other.inode && self.seconds == other.seconds && fraction
    }
}

impl Witness {
    /// Opens the file and returns the numbers it holds: none when it is new, the largest when it cannot be read or was written
    /// in another directory. `lock` is the directory's lock file.
    pub(super) fn open(directory: &Path, lock: &File) -> io::Result<(Self, Newest)> {
        let path = directory.join(NAME);
        let place = Place::of(lock)?;
        let known = match std::fs::read(&path) {
            Ok(bytes) if bytes.is_empty() => Newest::NOTHING, // made, but the power went before the first number
            Ok(bytes) => match parse(&bytes) {
                Some((_, Some(written))) if !written.is(place) => {
                    tracing::warn!("the data directory is a copy: lists may have been published since it was made");
                    Newest::UNKNOWN
                }
                Some((newest, _)) => newest,
                None => Newest::UNKNOWN,
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Newest::NOTHING,
            Err(error) => return Err(error),
        };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        // What is not known stays so on the disk until a list has said that everything before it is revoked.
        Ok((Self { file, place, newest: known }, known))
    }

    /// Writes the number of the newest event, if it is another one; it survives the end of this process.
    pub(super) fn note_event(&mut self, event: u64) -> io::Result<()> {
        if event <= self.newest.event {
            return Ok(());
        }
        self.newest.event = event;
        self.write()
    }

    /// Makes the number of the newest list durable, and that of the newest event with it.
    pub(super) fn note_list(&mut self, list: u64, event: u64) -> io::Result<()> {
        self.newest = Newest { list, event };
        self.write()?;
        self.sync()
    }

    /// Makes what was written durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&mut self) -> io::Result<()> {
        let Self { place: Place { inode, seconds, nanoseconds }, newest: Newest { list, event }, .. } = *self;
        let mut bytes = [&list.to_le_bytes()[..], &inode, &seconds, &nanoseconds, &event.to_le_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)
    }
}

/// Leaves a file that knows nothing: whoever opens the directory next takes lists for published that it does not know.
pub(super) fn leave_none(directory: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(directory.join(NAME))?;
    file.write_all(b"restored")?;
    file.sync_all()
}

/// Returns numbers and place; what earlier versions wrote has no event, and what the first wrote no place.
fn parse(bytes: &[u8]) -> Option<(Newest, Option<Place>)> {
    let (written, crc) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(written).to_le_bytes() != *crc {
        return None;
    }
    let (list, place) = written.split_first_chunk::<8>()?;
    let list = u64::from_le_bytes(*list);
    if place.is_empty() {
        return Some((Newest { list, event: 0 }, None));
    }
    let (inode, rest) = place.split_first_chunk::<8>()?;
    let (seconds, rest) = rest.split_first_chunk::<8>()?;
    let (nanoseconds, rest) = rest.split_first_chunk::<4>()?;
    let event = if rest.is_empty() { 0 } else { u64::from_le_bytes(rest.try_into().ok()?) };
    let place = Place { inode: *inode, seconds: *seconds, nanoseconds: *nanoseconds };
    Some((Newest { list, event }, Some(place)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(directory: &Path) -> (Witness, u64) {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock")).unwrap();
        let (witness, known) = Witness::open(directory, &lock).unwrap();
        (witness, known.list)
    }

    #[test]
    fn a_number_is_known_in_its_own_directory_and_not_in_a_copy() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mut witness, known) = opened(here.path());
        assert_eq!(known, 0);
        witness.note_list(7, 0).unwrap();
        witness.note_list(8, 0).unwrap();
        assert_eq!(opened(here.path()).1, 8);
        for name in ["lock", NAME] {
            std::fs::copy(here.path().join(name), there.path().join(name)).unwrap();
        }
        let (mut copy, known) = opened(there.path());
        assert_eq!(known, u64::MAX);
        copy.note_event(3).unwrap();
        assert_eq!(opened(there.path()).1, u64::MAX, "an event says nothing about lists");
        copy.note_list(9, 3).unwrap();
        assert_eq!(opened(there.path()).1, 9, "from now on the copy is a directory of its own");
        std::fs::copy(here.path().join("lock"), there.path().join("lock")).unwrap();
        assert_eq!(opened(there.path()).1, u64::MAX, "written over, under the same inode");
        std::fs::remove_file(here.path().join("lock")).unwrap();
        assert_eq!(opened(here.path()).1, u64::MAX);
    }

    #[test]
    fn the_newest_event_is_known_after_the_newest_list_and_never_goes_back() {
        let directory = tempfile::tempdir().unwrap();
        let lock = File::create(directory.path().join("lock")).unwrap();
        let known = || Witness::open(directory.path(), &lock).unwrap().1;
        let (mut witness, _) = Witness::open(directory.path(), &lock).unwrap();
        witness.note_event(3).unwrap();
        assert_eq!(known(), Newest { list: 0, event: 3 });
        witness.note_list(7, 4).unwrap();
        witness.note_event(4).unwrap();
        witness.note_event(2).unwrap();
        assert_eq!(known(), Newest { list: 7, event: 4 });
        witness.note_event(9).unwrap();
        assert_eq!(known(), Newest { list: 7, event: 9 });
    }

    #[test]
    fn what_earlier_versions_wrote_is_known_and_damage_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let number = 7_u64.to_le_bytes();
        let before = [&number[..], &crc32fast::hash(&number).to_le_bytes()].concat();
        std::fs::write(directory.path().join(NAME), &before).unwrap();
        assert_eq!(opened(directory.path()).1, 7);
        let (mut witness, _) = opened(directory.path());
        witness.note_list(8, 0).unwrap();
        let bytes = std::fs::read(directory.path().join(NAME)).unwrap();
        assert_eq!(bytes.len(), 40);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&flipped), None, "bit {bit}");
        }
        let without_event = &bytes[..28];
        let second = [without_event, &crc32fast::hash(without_event).to_le_bytes()].concat();
        std::fs::write(directory.path().join(NAME), second).unwrap();
        assert_eq!(opened(directory.path()).1, 8);
    }
}
