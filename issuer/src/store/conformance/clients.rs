//! Clients, and the assertions they have used.

use super::*;
use crate::clients::{ClientFault, ClientSecret, ClientStep};

fn client(id: &str, byte: u8) -> ClientRecord {
    ClientRecord::administrator(id, [byte; 32], at(0))
}

/// A client that manages nothing.
fn other(id: &str) -> ClientRecord {
    ClientRecord { administrator: false, ..client(id, 2) }
}

pub(crate) async fn put(store: &dyn Store, record: ClientRecord) -> Result<Option<ClientRecord>, ClientFault> {
    let decide = |record: ClientRecord| move |_| Ok((ClientStep::Put(Box::new(record)), vec![]));
    store.update_client(record.client_id.clone(), Box::new(decide(record))).await.unwrap()
}

async fn remove(store: &dyn Store, id: &str) -> Result<Option<ClientRecord>, ClientFault> {
    store.update_client(id.to_owned(), Box::new(|_| Ok((ClientStep::Remove, vec![])))).await.unwrap()
}

pub(crate) async fn clients_are_read_in_bounded_steps_in_the_order_of_their_ids(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.clients(None, 10).await, Ok(vec![]));
    for id in ["b", "a", "~", "ab", "!"] {
        put(store.as_ref(), client(id, 2)).await.unwrap();
    }
    store.create_session(session(1), vec![]).await.unwrap();
    let store = reopen(store, open, directory.path());
    let ids = async |after: Option<&str>, most| {
        let clients = store.clients(after.map(str::to_owned), most).await.unwrap();
        clients.into_iter().map(|client| client.client_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, 10).await, ["!", "a", "ab", "b", "~"]);
    assert_eq!(ids(None, 2).await, ["!", "a"]);
    assert_eq!(ids(Some("a"), 2).await, ["ab", "b"]);
    assert_eq!(ids(Some("aa"), 1).await, ["ab"], "one that is gone leads on all the same");
    assert_eq!(ids(Some("~"), 1).await, Vec::<String>::new());
}

pub(crate) async fn a_client_becomes_what_is_decided_and_a_fault_changes_nothing(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(put(store.as_ref(), client("x", 1)).await, Ok(Some(client("x", 1))));
    assert_eq!(put(store.as_ref(), client("xy", 2)).await, Ok(Some(client("xy", 2))));
    let seen = |before: Option<ClientRecord>| {
        assert_eq!(before, Some(client("x", 1)));
        Err(ClientFault::NotDisabled)
    };
    assert_eq!(store.update_client("x".to_owned(), Box::new(seen)).await.unwrap(), Err(ClientFault::NotDisabled));
    let keep = |before: Option<ClientRecord>| {
        assert_eq!(before, None);
        Ok((ClientStep::Keep, vec![]))
    };
    assert_eq!(store.update_client("xyz".to_owned(), Box::new(keep)).await.unwrap(), Ok(None));
    assert_eq!(remove(store.as_ref(), "xy").await, Ok(None));
    let store = reopen(store, open, directory.path());
    assert_eq!(store.client("x".to_owned()).await, Ok(Some(client("x", 1))));
    assert_eq!(store.client("xy".to_owned()).await, Ok(None));
}

pub(crate) async fn the_last_enabled_administrator_stays(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let disabled = |id: &str| ClientRecord { disabled: true, ..client(id, 1) };
    for record in [client("a", 1), disabled("b"), other("c")] {
        put(store.as_ref(), record).await.unwrap();
    }
    let secretless = |id: &str| ClientRecord { secrets: vec![], ..client(id, 1) };
    let ending = |id: &str| {
        let record = client(id, 1);
        let secret = record.secrets[0].clone();
        ClientRecord { secrets: vec![ClientSecret { expires_at: Some(UnixTime::MAX), ..secret }], ..record }
    };
    for record in [secretless("d"), ending("e")] {
        put(store.as_ref(), record).await.unwrap();
    }
    for record in [disabled("a"), other("a"), secretless("a"), ending("a")] {
        assert_eq!(put(store.as_ref(), record).await, Err(ClientFault::LastAdministrator));
    }
    assert_eq!(remove(store.as_ref(), "a").await, Err(ClientFault::LastAdministrator));
    assert_eq!(remove(store.as_ref(), "b").await, Ok(None), "it managed nothing");
    // Two who disable each other: one of them stays.
    put(store.as_ref(), client("b", 1)).await.unwrap();
    for _ in 0..20 {
        let tasks = ["a", "b"].map(|id| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { put(store.as_ref(), ClientRecord { disabled: true, ..client(id, 1) }).await })
        });
        let mut refused = 0;
        for task in tasks {
            refused += usize::from(task.await.unwrap() == Err(ClientFault::LastAdministrator));
        }
        assert_eq!(refused, 1);
        for id in ["a", "b"] {
            put(store.as_ref(), client(id, 1)).await.unwrap();
        }
    }
}

pub(crate) async fn an_assertion_is_used_once_until_it_is_forgotten_also_after_a_restart(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(store.use_assertion([7; 16], at(300)))).collect();
    let mut first = 0;
    for task in tasks {
        first += usize::from(task.await.unwrap().unwrap() == AssertionUse::First);
    }
    assert_eq!(first, 1);
    assert_eq!(store.use_assertion([8; 16], at(200)).await, Ok(AssertionUse::First));
    let store = reopen(store, open, directory.path());
    assert_eq!(store.use_assertion([7; 16], at(999)).await, Ok(AssertionUse::Again));
    assert_eq!(store.purge_assertions(at(300)).await, Ok(false));
    assert_eq!(store.use_assertion([7; 16], at(300)).await, Ok(AssertionUse::Again), "it is remembered until 300");
    assert_eq!(store.use_assertion([8; 16], at(400)).await, Ok(AssertionUse::First));
    store.purge_assertions(at(301)).await.unwrap();
    assert_eq!(store.use_assertion([7; 16], at(900)).await, Ok(AssertionUse::First));
}
