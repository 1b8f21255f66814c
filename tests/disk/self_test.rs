//! The shim and the replay, held against a small writer that knows what it has synced.

use crate::journal;
use crate::replay::{Cut, Disk, Image, lay, seen};
use crate::shim::{Fault, How, Kind, Shim};
use countersign_tests::Dice;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Runs `self_test::<name>` of this very test program under the shim.
fn run(shim: &Shim, name: &str, folder: &Path) -> Output {
    let words = shim.words();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", &format!("self_test::{name}"), "--nocapture", "--test-threads=1"]);
    command.env("DISK_WRITER", folder).output().unwrap()
}

fn folder() -> std::path::PathBuf {
    std::env::var_os("DISK_WRITER").expect("started by a test").into()
}

#[test]
#[ignore = "run under the shim by the tests below"]
fn the_writer() {
    let data = folder().join("data");
    let at = |name: &str| data.join(name);
    fs::write(at("synced"), "synced").unwrap();
    File::open(at("synced")).unwrap().sync_data().unwrap();
    fs::write(at("old name"), "renamed").unwrap();
    File::open(at("old name")).unwrap().sync_all().unwrap();
    fs::write(at("unsynced"), "unsynced").unwrap();
    fs::create_dir(at("inner")).unwrap();
    fs::write(at("inner").join("nameless"), "nameless").unwrap();
    fs::write(at("removed"), "removed").unwrap();
    File::open(at("removed")).unwrap().sync_all().unwrap();
    File::open(&data).unwrap().sync_all().unwrap();

    fs::rename(at("old name"), at("new name")).unwrap();
    fs::remove_file(at("removed")).unwrap();
    fs::hard_link(at("synced"), at("linked")).unwrap();
    let tail = OpenOptions::new().write(true).open(at("synced")).unwrap();
    tail.write_all_at(&[b'x'; 2000], 6).unwrap();
    let mut appended = OpenOptions::new().append(true).open(at("unsynced")).unwrap().try_clone().unwrap();
    appended.write_all(b", and more").unwrap();
    appended.set_len(12).unwrap();
}

fn written() -> (TempDir, Shim, Disk) {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("data")).unwrap();
    fs::write(root.path().join("log"), "the test's own").unwrap();
    let shim = Shim::recording(root.path());
    let mut disk = Disk::of(root.path());
    let output = run(&shim, "the_writer", root.path());
    assert!(output.status.success(), "{output:?}");
    journal::read(&shim.journal()).iter().for_each(|record| disk.play(record));
    (root, shim, disk)
}

fn text(image: &Image, name: &str) -> Option<String> {
    let bytes = image.get(&Path::new("data").join(name))?.clone();
    Some(bytes.map_or_else(|| "a folder".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

#[test]
fn what_was_not_synced_is_lost_and_what_was_is_kept() {
    let (root, _shim, disk) = written();
    let mut dice = Dice::new(1);
    assert_eq!(disk.image(Cut::Whole, &mut dice), seen(root.path()), "every change was recorded");
    assert_eq!(text(&seen(root.path()), "unsynced").as_deref(), Some("unsynced, an"));
    let image = disk.image(Cut::Strict, &mut dice);
    let kept = [
        ("synced", Some("synced")),
        ("unsynced", Some("")),
        ("inner", Some("a folder")),
        ("inner/nameless", None),
        ("old name", Some("renamed")),
        ("new name", None),
        ("removed", Some("removed")),
        ("linked", None),
    ];
    for (name, content) in kept {
        assert_eq!(text(&image, name).as_deref(), content, "{name}");
    }
    let inode = fs::metadata(root.path().join("data/unsynced")).unwrap().ino();
    lay(&image, root.path());
    assert_eq!(seen(root.path()), image);
    assert_eq!(fs::metadata(root.path().join("data/unsynced")).unwrap().ino(), inode, "written over in its place");
    assert_eq!(fs::read_to_string(root.path().join("log")).unwrap(), "the test's own");
}

#[test]
fn a_torn_cut_keeps_the_changes_up_to_one_and_its_sectors_in_order() {
    let (_root, _shim, disk) = written();
    let mut lengths = BTreeSet::new();
    for seed in 0..200 {
        let image = disk.image(Cut::Torn, &mut Dice::new(seed));
        let renamed = text(&image, "new name").is_some();
        let length = text(&image, "synced").unwrap().len();
        assert!(renamed || length == 6, "the rename came first");
        if text(&image, "unsynced").unwrap().len() > 8 {
            assert_eq!((renamed, length), (true, 2006), "everything before it is there");
        }
        lengths.insert(length);
    }
    assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [6, 512, 1024, 1536, 2006]);
}

#[test]
fn a_reordered_cut_keeps_any_of_the_changes() {
    let (_root, _shim, disk) = written();
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let image = disk.image(Cut::Reordered, &mut Dice::new(seed));
        let synced = text(&image, "synced").unwrap();
        seen.insert((text(&image, "new name").is_some(), synced.len() == 2006, synced.contains("\0x")));
    }
    for wanted in
        [(true, false, false), (false, true, false), (true, true, false), (false, false, false), (true, true, true)]
    {
        assert!(seen.contains(&wanted), "{wanted:?} was never there");
    }
}

#[test]
#[ignore = "run under the shim by the tests below"]
fn the_counting_writer() {
    println!(); // behind the name of the test
    let mut file = File::create(folder().join("data/counted")).unwrap();
    for line in ["one\n", "two\n", "three\n", "four\n"] {
        match file.write(line.as_bytes()) {
            Ok(taken) => println!("took {taken}"),
            Err(error) => println!("error {}", error.raw_os_error().unwrap()),
        }
        println!("synced {}", file.sync_all().is_ok());
    }
}

/// Returns what became of four writes and syncs.
fn counted(fault: Option<Fault>) -> (Vec<String>, Shim, String) {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("data")).unwrap();
    let shim = Shim::recording(root.path());
    if let Some(fault) = fault {
        shim.fail(fault);
    }
    let output = run(&shim, "the_counting_writer", root.path());
    let told = String::from_utf8(output.stdout).unwrap();
    let told = told.lines().filter(|line| ["took", "error", "synced"].iter().any(|word| line.starts_with(word)));
    let content = fs::read_to_string(root.path().join("data/counted")).unwrap_or_default();
    (told.map(str::to_owned).collect(), shim, content)
}

