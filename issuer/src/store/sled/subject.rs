//! The sessions of one subject: read, and ended in bounded steps.

use super::engine::Engine;
use super::layers::{Batch, Look};
use super::room::Room;
use super::{layout, reading};
use crate::audit::Event;
use crate::session::{Session, SessionId, Step};
use crate::store::record::Record;
use crate::store::{OfSubject, SUBJECT_STEP, SUBJECT_STEP_TOKENS, StoreError, SubjectStep};
use sled::IVec;
use std::ops::Bound;
use token::time::UnixTime;

impl Engine {
    pub(super) fn revoke_subject(
        &mut self,
        these: &OfSubject,
        after: Option<SessionId>,
        now: UnixTime,
        event: &Event,
    ) -> Result<SubjectStep, StoreError> {
        self.needs(Room::Scarce)?;
        let mut done = SubjectStep { last: None, ended: 0, unreadable: 0 };
        let (mut batch, mut revoked, mut events) = (Batch::default(), Vec::new(), Vec::new());
        let keys = of_subject(self.rows(), &these.sub, after, SUBJECT_STEP)?;
        for (looked_at, key) in keys.iter().enumerate() {
            let sid = layout::parse_of_subject(key).ok_or_else(|| StoreError::damaged("a subject has an odd key"))?;
            let row = layout::session(sid);
            match self.get(&row)?.map(|record| Session::decode(&row, &record)) {
                Some(Ok(session)) if these.names(&session) => {
                    let Step { session, changed, revoked: tokens, .. } = session.revoke(now);
                    if changed {
                        batch.insert(&*row, session.encode(&row));
                        events.push(event.clone().session(&session));
                        revoked.extend(tokens);
                        done.ended += 1;
                    }
                }
                Some(Ok(_)) | None => {} // of another subject of the same hash, or not meant
                Some(Err(fault)) => {
                    tracing::error!(%sid, reason = %fault, "a session cannot be read: its live tokens are not known");
                    done.unreadable += 1;
                }
            }
            let full = looked_at + 1 == SUBJECT_STEP || revoked.len() >= SUBJECT_STEP_TOKENS;
            if full {
                done.last = Some(sid);
                break;
            }
        }
        if done.ended > 0 {
            self.tell(events);
            let announcement = self.revoke_in(&mut batch, revoked)?;
            self.apply_announced(batch, announcement);
        }
        Ok(done)
    }
}

/// Returns the sessions of a subject behind this one.
pub(super) fn sessions(
    rows: &impl Look,
    sub: &str,
    after: Option<SessionId>,
    most: usize,
) -> Result<Vec<Session>, StoreError> {
    let (mut sessions, mut after) = (Vec::new(), after);
    loop {
        let keys = of_subject(rows, sub, after, SUBJECT_STEP)?;
        for key in &keys {
            let sid = layout::parse_of_subject(key).ok_or_else(|| StoreError::damaged("a subject has an odd key"))?;
            match reading::read::<Session>(rows, &layout::session(sid)) {
                Ok(Some(session)) if session.grant.sub == sub => sessions.push(session),
                Ok(_) => {} // of another subject of the same hash, or gone meanwhile
                Err(fault) => tracing::error!(%sid, reason = %fault, "a session cannot be read and is not listed"),
            }
            if sessions.len() == most {
                return Ok(sessions);
            }
            after = Some(sid);
        }
        if keys.len() < SUBJECT_STEP {
            return Ok(sessions);
        }
    }
}

fn of_subject(rows: &impl Look, sub: &str, after: Option<SessionId>, most: usize) -> Result<Vec<IVec>, StoreError> {
    let prefix = layout::subject(sub);
    let last = [&prefix[..], &[u8::MAX; 16]].concat();
    let from = match after {
        Some(sid) => Bound::Excluded(layout::of_subject(sub, sid)),
        None => Bound::Included(prefix),
    };
    reading::keys(rows, &(from, Bound::Included(last)), most)
}
