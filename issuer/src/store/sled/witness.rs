//! A second, tiny file that knows the number of the newest list, and in which directory it was written.
//!
//! sled 0.34 takes a damaged stretch of its log for the end of the log: it opens, older than it was, and says nothing. So
//! each number is also written here, after the log and before the list is served. A store whose log ends before it has
//! lost writes. What came after the newest list, at most some seconds, is beyond this proof.
//!
//! A copy of the whole directory, such as a backup, proves itself to be whole although lists have been served since it was
//! made. It is told apart by the lock file, which is made once and never written again: a copy of it has another inode, or
//! its inode has changed since. A snapshot of the disk keeps both and cannot be told; whoever goes back to one says so.
//!
//! ```text
//! witness = seq:u64 place:20 bytes crc:u32              little-endian; one write of 32 bytes, synced
//! place   = inode:u64 seconds:u64 nanoseconds:u32       of the lock file: when its inode was changed last (ctime)
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const NAME: &str = "newest-list";

/// The open file.
pub(super) struct Witness {
    file: File,
    place: Place,
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
    /// Opens the file and returns the number it holds: 0 when it is new, the largest when it cannot be read or was written
    /// in another directory. `lock` is the directory's lock file.
    pub(super) fn open(directory: &Path, lock: &File) -> io::Result<(Self, u64)> {
        let path = directory.join(NAME);
        let place = Place::of(lock)?;
        let known = match std::fs::read(&path) {
            Ok(bytes) if bytes.is_empty() => 0, // made, but the power went before the first number
            Ok(bytes) => match parse(&bytes) {
                Some((_, Some(written))) if !written.is(place) => {
                    tracing::warn!("the data directory is a copy: lists may have been published since it was made");
                    u64::MAX
                }
                Some((seq, _)) => seq,
                None => u64::MAX,
            },
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        Ok((Self { file, place }, known))
    }

    /// Makes the number durable.
    pub(super) fn note(&mut self, seq: u64) -> io::Result<()> {
        let Place { inode, seconds, nanoseconds } = self.place;
        let mut bytes = [&seq.to_le_bytes()[..], &inode, &seconds, &nanoseconds].concat();
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)?;
        self.file.sync_data()
    }
}

/// Leaves a file that knows nothing: whoever opens the directory next takes lists for published that it does not know.
pub(super) fn leave_none(directory: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(directory.join(NAME))?;
    file.write_all(b"restored")?;
    file.sync_all()
}

/// Returns number and place; what an earlier version wrote has no place.
fn parse(bytes: &[u8]) -> Option<(u64, Option<Place>)> {
    let (written, crc) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(written).to_le_bytes() != *crc {
        return None;
    }
    let (seq, place) = written.split_first_chunk::<8>()?;
    let seq = u64::from_le_bytes(*seq);
    if place.is_empty() {
        return Some((seq, None));
    }
    let (inode, rest) = place.split_first_chunk::<8>()?;
    let (seconds, rest) = rest.split_first_chunk::<8>()?;
    let nanoseconds = rest.try_into().ok()?;
    Some((seq, Some(Place { inode: *inode, seconds: *seconds, nanoseconds })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(directory: &Path) -> (Witness, u64) {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock")).unwrap();
        Witness::open(directory, &lock).unwrap()
    }

    #[test]
    fn a_number_is_known_in_its_own_directory_and_not_in_a_copy() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mut witness, known) = opened(here.path());
        assert_eq!(known, 0);
        witness.note(7).unwrap();
        witness.note(8).unwrap();
        assert_eq!(opened(here.path()).1, 8);
        for name in ["lock", NAME] {
            std::fs::copy(here.path().join(name), there.path().join(name)).unwrap();
        }
        let (mut copy, known) = opened(there.path());
        assert_eq!(known, u64::MAX);
        copy.note(9).unwrap();
        assert_eq!(opened(there.path()).1, 9, "from now on the copy is a directory of its own");
        std::fs::copy(here.path().join("lock"), there.path().join("lock")).unwrap();
        assert_eq!(opened(there.path()).1, u64::MAX, "written over, under the same inode");
        std::fs::remove_file(here.path().join("lock")).unwrap();
        assert_eq!(opened(here.path()).1, u64::MAX);
    }

    #[test]
    fn what_an_earlier_version_wrote_is_known_and_damage_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let number = 7_u64.to_le_bytes();
        let before = [&number[..], &crc32fast::hash(&number).to_le_bytes()].concat();
        std::fs::write(directory.path().join(NAME), &before).unwrap();
        assert_eq!(opened(directory.path()).1, 7);
        let (mut witness, _) = opened(directory.path());
        witness.note(8).unwrap();
        let bytes = std::fs::read(directory.path().join(NAME)).unwrap();
        assert_eq!(bytes.len(), 32);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&flipped), None, "bit {bit}");
        }
    }
}
