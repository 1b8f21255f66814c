//! The store under the issuer: the real one, which breaks when told.
//!
//! Every change is carried through on the spot, while this thread waits, so that nothing depends on which thread was
//! faster; what is random is on which side of a change the process ends, and in what order changes that run at a time
//! are made.

use countersign_tests::Dice;
use issuer::audit::{Event, Extent, Run};
use issuer::clients::ClientFault;
use issuer::keys::SealedKey;
use issuer::revocations::Publication;
use issuer::rules::Rules;
use issuer::session::{Outcome, Session, SessionId};
use issuer::store::{
    Answer, AssertionUse, AuditLog, Backups, ClientDecision, ClientRecord, Clients, Keys, OfSubject, Order, Pages,
    Revocations, Row, Sessions, Store, StoreError, SubjectStep, Transition, UserTransition, Users,
};
use issuer::users::{Outcome as UserOutcome, User, UserId};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, RwLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use token::id::Jti;
use token::time::UnixTime;
use tokio::sync::{Notify, watch};

/// Where in a change the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// Nothing of it happened.
    Before,
    /// It is durable, and nobody was told.
    After,
    /// The disk fails: nothing of it happened, and the caller is told so.
    Fails,
}

/// What the store is told, kept from start to start.
pub(crate) struct Nerves {
    state: Mutex<State>,
    broken: Notify,
}

struct State {
    dice: Dice,
    /// After so many more changes, what happens.
    fuse: Option<(u32, Break)>,
}

impl Nerves {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { state: Mutex::new(State { dice, fuse: None }), broken: Notify::new() }
    }

    /// The process ends at the change after `spared` others.
    pub(crate) fn arm(&self, spared: u32, how: Break) {
        self.state.lock().unwrap().fuse = Some((spared, how));
    }

    pub(crate) fn disarm(&self) {
        self.state.lock().unwrap().fuse = None;
    }

    /// Returns once the process must end.
    pub(crate) async fn broken(&self) {
        self.broken.notified().await;
    }

    fn next(&self) -> (Option<Break>, usize) {
        let mut state = self.state.lock().unwrap();
        let pause = state.dice.below(3);
        match &mut state.fuse {
            Some((0, how)) => {
                let how = *how;
                state.fuse = None;
                (Some(how), pause)
            }
            Some((spared, _)) => {
                *spared -= 1;
                (None, pause)
            }
            None => (None, pause),
        }
    }
}

/// The real store with nerves.
pub(crate) struct Brittle {
    /// None once the process has ended, whatever is still under way in it.
    real: RwLock<Option<Arc<dyn Store>>>,
    failed: watch::Receiver<Option<StoreError>>,
    nerves: Arc<Nerves>,
}

impl Brittle {
    pub(crate) fn new(real: Arc<dyn Store>, nerves: Arc<Nerves>) -> Arc<Self> {
        let failed = real.failed();
        Arc::new(Self { real: RwLock::new(Some(real)), failed, nerves })
    }

    /// The process has ended: nothing of it reaches the disk any more.
    pub(crate) fn end(&self) {
        *self.real.write().unwrap() = None;
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&dyn Store) -> Answer<T>) -> Answer<T> {
        match self.real.read().unwrap().as_deref() {
            Some(real) => read(real),
            None => Box::pin(std::future::ready(Err(StoreError::Closed))),
        }
    }
}

/// The store as the issuer holds it.
pub(crate) struct Held(pub(crate) Arc<Brittle>);

impl Held {
    fn change<T, F>(&self, begin: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Answer<T> + Send + 'static,
    {
        let store = Arc::clone(&self.0);
        Box::pin(async move {
            let (breaks, pause) = store.nerves.next();
            for _ in 0..pause {
                tokio::task::yield_now().await; // others may come first
            }
            if breaks == Some(Break::Fails) {
                return Err(StoreError::Failed { detail: "a planted fault".into() });
            }
            let result = if breaks == Some(Break::Before) { None } else { Some(waited_for(store.read(begin))) };
            match (breaks, result) {
                (None, Some(result)) => result,
                _ => {
                    store.nerves.broken.notify_one();
                    std::future::pending().await
                }
            }
        })
    }
}

/// Blocks this thread until the store's own has answered.
fn waited_for<T>(mut answer: Answer<T>) -> Result<T, StoreError> {
    struct Waiting(Thread);
    impl Wake for Waiting {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Waiting(std::thread::current())));
    loop {
        if let Poll::Ready(result) = answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        std::thread::park();
    }
}

impl Users for Held {
    fn create_user(&self, user: User, events: Vec<Event>) -> Answer<UserOutcome> {
        self.change(move |store| store.create_user(user, events))
    }

    fn user(&self, id: UserId) -> Answer<Option<User>> {
        self.0.read(|store| store.user(id))
    }

    fn user_named(&self, key: String) -> Answer<Option<User>> {
        self.0.read(|store| store.user_named(key))
    }

    fn users(&self, after: Option<UserId>, most: usize) -> Answer<Vec<User>> {
        self.0.read(|store| store.users(after, most))
    }

    fn update_user(&self, id: UserId, transition: UserTransition) -> Answer<Option<(User, UserOutcome)>> {
        self.change(move |store| store.update_user(id, transition))
    }

    fn delete_user(&self, id: UserId, events: Vec<Event>) -> Answer<bool> {
        self.change(move |store| store.delete_user(id, events))
    }

