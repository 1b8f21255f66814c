//! Making a rule: what is revoked without naming indices.
//!
//! ```text
//! mint, refresh    gate shared ─► date ─► store ─► sign ─► gate free
//! rule             gate alone ─► T ─► rules (and keys) durable ─► in use ─► gate free ─► list
//! ```
//!
//! Whoever issues holds the gate from the reading of the time until the token is signed. So when a rule fixes its T, every
//! token dated until T is out and stored, and every later one is dated after T, by a session that the rule has been held
//! against. T is the date of the newest token, and the second before now where that is later: a rule moves the dates
//! ahead only in a second in which something was issued.
//!
//! Rules and the keys that change with them are one change of the store. A process that ends before it has done nothing;
//! one that ends after it starts with the new keys and the new rules, and its first list says so. The change runs in a task
//! of its own: a caller that goes away, or has waited for as long as the store lets callers wait, leaves neither rules that
//! are stored and not in use, nor half a subject. Nobody waits for the gate for longer either.

use super::issuer::{Issuer, Parts};
use super::moments::Moments;
use super::signers::Withdrawal;
use super::status_list::sweep_unknown;
use super::{Client, Error, Settings};
use crate::audit::{Act, Event, Origin};
use crate::env::Env;
use crate::keys::KeyState;
use crate::revocations::{Publication, lowest_epoch};
use crate::rules::{Full, Rule, Rules};
use crate::session::SessionId;
use crate::store::{OfSubject, Store, StoreError, SubjectStep, in_time};
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use token::jwk::Purpose;
use token::time::UnixTime;
use tracing::Instrument as _;

/// The rules in force, and the gate.
pub(super) struct Ruling {
    rules: RwLock<Arc<Rules>>,
    gate: tokio::sync::RwLock<()>,
    /// How long callers wait, for the gate as for anything else of the store.
    patience: Option<Duration>,
}

/// Nothing is ruled while it is held.
pub(super) struct Gate<'a>(#[allow(dead_code)] tokio::sync::RwLockReadGuard<'a, ()>);

/// Nothing is issued while it is held.
pub(super) struct Alone<'a>(#[allow(dead_code)] tokio::sync::RwLockWriteGuard<'a, ()>);

/// How many sessions of a subject ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// Those that did.
    pub(super) sessions: usize,
    /// Those that cannot be read: nobody knows their live tokens.
    pub(super) unreadable: usize,
}

/// What shall be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Everything issued until this second, or so far; with the sessions that began by then.
    All(Option<UnixTime>),
    /// Everything that a client got so far, with its sessions.
    Client(String),
    /// A key, with everything that it signed.
    Key(String),
}

impl Change {
    fn event(&self, client: &Client, now: UnixTime) -> Event {
        match self {
            Self::All(None) => client.did(Act::AllRevoked, now),
            Self::All(Some(until)) => client.did(Act::AllRevoked, now).detail(&format!("until {}", until.as_secs())),
            Self::Client(client_id) => client.did(Act::ClientRevoked, now).target(client_id),
            Self::Key(kid) => client.did(Act::KeyWithdrawn, now).target(kid),
        }
    }
}

