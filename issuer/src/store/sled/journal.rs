//! What was acknowledged and may not be in the tree yet: two files that are used in turn.
//!
//! A group of changes is one frame, written and synced before anybody is answered. When one file is full, what is in it leaves
//! for the tree, in pieces that sled writes and syncs, while groups go on in the other one; then it is written over from its
//! beginning. After a crash the frames behind the last one that the tree has are the rows above it.
//!
//! ```text
//! file   = *frame, then whatever was there before
//! frame  = length:u32 crc:u32 number:u64 before:u32 *row      little-endian; length is of number and all behind it,
//!                                                             crc is CRC-32 of the same, before is the crc of the frame before
//! row    = key:u16 row:u32 key row                            both lengths, then the bytes; 2^32 - 1 is a row taken away
//! ```
//!
//! A frame that follows no other one is of another history: what was left of an earlier turn, or files of different days.

use super::layers::Layer;
use crate::store::record::{Reader, Record, Unreadable, Writer};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The names of the files.
pub(super) const FILES: [&str; 2] = ["journal.0", "journal.1"];
/// What is in a file leaves it once it is longer than this.
pub(super) const FULL: u64 = 3 * 512 * 1024;
/// Claimed of the disk for each file. While nothing can leave, what is between this and [`FULL`] is for what must go on.
pub(super) const CLAIMED: u64 = 4 * 1024 * 1024;

const HEAD: usize = 8;
const TAKEN_AWAY: u32 = u32::MAX;

/// A place in the history of a store: a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Its number; 0 is before the first one.
    number: u64,
    crc: u32,
}

impl Record for Place {
    const KIND: &'static str = "place in the journal";

    fn write(&self, writer: &mut Writer) {
        writer.number(self.number);
        writer.number(u64::from(self.crc));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self { number: reader.number()?, crc: reader.number_u32()? })
    }
}

/// What a journal holds that the tree lacks.
#[derive(Default)]
pub(super) struct Above {
    /// What leaves for the tree, and the last of it.
    pub(super) leaving: Option<(Layer, Place)>,
    /// What is in the file that is written, where both have something.
    pub(super) recent: Layer,
    /// There are newer frames, and they do not follow what the tree has.
    pub(super) foreign: bool,
}

/// The open files.
pub(super) struct Journal {
    current: File,
    other: File,
    /// Where the next frame goes in the current file.
    end: u64,
    last: Place,
    frame: Vec<u8>,
}

impl Journal {
    /// Opens the journal of a tree that has everything up to `moved`, and returns what lies above that. It is synced: what was
    /// only handed to the operating system before is as good as what was acknowledged from here on.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn open(directory: &Path, moved: Place) -> io::Result<(Self, Above)> {
        let open = |name| {
            let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
            let file = options.open(directory.join(name))?;
            let bytes = read(&file)?;
            fill(&file, bytes.len())?;
            file.sync_all()?;
            Ok::<_, io::Error>((frames(&bytes), file))
        };
        let [first, second] = FILES;
        let (mut older, mut newer) = (open(first)?, open(second)?);
        let begins = |(frames, _): &(Vec<Frame>, File)| frames.first().map_or(u64::MAX, |frame| frame.place.number);
        if begins(&newer) < begins(&older) {
            std::mem::swap(&mut older, &mut newer);
        }
        let mut above = Above::default();
        let mut last = moved;
        let (of_older, _) = take(older.0, &mut last, &mut above.foreign);
        let at = last;
        let (of_newer, newer_end) = take(newer.0, &mut last, &mut above.foreign);
        let [older, newer] = [older.1, newer.1];
        let (current, other, end) = match (of_older, of_newer) {
            (Some(rows), Some(newest)) => {
                above.leaving = Some((rows, at));
                above.recent = newest;
                (newer, older, newer_end)
            }
            // What the process before left in one file leaves it at once.
            (Some(rows), None) => {
                above.leaving = Some((rows, last));
                (newer, older, 0)
            }
            (None, rows) => {
                above.leaving = rows.map(|rows| (rows, last));
                (older, newer, 0)
            }
        };
        Ok((Self { current, other, end, last, frame: Vec::new() }, above))
    }

    /// Writes the rows of a group and syncs them. An error is final.
    ///
    /// # Errors
    /// The disk's; a key or a row that is longer than any.
    pub(super) fn append(&mut self, rows: &Layer) -> io::Result<()> {
        self.last = write_frame(&mut self.frame, self.last, rows)?;
        self.current.write_all_at(&self.frame, self.end)?;
        self.current.sync_data()?;
        self.end = self.end.saturating_add(u64::try_from(self.frame.len()).unwrap_or(u64::MAX));
        self.frame.shrink_to(SPARE);
        Ok(())
    }

    /// Goes on in the other file, from its beginning: all that it holds has left. Returns the last place in this one.
    pub(super) fn turn(&mut self) -> Place {
        std::mem::swap(&mut self.current, &mut self.other);
        self.end = 0;
        self.last
    }

    /// How long the current file is.
    pub(super) fn length(&self) -> u64 {
        self.end
    }
}

