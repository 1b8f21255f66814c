//! Clients, each under its id.

use super::engine::Engine;
use super::{SledStore, layout};
use crate::audit::Event;
use crate::store::record::Record;
use crate::store::{Answer, ClientRecord, Clients, StoreError};
use sled::Batch;

impl Clients for SledStore {
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>> {
        self.read_record(&layout::client(&client_id))
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
