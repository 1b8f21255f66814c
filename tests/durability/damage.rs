//! What can become of files while nobody looks.

use crate::tree::Tree;
use countersign_tests::Dice;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that has happened to the files of a stopped daemon.
#[derive(Clone)]
pub(crate) enum Damage {
    /// A bit of a file.
    Bit(PathBuf, usize),
    /// 4 KiB of it are zero.
    Page(PathBuf, usize),
    /// It ends there.
    Cut(PathBuf, usize),
    /// It is gone.
    Gone(PathBuf),
    /// It is as it was at an earlier moment.
    Older(PathBuf),
    /// All files are, by a copy.
    AllOlder,
}

const PAGE: usize = 4096;

impl fmt::Debug for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bit(file, bit) => write!(f, "bit {} of byte {} of {} flipped", bit % 8, bit / 8, file.display()),
            Self::Page(file, page) => write!(f, "{PAGE} bytes from {} of {} on are zero", page * PAGE, file.display()),
            Self::Cut(file, length) => write!(f, "{} cut to {length} bytes", file.display()),
            Self::Gone(file) => write!(f, "{} removed", file.display()),
            Self::Older(file) => write!(f, "{} as it was earlier", file.display()),
            Self::AllOlder => f.write_str("all files as they were earlier"),
        }
    }
}

/// Whether a file has content that somebody relies on. The lock file has none, and a copy of it says that it is a copy.
pub(crate) fn matters(name: &Path) -> bool {
    name != Path::new("store/lock")
}

impl Damage {
    /// Returns the files after it.
    pub(crate) fn done_to(&self, now: &Tree, earlier: &Tree) -> Tree {
        let mut files = now.clone();
        let mut file = |name: &PathBuf| files.0.get_mut(name).map(std::mem::take).unwrap_or_default();
        let (name, bytes) = match self {
            Self::AllOlder => return earlier.clone(),
            Self::Gone(name) => {
                files.0.remove(name);
                return files;
            }
            Self::Older(name) => (name, earlier.0.get(name).cloned().unwrap_or_default()),
            Self::Bit(name, bit) => {
                let mut bytes = file(name);
                bytes[bit / 8] ^= 1 << (bit % 8);
                (name, bytes)
            }
            Self::Page(name, page) => {
                let mut bytes = file(name);
                bytes.iter_mut().skip(page * PAGE).take(PAGE).for_each(|byte| *byte = 0);
                (name, bytes)
            }
            Self::Cut(name, length) => {
                let mut bytes = file(name);
                bytes.truncate(*length);
                (name, bytes)
            }
        };
        files.0.insert(name.clone(), bytes);
        files
    }

    /// Returns one of the kind that `kind` says, of any file, where something is.
    pub(crate) fn any(now: &Tree, dice: &mut Dice) -> Self {
        let files: Vec<(&PathBuf, &Vec<u8>)> =
            now.0.iter().filter(|(name, bytes)| matters(name) && !bytes.is_empty()).collect();
        // The log and the journal are nearly all there is.
        let named = |end: &str| files.iter().find(|(name, _)| name.ends_with(end));
        let logs: Vec<_> = ["db", "journal.0", "journal.1"].into_iter().filter_map(named).collect();
        let (name, bytes) = if dice.percent(75) { **dice.one(&logs).unwrap() } else { *dice.one(&files).unwrap() };
        let place = used(bytes, dice);
        match dice.below(10) {
            0..=5 => Self::Bit(name.clone(), place * 8 + dice.below(8)),
            6..=7 => Self::Page(name.clone(), place / PAGE),
            _ => Self::Cut(name.clone(), place),
        }
    }
}

/// A place where there is something: most of the log is room for more.
fn used(bytes: &[u8], dice: &mut Dice) -> usize {
    (0..64)
        .map(|_| dice.below(bytes.len()))
        .find(|place| bytes[*place] != 0)
        .unwrap_or_else(|| bytes.iter().position(|byte| *byte != 0).unwrap_or(0))
}
