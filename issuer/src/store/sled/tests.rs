//! The embedded engine: the suite, and each trap of sled 0.34.

mod audit;
mod backups;
mod bounds;
mod due;
mod journal;
mod opening;
mod subjects;

use super::layers::Layer;
use super::open::open_sled;
use super::*;
use crate::audit::{Act, Origin};
use crate::session::{Session, SessionId, Step};
use crate::store::conformance::{at, conformance, ending, session};
use crate::store::{self, OfSubject, Sessions};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

conformance!(|directory| store::open(directory).unwrap());

/// Counts syncs, fails when told, waits while told.
#[derive(Default)]
struct Probe {
    syncs: AtomicUsize,
    fails: AtomicBool,
    held: Mutex<bool>,
    released: Condvar,
}

impl Probe {
    fn wait(&self) {
        drop(self.released.wait_while(self.held.lock().unwrap(), |held| *held).unwrap());
    }

    fn hold(&self, held: bool) {
        *self.held.lock().unwrap() = held;
        self.released.notify_all();
    }
}

struct Probed {
    files: Files,
    probe: Arc<Probe>,
    /// Where what a power cut would leave is copied to.
    survivor: Option<(PathBuf, PathBuf)>,
}

impl Durable for Probed {
    fn append(&mut self, group: &Layer) -> io::Result<()> {
        self.probe.syncs.fetch_add(1, Ordering::SeqCst);
        self.probe.wait();
        if self.probe.fails.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.files.append(group)?;
        if let Some((from, to)) = &self.survivor {
            for name in ["db", "conf", "journal.0", "journal.1"] {
                std::fs::copy(from.join(name), to.join(name))?;
            }
        }
        Ok(())
    }

    fn note_event(&mut self, event: u64) -> io::Result<()> {
        self.files.note_event(event)
    }

    fn note_list(&mut self, seq: u64, event: u64) -> io::Result<()> {
        self.files.note_list(seq, event)
    }

    fn sync_notes(&mut self) -> io::Result<()> {
        self.files.sync_notes()
    }

    fn room(&mut self) -> super::room::Room {
        self.files.room()
    }

    fn length(&self) -> u64 {
        self.files.length()
    }

    fn turn(&mut self) -> super::journal::Place {
        self.files.turn()
    }
}

fn probed(directory: &Path, survivor: Option<&Path>) -> (Arc<SledStore>, Arc<Probe>) {
    let probe = Arc::new(Probe::default());
    let survivor = survivor.map(|to| (directory.to_owned(), to.to_owned()));
    let shared = Arc::clone(&probe);
    let store = SledStore::open_with(directory, |files| Box::new(Probed { files, probe: shared, survivor })).unwrap();
    (Arc::new(store), probe)
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Copies the files of a store; it is what a kill would leave of them.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in names(from).into_iter().filter(|name| from.join(name).is_file()) {
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

#[tokio::test]
async fn a_failed_sync_acknowledges_nothing_is_never_retried_and_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (store, probe) = probed(directory.path(), None);
    store.create_session(session(1), vec![]).await.unwrap();
    let acknowledged = probe.syncs.load(Ordering::SeqCst);
    probe.fails.store(true, Ordering::SeqCst);
    let mut failed = store.failed();
    let waiting: Vec<_> = (2..20).map(|name| store.create_session(session(name), vec![])).collect();
    for answer in waiting {
        assert!(matches!(answer.await, Err(StoreError::Failed { .. })));
    }
    assert!(matches!(failed.wait_for(Option::is_some).await.unwrap().clone(), Some(StoreError::Failed { .. })));
    probe.fails.store(false, Ordering::SeqCst);
    assert!(
        matches!(store.lease_page(1).await, Err(StoreError::Failed { .. })),
        "not even when the disk is well again"
    );
    assert!(matches!(store.close().await, Err(StoreError::Failed { .. })));
    assert_eq!(probe.syncs.load(Ordering::SeqCst), acknowledged + 1, "a sync that failed is never tried again");
}

#[tokio::test]
async fn a_store_that_failed_leaves_word_of_it_and_the_next_start_reads_its_files_anew() {
    let (directory, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, probe) = probed(directory.path(), None);
    store.create_session(session(1), vec![]).await.unwrap();
    assert!(!names(directory.path()).contains(&"failed".to_owned()));
    probe.fails.store(true, Ordering::SeqCst);
    assert!(matches!(store.create_session(session(2), vec![]).await, Err(StoreError::Failed { .. })));
    assert!(names(directory.path()).contains(&"failed".to_owned()));
    copy(directory.path(), after.path()); // what failed stays open until the process ends
    let next = SledStore::open(after.path()).unwrap();
    assert!(!names(after.path()).contains(&"failed".to_owned()));
    assert_eq!(next.session(SessionId([1; 16])).await, Ok(Some(session(1))));
}

#[tokio::test]
async fn what_is_acknowledged_is_among_the_bytes_that_were_synced() {
    let (directory, survivor) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, probe) = probed(directory.path(), Some(survivor.path()));
    for name in 0..30 {
        store.create_session(session(name), vec![]).await.unwrap();
        store.update_session(SessionId([name; 16]), Box::new(|session| session.revoke(at(1)).into())).await.unwrap();
    }
    probe.fails.store(true, Ordering::SeqCst); // the power goes: nothing reaches the survivor from here on
    drop(store);
    let after = SledStore::open(survivor.path()).unwrap();
    for name in 0..30 {
        let kept = after.session(SessionId([name; 16])).await.unwrap().unwrap();
        assert!(kept.ended.is_some(), "session {name} lost its end in the power cut");
    }
}