impl Ruling {
    /// Loads the rules. Where the store lacks revocations of the `last` list that was signed, all tokens issued so far are
    /// revoked; where it lacks rules of that list, all sessions too, since nobody knows which it had ended.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Entropy`], [`Error::NotReady`].
    pub(super) async fn open(
        settings: &Settings,
        env: &Env,
        store: &dyn Store,
        moments: &Moments,
        last: Option<Publication>,
        proven: bool,
    ) -> Result<Self, Error> {
        let stored = store.rules().await?;
        let held = stored.as_ref().map_or(0, |rules| rules.version);
        let published = last.map_or(0, |last| last.rules);
        let mut rules = match stored {
            Some(rules) => rules,
            None => Rules::new(env.random()?),
        };
        rules.version = held.max(published); // what is stored next must be above both
        let (certain, life) = (moments.certain(), settings.rule_life_secs());
        let lost = if proven && held >= published { None } else { Some(moments.now()?) };
        let lost_rules = lost.filter(|_| held < published).map(Rule::All);
        let lost_revocations = lost.filter(|_| !proven).map(Rule::Tokens);
        let before = last.filter(|last| last.rules == 0).and_then(|last| last.cut_all).map(Rule::Tokens); // there were none yet
        for lost in lost_rules.iter().chain(&lost_revocations) {
            tracing::error!(
                ?lost,
                "the store lacks what the last signed list revoked: everything issued so far is revoked"
            );
        }
        if let Some(until) = lost {
            // Before the rules, as below: a start that ends in between must not take the loss for dealt with.
            sweep_unknown(store, lowest_epoch(certain, settings.leeway_secs), until).await?;
        }
        for rule in [before, lost_rules, lost_revocations].into_iter().flatten() {
            rules = rules.and(rule, certain, life).map_err(full)?;
        }
        let rules = rules.lasting(life);
        if rules.version > held {
            let event = |_| Event::new(Act::StoreBehind, &Origin::internal(), moments.shown());
            let events = lost.map(event).into_iter().collect();
            in_time(store.patience(), store.put_rules(rules.clone(), Vec::new(), events)).await??; // nothing is in memory yet
        }
        rules.latest().iter().for_each(|until| moments.cut(*until));
        let gate = tokio::sync::RwLock::new(());
        Ok(Self { rules: RwLock::new(Arc::new(rules)), gate, patience: store.patience() })
    }

    /// Returns the rules in force.
    pub(super) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until nobody is issuing, and keeps everybody from it until the gate is dropped.
    ///
    /// # Errors
    /// [`Error::Store`] when that takes too long.
    pub(super) async fn alone(&self) -> Result<Alone<'_>, Error> {
        Ok(Alone(in_time(self.patience, self.gate.write()).await?))
    }

    /// Waits while a rule is made, and keeps the next one waiting until the gate is dropped.
    ///
    /// # Errors
    /// [`Error::Store`] when that takes too long, as where the rule waits for a database that is away.
    pub(super) async fn pass(&self) -> Result<Gate<'_>, Error> {
        Ok(Gate(in_time(self.patience, self.gate.read()).await?))
    }

    /// Returns once everything is out and stored that was being issued at the moment of the call.
    ///
    /// # Errors
    /// [`Error::Store`] when that takes too long.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        self.alone().await.map(drop)
    }

    /// Does the work to the end; its caller does not wait for longer than for anything else of the store.
    ///
    /// # Errors
    /// [`Error::Store`] when it takes longer: it goes on; what the work says.
    pub(super) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        in_time(self.patience, to_the_end(work)).await?
    }

    fn put(&self, rules: Rules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
}

impl Issuer {
    /// Makes the rule; it is durable and in force, and not published yet.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a time that has not come and a key that does not exist, [`Error::TooManyRules`],
    /// [`Error::NotReady`] and [`Error::Store`]: nothing has changed, unless the store is one that is not reached: then it may
    /// yet take place, and is in force from then on.
    pub(super) async fn rule(&self, client: &Client, change: Change) -> Result<(), Error> {
        let (parts, event) = (Arc::clone(&self.parts), change.event(client, self.parts.moments.shown()));
        self.parts.ruling.carry_out(async move { parts.rule(change, event).await }).await
    }

    /// Ends sessions of a subject. Returns how many did, and how many have a record that cannot be read.
    ///
    /// # Errors
    /// [`Error::Store`]: some may have ended.
    pub(super) async fn end_subject(&self, client: &Client, these: OfSubject) -> Result<Ended, Error> {
        let (parts, event) = (Arc::clone(&self.parts), client.did(Act::SessionRevoked, self.parts.moments.shown()));
        to_the_end(async move { parts.end_subject(these, event).await }).await
    }

