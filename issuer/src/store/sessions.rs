//! Sessions, with the tokens that end with them.

use super::Answer;
use crate::audit::Event;
use crate::session::{Outcome, Session, SessionId, Step};
use token::time::UnixTime;

/// A pure decision about a session. It may run while other changes wait, so it must not block.
pub type Transition = Box<dyn FnOnce(Session) -> Told + Send + 'static>;

/// What a transition makes of a session, and the events that are kept with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happens.
    pub step: Step,
    /// What the audit log is told, also where the step changes nothing.
    pub events: Vec<Event>,
}

/// A step that nobody is told of; there is none outside of tests.
#[cfg(test)]
impl From<Step> for Told {
    fn from(step: Step) -> Self {
        Self { step, events: Vec::new() }
    }
}

/// Keeps sessions.
pub trait Sessions {
    /// Stores a new session and returns it. Its `sid` is random; one that exists already is damage.
    fn create_session(&self, session: Session, events: Vec<Event>) -> Answer<Session>;

    /// Returns a session.
    fn session(&self, sid: SessionId) -> Answer<Option<Session>>;

    /// Returns the sessions that follow `after` in the order of their names, at most `most`; from the first with `None`.
    fn sessions(&self, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>>;

    /// Replaces a session by what `transition` makes of it, and revokes what the step revokes, in one atomic change.
    ///
    /// Transitions of one session never overlap. Returns the session afterwards, or `None` when there is none.
    fn update_session(&self, sid: SessionId, transition: Transition) -> Answer<Option<(Session, Outcome)>>;

    /// Returns the sessions of a subject that follow `after` in the order of their names, at most `most`; from the first
    /// with `None`. One that cannot be read is left out.
    fn sessions_of(&self, sub: String, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>>;

    /// Ends the sessions of a subject that `these` names, with all their live tokens, in one atomic change.
    ///
    /// It looks at [`SUBJECT_STEP`] sessions at most, at fewer where they have many live tokens, from the one behind
    /// `after` on: the caller goes on until there are no more. Transitions of a session never overlap with it, so a refresh
    /// happens before and its token is revoked, or finds the session ended. A session that begins while the caller is
    /// under way may be passed by. `event` is told of each session that ends, with its names filled in.
    fn revoke_subject(
        &self,
        these: OfSubject,
        after: Option<SessionId>,
        now: UnixTime,
        event: Event,
    ) -> Answer<SubjectStep>;

    /// Forgets sessions that expired before `before`, at most [`super::PURGE_STEP`]; returns whether there may be more. One that
    /// expired less than five minutes before that may be left for a later call.
    fn purge_sessions(&self, before: UnixTime) -> Answer<bool>;
}

/// Sessions of a subject that one change looks at, at most.
pub const SUBJECT_STEP: usize = 64;
/// A change that ends sessions of a subject looks at no more of them once it revokes so many tokens.
pub const SUBJECT_STEP_TOKENS: usize = 1024;

/// Which sessions of a subject shall end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfSubject {
    /// The subject.
    pub sub: String,
    /// Only those that began at or before this second.
    pub until: UnixTime,
    /// Only those that this client began.
    pub client_id: Option<String>,
    /// Not this one.
    pub except: Option<SessionId>,
}

impl OfSubject {
    /// Names all sessions of a subject.
    pub fn all(sub: String) -> Self {
        Self { sub, until: UnixTime::MAX, client_id: None, except: None }
    }

    /// Returns whether a session is among them.
    pub fn names(&self, session: &Session) -> bool {
        session.grant.sub == self.sub
            && session.began <= self.until
            && self.client_id.as_ref().is_none_or(|client_id| *client_id == session.client_id)
            && self.except != Some(session.sid)
    }
}

/// How far the sessions of a subject have been ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectStep {
    /// The last session that was looked at; none when there are no more.
    pub last: Option<SessionId>,
    /// Sessions that ended.
    pub ended: usize,
    /// Sessions whose record is damaged: nobody knows their live tokens, and nobody can refresh them.
    pub unreadable: usize,
}
