//! Clients.

use super::*;

fn client(id: &str, byte: u8) -> ClientRecord {
    ClientRecord { client_id: id.to_owned(), secret_hash: [byte; 32], administrator: byte == 1 }
}

pub(crate) async fn clients_are_read_in_bounded_steps_in_the_order_of_their_ids(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.clients(None, 10).await, Ok(vec![]));
    for id in ["b", "a", "~", "ab", "!"] {
        store.put_client(client(id, 2), vec![]).await.unwrap();
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
