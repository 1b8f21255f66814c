//! Backups of the embedded engine: restored whole, and no kind of row forgotten.

use super::*;
use crate::store::conformance::{fill, rows, user};
use crate::store::intake::KINDS;
use crate::store::{AssertionUse, AuditLog, Backups, Clients, Keys, Order, Users};
use crate::users::{Amendment, Name, UserId};
use std::collections::BTreeSet;
use token::id::epoch;

/// Kinds that follow from others and are made again when a store is restored: by due time, by subject, by name.
const FOLLOWING: &[u8] = b"xun";

#[test]
fn every_kind_of_row_that_the_layout_has_is_known_to_backups() {
    let layout = include_str!("../../layout.rs");
    let named = layout.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once(' '));
    let documented: BTreeSet<u8> =
        named.filter(|(letter, _)| letter.len() == 1).map(|(letter, _)| letter.as_bytes()[0]).collect();
    let constants = layout.lines().filter_map(|line| line.split_once(": u8 = b'")?.1.bytes().next());
    let used: BTreeSet<u8> = constants.collect();
    assert!(documented.len() > 10 && used.len() > 8, "{documented:?} {used:?}");
    let known: BTreeSet<u8> = KINDS.iter().chain(FOLLOWING).copied().chain([layout::STATE]).collect();
    assert_eq!(documented, known, "a kind of row that is new is written into backups, or made again out of others");
    assert!(used.is_subset(&documented), "{used:?}");
}

#[tokio::test]
async fn a_store_with_everything_in_it_has_rows_of_every_kind() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    fill(&store).await;
    store.committer.settle().await.unwrap();
    let tree = store.layers.read().unwrap().clone().unwrap().tree().clone();
    let kinds: BTreeSet<u8> = tree.iter().keys().map(|key| key.unwrap()[0]).collect();
    let known: BTreeSet<u8> = KINDS.iter().chain(FOLLOWING).copied().chain([layout::STATE]).collect();
    assert_eq!(kinds, known, "else the tests of backups would not see one of them");
}

#[tokio::test]
async fn users_clients_events_and_assertions_are_restored_whole() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = SledStore::open(from.path()).unwrap();
    fill(&store).await;
    let directory = to.path().join("store");
    let mut restoring = Restoring::begin(&directory).unwrap();
    restoring.take(store.backup_head().await.unwrap()).unwrap();
    for row in rows(&store, 1_000).await {
        restoring.take(vec![row]).unwrap();
    }
    assert!(restoring.finish(|_| true).unwrap());
    let restored = SledStore::open(&directory).unwrap();

    assert_eq!(restored.sessions(None, 1_000).await, store.sessions(None, 1_000).await);
    for name in 1..=20 {
        let sub = || format!("user-{name}");
        assert_eq!(restored.sessions_of(sub(), None, 9).await, store.sessions_of(sub(), None, 9).await);
    }
    let users = store.users(None, 100).await.unwrap();
    assert!(users.len() == 5 && users.iter().all(|user| user.password.is_some() && user.code.is_some()));
    assert_eq!(restored.users(None, 100).await, Ok(users.clone()));
    for user in &users {
        for name in user.keys() {
            let found = restored.user_named(name.to_owned()).await.unwrap();
            assert_eq!(found.map(|found| found.id), Some(user.id), "{name}");
        }
    }
    assert_eq!(restored.user(UserId([1; 16])).await, store.user(UserId([1; 16])).await);
    assert_eq!(restored.clients(None, 100).await, store.clients(None, 100).await);
    assert_eq!(restored.client("shop".to_owned()).await.unwrap().map(|client| client.administrator), Some(true));
    assert_eq!(restored.audit_extent().await, store.audit_extent().await);
    let events = store.event_runs(1, Order::OldestFirst, 1_000).await;
    assert!(events.as_ref().is_ok_and(|runs| runs.len() > 20));
    assert_eq!(restored.event_runs(1, Order::OldestFirst, 1_000).await, events);
    assert!(crate::store::audit::verify(&restored, vec![]).await.unwrap().is_ok(), "the chain is whole");
    assert_eq!(restored.use_assertion([7; 16], at(900)).await, Ok(AssertionUse::Again));
    assert_eq!(restored.keys().await, store.keys().await);
    let epochs = epoch(at(0))..=epoch(at(100_000));
    assert_eq!(restored.pages(epochs.clone()).await, store.pages(epochs).await);
    assert_eq!(
        (restored.rules().await, restored.publication().await),
        (store.rules().await, store.publication().await)
    );
    assert_eq!(restored.binding_key([9; 32]).await, Ok([5; 32]));
    assert_eq!(restored.purge_sessions(at(1_001)).await, Ok(false), "rows that say when to look are there again");
    assert_eq!(restored.sessions(None, 1_000).await, Ok(vec![]));
}

