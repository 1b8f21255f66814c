//! Clients, each under its id, and the assertions they have used.

use super::engine::Engine;
use super::layers::{Batch, Look, behind, of_kind};
use super::room::Room;
use super::{SledStore, layout, reading};
use crate::clients::{ClientFault, ClientStep, MAX_CLIENTS};
use crate::store::record::Record;
use crate::store::{
    Answer, AssertionUse, ClientDecision, ClientRecord, Clients, MAX_ASSERTIONS, PURGE_STEP, StoreError,
};
use std::collections::BTreeSet;
use token::time::UnixTime;

impl Clients for SledStore {
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>> {
        self.read_record(&layout::client(&client_id))
    }

    fn clients(&self, after: Option<String>, most: usize) -> Answer<Vec<ClientRecord>> {
        self.read(|rows| {
            let after = after.map(|id| layout::client(&id));
            reading::records(rows, &behind(layout::CLIENT, after), most)
        })
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
            self.apply(batch);
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
            let others: Vec<ClientRecord> = reading::records(self.rows(), &of_kind(layout::CLIENT), usize::MAX)?;
            let another =
                |other: &ClientRecord| other.manages() && Some(&other.client_id) != before.map(|c| &c.client_id);
            return Ok((!others.iter().any(another)).then_some(ClientFault::LastAdministrator));
        }
        let full = before.is_none()
            && after.is_some()
            && reading::keys(self.rows(), &of_kind(layout::CLIENT), MAX_CLIENTS)?.len() == MAX_CLIENTS;
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
        self.apply(batch);
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
            self.apply(batch);
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
pub(super) fn assertions(rows: &impl Look) -> Result<BTreeSet<[u8; 16]>, StoreError> {
    let keys = reading::keys(rows, &of_kind(layout::ASSERTION), usize::MAX)?;
    let name = |key: &sled::IVec| layout::parse_assertion(key);
    let names = keys.iter().map(|key| name(key).ok_or_else(|| StoreError::damaged("an assertion has an odd key")));
    names.collect()
}
