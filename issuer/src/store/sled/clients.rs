//! Clients, each under its id.

use super::engine::{Engine, failed};
use super::{SledStore, layout};
use crate::audit::Event;
use crate::store::record::Record;
use crate::store::{Answer, ClientRecord, Clients, StoreError};
use sled::{Batch, Tree};
use std::ops::Bound;

impl Clients for SledStore {
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>> {
        self.read_record(&layout::client(&client_id))
    }

    fn clients(&self, after: Option<String>, most: usize) -> Answer<Vec<ClientRecord>> {
        self.read(|tree| clients(tree, after.as_deref(), most))
    }

    fn put_client(&self, client: ClientRecord, events: Vec<Event>) -> Answer<()> {
        self.committer.submit(move |engine| engine.put_client(&client, events))
    }
}

impl Engine {
    fn put_client(&mut self, client: &ClientRecord, events: Vec<Event>) -> Result<(), StoreError> {
        let key = layout::client(&client.client_id);
        self.tell(events);
        let mut batch = Batch::default();
        batch.insert(&*key, client.encode(&key));
        self.apply(batch)
    }
}

fn clients(tree: &Tree, after: Option<&str>, most: usize) -> Result<Vec<ClientRecord>, StoreError> {
    let from = after.map_or(Bound::Included(vec![layout::CLIENT]), |id| Bound::Excluded(layout::client(id)));
    let rows = tree.range((from, Bound::Excluded(vec![layout::CLIENT + 1]))).take(most);
    rows.map(|row| row.map_err(|error| failed(&error)).and_then(|(key, row)| ClientRecord::decode(&key, &row)))
        .collect()
}