#[tokio::test]
async fn an_answer_comes_after_the_sync_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let (store, probe) = probed(directory.path(), None);
    probe.hold(true);
    let mut answer = store.create_session(session(1), vec![]);
    let early = tokio::time::timeout(Duration::from_millis(100), &mut answer).await;
    probe.hold(false);
    assert!(early.is_err(), "answered while the sync was still running");
    answer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_writers_at_once_do_not_hang() {
    let directory = tempfile::tempdir().unwrap();
    let (store, probe) = probed(directory.path(), None);
    let writers: Vec<_> = (0..64_u32)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for _ in 0..50 {
                    store.lease_page(writer).await.unwrap();
                }
            })
        })
        .collect();
    let all = async {
        for writer in writers {
            writer.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    assert!(probe.syncs.load(Ordering::SeqCst) < 3_200, "writers share syncs");
}

#[tokio::test]
async fn groups_are_bounded_and_so_is_the_queue() {
    let directory = tempfile::tempdir().unwrap();
    let (store, probe) = probed(directory.path(), None);
    probe.hold(true);
    let first = store.lease_page(1); // occupies the committer
    while probe.syncs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let queued: Vec<_> = (0..4096).map(|_| store.lease_page(2)).collect();
    assert_eq!(store.lease_page(2).await, Err(StoreError::Busy));
    probe.hold(false);
    first.await.unwrap();
    let mut pages = Vec::new();
    for answer in queued {
        pages.push(answer.await.unwrap());
    }
    assert!(pages.into_iter().eq(0..4096), "changes are made in the order they came");
    assert_eq!(probe.syncs.load(Ordering::SeqCst), 1 + 4096 / 256);
}

#[tokio::test]
async fn reading_alone_syncs_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (store, probe) = probed(directory.path(), None);
    store.create_session(session(1), vec![]).await.unwrap();
    let before = probe.syncs.load(Ordering::SeqCst);
    let read =
        |session| Step { session, changed: false, revoked: vec![], outcome: crate::session::Outcome::Repeated }.into();
    store.update_session(SessionId([1; 16]), Box::new(read)).await.unwrap();
    store.purge_sessions(at(0)).await.unwrap();
    assert_eq!(probe.syncs.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn a_change_that_panics_stops_the_store_instead_of_hanging_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    store.create_session(session(1), vec![]).await.unwrap();
    let bug = store.update_session(SessionId([1; 16]), Box::new(|_| panic!("planted"))).await;
    assert!(matches!(bug, Err(StoreError::Failed { .. })));
    assert!(matches!(store.lease_page(1).await, Err(StoreError::Failed { .. })));
    assert!(store.failed().borrow().is_some());
}

/// Opens the rows of a store that is closed.
fn rows<T>(directory: &Path, work: impl FnOnce(&sled::Db) -> T) -> T {
    let db = open_sled(directory).unwrap();
    let done = work(&db);
    db.flush().unwrap();
    done
}

#[tokio::test]
async fn the_largest_sessions_stay_in_the_log_and_out_of_unsynced_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    let mut large = session(0);
    large.grant.claims = "x".repeat(8 * 1024); // more than a token can carry
    large.live = (0..512).map(|index| crate::session::Live { exp: at(86_400), index: 1_000_000_000 + index }).collect();
    let mut answers = Vec::new();
    for name in 0..400_u32 {
        let mut sid = [0; 16];
        sid[..4].copy_from_slice(&name.to_be_bytes());
        answers.push(store.create_session(Session { sid: SessionId(sid), ..large.clone() }, vec![]));
        for _ in 0..5 {
            let touch = |session| {
                Step { session, changed: true, revoked: vec![], outcome: crate::session::Outcome::Rotated }.into()
            };
            drop(store.update_session(SessionId(sid), Box::new(touch)));
        }
        if name % 100 == 99 {
            for answer in answers.drain(..) {
                answer.await.unwrap();
            }
        }
    }
    assert_eq!(names(&directory.path().join("blobs")), Vec::<String>::new());
}

#[test]
fn the_engine_is_the_one_whose_traps_are_known() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
    let packages: Vec<&str> = lock.split("[[package]]").filter(|package| package.contains("name = \"sled\"")).collect();
    assert!(matches!(packages[..], [package] if package.contains("version = \"0.34.7\"")));
}