#[tokio::test]
async fn a_restore_that_was_killed_is_no_store_and_says_what_to_do_and_one_that_finished_is() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = SledStore::open(from.path()).unwrap();
    fill(&store).await;
    let directory = to.path().join("store");
    let killed = |moment: &str| {
        let left = to.path().join(moment);
        copy(&directory, &left);
        let fault = SledStore::open(&left).err().unwrap();
        let way_out = format!("a restore into it did not finish: remove {} and restore again", left.display());
        assert_eq!(fault, StoreError::Unusable { detail: way_out.into() }, "{moment}");
        assert!(Restoring::begin(&left).is_err(), "nor is it filled up");
    };
    let mut restoring = Restoring::begin(&directory).unwrap();
    killed("before the first row");
    restoring.take(store.backup_head().await.unwrap()).unwrap();
    restoring.db.flush().unwrap();
    killed("after the head");
    restoring.take(rows(&store, 1_000).await).unwrap();
    restoring.db.flush().unwrap();
    killed("after the last row");
    assert!(restoring.finish(|_| true).unwrap());
    let restored = SledStore::open(&directory).unwrap();
    assert_eq!(restored.sessions(None, 1_000).await, store.sessions(None, 1_000).await);
    restored.close().await.unwrap();
    drop(restored);
    assert!(Restoring::begin(&directory).is_err(), "it is not filled twice");
    let lacking = to.path().join("lacking");
    let mut restoring = Restoring::begin(&lacking).unwrap();
    restoring.take(store.backup_head().await.unwrap()).unwrap();
    assert!(!restoring.finish(|counts| counts.contains_key(&layout::SESSION)).unwrap());
    assert!(SledStore::open(&lacking).is_err(), "what lacks rows is no store either");
}

#[tokio::test]
async fn a_name_that_moved_on_while_a_backup_was_made_stays_with_whom_it_moved_to() {
    let to = tempfile::tempdir().unwrap();
    for deleted in [false, true] {
        let from = tempfile::tempdir().unwrap();
        let store = SledStore::open(from.path()).unwrap();
        for number in [1, 2] {
            store.create_user(user(number), vec![]).await.unwrap();
        }
        let amend = |store: &SledStore, number: u8, name: &str| {
            let amendment = Amendment { user_name: Some(Name::parse(name)), ..Amendment::default() };
            store.update_user(UserId([number; 16]), Box::new(|user| user.amend(amendment).into()))
        };
        let first = store.backup_rows(None, 1).await.unwrap();
        amend(&store, 1, "Maria").await.unwrap();
        amend(&store, 2, "User-1").await.unwrap();
        let rest = store.backup_rows(first.last().map(|row| row.key.clone()), 1_000_000).await.unwrap();
        let directory = to.path().join(format!("store-{deleted}"));
        let mut restoring = Restoring::begin(&directory).unwrap();
        restoring.take([first, rest].concat()).unwrap();
        assert!(restoring.finish(|_| true).unwrap());
        let restored = SledStore::open(&directory).unwrap();
        assert_eq!(restored.user(UserId([1; 16])).await, Ok(Some(user(1))), "as it was when it was read");
        let named = async |name: &str| restored.user_named(name.to_owned()).await.unwrap().map(|user| user.id);
        assert_eq!(named("user-1").await, Some(UserId([2; 16])));
        match deleted {
            true => assert_eq!(restored.delete_user(UserId([1; 16]), vec![]).await, Ok(true)),
            false => drop(amend(&restored, 1, "nobody").await.unwrap().unwrap()),
        }
        assert_eq!(named("user-1").await, Some(UserId([2; 16])), "deleted: {deleted}");
        assert_eq!(named("u1@example.com").await, (!deleted).then_some(UserId([1; 16])), "its own name");
    }
}
