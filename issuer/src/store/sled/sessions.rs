//! Sessions, each with its row under its subject and the row that says when to look at it.

use super::engine::Engine;
use super::layers::{Batch, behind};
use super::room::Room;
use super::{SledStore, layout, reading, subject};
use crate::audit::Event;
use crate::session::{Outcome, Session, SessionId};
use crate::store::record::Record;
use crate::store::{Answer, OfSubject, Sessions, StoreError, SubjectStep, Told, Transition};
use token::time::UnixTime;

impl Sessions for SledStore {
    fn create_session(&self, session: Session, events: Vec<Event>) -> Answer<Session> {
        self.committer.submit(move |engine| engine.create_session(&session, events).map(|()| session))
    }

    fn session(&self, sid: SessionId) -> Answer<Option<Session>> {
        self.read_record(&layout::session(sid))
    }

    fn sessions(&self, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>> {
        self.read(|rows| reading::records(rows, &behind(layout::SESSION, after.map(layout::session)), most))
    }

    fn sessions_of(&self, sub: String, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>> {
        self.read(|rows| subject::sessions(rows, &sub, after, most))
    }

    fn update_session(&self, sid: SessionId, transition: Transition) -> Answer<Option<(Session, Outcome)>> {
        self.committer.submit(move |engine| engine.update_session(sid, transition))
    }

    fn revoke_subject(
        &self,
        these: OfSubject,
        after: Option<SessionId>,
        now: UnixTime,
        event: Event,
    ) -> Answer<SubjectStep> {
        self.committer.submit(move |engine| engine.revoke_subject(&these, after, now, &event))
    }

    fn purge_sessions(&self, before: UnixTime) -> Answer<bool> {
        self.committer.submit(move |engine| engine.purge_sessions(before))
    }
}

impl Engine {
    pub(super) fn create_session(&mut self, session: &Session, events: Vec<Event>) -> Result<(), StoreError> {
        self.needs(Room::Ample)?;
        let key = layout::session(session.sid);
        if self.get(&key)?.is_some() {
            return Err(StoreError::damaged("a new session has the name of one that exists"));
        }
        self.tell(events);
        let mut batch = Batch::default();
        batch.insert(&*key, session.encode(&key));
        let (due, sessions) = self.due.add(session.expires_at(), session.sid);
        batch.insert(due, sessions);
        batch.insert(layout::of_subject(&session.grant.sub, session.sid), &[]);
        self.apply(batch);
        Ok(())
    }

    pub(super) fn update_session(
        &mut self,
        sid: SessionId,
        transition: Transition,
    ) -> Result<Option<(Session, Outcome)>, StoreError> {
        let key = layout::session(sid);
        let Some(row) = self.get(&key)? else { return Ok(None) };
        let Told { step, events } = transition(Session::decode(&key, &row)?);
        let ends = step.changed && step.session.ended.is_some() || !step.revoked.is_empty();
        if step.changed || ends || !events.is_empty() {
            self.needs(if ends { Room::Scarce } else { Room::Ample })?;
        }
        self.tell(events);
        if step.changed || !step.revoked.is_empty() {
            let mut batch = Batch::default();
            let announcement = self.revoke_in(&mut batch, step.revoked)?;
            batch.insert(&*key, step.session.encode(&key));
            self.apply_announced(batch, announcement);
        }
        Ok(Some((step.session, step.outcome)))
    }
}