    fn binding_key(&self, fresh: [u8; 32]) -> Answer<[u8; 32]> {
        self.change(move |store| store.binding_key(fresh))
    }
}

impl Sessions for Held {
    fn create_session(&self, session: Session, events: Vec<Event>) -> Answer<Session> {
        self.change(move |store| store.create_session(session, events))
    }

    fn session(&self, sid: SessionId) -> Answer<Option<Session>> {
        self.0.read(|store| store.session(sid))
    }

    fn sessions(&self, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>> {
        self.0.read(|store| store.sessions(after, most))
    }

    fn sessions_of(&self, sub: String, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>> {
        self.0.read(move |store| store.sessions_of(sub, after, most))
    }

    fn update_session(&self, sid: SessionId, transition: Transition) -> Answer<Option<(Session, Outcome)>> {
        self.change(move |store| store.update_session(sid, transition))
    }

    fn revoke_subject(
        &self,
        these: OfSubject,
        after: Option<SessionId>,
        now: UnixTime,
        event: Event,
    ) -> Answer<SubjectStep> {
        self.change(move |store| store.revoke_subject(these, after, now, event))
    }

    fn purge_sessions(&self, before: UnixTime) -> Answer<bool> {
        self.change(move |store| store.purge_sessions(before))
    }
}

impl Clients for Held {
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>> {
        self.0.read(|store| store.client(client_id))
    }

    fn clients(&self, after: Option<String>, most: usize) -> Answer<Vec<ClientRecord>> {
        self.0.read(|store| store.clients(after, most))
    }

    fn update_client(
        &self,
        client_id: String,
        decide: ClientDecision,
    ) -> Answer<Result<Option<ClientRecord>, ClientFault>> {
        self.change(move |store| store.update_client(client_id, decide))
    }

    fn use_assertion(&self, name: [u8; 16], until: UnixTime) -> Answer<AssertionUse> {
        self.change(move |store| store.use_assertion(name, until))
    }

    fn purge_assertions(&self, before: UnixTime) -> Answer<bool> {
        self.change(move |store| store.purge_assertions(before))
    }
}

impl Keys for Held {
    fn keys(&self) -> Answer<Vec<SealedKey>> {
        self.0.read(|store| store.keys())
    }

    fn put_keys(&self, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()> {
        self.change(move |store| store.put_keys(keys, events))
    }

    fn forget_keys(&self, kids: Vec<String>, events: Vec<Event>) -> Answer<()> {
        self.change(move |store| store.forget_keys(kids, events))
    }
}

impl AuditLog for Held {
    fn record(&self, events: Vec<Event>) -> Answer<()> {
        self.change(move |store| store.record(events))
    }

    fn audit_extent(&self) -> Answer<Extent> {
        self.0.read(|store| store.audit_extent())
    }

    fn event_runs(&self, seq: u64, order: Order, most: usize) -> Answer<Vec<Run>> {
        self.0.read(|store| store.event_runs(seq, order, most))
    }

    fn trim_events(&self, before: UnixTime, keep: u64) -> Answer<bool> {
        self.change(move |store| store.trim_events(before, keep))
    }
}

impl Backups for Held {
    fn backup_head(&self) -> Answer<Vec<Row>> {
        self.0.read(|store| store.backup_head())
    }

    fn backup_rows(&self, after: Option<Vec<u8>>, most_bytes: usize) -> Answer<Vec<Row>> {
        self.0.read(|store| store.backup_rows(after, most_bytes))
    }
}

impl Store for Held {
    fn lease_page(&self, epoch: u32) -> Answer<u32> {
        self.change(move |store| store.lease_page(epoch))
    }

    fn pages(&self, epochs: RangeInclusive<u32>) -> Answer<Vec<Pages>> {
        self.0.read(|store| store.pages(epochs))
    }

    fn sweep_pages(&self, epochs: RangeInclusive<u32>, skipped: u32) -> Answer<()> {
        self.change(move |store| store.sweep_pages(epochs, skipped))
    }

    fn revoke(&self, jtis: Vec<Jti>, events: Vec<Event>) -> Answer<()> {
        self.change(move |store| store.revoke(jtis, events))
    }

    fn is_revoked(&self, jti: Jti) -> Answer<bool> {
        self.0.read(|store| store.is_revoked(jti))
    }

    fn revocations(&self) -> Answer<Revocations> {
        self.change(|store| store.revocations())
    }

    fn publication(&self) -> Answer<Option<Publication>> {
        self.0.read(|store| store.publication())
    }

    fn put_publication(&self, publication: Publication) -> Answer<()> {
        self.change(move |store| store.put_publication(publication))
    }

    fn rules(&self) -> Answer<Option<Rules>> {
        self.0.read(|store| store.rules())
    }

    fn put_rules(&self, rules: Rules, keys: Vec<SealedKey>, events: Vec<Event>) -> Answer<()> {
        self.change(move |store| store.put_rules(rules, keys, events))
    }

    fn purge_epochs(&self, below: u32, pages_below: u32) -> Answer<bool> {
        self.change(move |store| store.purge_epochs(below, pages_below))
    }

    fn is_full(&self) -> bool {
        false
    }

    fn failed(&self) -> watch::Receiver<Option<StoreError>> {
        self.0.failed.clone()
    }

    fn close(&self) -> Answer<()> {
        self.0.read(|store| store.close())
    }
}
