//! Users: the record under its id, and a row for each name that leads to it.

use super::PostgresStore;
use super::engine::Engine;
use super::load::Wanted;
use super::read::{decoded, first};
use super::rows::{Batch, Stop};
use crate::audit::Event;
use crate::store::record::{BindingKey, Record};
use crate::store::{Answer, StoreError, ToldOfUser, UserTransition, Users, layout};
use crate::users::{Outcome, User, UserId};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

impl Users for PostgresStore {
    fn create_user(&self, user: User, events: Vec<Event>) -> Answer<Outcome> {
        let keys = user.keys().map(layout::user_name).chain([layout::user(user.id)]).collect();
        let wanted = Wanted::Rows(keys);
        self.change(move |_| wanted.clone(), move |engine, _| engine.create_user(&user, &events))
    }

    fn user(&self, id: UserId) -> Answer<Option<User>> {
        self.read(Wanted::Rows(vec![layout::user(id)]), |found| first(&found))
    }

    fn user_named(&self, key: String) -> Answer<Option<User>> {
        let reads = self.reads();
        Box::pin(async move {
            let found = reads.load(&Wanted::Rows(vec![layout::user_name(&key)])).await?;
            let Some(id) = first::<UserId>(&found)? else { return Ok(None) };
            let found = reads.load(&Wanted::Rows(vec![layout::user(id)])).await?;
            // Between the two readings it may have got another name.
            Ok(first::<User>(&found)?.filter(|user| user.keys().any(|name| name == key)))
        })
    }

    fn users(&self, after: Option<UserId>, most: usize) -> Answer<Vec<User>> {
        self.read(Wanted::behind(layout::USER, after.map(layout::user), most), |found| decoded(&found))
    }

    fn update_user(&self, id: UserId, transition: UserTransition) -> Answer<Option<(User, Outcome)>> {
        let (mut transition, mut made) = (Some(transition), None);
        self.change(
            move |_| Wanted::Rows(vec![layout::user(id)]),
            move |engine, _| {
                let Some(before) = engine.read::<User>(&layout::user(id))? else { return Ok(None) };
                if let Some(transition) = transition.take() {
                    made = Some(transition(before.clone()));
                }
                let Some(told) = &made else { return Err(StoreError::Closed.into()) };
                engine.update_user(&before, told).map(Some)
            },
        )
    }

    fn delete_user(&self, id: UserId, events: Vec<Event>) -> Answer<bool> {
        self.change(
            move |_| Wanted::Rows(vec![layout::user(id)]),
            move |engine, _| {
                let Some(user) = engine.read::<User>(&layout::user(id))? else { return Ok(false) };
                let mut batch = Batch::default();
                user.keys().for_each(|name| batch.remove(layout::user_name(name)));
                batch.remove(layout::user(id));
                engine.tell(&events);
                engine.apply(batch);
                Ok(true)
            },
        )
    }

    fn binding_key(&self, fresh: [u8; 32]) -> Answer<[u8; 32]> {
        let fresh = Zeroizing::new(fresh);
        self.change(
            |_| Wanted::Rows(vec![layout::BINDING.to_vec()]),
            move |engine, _| {
                if let Some(BindingKey(stored)) = engine.read(layout::BINDING)? {
                    return Ok(*stored);
                }
                let mut batch = Batch::default();
                batch.insert(layout::BINDING, BindingKey(fresh.clone()).encode(layout::BINDING));
                engine.apply(batch);
                Ok(*fresh)
            },
        )
    }
}

impl Engine {
    fn create_user(&mut self, user: &User, events: &[Event]) -> Result<Outcome, Stop> {
        let key = layout::user(user.id);
        if self.rows.get(&key)?.is_some() {
            return Err(StoreError::damaged("a new user has the id of one that exists").into());
        }
        let mut batch = Batch::default();
        if !self.name(&mut batch, user.id, &BTreeSet::new(), &user.keys().collect())? {
            return Ok(Outcome::NameTaken);
        }
        batch.insert(&*key, user.encode(&key));
        self.tell(events);
        self.apply(batch);
        Ok(Outcome::Done)
    }

    fn update_user(&mut self, before: &User, told: &ToldOfUser) -> Result<(User, Outcome), Stop> {
        let ToldOfUser { step, events } = told;
        let mut batch = Batch::default();
        if step.changed {
            if !self.name(&mut batch, before.id, &before.keys().collect(), &step.user.keys().collect())? {
                return Ok((before.clone(), Outcome::NameTaken));
            }
            let key = layout::user(before.id);
            batch.insert(&*key, step.user.encode(&key));
        }
        self.tell(events);
        self.apply(batch);
        Ok((step.user.clone(), step.outcome))
    }

    /// Adds the rows of names that come and go to the batch; false when one belongs to somebody else.
    fn name(
        &self,
        batch: &mut Batch,
        id: UserId,
        before: &BTreeSet<&str>,
        after: &BTreeSet<&str>,
    ) -> Result<bool, Stop> {
        for name in after.difference(before) {
            let key = layout::user_name(name);
            if self.rows.get(&key)?.is_some() {
                return Ok(false);
            }
            batch.insert(&*key, id.encode(&key));
        }
        for name in before.difference(after) {
            let key = layout::user_name(name);
            let holder = self.rows.get(&key)?.map(|row| UserId::decode(&key, row));
            // A row that cannot be read leads to nobody.
            if !matches!(holder, Some(Ok(holder)) if holder != id) {
                batch.remove(key);
            }
        }
        Ok(true)
    }
}