    /// Ends all sessions of a user, all `but` one.
    ///
    /// # Errors
    /// [`Error::Store`]: some may have ended, or one of them has a record that cannot be read.
    pub(super) async fn end_subject_but(
        &self,
        client: &Client,
        sub: String,
        but: Option<SessionId>,
    ) -> Result<(), Error> {
        match self.end_subject(client, OfSubject { except: but, ..OfSubject::all(sub) }).await?.unreadable {
            0 => Ok(()),
            _ => Err(StoreError::damaged("a session that was to be revoked cannot be read").into()),
        }
    }
}

fn full(Full { retry_after_secs }: Full) -> Error {
    Error::TooManyRules { retry_after_secs }
}

/// Does the work in a task of its own: it goes on when the caller goes away.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let task = tokio::spawn(work.in_current_span());
    task.await.unwrap_or_else(|_stopped| Err(StoreError::Closed.into())) // the runtime ends: nothing is acknowledged
}

impl Parts {
    async fn rule(&self, change: Change, event: Event) -> Result<(), Error> {
        let Self { ruling, store, keys, env, .. } = self;
        let _alone = ruling.alone().await?;
        let held = ruling.rules();
        let everything = change == Change::All(None);
        let (next, withdrawal) = self.decide(&held, change)?;
        if next.version == held.version {
            return Ok(store.record(vec![event.detail("it was in force before")]).await?);
        }
        let is_of_all = withdrawal.as_ref().is_some_and(|withdrawal| withdrawal.is_of_all && next.keys != held.keys);
        if everything || is_of_all {
            // Before the rules: a sweep without a rule says nothing, a rule without its sweep would be missing in one view.
            self.sweep(next.all.filter(|_| everything)).await?;
        }
        let rows = withdrawal.as_ref().map_or_else(Vec::new, |withdrawal| withdrawal.next.rows.clone());
        let made = rows
            .iter()
            .filter(|row| row.state == KeyState::Active)
            .map(|row| Event::new(Act::KeyActivated, &Origin::internal(), row.since).target(&row.kid));
        let events = std::iter::once(event).chain(made).collect();
        store.put_rules(next.clone(), rows, events).await?;
        // Keys first: once the rules name a key, nothing is signed with it.
        withdrawal.into_iter().for_each(|withdrawal| keys.put(withdrawal.next, env));
        ruling.put(next);
        Ok(())
    }

    fn decide(&self, held: &Rules, change: Change) -> Result<(Rules, Option<Withdrawal>), Error> {
        let rule = match change {
            Change::All(until) => Rule::All(self.moments.rule(until)?),
            Change::Client(client_id) => Rule::Client(client_id, self.moments.rule(None)?),
            Change::Key(kid) => {
                let now = self.moments.shown();
                let withdrawal = self.withdrawal(&kid, now)?;
                let next = match withdrawal.purpose {
                    Purpose::Token => self.with(held, Rule::Key(kid, now))?,
                    Purpose::Revocations if withdrawal.next.rows.is_empty() => held.clone(),
                    Purpose::Revocations => held.clone().changed(), // no token is concerned, but the next list is due
                };
                return Ok((next, Some(withdrawal)));
            }
        };
        Ok((self.with(held, rule)?, None))
    }

    fn with(&self, held: &Rules, rule: Rule) -> Result<Rules, Error> {
        held.and(rule, self.moments.certain(), self.settings.rule_life_secs()).map_err(full)
    }

    async fn end_subject(&self, these: OfSubject, event: Event) -> Result<Ended, Error> {
        self.ruling.settle().await?;
        let (mut last, mut ended, mut unreadable): (Option<SessionId>, usize, usize) = (None, 0, 0);
        loop {
            let now = self.moments.shown();
            let step = self.store.revoke_subject(these.clone(), last, now, event.clone()).await?;
            let SubjectStep { last: next, ended: more, unreadable: damaged } = step;
            (last, ended, unreadable) = (next, ended + more, unreadable + damaged);
            if last.is_none() {
                let all = event.act(Act::SubjectRevoked).subject(&these.sub).detail(&format!("{ended} sessions"));
                self.store.record(vec![all]).await?;
                tracing::info!(sessions = ended, unreadable, "the sessions of a subject were revoked");
                return Ok(Ended { sessions: ended, unreadable });
            }
        }
    }
}
