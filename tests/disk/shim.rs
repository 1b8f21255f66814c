//! The shim: built at its first use, given to a program by its environment, and told what to do while that runs.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

const SOURCE: &str = include_str!("shim.c");

/// What can be counted and made to fail; the numbers are those of shim.c.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Kind {
    Open,
    Write,
    Sync,
    Truncate,
    Rename,
    Unlink,
    Mkdir,
    Link,
    Range,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Open,
        Self::Write,
        Self::Sync,
        Self::Truncate,
        Self::Rename,
        Self::Unlink,
        Self::Mkdir,
        Self::Link,
        Self::Range,
    ];

    fn number(self) -> u64 {
        let place = Self::ALL.iter().position(|kind| *kind == self).unwrap();
        u64::try_from(place).unwrap() + 1
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// EIO.
    Error,
    /// ENOSPC.
    Full,
    /// EINTR.
    Interrupted,
    /// A write takes half of what it was given.
    Short,
    /// A write takes half of what it was given, and everything after it gives ENOSPC.
    ShortThenFull,
}

impl How {
    fn number(self) -> u64 {
        match self {
            Self::Error => 5,
            Self::Full => 28,
            Self::Interrupted => 4,
            Self::Short => 1000,
            Self::ShortThenFull => 1001,
        }
    }
}

/// A failure that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Which calls are counted.
    pub(crate) kind: Kind,
    /// Which of them fails, counted from 1 for the next.
    pub(crate) nth: u64,
    /// What it gives.
    pub(crate) how: How,
    /// Whether all after it give the same.
    pub(crate) for_ever: bool,
}

/// The shim over one folder.
pub(crate) struct Shim {
    root: PathBuf,
    place: TempDir,
    control: File,
    records: bool,
}

impl Shim {
    /// Returns a shim over `root` that records what happens there.
    pub(crate) fn recording(root: &Path) -> Self {
        Self::new(root, true)
    }

    /// Returns a shim over `root` that records nothing.
    pub(crate) fn over(root: &Path) -> Self {
        Self::new(root, false)
    }

    fn new(root: &Path, records: bool) -> Self {
        let place = TempDir::new().unwrap();
        fs::write(place.path().join("control"), [0; 4096]).unwrap();
        fs::write(place.path().join("journal"), []).unwrap();
        let control = OpenOptions::new().read(true).write(true).open(place.path().join("control")).unwrap();
        Self { root: root.canonicalize().unwrap(), place, control, records }
    }

    /// Returns the words before a command that let it run on this disk.
    pub(crate) fn words(&self) -> Vec<String> {
        let name = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let mut words = vec![
            "env".to_owned(),
            format!("LD_PRELOAD={}", name(library())),
            format!("DISK_SHIM_ROOT={}", name(&self.root)),
            format!("DISK_SHIM_CONTROL={}", name(&self.place.path().join("control"))),
        ];
        if self.records {
            words.push(format!("DISK_SHIM_JOURNAL={}", name(&self.journal())));
        }
        words
    }

    /// Returns where the journal is.
    pub(crate) fn journal(&self) -> PathBuf {
        self.place.path().join("journal")
    }

    /// Begins a new journal. The program must have ended.
    pub(crate) fn forget(&self) {
        fs::write(self.journal(), []).unwrap();
    }

    /// Lets a call fail from now on, and no other.
    pub(crate) fn fail(&self, fault: Fault) {
        self.put(1, 0);
        self.put(2, self.count(fault.kind) + fault.nth);
        self.put(3, fault.how.number());
        self.put(4, u64::from(fault.for_ever));
        self.put(5, 0);
        self.put(1, fault.kind.number());
    }

    /// Lets nothing fail any more.
    pub(crate) fn heal(&self) {
        self.put(1, 0);
    }

    /// Returns how many calls have failed since [`Shim::fail`].
    pub(crate) fn failed(&self) -> u64 {
        self.read(5)
    }

    /// Returns how many calls of a kind there were.
    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.read(6 + kind.number())
    }

    /// Sets by how many nanoseconds the calendar is ahead of the machine's.
    pub(crate) fn shift(&self, nanoseconds: i64) {
        self.control.write_all_at(&nanoseconds.to_le_bytes(), 0).unwrap();
    }

    fn put(&self, place: u64, number: u64) {
        self.control.write_all_at(&number.to_le_bytes(), place * 8).unwrap();
    }

    fn read(&self, place: u64) -> u64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, place * 8).unwrap();
        u64::from_le_bytes(bytes)
    }
}

/// Returns the compiled shim, beside this test: `<target>/<profile>/disk-shim-<hash>.so`.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut hash = DefaultHasher::new();
        SOURCE.hash(&mut hash);
        let test = std::env::current_exe().unwrap();
        let folder = test.ancestors().nth(2).expect("<target>/<profile>/deps/<test>").to_owned();
        let library = folder.join(format!("disk-shim-{:016x}.so", hash.finish()));
        if !library.exists() {
            compile(&folder, &library);
        }
        library
    })
}

fn compile(folder: &Path, library: &Path) {
    let draft = TempDir::new_in(folder).unwrap(); // other tests may be compiling it, too
    let file = draft.path().join("shim.so");
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-x", "c", "-", "-o"]);
    let mut child = cc.arg(&file).stdin(Stdio::piped()).spawn().expect("a C compiler called cc, as Rust needs to link");
    child.stdin.take().expect("a pipe").write_all(SOURCE.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "the shim does not compile");
    fs::rename(file, library).unwrap();
}
