//! Sessions: the record under its name, and two columns by which it is found.

use super::PostgresStore;
use super::engine::Engine;
use super::load::{Stored, Wanted};
use super::read::{decoded, first};
use super::rows::{Batch, Stop, place};
use crate::audit::Event;
use crate::session::{Outcome, Session, SessionId, Step};
use crate::store::record::Record;
use crate::store::{
    Answer, OfSubject, PURGE_STEP, SUBJECT_STEP, SUBJECT_STEP_TOKENS, Sessions, StoreError, SubjectStep, Told,
    Transition, layout,
};
use token::time::UnixTime;

impl Sessions for PostgresStore {
    fn create_session(&self, session: Session, events: Vec<Event>) -> Answer<Session> {
        let key = layout::session(session.sid);
        self.change(
            move |_| Wanted::Rows(vec![key.clone()]),
            move |engine, _| engine.create_session(&session, &events).map(|()| session.clone()),
        )
    }

    fn session(&self, sid: SessionId) -> Answer<Option<Session>> {
        self.read(Wanted::Rows(vec![layout::session(sid)]), |found| first(&found))
    }

    fn sessions(&self, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>> {
        self.read(Wanted::behind(layout::SESSION, after.map(layout::session), most), |found| decoded(&found))
    }

    fn update_session(&self, sid: SessionId, transition: Transition) -> Answer<Option<(Session, Outcome)>> {
        let key = layout::session(sid);
        let mut decision = Decision::Open(transition);
        self.change(
            move |_| Wanted::Rows(vec![layout::session(sid)]),
            move |engine, _| engine.update_session(&key, &mut decision),
        )
    }

    fn sessions_of(&self, sub: String, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>> {
        let reads = self.reads();
        Box::pin(async move {
            let (mut sessions, mut after) = (Vec::new(), after);
            loop {
                let found = reads.load(&of_subject(&sub, after)).await?;
                for (key, record) in &found {
                    match Session::decode(key, record) {
                        Ok(session) if session.grant.sub == sub => sessions.push(session),
                        Ok(_) => {} // of another subject of the same hash
                        Err(fault) => tracing::error!(reason = %fault, "a session cannot be read and is not listed"),
                    }
                    if sessions.len() == most {
                        return Ok(sessions);
                    }
                }
                match found.last().and_then(|(key, _)| layout::parse_session(key)) {
                    Some(last) if found.len() == SUBJECT_STEP => after = Some(last),
                    Some(_) | None => return Ok(sessions),
                }
            }
        })
    }

    fn revoke_subject(
        &self,
        these: OfSubject,
        after: Option<SessionId>,
        now: UnixTime,
        event: Event,
    ) -> Answer<SubjectStep> {
        let wanted = of_subject(&these.sub, after);
        self.change(move |_| wanted.clone(), move |engine, found| engine.revoke_subject(&these, found, now, &event))
    }

    fn purge_sessions(&self, before: UnixTime) -> Answer<bool> {
        self.change(
            move |_| Wanted::Due { before: i64::try_from(before.as_secs()).unwrap_or(i64::MAX), most: PURGE_STEP },
            move |engine, found| {
                engine.purge_sessions(found, before);
                Ok(found.len() == PURGE_STEP)
            },
        )
    }
}

/// A transition runs once, also where its change is run again because more rows are needed.
enum Decision {
    Open(Transition),
    Made(Box<Told>),
    /// While it is made; a panic leaves it so.
    Gone,
}

impl Decision {
    fn of(&mut self, session: Session) -> Option<&Told> {
        if let Self::Open(_) = self
            && let Self::Open(transition) = std::mem::replace(self, Self::Gone)
        {
            *self = Self::Made(Box::new(transition(session)));
        }
        match self {
            Self::Made(told) => Some(told),
            Self::Open(_) | Self::Gone => None,
        }
    }
}

impl Engine {
    fn create_session(&mut self, session: &Session, events: &[Event]) -> Result<(), Stop> {
        let key = layout::session(session.sid);
        if self.rows.get(&key)?.is_some() {
            return Err(StoreError::damaged("a new session has the name of one that exists").into());
        }
        self.tell(events);
        let mut batch = Batch::default();
        batch.insert(&*key, session.encode(&key));
        batch.place(key, place(&session.grant.sub, session.expires_at()));
        self.apply(batch);
        Ok(())
    }

    fn update_session(&mut self, key: &[u8], decision: &mut Decision) -> Result<Option<(Session, Outcome)>, Stop> {
        let Some(session) = self.read(key)? else { return Ok(None) };
        let Some(Told { step, events }) = decision.of(session) else { return Err(StoreError::Closed.into()) };
        let new = self.new_among(&step.revoked)?;
        self.tell(events);
        if step.changed || !step.revoked.is_empty() {
            let mut batch = Batch::default();
            self.revoke_in(&mut batch, new);
            batch.insert(key, step.session.encode(key));
            self.apply(batch);
        }
        Ok(Some((step.session.clone(), step.outcome)))
    }

    fn revoke_subject(
        &mut self,
        these: &OfSubject,
        found: &[Stored],
        now: UnixTime,
        event: &Event,
    ) -> Result<SubjectStep, Stop> {
        let mut done = SubjectStep { last: None, ended: 0, unreadable: 0 };
        let (mut batch, mut revoked, mut events) = (Batch::default(), Vec::new(), Vec::new());
        for (looked_at, (key, record)) in found.iter().enumerate() {
            let sid = layout::parse_session(key).ok_or_else(|| StoreError::damaged("a session has an odd key"))?;
            match Session::decode(key, record) {
                Ok(session) if these.names(&session) => {
                    let Step { session, changed, revoked: tokens, .. } = session.revoke(now);
                    if changed {
                        batch.insert(&**key, session.encode(key));
                        events.push(event.clone().session(&session));
                        revoked.extend(tokens);
                        done.ended += 1;
                    }
                }
                Ok(_) => {} // of another subject of the same hash, or not meant
                Err(fault) => {
                    tracing::error!(%sid, reason = %fault, "a session cannot be read: its live tokens are not known");
                    done.unreadable += 1;
                }
            }
            if looked_at + 1 == SUBJECT_STEP || revoked.len() >= SUBJECT_STEP_TOKENS {
                done.last = Some(sid);
                break;
            }
        }
        if done.ended > 0 {
            let new = self.new_among(&revoked)?;
            self.tell(&events);
            self.revoke_in(&mut batch, new);
            self.apply(batch);
        }
        Ok(done)
    }

    /// A session that cannot be read is left where it is, for whoever mends the store, and is not looked at again.
    fn purge_sessions(&mut self, found: &[Stored], before: UnixTime) {
        let mut batch = Batch::default();
        for (key, record) in found {
            match Session::decode(key, record) {
                Ok(session) if session.expires_at() < before => batch.remove(&**key),
                Ok(session) => batch.place(&**key, place(&session.grant.sub, session.expires_at())),
                Err(fault) => {
                    tracing::error!(reason = %fault, "a session cannot be read and is not purged");
                    batch.place(&**key, place("", UnixTime::MAX));
                }
            }
        }
        self.apply(batch);
    }
}

fn of_subject(sub: &str, after: Option<SessionId>) -> Wanted {
    let subject = place(sub, UnixTime::MIN).subject;
    Wanted::OfSubject { subject, after: after.map(|sid| sid.0.to_vec()).unwrap_or_default(), most: SUBJECT_STEP }
}
