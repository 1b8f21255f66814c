//! A folder as it may look after a power cut, from what it held before and the shim's journal.
//!
//! A file's bytes are certain once the file was synced; a name is certain once its folder was. Everything since may be there
//! or not: in none, in the order of the calls up to one that was cut between two sectors, or in any selection.

use crate::journal::Record;
use countersign_tests::Dice;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// What becomes of changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// None of them is there.
    Strict,
    /// They are there up to one of them, of which some sectors are.
    Torn,
    /// Any of them are there, and of any the one sector or the other.
    Reordered,
    /// All of them are there: as if nothing but the program had ended.
    Whole,
}

/// What lies below the root: a folder, or a file and its bytes.
pub(crate) type Image = BTreeMap<PathBuf, Option<Vec<u8>>>;

type Names = BTreeMap<String, usize>;

/// Everything below the root, and how certain it is.
pub(crate) struct Disk {
    nodes: Vec<Node>,
    by_inode: HashMap<u64, usize>,
    /// Changes so far: their order across all files and folders.
    clock: usize,
}

enum Node {
    File { synced: Vec<u8>, pending: Vec<(usize, Change)> },
    Folder { synced: Names, live: Names, pending: Vec<(usize, Naming)> },
}

enum Change {
    Write { offset: usize, data: Vec<u8> },
    Cut { length: usize },
}

enum Naming {
    Put { name: String, node: usize },
    Gone { name: String },
    Moved { from: String, to: String, node: usize },
}

