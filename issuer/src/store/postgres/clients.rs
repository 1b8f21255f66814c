//! Clients, each under its id, and the assertions they have used.

use super::PostgresStore;
use super::engine::Engine;
use super::load::{Stored, Wanted};
use super::read::{decoded, first};
use super::rows::{Batch, Stop};
use crate::clients::{ClientFault, ClientStep, MAX_CLIENTS};
use crate::store::record::Record;
use crate::store::{
    Answer, AssertionUse, ClientDecision, ClientRecord, Clients, MAX_ASSERTIONS, PURGE_STEP, StoreError, layout,
};
use token::time::UnixTime;

impl Clients for PostgresStore {
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>> {
        self.read(Wanted::Rows(vec![layout::client(&client_id)]), |found| first(&found))
    }

    fn clients(&self, after: Option<String>, most: usize) -> Answer<Vec<ClientRecord>> {
        let after = after.map(|client_id| layout::client(&client_id));
        self.read(Wanted::behind(layout::CLIENT, after, most), |found| decoded(&found))
    }

    /// Reads all of them: they are few, and what one may become depends on the others.
    fn update_client(
        &self,
        client_id: String,
        decide: ClientDecision,
    ) -> Answer<Result<Option<ClientRecord>, ClientFault>> {
        let mut decide = Some(decide);
        self.change(
            |_| Wanted::all(layout::CLIENT, usize::MAX),
            move |engine, found| match decide.take() {
                Some(decide) => engine.update_client(&client_id, decide, found),
                None => Err(StoreError::Closed.into()), // it is run once: it needs no other rows
            },
        )
    }

    fn use_assertion(&self, name: [u8; 16], until: UnixTime) -> Answer<AssertionUse> {
        self.change(|_| Wanted::Rows(Vec::new()), move |engine, _| Ok(engine.use_assertion(name, until)))
    }

    fn purge_assertions(&self, before: UnixTime) -> Answer<bool> {
        self.change(
            move |_| Wanted::Range {
                from: layout::assertions_before(UnixTime::MIN),
                below: layout::assertions_before(before),
                newest_first: false,
                most: PURGE_STEP,
            },
            move |engine, found| {
                let mut batch = Batch::default();
                for (key, _) in found {
                    batch.remove(&**key);
                    layout::parse_assertion(key).map(|name| engine.assertions.remove(&name));
                }
                engine.apply(batch);
                Ok(found.len() == PURGE_STEP)
            },
        )
    }
}

impl Engine {
    fn update_client(
        &mut self,
        client_id: &str,
        decide: ClientDecision,
        found: &[Stored],
    ) -> Result<Result<Option<ClientRecord>, ClientFault>, Stop> {
        let key = layout::client(client_id);
        let stored = found.iter().find(|(found, _)| *found == key);
        let before = stored.map(|(key, record)| ClientRecord::decode(key, record)).transpose()?;
        let (step, events) = match decide(before.clone()) {
            Ok(decided) => decided,
            Err(fault) => return Ok(Err(fault)),
        };
        let after = match step {
            ClientStep::Keep => before.clone(),
            ClientStep::Put(record) => Some(*record),
            ClientStep::Remove => None,
        };
        if let Some(fault) = objection(before.as_ref(), after.as_ref(), found)? {
            return Ok(Err(fault));
        }
        let mut batch = Batch::default();
        match &after {
            Some(record) if before.as_ref() == Some(record) => {}
            Some(record) if record.client_id == client_id => batch.insert(&*key, record.encode(&key)),
            Some(_) => return Err(StoreError::damaged("a client would be stored under another one's name").into()),
            None => batch.remove(&*key),
        }
        self.tell(&events);
        self.apply(batch);
        Ok(Ok(after))
    }

    fn use_assertion(&mut self, name: [u8; 16], until: UnixTime) -> AssertionUse {
        if self.assertions.contains(&name) {
            return AssertionUse::Again;
        }
        if self.assertions.len() >= MAX_ASSERTIONS {
            return AssertionUse::Full;
        }
        let mut batch = Batch::default();
        batch.insert(layout::assertion(until, name), []);
        self.apply(batch);
        self.assertions.insert(name);
        AssertionUse::First
    }
}

/// Returns why the other clients do not let this one become what it shall be.
fn objection(
    before: Option<&ClientRecord>,
    after: Option<&ClientRecord>,
    found: &[Stored],
) -> Result<Option<ClientFault>, StoreError> {
    let managed = before.is_some_and(ClientRecord::manages);
    if managed && !after.is_some_and(ClientRecord::manages) {
        let others: Vec<ClientRecord> = decoded(found)?;
        let another = |other: &ClientRecord| other.manages() && Some(&other.client_id) != before.map(|c| &c.client_id);
        return Ok((!others.iter().any(another)).then_some(ClientFault::LastAdministrator));
    }
    let full = found.len() >= MAX_CLIENTS;
    Ok((before.is_none() && after.is_some() && full).then_some(ClientFault::TooMany))
}
