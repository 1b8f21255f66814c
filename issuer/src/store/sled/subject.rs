//! Ending the sessions of one subject, in bounded steps.

use super::engine::Engine;
use super::layout;
use crate::audit::Event;
use crate::session::{Session, SessionId, Step};
use crate::store::record::Record;
use crate::store::{SUBJECT_STEP, SUBJECT_STEP_TOKENS, StoreError, SubjectStep};
use sled::{Batch, IVec};
use std::ops::Bound;
use token::time::UnixTime;

impl Engine {
    pub(super) fn revoke_subject(
        &mut self,
        sub: &str,
        until: UnixTime,
        after: Option<SessionId>,
        now: UnixTime,
        event: &Event,
    ) -> Result<SubjectStep, StoreError> {
        let mut done = SubjectStep { last: None, ended: 0, unreadable: 0 };
        let (mut batch, mut revoked, mut events) = (Batch::default(), Vec::new(), Vec::new());
        let keys = self.of_subject(sub, after)?;
        for (looked_at, key) in keys.iter().enumerate() {
            let sid = layout::parse_of_subject(key).ok_or_else(|| StoreError::damaged("a subject has an odd key"))?;
            let row = layout::session(sid);
            match self.get(&row)?.map(|record| Session::decode(&row, &record)) {
                Some(Ok(session)) if session.grant.sub == sub && session.began <= until => {
                    let Step { session, changed, revoked: tokens, .. } = session.revoke(now);
                    if changed {
                        batch.insert(&*row, session.encode(&row));
                        events.push(event.clone().session(&session));
                        revoked.extend(tokens);
                        done.ended += 1;
                    }
                }
                Some(Ok(_)) | None => {} // of another subject of the same hash, or begun later
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
            self.apply_announced(batch, announcement)?;
        }
        Ok(done)
    }

    fn of_subject(&mut self, sub: &str, after: Option<SessionId>) -> Result<Vec<IVec>, StoreError> {
        let prefix = layout::subject(sub);
        let from = match after {
            Some(sid) => Bound::Excluded(layout::of_subject(sub, sid)),
            None => Bound::Included(prefix.clone()),
        };
        let rows = self.tree.range::<Vec<u8>, _>((from, Bound::Unbounded)).keys();
        let of_subject = rows.take_while(|key| key.as_ref().map_or(true, |key| key.starts_with(&prefix)));
        of_subject.take(SUBJECT_STEP).collect::<Result<_, _>>().map_err(|error| self.fail(&error))
    }
}