impl Disk {
    /// Reads what lies in the folders of `root` as certain. Files beside them are the test's own and left alone.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk = Self { nodes: Vec::new(), by_inode: HashMap::new(), clock: 0 };
        disk.scan(root, true);
        disk
    }

    fn scan(&mut self, path: &Path, is_root: bool) -> usize {
        let metadata = fs::symlink_metadata(path).unwrap();
        let place = self.nodes.len();
        self.by_inode.insert(metadata.ino(), place);
        if !metadata.is_dir() {
            self.nodes.push(Node::File { synced: fs::read(path).unwrap(), pending: Vec::new() });
            return place;
        }
        self.nodes.push(folder());
        let mut names = Names::new();
        for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
            if !is_root || entry.file_type().unwrap().is_dir() {
                names.insert(entry.file_name().into_string().unwrap(), self.scan(&entry.path(), false));
            }
        }
        self.nodes[place] = Node::Folder { synced: names.clone(), live: names, pending: Vec::new() };
        place
    }

    /// Takes in what happened.
    pub(crate) fn play(&mut self, record: &Record) {
        match record {
            Record::MadeFile { inode, name } => {
                self.make(*inode, name, Node::File { synced: Vec::new(), pending: Vec::new() })
            }
            Record::MadeFolder { inode, name } => self.make(*inode, name, folder()),
            Record::Wrote { inode, offset, data } => {
                self.change(*inode, Change::Write { offset: *offset, data: data.clone() });
            }
            Record::Cut { inode, length } => self.change(*inode, Change::Cut { length: *length }),
            Record::Synced { inode } => self.sync(*inode),
            Record::Renamed { from, to } => {
                let ((folder, from), (target, to)) = (self.find(from), self.find(to));
                let node = *self.names(folder).get(&from).expect("what is renamed is there");
                if folder == target {
                    return self.name(folder, Naming::Moved { from, to, node });
                }
                self.name(target, Naming::Put { name: to, node });
                self.name(folder, Naming::Gone { name: from });
            }
            Record::Removed { name } => {
                let (folder, name) = self.find(name);
                self.name(folder, Naming::Gone { name });
            }
            Record::Linked { inode, name } => {
                let node = self.node(*inode);
                let (folder, name) = self.find(name);
                self.name(folder, Naming::Put { name, node });
            }
        }
    }

    fn make(&mut self, inode: u64, name: &str, node: Node) {
        self.nodes.push(node);
        let place = self.nodes.len() - 1;
        self.by_inode.insert(inode, place); // of a file that is gone, its number may be used again
        let (folder, name) = self.find(name);
        self.name(folder, Naming::Put { name, node: place });
    }

    fn node(&self, inode: u64) -> usize {
        *self.by_inode.get(&inode).expect("a file of this number was there or was made")
    }

    /// Returns the folder that a path lies in, and its last part.
    fn find(&self, path: &str) -> (usize, String) {
        let mut parts: Vec<&str> = path.split('/').collect();
        let last = parts.pop().expect("a path has a part").to_owned();
        let folder = parts.iter().fold(0, |folder, part| *self.names(folder).get(*part).expect("a folder"));
        (folder, last)
    }

    fn names(&self, folder: usize) -> &Names {
        match &self.nodes[folder] {
            Node::Folder { live, .. } => live,
            Node::File { .. } => panic!("a file has no names in it"),
        }
    }

    fn name(&mut self, folder: usize, naming: Naming) {
        self.clock += 1;
        if let Node::Folder { live, pending, .. } = &mut self.nodes[folder] {
            naming.apply(live);
            pending.push((self.clock, naming));
        }
    }

    fn change(&mut self, inode: u64, change: Change) {
        let place = self.node(inode);
        self.clock += 1;
        match &mut self.nodes[place] {
            Node::File { pending, .. } => pending.push((self.clock, change)),
            Node::Folder { .. } => panic!("a folder is not written"),
        }
    }

    fn sync(&mut self, inode: u64) {
        let place = self.node(inode);
        match &mut self.nodes[place] {
            Node::File { synced, pending } => pending.drain(..).for_each(|(_, change)| change.apply(synced, |_| true)),
            Node::Folder { synced, pending, .. } => pending.drain(..).for_each(|(_, naming)| naming.apply(synced)),
        }
    }

    /// Returns what a power cut now may leave.
    pub(crate) fn image(&self, cut: Cut, dice: &mut Dice) -> Image {
        let mut keeping = Keeping::new(cut, self.moments(), dice);
        let contents: Vec<_> = self.nodes.iter().map(|node| keeping.of(node)).collect();
        let mut image = Image::new();
        lay_out(&contents, 0, Path::new(""), &mut image);
        image
    }

    /// The moments of all changes that were not synced.
    fn moments(&self) -> Vec<usize> {
        let mut moments: Vec<usize> = Vec::new();
        for node in &self.nodes {
            match node {
                Node::File { pending, .. } => moments.extend(pending.iter().map(|(moment, _)| moment)),
                Node::Folder { pending, .. } => moments.extend(pending.iter().map(|(moment, _)| moment)),
            }
        }
        moments.sort_unstable();
        moments
    }
}

fn folder() -> Node {
    Node::Folder { synced: Names::new(), live: Names::new(), pending: Vec::new() }
}

enum Content {
    File(Vec<u8>),
    Folder(Names),
}

/// Follows the names that are left from the root; a file without one is gone.
fn lay_out(contents: &[Content], place: usize, path: &Path, image: &mut Image) {
    match &contents[place] {
        Content::File(bytes) => drop(image.insert(path.to_owned(), Some(bytes.clone()))),
        Content::Folder(names) => {
            if place != 0 {
                image.insert(path.to_owned(), None);
            }
            names.iter().for_each(|(name, node)| lay_out(contents, *node, &path.join(name), image));
        }
    }
}

/// Which of the changes that were not synced are there.
struct Keeping<'d> {
    cut: Cut,
    /// Of [`Cut::Torn`]: everything before is there, everything after is not.
    last: usize,
    /// Of [`Cut::Reordered`]: in percent.
    chance: u64,
    dice: &'d mut Dice,
}

impl<'d> Keeping<'d> {
    fn new(cut: Cut, moments: Vec<usize>, dice: &'d mut Dice) -> Self {
        let last = if moments.is_empty() { 0 } else { moments[dice.below(moments.len())] };
        let chance = [10, 50, 90][dice.below(3)];
        Self { cut, last, chance, dice }
    }