#[test]
fn calls_are_counted_and_the_one_that_is_named_fails_once_or_from_then_on() {
    let (told, shim, content) = counted(None);
    assert_eq!(told.len(), 8);
    assert_eq!(content, "one\ntwo\nthree\nfour\n");
    let counts = [Kind::Open, Kind::Write, Kind::Sync, Kind::Rename].map(|kind| shim.count(kind));
    assert_eq!((counts, shim.failed()), ([1, 4, 4, 0], 0));
    let writes = |how, for_ever| {
        let (told, shim, content) = counted(Some(Fault { kind: Kind::Write, nth: 2, how, for_ever }));
        let told: Vec<_> = told.into_iter().filter(|line| !line.starts_with("synced")).collect();
        (told.join(", "), shim.failed(), content)
    };
    let told = |told: &str, failed, content: &str| (told.to_owned(), failed, content.to_owned());
    assert_eq!(writes(How::Error, false), told("took 4, error 5, took 6, took 5", 1, "one\nthree\nfour\n"));
    assert_eq!(writes(How::Full, true), told("took 4, error 28, error 28, error 28", 3, "one\n"));
    assert_eq!(writes(How::Short, false), told("took 4, took 2, took 6, took 5", 1, "one\ntwthree\nfour\n"));
    assert_eq!(writes(How::ShortThenFull, false), told("took 4, took 2, error 28, error 28", 3, "one\ntw"));
    let (told, shim, _) = counted(Some(Fault { kind: Kind::Sync, nth: 3, how: How::Error, for_ever: false }));
    let synced: Vec<_> = told.iter().filter(|line| line.starts_with("synced")).collect();
    assert_eq!(synced, ["synced true", "synced true", "synced false", "synced true"]);
    let syncs =
        journal::read(&shim.journal()).into_iter().filter(|record| matches!(record, journal::Record::Synced { .. }));
    assert_eq!(syncs.count(), 3, "a sync that failed made nothing certain");
}

#[test]
fn the_calendar_is_shifted_and_may_be_shifted_again_while_a_program_runs() {
    let root = TempDir::new().unwrap();
    let shim = Shim::over(root.path());
    let words = shim.words();
    let shown = || {
        let output = Command::new(&words[0]).args(&words[1..]).args(["date", "+%s"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<i64>().unwrap()
    };
    let before = shown();
    for years in [-10, 10, 30] {
        let secs = years * 365 * 86_400;
        shim.shift(secs * 1_000_000_000);
        assert!((shown() - before - secs).abs() < 60, "{years} years");
    }
    shim.shift(0);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["sh", "-c", "read line; date +%s"]);
    let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    shim.shift(-1_000_000_000_000);
    child.stdin.take().unwrap().write_all(b"now\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let shown: i64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    assert!((shown - before + 1000).abs() < 60);
}
