//! What the operations tell the audit log; `keep.rs` is about how much of it is kept.
//!
//! What was done is told with the change itself, and both are durable before anybody is answered. What was refused changes
//! nothing and does not wait for the disk: it is noted here, and the next tick writes it. So many notes wait at most; of
//! those beyond, which only an attack or a broken client makes, one event tells the number.

mod keep;

pub use crate::store::Order;
pub use crate::store::audit::{Found, Query};
pub(super) use keep::Keeper;
pub use keep::Retention;

use super::issuer::{Issuer, Parts};
use super::{Client, Error};
use crate::audit::{Act, Event, Origin};
use crate::store::StoreError;
use crate::store::audit::page;
use crate::telemetry::traces::TARGET;
use std::sync::{Mutex, PoisonError};
use token::time::UnixTime;

/// Refusals that are kept in one tick, which is a second. 64 events of 550 bytes are 3 GB in a day of nothing else.
const MOST: usize = 64;

/// Refusals that are not written yet.
#[derive(Default)]
pub(super) struct Refusals(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    events: Vec<Event>,
    /// So many are told with a change that was none.
    told: usize,
    dropped: u64,
}

impl Refusals {
    fn note(&self, event: Event) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.admit() {
            waiting.events.push(event);
        }
    }

    /// Returns whether one more may be told in this tick, and counts it; the caller tells it with a request that changes nothing.
    pub(super) fn admit(&self) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = waiting.admit();
        waiting.told = waiting.told.saturating_add(usize::from(admitted));
        admitted
    }

    fn take(&self, now: UnixTime) -> Vec<Event> {
        let Waiting { mut events, dropped, .. } =
            std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if dropped > 0 {
            let detail = format!("{dropped} refusals");
            events.push(Event::new(Act::AuditDropped, &Origin::internal(), now).detail(&detail));
        }
        events
    }
}

impl Waiting {
    /// Returns whether there is room for one more, which is counted as dropped otherwise.
    fn admit(&mut self) -> bool {
        let admitted = self.events.len().saturating_add(self.told) < MOST;
        self.dropped = self.dropped.saturating_add(u64::from(!admitted));
        admitted
    }
}

impl Issuer {
    /// Returns events of the audit log, for an administrator; a page may be short and not the last.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`]; [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn audit_page(&self, client: &Client, query: &Query) -> Result<Found, Error> {
        self.parts.administrator(client, "audit")?;
        Ok(page(self.parts.store.as_ref(), query).await?)
    }
}

impl Client {
    /// Returns the event that this client did something.
    pub(super) fn did(&self, act: Act, at: UnixTime) -> Event {
        Event::new(act, &self.origin, at).client(&self.id)
    }
}

impl Parts {
    /// Tells the audit log of a refusal, without waiting.
    pub(super) fn note(&self, event: Event) {
        self.refusals.note(event);
    }

    /// Tells the audit log that the daemon has started, and with which version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn tell_start(&self) -> Result<(), StoreError> {
        let event = Event::new(Act::DaemonStarted, &Origin::internal(), self.moments.shown());
        self.store.record(vec![event.detail(env!("CARGO_PKG_VERSION"))]).await?;
        self.tell_newest().await
    }

    /// Tells the audit log that the daemon stops in good order, behind the last refusals.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn tell_stop(&self) -> Result<(), StoreError> {
        self.write_refusals().await?;
        let event = Event::new(Act::DaemonStopped, &Origin::internal(), self.moments.shown());
        self.store.record(vec![event]).await?;
        self.tell_newest().await
    }

    /// Writes the refusals noted since the last call.
    ///
    /// # Errors
    /// [`StoreError`]: they are lost, as far as the store did not take them; the lines of the log remain.
    pub(super) async fn write_refusals(&self) -> Result<(), StoreError> {
        let events = self.refusals.take(self.moments.shown());
        if events.is_empty() { Ok(()) } else { self.store.record(events).await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_refusals_the_first_are_kept_and_the_others_are_counted() {
        let refusals = Refusals::default();
        let event =
            |n: usize| Event::new(Act::ClientRefused, &Origin::internal(), UnixTime::MIN).client(&n.to_string());
        (0..MOST + 3).for_each(|n| refusals.note(event(n)));
        let mut expected: Vec<Event> = (0..MOST).map(event).collect();
        let dropped = Event::new(Act::AuditDropped, &Origin::internal(), UnixTime::MAX).detail("3 refusals");
        expected.push(dropped);
        assert_eq!(refusals.take(UnixTime::MAX), expected);
        assert_eq!(refusals.take(UnixTime::MAX), []);
    }
}
