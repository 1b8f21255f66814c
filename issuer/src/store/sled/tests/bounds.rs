//! Bounds on how many there may be, at the bound itself: all but the last are put there behind the engine's back.

use super::*;
use crate::clients::{ClientFault, ClientRecord, MAX_CLIENTS};
use crate::store::conformance::put;
use crate::store::record::Record;
use crate::store::{AssertionUse, Clients, MAX_ASSERTIONS};
use ::sled::Batch;

fn client(id: &str) -> ClientRecord {
    ClientRecord { administrator: false, ..ClientRecord::administrator(id, [1; 32], at(0)) }
}

#[tokio::test]
async fn ten_thousand_clients_are_all_there_may_be() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    let mut batch = Batch::default();
    for n in 0..MAX_CLIENTS - 1 {
        let key = layout::client(&format!("client-{n}"));
        batch.insert(&*key, client(&format!("client-{n}")).encode(&key));
    }
    store.layers.read().unwrap().as_ref().unwrap().tree().apply_batch(batch).unwrap();
    assert_eq!(put(&store, client("the-last")).await, Ok(Some(client("the-last"))));
    assert_eq!(put(&store, client("one-more")).await, Err(ClientFault::TooMany));
    assert_eq!(store.client("one-more".to_owned()).await, Ok(None));
    let renamed = ClientRecord { name: "Shop".to_owned(), ..client("the-last") };
    assert_eq!(put(&store, renamed.clone()).await, Ok(Some(renamed)), "those that are there change all the same");
    let removed = |_| Ok((crate::clients::ClientStep::Remove, vec![]));
    store.update_client("client-7".to_owned(), Box::new(removed)).await.unwrap().unwrap();
    assert!(put(&store, client("one-more")).await.is_ok());
}

#[tokio::test]
async fn a_hundred_thousand_assertions_are_remembered_and_no_more_are_taken_until_some_are_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    let mut batch = Batch::default();
    for n in 1..MAX_ASSERTIONS {
        let mut name = [0; 16];
        name[..8].copy_from_slice(&n.to_be_bytes());
        batch.insert(layout::assertion(at(if n < 10 { 100 } else { 900 }), name), &[]);
    }
    store.layers.read().unwrap().as_ref().unwrap().tree().apply_batch(batch).unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = SledStore::open(directory.path()).unwrap();
    assert_eq!(store.use_assertion([1; 16], at(900)).await, Ok(AssertionUse::First));
    assert_eq!(store.use_assertion([2; 16], at(900)).await, Ok(AssertionUse::Full));
    assert_eq!(store.use_assertion([1; 16], at(900)).await, Ok(AssertionUse::Again), "a repetition is told as one");
    store.purge_assertions(at(101)).await.unwrap();
    assert_eq!(store.use_assertion([2; 16], at(900)).await, Ok(AssertionUse::First));
}
