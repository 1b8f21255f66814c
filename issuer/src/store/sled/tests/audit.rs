//! Whoever changes rows of the audit log, checksums and all, is found.

use super::*;
use crate::audit::{Act, Broken, Event, Extent, Link, Origin, Run};
use crate::store::AuditLog;
use crate::store::audit::verify;
use crate::store::record::Record;
use ::sled::Tree;

fn event(n: u64) -> Event {
    Event::new(Act::TokenRefreshed, &Origin::internal(), at(n)).subject("user-1")
}

/// Three rows of two events each: 1 and 2, 3 and 4, 5 and 6.
async fn log(directory: &Path) -> Extent {
    let store = SledStore::open(directory).unwrap();
    for n in [1, 3, 5] {
        store.record(vec![event(n), event(n + 1)]).await.unwrap();
    }
    let extent = verify(&store, vec![]).await.unwrap().unwrap();
    store.close().await.unwrap();
    extent
}

/// Lets `change` work on the rows of a log, and says what is found then.
async fn found(noted: Vec<Link>, change: impl FnOnce(&Tree)) -> Result<Extent, Broken> {
    let directory = tempfile::tempdir().unwrap();
    log(directory.path()).await;
    let store = SledStore::open(directory.path()).unwrap();
    let tree = store.layers.read().unwrap().clone().unwrap().tree().clone();
    change(&tree);
    tree.flush().unwrap();
    drop((tree, store));
    verify(&SledStore::open(directory.path()).unwrap(), noted).await.unwrap()
}

fn run(tree: &Tree, first: u64) -> Run {
    let key = layout::events(first);
    Run::decode(&key, &tree.get(&key).unwrap().unwrap()).unwrap()
}

fn put(tree: &Tree, first: u64, run: &Run) {
    let key = layout::events(first);
    tree.insert(&key, run.encode(&key)).unwrap();
}

fn change(tree: &Tree, first: u64, change: impl FnOnce(&mut Run)) {
    let mut changed = run(tree, first);
    change(&mut changed);
    put(tree, first, &changed);
}

fn set_head(tree: &Tree, head: Link) {
    tree.insert(layout::AUDIT_HEAD, head.encode(layout::AUDIT_HEAD)).unwrap();
}

#[tokio::test]
async fn the_event_of_what_is_acknowledged_is_among_the_bytes_that_were_synced() {
    let (directory, survivor) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, probe) = probed(directory.path(), Some(survivor.path()));
    for name in 0..30 {
        store.create_session(session(name), vec![event(name.into())]).await.unwrap();
    }
    probe.fails.store(true, Ordering::SeqCst); // the power goes: nothing reaches the survivor from here on
    drop(store);
    let after = SledStore::open(survivor.path()).unwrap();
    assert_eq!(verify(&after, vec![]).await.unwrap().unwrap().newest.seq, 30, "an answer had no event");
}

#[tokio::test]
async fn a_row_that_was_changed_is_found() {
    assert!(found(vec![], |_| ()).await.is_ok());
    for (first, last) in [(1, 2), (3, 4), (5, 6)] {
        let edited = found(vec![], |tree| change(tree, first, |run| run.events[1] = event(99).to_bytes())).await;
        assert_eq!(edited, Err(Broken::Changed { first, last }));
        let swapped = found(vec![], |tree| change(tree, first, |run| run.events.swap(0, 1))).await;
        assert_eq!(swapped, Err(Broken::Changed { first, last }));
        let damaged = found(vec![], |tree| drop(tree.insert(layout::events(first), b"no record").unwrap())).await;
        assert_eq!(damaged, Err(Broken::Unreadable { after: first - 1 }));
    }
    let bound = found(vec![], |tree| change(tree, 3, |run| run.before.hash[0] ^= 1)).await;
    assert_eq!(bound, Err(Broken::Changed { first: 1, last: 2 }));
}

