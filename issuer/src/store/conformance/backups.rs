//! What every engine must do with backups, as far as it can be said without knowing what rows look like.

use super::*;
use crate::clients::ClientStep;
use crate::keys::{Half, KeyState};
use crate::store::{Backups, Row};
use std::collections::BTreeMap;
use token::jwk::{Algorithm, Purpose};

/// Puts something of every kind into a store.
pub(crate) async fn fill(store: &dyn Store) {
    for name in 1..=20 {
        store.create_session(session(name), vec![ending()]).await.unwrap();
    }
    for number in 1..=5 {
        store.create_user(user(number), vec![ending()]).await.unwrap();
    }
    for id in ["admin", "shop"] {
        let record = ClientRecord::administrator(id, [7; 32], at(0));
        let put = |_| Ok((ClientStep::Put(Box::new(record)), vec![ending()]));
        store.update_client(id.to_owned(), Box::new(put)).await.unwrap().unwrap();
    }
    store.use_assertion([7; 16], at(500)).await.unwrap();
    store.revoke(live(&session(3)), vec![ending()]).await.unwrap();
    store.update_session(SessionId([4; 16]), Box::new(|session| session.revoke(at(1)).into())).await.unwrap();
    let (low, high) = (epoch(at(0)), epoch(at(100_000)));
    store.lease_page(low).await.unwrap();
    store.lease_page(high).await.unwrap();
    store.sweep_pages(low..=high, 2).await.unwrap();
    store.put_keys(vec![key()], vec![ending()]).await.unwrap();
    store.put_rules(Rules { version: 1, ..Rules::new([3; 16]) }, vec![], vec![ending()]).await.unwrap();
    store.put_publication(publication(7, low)).await.unwrap();
    store.binding_key([5; 32]).await.unwrap();
}

fn key() -> SealedKey {
    SealedKey {
        kid: "a".to_owned(),
        purpose: Purpose::Token,
        algorithm: Algorithm::EdDsa,
        state: KeyState::Active,
        since: at(0),
        signed: None,
        half: Half::Private,
        nonce: [1; 24],
        sealed: [2; 48],
    }
}

/// Reads all rows behind the head, in steps of so many bytes.
pub(crate) async fn rows<S: Backups + ?Sized>(store: &S, most_bytes: usize) -> Vec<Row> {
    let (mut rows, mut after): (Vec<Row>, Option<Vec<u8>>) = (Vec::new(), None);
    loop {
        let step = store.backup_rows(after.take(), most_bytes).await.unwrap();
        let Some(last) = step.last() else { return rows };
        let bytes = |rows: &[Row]| rows.iter().map(|row| row.key.len() + row.record.len()).sum::<usize>();
        assert!(bytes(&step[..step.len() - 1]) < most_bytes, "one row may be above the bound, and no more");
        after = Some(last.key.clone());
        rows.extend(step);
    }
}

fn by_key(rows: Vec<Row>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let count = rows.len();
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.key, row.record)).collect();
    assert_eq!(rows.len(), count, "each is there once");
    rows
}

pub(crate) async fn a_backup_is_the_same_rows_each_once_whatever_the_steps(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(rows(store.as_ref(), 1).await, vec![]);
    fill(store.as_ref()).await;
    let whole = by_key(rows(store.as_ref(), usize::MAX).await);
    assert!(whole.len() > 30, "sessions, users, clients and what else there is: {}", whole.len());
    for most_bytes in [1, 100, 5_000] {
        assert_eq!(by_key(rows(store.as_ref(), most_bytes).await), whole, "{most_bytes}");
    }
    let head = store.backup_head().await.unwrap();
    assert!(!head.is_empty() && head.iter().all(|row| !whole.contains_key(&row.key)), "apart from the rows");
    let store = reopen(store, open, directory.path());
    assert_eq!(by_key(rows(store.as_ref(), 1_000).await), whole, "and the same after a restart");
    assert_eq!(store.backup_head().await, Ok(head));
}

pub(crate) async fn what_was_acknowledged_before_a_backup_is_in_it_while_others_write(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(store.as_ref()).await;
    let before = by_key(rows(store.as_ref(), usize::MAX).await);
    let writing = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for name in 100..200 {
                store.create_session(session(name), vec![ending()]).await.unwrap();
                store
                    .update_session(SessionId([name - 99; 16]), Box::new(|session| session.revoke(at(1)).into()))
                    .await
                    .unwrap();
            }
        })
    };
    let during = by_key(rows(store.as_ref(), 200).await);
    let missing = before.keys().filter(|key| !during.contains_key(*key)).count();
    assert_eq!(missing, 0, "what changes meanwhile is there as it was or as it is");
    writing.await.unwrap();
    let after = by_key(rows(store.as_ref(), 200).await);
    assert!(after.len() > before.len() + 100, "each session that came since is a row, and so are its events");
}

pub(crate) async fn a_closed_store_gives_no_rows(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(store.as_ref()).await;
    store.close().await.unwrap();
    assert!(store.backup_rows(None, 1).await.is_err(), "an empty answer would be a backup of nothing");
    assert!(store.backup_head().await.is_err());
}
