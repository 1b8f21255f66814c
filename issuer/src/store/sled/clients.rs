//! Clients, each under its id, and the assertions they have used.

use super::engine::{Engine, failed};
use super::room::Room;
use super::rows::Batch;
use super::{SledStore, engine, layout};
use crate::clients::{ClientFault, ClientStep, MAX_CLIENTS};
use crate::store::record::Record;
use crate::store::{
    Answer, AssertionUse, ClientDecision, ClientRecord, Clients, MAX_ASSERTIONS, PURGE_STEP, StoreError,
};
use sled::Tree;
use std::collections::BTreeSet;
use std::ops::Bound;
use token::time::UnixTime;

impl Clients for SledStore {
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>> {
        self.read_record(&layout::client(&client_id))
    }

    fn clients(&self, after: Option<String>, most: usize) -> Answer<Vec<ClientRecord>> {
        self.read(|tree| clients(tree, after.as_deref(), most))
    }

    fn update_client(
        &self,
        client_id: String,
        decide: ClientDecision,
    ) -> Answer<Result<Option<ClientRecord>, ClientFault>> {
        self.committer.submit(move |engine| engine.update_client(&client_id, decide))
    }

    fn use_assertion(&self, name: [u8; 16], until: UnixTime) -> Answer<AssertionUse> {
        self.committer.submit(move |engine| engine.use_assertion(name, until))
    }

    fn purge_assertions(&self, before: UnixTime) -> Answer<bool> {
        self.committer.submit(move |engine| engine.purge_assertions(before))
    }
}

impl Engine {
    fn update_client(
        &mut self,
        client_id: &str,
        decide: ClientDecision,
    ) -> Result<Result<Option<ClientRecord>, ClientFault>, StoreError> {
        let key = layout::client(client_id);
        let before: Option<ClientRecord> = self.read(&key)?;
        let (step, events) = match decide(before.clone()) {
            Ok(decided) => decided,
            Err(fault) => return Ok(Err(fault)),
        };
        let (mut batch, after) = (Batch::default(), after(step, before.as_ref()));
        if let Some(fault) = self.objection(before.as_ref(), after.as_ref())? {
            return Ok(Err(fault));
        }
        match &after {
            Some(record) if before.as_ref() == Some(record) => {}
            Some(record) if record.client_id == client_id => batch.insert(&*key, record.encode(&key)),
            Some(_) => return Err(StoreError::damaged("a client would be stored under another one's name")),
            None => batch.remove(&*key),
        }
        if before != after || !events.is_empty() {
            self.needs(Room::Scarce)?;
            self.tell(events);
            self.apply(batch)?;
        }
        Ok(Ok(after))
    }

    /// Returns why the other clients do not let this one become what it shall be.
    fn objection(
        &mut self,
        before: Option<&ClientRecord>,
        after: Option<&ClientRecord>,
    ) -> Result<Option<ClientFault>, StoreError> {
        let managed = before.is_some_and(ClientRecord::manages);
        if managed && !after.is_some_and(ClientRecord::manages) {
            let others: Vec<ClientRecord> = engine::read_all(self.settled()?, layout::CLIENT)?;
            let another =
                |other: &ClientRecord| other.manages() && Some(&other.client_id) != before.map(|c| &c.client_id);
            return Ok((!others.iter().any(another)).then_some(ClientFault::LastAdministrator));
        }
        let full = before.is_none()
            && after.is_some()
            && self.settled()?.scan_prefix([layout::CLIENT]).take(MAX_CLIENTS).count() == MAX_CLIENTS;
        Ok(full.then_some(ClientFault::TooMany))
    }

    fn use_assertion(&mut self, name: [u8; 16], until: UnixTime) -> Result<AssertionUse, StoreError> {
        if self.assertions.contains(&name) {
            return Ok(AssertionUse::Again);
        }
        if self.assertions.len() >= MAX_ASSERTIONS {
            return Ok(AssertionUse::Full);
        }
        self.needs(Room::Ample)?;
        let mut batch = Batch::default();
        batch.insert(layout::assertion(until, name), &[]);
        self.apply(batch)?;
        self.assertions.insert(name);
        Ok(AssertionUse::First)
    }

    fn purge_assertions(&mut self, before: UnixTime) -> Result<bool, StoreError> {
        if self.needs(Room::Ample).is_err() {
            return Ok(false); // what goes is written, too
        }
        let due = self.keys_in(layout::assertions_before(UnixTime::MIN)..layout::assertions_before(before))?;
        let mut batch = Batch::default();
        for key in &due {
            batch.remove(key);
            layout::parse_assertion(key).map(|name| self.assertions.remove(&name));
        }
        if !due.is_empty() {
            self.apply(batch)?;
        }
        Ok(due.len() == PURGE_STEP)
    }
}

fn after(step: ClientStep, before: Option<&ClientRecord>) -> Option<ClientRecord> {
    match step {
        ClientStep::Keep => before.cloned(),
        ClientStep::Put(record) => Some(*record),
        ClientStep::Remove => None,
    }
}

/// Returns the names of the assertions that are remembered.
pub(super) fn assertions(tree: &Tree) -> Result<BTreeSet<[u8; 16]>, StoreError> {
    let name = |key: sled::Result<sled::IVec>| {
        let key = key.map_err(|error| failed(&error))?;
        layout::parse_assertion(&key).ok_or_else(|| StoreError::damaged("an assertion has an odd key"))
    };
    tree.scan_prefix([layout::ASSERTION]).keys().map(name).collect()
}

fn clients(tree: &Tree, after: Option<&str>, most: usize) -> Result<Vec<ClientRecord>, StoreError> {
    let from = after.map_or(Bound::Included(vec![layout::CLIENT]), |id| Bound::Excluded(layout::client(id)));
    let rows = tree.range((from, Bound::Excluded(vec![layout::CLIENT + 1]))).take(most);
    rows.map(|row| row.map_err(|error| failed(&error)).and_then(|(key, row)| ClientRecord::decode(&key, &row)))
        .collect()
}
