//! Users: the record under its id, and a row for each name that leads to it.

use super::engine::Engine;
use super::layers::{Batch, Look, behind};
use super::reading::{read, records};
use super::room::Room;
use super::{SledStore, layout};
use crate::audit::Event;
use crate::store::record::{BindingKey, Record};
use crate::store::{Answer, StoreError, ToldOfUser, UserTransition, Users};
use crate::users::{Outcome, Step, User, UserId};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

impl Users for SledStore {
    fn create_user(&self, user: User, events: Vec<Event>) -> Answer<Outcome> {
        self.committer.submit(move |engine| engine.create_user(&user, events))
    }

    fn user(&self, id: UserId) -> Answer<Option<User>> {
        self.read_record(&layout::user(id))
    }

    fn user_named(&self, key: String) -> Answer<Option<User>> {
        self.read(|rows| named(rows, &key))
    }

    fn users(&self, after: Option<UserId>, most: usize) -> Answer<Vec<User>> {
        self.read(|rows| records(rows, &behind(layout::USER, after.map(layout::user)), most))
    }

    fn update_user(&self, id: UserId, transition: UserTransition) -> Answer<Option<(User, Outcome)>> {
        self.committer.submit(move |engine| engine.update_user(id, transition))
    }

    fn delete_user(&self, id: UserId, events: Vec<Event>) -> Answer<bool> {
        self.committer.submit(move |engine| engine.delete_user(id, events))
    }

    fn binding_key(&self, fresh: [u8; 32]) -> Answer<[u8; 32]> {
        self.committer.submit(move |engine| engine.binding_key(fresh))
    }
}

impl Engine {
    fn create_user(&mut self, user: &User, events: Vec<Event>) -> Result<Outcome, StoreError> {
        self.needs(Room::Ample)?;
        let key = layout::user(user.id);
        if self.get(&key)?.is_some() {
            return Err(StoreError::damaged("a new user has the id of one that exists"));
        }
        let mut batch = Batch::default();
        if !self.name(&mut batch, user.id, &BTreeSet::new(), &keys(user))? {
            return Ok(Outcome::NameTaken);
        }
        batch.insert(&*key, user.encode(&key));
        self.tell(events);
        self.apply(batch);
        Ok(Outcome::Done)
    }

    fn update_user(&mut self, id: UserId, transition: UserTransition) -> Result<Option<(User, Outcome)>, StoreError> {
        let key = layout::user(id);
        let Some(row) = self.get(&key)? else { return Ok(None) };
        let before = User::decode(&key, &row)?;
        let ToldOfUser { step: Step { user, changed, outcome }, events } = transition(before.clone());
        if changed || !events.is_empty() {
            self.needs(Room::Ample)?;
        }
        if changed {
            let mut batch = Batch::default();
            if !self.name(&mut batch, id, &keys(&before), &keys(&user))? {
                return Ok(Some((before, Outcome::NameTaken)));
            }
            batch.insert(&*key, user.encode(&key));
            self.tell(events);
            self.apply(batch);
        } else {
            self.tell(events);
        }
        Ok(Some((user, outcome)))
    }

    fn delete_user(&mut self, id: UserId, events: Vec<Event>) -> Result<bool, StoreError> {
        let key = layout::user(id);
        let Some(row) = self.get(&key)? else { return Ok(false) };
        let user = User::decode(&key, &row)?;
        self.needs(Room::Scarce)?;
        let mut batch = Batch::default();
        self.name(&mut batch, id, &keys(&user), &BTreeSet::new())?;
        batch.remove(key);
        self.tell(events);
        self.apply(batch);
        Ok(true)
    }

    fn binding_key(&mut self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        if let Some(row) = self.get(layout::BINDING)? {
            return BindingKey::decode(layout::BINDING, &row).map(|BindingKey(key)| *key);
        }
        self.needs(Room::Scarce)?;
        let mut batch = Batch::default();
        batch.insert(layout::BINDING, BindingKey(Zeroizing::new(fresh)).encode(layout::BINDING));
        self.apply(batch);
        Ok(fresh)
    }

    /// Adds the rows of names that come and go to the batch; false when one that comes belongs to somebody else. One
    /// that goes may: a backup holds users as they were at different moments, so two in a restored store may have a
    /// name that moved on meanwhile.
    fn name(
        &mut self,
        batch: &mut Batch,
        id: UserId,
        before: &BTreeSet<&str>,
        after: &BTreeSet<&str>,
    ) -> Result<bool, StoreError> {
        for name in after.difference(before) {
            let key = layout::user_name(name);
            if self.get(&key)?.is_some() {
                return Ok(false);
            }
            batch.insert(&*key, id.encode(&key));
        }
        for name in before.difference(after) {
            let key = layout::user_name(name);
            // A row that cannot be read leads to nobody.
            if !matches!(self.read::<UserId>(&key), Ok(Some(holder)) if holder != id) {
                batch.remove(key);
            }
        }
        Ok(true)
    }
}

/// Returns the user of this name.
fn named(rows: &impl Look, name: &str) -> Result<Option<User>, StoreError> {
    let Some(id) = read::<UserId>(rows, &layout::user_name(name))? else { return Ok(None) };
    let user: Option<User> = read(rows, &layout::user(id))?;
    Ok(user.filter(|user| user.keys().any(|key| key == name))) // between the two readings it may have got another one
}

fn keys(user: &User) -> BTreeSet<&str> {
    user.keys().collect()
}