/// Bytes of memory for a frame that are kept for the next one.
const SPARE: usize = 1024 * 1024;

/// Empties the journal of a closed store, durably.
pub(super) fn clear(directory: &Path) -> io::Result<()> {
    for name in FILES {
        match OpenOptions::new().write(true).open(directory.join(name)) {
            Ok(file) => {
                file.set_len(0)?;
                file.sync_all()?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

struct Frame {
    place: Place,
    before: u32,
    rows: Vec<(sled::IVec, Option<sled::IVec>)>,
    /// Where it ends in its file.
    end: u64,
}

/// Takes the frames that follow `last` and moves it; none when there are none.
fn take(frames: Vec<Frame>, last: &mut Place, foreign: &mut bool) -> (Option<Layer>, u64) {
    let (mut rows, mut end) = (None::<Layer>, 0);
    for frame in frames {
        if frame.place.number <= last.number {
            continue; // the tree has it
        }
        if last.number.checked_add(1) != Some(frame.place.number) || frame.before != last.crc {
            *foreign = true;
            break;
        }
        rows.get_or_insert_default().extend(frame.rows);
        (*last, end) = (frame.place, frame.end);
    }
    (rows, end)
}

fn write_frame(frame: &mut Vec<u8>, last: Place, rows: &Layer) -> io::Result<Place> {
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a row is too long for the journal");
    let number = last.number.saturating_add(1);
    frame.clear();
    frame.extend([0; HEAD]);
    frame.extend(number.to_le_bytes());
    frame.extend(last.crc.to_le_bytes());
    for (key, row) in rows {
        frame.extend(u16::try_from(key.len()).map_err(too_long)?.to_le_bytes());
        let length = row.as_ref().map_or(Ok(TAKEN_AWAY), |row| u32::try_from(row.len()).map_err(too_long))?;
        frame.extend(length.to_le_bytes());
        frame.extend_from_slice(key);
        frame.extend_from_slice(row.as_deref().unwrap_or_default());
    }
    let (head, body) = frame.split_at_mut(HEAD);
    let (length, crc) = (u32::try_from(body.len()).map_err(too_long)?, crc32fast::hash(body));
    for (place, byte) in head.iter_mut().zip(length.to_le_bytes().into_iter().chain(crc.to_le_bytes())) {
        *place = byte;
    }
    Ok(Place { number, crc })
}

/// Writes zeros up to where a file is full, so that a sync of a frame need not also sync where the file ends and which blocks
/// it has. Where there is no room for them it is done without.
fn fill(file: &File, length: usize) -> io::Result<()> {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let zeros = vec![0; usize::try_from(FULL).unwrap_or(0).saturating_sub(length)];
    match file.write_all_at(&zeros, u64::try_from(length).unwrap_or(u64::MAX)) {
        Err(error) if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) => Ok(()),
        filled => filled,
    }
}

/// Reads a file as far as it may hold frames.
fn read(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(0)];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Returns the frames at the beginning of a file that follow each other.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (mut frames, mut rest): (Vec<Frame>, _) = (Vec::new(), bytes);
    while let Some((mut frame, behind)) = parse(rest) {
        if let Some(before) = frames.last() {
            let follows = before.place.number.checked_add(1) == Some(frame.place.number);
            if !follows || before.place.crc != frame.before {
                break; // of the turn before
            }
        }
        frame.end = u64::try_from(bytes.len().saturating_sub(behind.len())).unwrap_or(u64::MAX);
        frames.push(frame);
        rest = behind;
    }
    frames
}

/// Returns the frame at the beginning, if there is one, and what lies behind it.
fn parse(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (crc, rest) = rest.split_first_chunk()?;
    let (body, behind) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let crc = u32::from_le_bytes(*crc);
    if crc32fast::hash(body) != crc {
        return None;
    }
    let (number, body) = body.split_first_chunk()?;
    let (before, mut body) = body.split_first_chunk()?;
    let mut rows = Vec::new();
    while !body.is_empty() {
        let (key, rest) = body.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*key)))?;
        let length = u32::from_le_bytes(*length);
        let taken_away = length == TAKEN_AWAY;
        let (row, rest) = rest.split_at_checked(if taken_away { 0 } else { usize::try_from(length).ok()? })?;
        rows.push((key.into(), (!taken_away).then(|| row.into())));
        body = rest;
    }
    let place = Place { number: u64::from_le_bytes(*number), crc };
    Some((Frame { place, before: u32::from_le_bytes(*before), rows, end: 0 }, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(rows: &[(u32, Option<u32>)]) -> Layer {
        let bytes = |number: u32| sled::IVec::from(&number.to_be_bytes());
        rows.iter().map(|(key, row)| (bytes(*key), row.map(bytes))).collect()
    }

    fn open(directory: &Path, moved: Place) -> (Journal, Above) {
        Journal::open(directory, moved).unwrap()
    }

    fn path(directory: &Path, file: usize) -> std::path::PathBuf {
        directory.join(FILES[file])
    }

    /// All rows above the tree, and whether some are leaving.
    fn rows(above: Above) -> (Layer, bool) {
        assert!(!above.foreign);
        let leaving = above.leaving.is_some();
        let mut rows = above.leaving.map_or_else(Layer::new, |(rows, _)| rows);
        rows.extend(above.recent);
        (rows, leaving)
    }

    #[test]
    fn whatever_is_appended_turned_moved_and_opened_again_all_that_has_not_moved_is_above() {
        let directory = tempfile::tempdir().unwrap();
        let mut dice = 7_u32;
        let mut roll = |sides| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (dice >> 8) % sides
        };
        let mut moved = Place::default();
        let (mut journal, _) = open(directory.path(), moved);
        let (mut recent, mut leaving) = (Layer::new(), None::<(Layer, Place)>);
        for step in 0..4_000 {
            match roll(10) {
                0 if leaving.is_none() => leaving = Some((std::mem::take(&mut recent), journal.turn())),
                1 | 2 => moved = leaving.take().map_or(moved, |(_, last)| last),
                3 => {
                    drop(journal);
                    let (again, above) = open(directory.path(), moved);
                    let mut all = leaving.take().map_or_else(Layer::new, |(rows, _)| rows);
                    all.extend(std::mem::take(&mut recent));
                    journal = again;
                    assert!(!above.foreign, "step {step}");
                    leaving.clone_from(&above.leaving);
                    recent.clone_from(&above.recent);
                    assert_eq!(rows(above).0, all, "step {step}");
                }
                _ => {
                    let group = layer(&[(roll(50), Some(step)), (roll(50), None), (roll(50), Some(roll(9)))]);
                    journal.append(&group).unwrap();
                    recent.extend(group);
                }
            }
        }
    }

    #[test]
    fn a_frame_that_was_not_written_whole_is_none_and_those_before_it_are() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(directory.path(), Place::default());
        journal.append(&layer(&[(0, Some(0))])).unwrap();
        journal.turn();
        journal.append(&layer(&[(1, Some(1)), (2, None)])).unwrap();
        let first = journal.length();
        journal.append(&layer(&[(1, Some(3))])).unwrap();
        let mut whole = std::fs::read(path(directory.path(), 1)).unwrap();
        assert_eq!(whole.len(), usize::try_from(FULL).unwrap());
        whole.truncate(usize::try_from(journal.length()).unwrap());
        let before = layer(&[(0, Some(0)), (1, Some(1)), (2, None)]);
        for length in usize::try_from(first).unwrap()..whole.len() {
            std::fs::write(path(directory.path(), 1), &whole[..length]).unwrap();
            let (mut journal, above) = open(directory.path(), Place::default());
            assert_eq!((rows(above), journal.length()), ((before.clone(), true), first), "{length}");
            journal.append(&layer(&[(4, Some(4))])).unwrap();
            let mut after = before.clone();
            after.extend(layer(&[(4, Some(4))]));
            assert_eq!(
                rows(open(directory.path(), Place::default()).1).0,
                after,
                "it goes on behind the last whole one"
            );
        }
        for byte in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[byte] ^= 4;
            std::fs::write(path(directory.path(), 1), flipped).unwrap();
            let (_, above) = open(directory.path(), Place::default());
            let expected = if byte < usize::try_from(first).unwrap() { layer(&[(0, Some(0))]) } else { before.clone() };
            assert_eq!(rows(above).0, expected, "byte {byte}");
        }
    }

    #[test]
    fn what_an_earlier_turn_left_behind_the_last_frame_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(directory.path(), Place::default());
        for n in 0..9 {
            journal.append(&layer(&[(n, Some(n))])).unwrap(); // frames of one length, so that old ones lie where new ones end
        }
        let moved = journal.turn();
        journal.append(&layer(&[(100, Some(1))])).unwrap();
        let also = journal.turn();
        journal.append(&layer(&[(200, Some(1))])).unwrap();
        assert_eq!(rows(open(directory.path(), moved).1), (layer(&[(100, Some(1)), (200, Some(1))]), true));
        assert_eq!(rows(open(directory.path(), also).1), (layer(&[(200, Some(1))]), true));
        assert!(open(directory.path(), Place { crc: !moved.crc, ..moved }).1.foreign);
        assert!(open(directory.path(), Place { number: 3, crc: 0 }).1.foreign);
    }

    #[test]
    fn a_frame_of_the_right_number_behind_another_one_than_it_followed_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(directory.path(), Place::default());
        journal.append(&layer(&[(9, Some(9))])).unwrap();
        journal.turn();
        let ends: Vec<usize> = (0..3)
            .map(|n| {
                journal.append(&layer(&[(n, Some(n))])).unwrap();
                usize::try_from(journal.length()).unwrap()
            })
            .collect();
        let older = std::fs::read(path(directory.path(), 1)).unwrap();
        std::fs::write(path(directory.path(), 1), &older[..ends[0]]).unwrap();
        let (mut journal, _) = open(directory.path(), Place::default());
        journal.append(&layer(&[(1, Some(7))])).unwrap();
        let mut bytes = std::fs::read(path(directory.path(), 1)).unwrap();
        bytes[ends[1]..ends[2]].copy_from_slice(&older[ends[1]..ends[2]]);
        std::fs::write(path(directory.path(), 1), bytes).unwrap();
        let (journal, above) = open(directory.path(), Place::default());
        assert_eq!(rows(above).0, layer(&[(0, Some(0)), (1, Some(7)), (9, Some(9))]));
        assert_eq!(usize::try_from(journal.length()).unwrap(), ends[1]);
    }

    #[test]
    fn an_emptied_journal_goes_on_behind_its_tree() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(directory.path(), Place::default());
        journal.append(&layer(&[(1, Some(1))])).unwrap();
        drop(journal);
        clear(directory.path()).unwrap();
        let moved = Place { number: 77, crc: 5 };
        let (mut journal, above) = open(directory.path(), moved);
        assert_eq!(rows(above), (Layer::new(), false));
        journal.append(&layer(&[(2, Some(2))])).unwrap();
        assert_eq!(rows(open(directory.path(), moved).1).0, layer(&[(2, Some(2))]));
    }

    #[test]
    fn an_error_of_the_disk_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(directory.path(), Place::default());
        journal.current = OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert!(journal.append(&layer(&[(1, Some(1))])).is_err());
    }
}