    fn of(&mut self, node: &Node) -> Content {
        match node {
            Node::File { synced, pending } => {
                let mut bytes = synced.clone();
                for (moment, change) in pending {
                    let torn = self.cut == Cut::Torn && *moment == self.last;
                    let scattered = self.cut == Cut::Reordered && self.dice.percent(25);
                    if torn {
                        let sectors = self.dice.below(change.sectors() + 1);
                        change.apply(&mut bytes, |sector| sector < sectors);
                    } else if scattered {
                        change.apply(&mut bytes, |_| self.dice.percent(50));
                    } else if self.keeps(*moment) {
                        change.apply(&mut bytes, |_| true);
                    }
                }
                Content::File(bytes)
            }
            Node::Folder { synced, pending, .. } => {
                let mut names = synced.clone();
                let kept = pending.iter().filter(|(moment, _)| self.keeps(*moment));
                kept.for_each(|(_, naming)| naming.apply(&mut names));
                Content::Folder(names)
            }
        }
    }

    fn keeps(&mut self, moment: usize) -> bool {
        match self.cut {
            Cut::Strict => false,
            Cut::Torn => moment <= self.last,
            Cut::Reordered => self.dice.percent(self.chance),
            Cut::Whole => true,
        }
    }
}

impl Change {
    /// Sectors of the disk that the change touches.
    fn sectors(&self) -> usize {
        match self {
            Self::Write { offset, data } => (offset + data.len()).div_ceil(SECTOR) - offset / SECTOR,
            Self::Cut { .. } => 1,
        }
    }

    /// Applies those of its sectors, counted from 0, that are `there`.
    fn apply(&self, bytes: &mut Vec<u8>, mut there: impl FnMut(usize) -> bool) {
        match self {
            Self::Cut { length } if there(0) => bytes.resize(*length, 0),
            Self::Cut { .. } => {}
            Self::Write { offset, data } => {
                for sector in 0..self.sectors() {
                    let begin = ((offset / SECTOR + sector) * SECTOR).max(*offset);
                    let end = ((offset / SECTOR + sector + 1) * SECTOR).min(offset + data.len());
                    if there(sector) {
                        bytes.resize(bytes.len().max(end), 0);
                        bytes[begin..end].copy_from_slice(&data[begin - offset..end - offset]);
                    }
                }
            }
        }
    }
}

impl Naming {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Put { name, node } => drop(names.insert(name.clone(), *node)),
            Self::Gone { name } => drop(names.remove(name)),
            Self::Moved { from, to, node } => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

/// Makes the folders of `root` what the image says. A file that is as it should be is not touched: the daemon tells a data
/// folder from a copy of it by a file that is made once and never written again.
pub(crate) fn lay(image: &Image, root: &Path) {
    let mut there = Image::new();
    look(root, Path::new(""), &mut there);
    for (path, content) in there.iter().rev() {
        match (content, image.get(path)) {
            (Some(_), Some(Some(_))) | (None, Some(None)) => {}
            (Some(_), _) => fs::remove_file(root.join(path)).unwrap(),
            (None, _) => fs::remove_dir(root.join(path)).unwrap(),
        }
    }
    for (path, content) in image {
        let target = root.join(path);
        match (content, there.get(path)) {
            (None, Some(None)) => {}
            (None, _) => DirBuilder::new().mode(0o700).create(target).unwrap(),
            (Some(wanted), Some(Some(found))) if wanted == found => {}
            (Some(wanted), _) => {
                let mut file =
                    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(target).unwrap();
                file.write_all(wanted).unwrap();
            }
        }
    }
}

/// Returns what lies in the folders of `root` now.
pub(crate) fn seen(root: &Path) -> Image {
    let mut image = Image::new();
    look(root, Path::new(""), &mut image);
    image
}

fn look(root: &Path, below: &Path, image: &mut Image) {
    for entry in fs::read_dir(root.join(below)).unwrap().map(Result::unwrap) {
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            image.insert(path.clone(), None);
            look(root, &path, image);
        } else if below != Path::new("") {
            image.insert(path, Some(fs::read(entry.path()).unwrap()));
        }
    }
}
