//! Everything out of sled into PostgreSQL and back, row by row.

use super::*;
use crate::store::conformance::{fill, rows, session};
use crate::store::{PostgresRestoring, Restoring, Row, Sessions as _, SledStore, Store};

/// Every row that a backup has, in its order.
async fn everything(store: &dyn Store) -> Vec<Row> {
    let head = store.backup_head().await.unwrap();
    head.into_iter().chain(rows(store, 200).await).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_to_postgres_and_back_row_by_row() {
    let name = tempfile::tempdir().unwrap();
    let sled = SledStore::open(&name.path().join("one")).unwrap();
    fill(&sled).await;
    let first = everything(&sled).await;
    let kinds: std::collections::BTreeSet<u8> = first.iter().map(|row| row.key[0]).collect();
    assert_eq!(kinds, b"acjkmprswy".iter().copied().collect(), "one of each kind");

    let mut restoring = PostgresRestoring::begin(&settings(name.path()), &Env::system()).await.unwrap();
    for part in first.chunks(7) {
        restoring.take(part.to_vec()).await.unwrap();
    }
    match opened(settings(name.path()), &name.path().join("pg")).err() {
        Some(StoreError::InUse { .. }) => {} // while it is filled
        other => panic!("{other:?}"),
    }
    let counted = |counts: &std::collections::BTreeMap<u8, u64>| {
        assert_eq!((counts[&b's'], counts[&b'y'], counts[&b'c']), (20, 5, 2));
        true
    };
    assert_eq!(restoring.finish(counted).await, Ok(true));
    let postgres = opened(settings(name.path()), &name.path().join("pg")).unwrap();
    assert_eq!(everything(&postgres).await, first);
    assert_eq!(postgres.sessions_of("user-5".to_owned(), None, 9).await, Ok(vec![session(5)]));
    assert!(!postgres.revocations().await.unwrap().whole, "nobody knows what was published since");
    drop(postgres);
    let mut back = Restoring::begin(&name.path().join("two")).unwrap();
    back.take(first.clone()).unwrap();
    assert!(back.finish(|_| true).unwrap());
    assert_eq!(everything(&SledStore::open(&name.path().join("two")).unwrap()).await, first);
    assert!(PostgresRestoring::begin(&settings(name.path()), &Env::system()).await.is_err(), "it is not empty");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_broken_off_lets_no_daemon_in_and_begins_again() {
    let name = tempfile::tempdir().unwrap();
    let sled = SledStore::open(&name.path().join("one")).unwrap();
    fill(&sled).await;
    let all = everything(&sled).await;
    let mut broken = PostgresRestoring::begin(&settings(name.path()), &Env::system()).await.unwrap();
    broken.take(all[..9].to_vec()).await.unwrap();
    drop(broken);
    fencing::expire(name.path()).await;
    match opened(settings(name.path()), &name.path().join("pg")).err() {
        Some(StoreError::Unusable { detail }) => assert!(detail.contains("import"), "{detail}"),
        other => panic!("{other:?}"),
    }
    let mut again = PostgresRestoring::begin(&settings(name.path()), &Env::system()).await.unwrap();
    again.take(all.clone()).await.unwrap();
    assert_eq!(again.finish(|_| true).await, Ok(true));
    assert_eq!(everything(&opened(settings(name.path()), &name.path().join("pg")).unwrap()).await, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_lacks_something_lets_no_daemon_in_and_begins_again_at_once() {
    let name = tempfile::tempdir().unwrap();
    let sled = SledStore::open(&name.path().join("one")).unwrap();
    fill(&sled).await;
    let all = everything(&sled).await;
    let (settings, env) = (settings(name.path()), Env::system());
    let begun = || PostgresRestoring::begin(&settings, &env);
    let mut lacking = begun().await.unwrap();
    lacking.take(all[..all.len() - 1].to_vec()).await.unwrap();
    assert_eq!(lacking.finish(|_| false).await, Ok(false));
    for _ in 0..2 {
        match opened(settings.clone(), &name.path().join("pg")).err() {
            Some(StoreError::Unusable { detail }) => assert!(detail.contains("import"), "{detail}"),
            other => panic!("{other:?}"),
        }
        begun().await.unwrap().give_up().await;
    }
    let mut again = begun().await.unwrap();
    again.take(all.clone()).await.unwrap();
    assert_eq!(again.finish(|_| true).await, Ok(true));
    assert_eq!(everything(&opened(settings.clone(), &name.path().join("pg")).unwrap()).await, all);
}