#[tokio::test]
async fn a_row_that_was_removed_or_cut_is_found() {
    for (first, last) in [(1, 2), (3, 4), (5, 6)] {
        let removed = found(vec![], |tree| drop(tree.remove(layout::events(first)).unwrap())).await;
        assert_eq!(removed, Err(Broken::Missing { first, last }));
        let cut = found(vec![], |tree| change(tree, first, |run| drop(run.events.pop()))).await;
        assert_eq!(cut, Err(Broken::Missing { first: last, last }));
    }
    let all = |tree: &Tree| [1, 3, 5].into_iter().for_each(|first| drop(tree.remove(layout::events(first)).unwrap()));
    assert_eq!(found(vec![], all).await, Err(Broken::Missing { first: 1, last: 6 }));
}

#[tokio::test]
async fn rows_that_were_added_or_put_elsewhere_are_found() {
    let added =
        found(vec![], |tree| put(tree, 7, &Run { before: run(tree, 5).end(), events: vec![event(7).to_bytes()] }));
    assert_eq!(added.await, Err(Broken::Beyond { seq: 7 }));
    let grown = found(vec![], |tree| change(tree, 1, |run| run.events.push(event(7).to_bytes())));
    assert!(grown.await.is_err());
    let exchanged = found(vec![], |tree| {
        let (one, other) = (run(tree, 1), run(tree, 3));
        change(tree, 1, |run| run.events = other.events);
        change(tree, 3, |run| run.events = one.events);
    });
    assert_eq!(exchanged.await, Err(Broken::Changed { first: 1, last: 2 }));
    let misplaced = found(vec![], |tree| put(tree, 5, &run(tree, 3)));
    assert_eq!(misplaced.await, Err(Broken::Unreadable { after: 4 }));
}

#[tokio::test]
async fn a_head_or_a_beginning_that_was_moved_is_found() {
    let head = |seq| move |tree: &Tree| set_head(tree, Link { seq, hash: [0; 32] });
    assert_eq!(found(vec![], head(6)).await, Err(Broken::Changed { first: 5, last: 6 }));
    assert_eq!(found(vec![], head(4)).await, Err(Broken::Beyond { seq: 5 }));
    assert_eq!(found(vec![], head(9)).await, Err(Broken::Missing { first: 7, last: 9 }));
    let begins = |seq| {
        move |tree: &Tree| {
            let before = Link { seq, hash: [0; 32] };
            tree.insert(layout::AUDIT_BEFORE, before.encode(layout::AUDIT_BEFORE)).unwrap();
        }
    };
    assert!(found(vec![], begins(2)).await.is_err());
    assert!(found(vec![], begins(6)).await.is_err());
}

#[tokio::test]
async fn a_log_that_was_made_anew_is_found_by_what_was_noted_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let noted = log(directory.path()).await.newest;
    let forge = |tree: &Tree| {
        change(tree, 5, |run| run.events[1] = event(99).to_bytes());
        set_head(tree, run(tree, 5).end());
    };
    assert!(found(vec![], forge).await.is_ok(), "it is a chain of its own");
    assert_eq!(found(vec![noted], forge).await, Err(Broken::NotAsNoted { seq: 6 }));
    let cut = |tree: &Tree| {
        set_head(tree, run(tree, 5).before);
        tree.remove(layout::events(5)).unwrap();
    };
    assert!(found(vec![], cut).await.is_ok());
    assert_eq!(found(vec![noted], cut).await, Err(Broken::CutOff { noted: 6, last: 4 }));
}

#[test]
fn a_change_and_its_event_are_in_one_frame_of_the_journal_also_where_a_group_is_parted() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open::open(directory.path(), Purpose::Use).unwrap();
    let layers = Arc::new(Layers::of((*opened.db).clone(), opened.above.recent, None));
    let mut engine = Engine::open(layers, opened.newest, opened.above.foreign).unwrap();
    engine.create_session(&session(1), vec![event(1)]).unwrap();
    assert!(!engine.wrote_much());
    engine.write_events();
    let of = |kind: u8| engine.group().keys().filter(|key| key.first() == Some(&kind)).count();
    assert_eq!((of(layout::SESSION), of(layout::EVENTS)), (1, 1));
}
