//! Sessions as their clients and administrators see them: listed, shown, ended one by one or all but one.
//!
//! A client that is no administrator sees and ends the sessions that it began, and no others: they are not there for it.

use super::issuer::{Issuer, Parts};
use super::{Client, Error, Revocation, limits};
use crate::session::{EndReason, Session, SessionId};
use crate::store::OfSubject;
use crate::telemetry::traces::TARGET;
use serde::Serialize;
use token::time::UnixTime;

/// Sessions that are read at once for a client that may see some of them only.
const AT_ONCE: usize = 200;
/// So often it is read for one answer: over 1,000 sessions of others at most.
const READS: usize = 5;

/// Which sessions are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionQuery {
    /// Of this subject.
    pub sub: String,
    /// Leaves out those that are over.
    pub only_active: bool,
    /// Behind this one: the `next` of the part before.
    pub after: Option<String>,
    /// So many at most, at least 1.
    pub limit: usize,
}

/// A session; serialised it is the body. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Its name.
    pub sid: String,
    /// Whose it is.
    pub sub: String,
    /// The client that began it.
    pub client_id: String,
    /// On what it began, as that client named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The whole scope that it may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// When it began.
    pub created_at: u64,
    /// When its newest pair was issued.
    pub last_refreshed_at: u64,
    /// Idle clock: it is over then unless it is refreshed before.
    pub expires_at: u64,
    /// Absolute clock: it is over then whatever happens; none for client credentials, which are not refreshed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<u64>,
    /// Whether it goes on: not ended, not expired, not over by a rule.
    pub active: bool,
    /// Why and when it ended before its time; none also for one that a rule has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndedSession>,
}

/// Why and when a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EndedSession {
    /// `revoked`, `reused` or `above_newest`.
    pub reason: &'static str,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// A part of a list of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionViews {
    /// In the order of their names, which is random.
    pub items: Vec<SessionView>,
    /// Where the next part begins; none when there is no more. A part may be empty and not the last.
    pub next: Option<String>,
}

/// What became of a request to end sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SessionsEnded {
    /// From when everybody knows.
    #[serde(flatten)]
    pub revocation: Revocation,
    /// So many ended by it.
    pub ended: usize,
}

impl Issuer {
    /// Returns sessions of a subject; those of other clients only to an administrator.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a subject or a cursor that cannot be one; [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn sessions(&self, client: &Client, query: SessionQuery) -> Result<SessionViews, Error> {
        let SessionQuery { sub, only_active, after, limit } = query;
        limits::check_text("sub", &sub, limits::MAX_NAME)?;
        let cannot_be = Error::InvalidRequest { field: "after", detail: "is not the 'next' of an answer" };
        let after = after.map(|after| SessionId::parse(&after).ok_or(cannot_be)).transpose()?;
        let (sessions, next) = self.parts.visible_of(client, sub, after, limit).await?;
        let items = sessions.into_iter().map(|session| self.parts.view(session));
        let items = items.filter(|view| view.active || !only_active).collect();
        Ok(SessionViews { items, next: next.map(|next| next.to_string()) })
    }

    /// Returns a session.
    ///
    /// # Errors
    /// [`Error::UnknownSession`] when there is none, or none of this client's; [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn session(&self, client: &Client, sid: &str) -> Result<SessionView, Error> {
        self.parts.visible(client, sid).await.map(|session| self.parts.view(session))
    }

    /// Ends a session with its live access tokens, durably; one that is over already stays so.
    ///
    /// # Errors
    /// [`Error::UnknownSession`] when there is none, or none of this client's; [`Error::Store`] when it has not ended;
    /// [`Error::NotReady`] and [`Error::Signing`] when it has and could not be published yet.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn end_session(&self, client: &Client, sid: &str) -> Result<Revocation, Error> {
        let session = self.parts.visible(client, sid).await?;
        self.parts.end(client, session.sid).await?;
        tracing::info!(sid = %session.sid, "session revoked");
        self.published().await
    }

    /// Ends the sessions of a subject, durably, all or all but one; of other clients only for an administrator.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a subject or session that cannot be one; otherwise as [`Issuer::revoke_by`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn end_sessions(
        &self,
        client: &Client,
        sub: String,
        except: Option<&str>,
    ) -> Result<SessionsEnded, Error> {
        limits::check_text("sub", &sub, limits::MAX_NAME)?;
        let cannot_be = Error::InvalidRequest { field: "except", detail: "is not the sid of a session" };
        let except = except.map(|sid| SessionId::parse(sid).ok_or(cannot_be)).transpose()?;
        let client_id = (!client.is_administrator()).then(|| client.id().to_owned());
        let ended = self.end_subject(client, OfSubject { client_id, except, ..OfSubject::all(sub) }).await?;
        let revocation = self.published_all(ended.unreadable).await?;
        Ok(SessionsEnded { revocation, ended: ended.sessions })
    }
}

fn is_visible(client: &Client, session: &Session) -> bool {
    client.is_administrator() || session.client_id == client.id()
}

impl Parts {
    async fn visible(&self, client: &Client, sid: &str) -> Result<Session, Error> {
        let sid = SessionId::parse(sid).ok_or(Error::UnknownSession)?;
        let session = self.store.session(sid).await?;
        session.filter(|session| is_visible(client, session)).ok_or(Error::UnknownSession)
    }

    /// Returns sessions of a subject behind `after` that this client may see, `limit` at most, and where the next part begins.
    ///
    /// It reads on over those of others, which are not there for it: fewer than [`AT_ONCE`] times [`READS`] of them leave no
    /// trace, and more of them an answer with fewer sessions than there are, but never the name of one.
    async fn visible_of(
        &self,
        client: &Client,
        sub: String,
        mut after: Option<SessionId>,
        limit: usize,
    ) -> Result<(Vec<Session>, Option<SessionId>), Error> {
        let at_once = if client.is_administrator() { limit } else { AT_ONCE.max(limit) };
        let mut visible = Vec::new();
        for _ in 0..READS {
            let mut part = self.store.sessions_of(sub.clone(), after, at_once + 1).await?;
            let behind = part.get(at_once).map(|session| session.sid);
            part.truncate(at_once);
            after = part.last().map(|session| session.sid).zip(behind).map(|(last, behind)| between(last, behind));
            visible.extend(part.into_iter().filter(|session| is_visible(client, session)));
            if visible.len() >= limit {
                visible.truncate(limit);
                after = visible.last().map(|session| session.sid);
            }
            if visible.len() >= limit || after.is_none() {
                break;
            }
        }
        Ok((visible, after))
    }

    fn view(&self, session: Session) -> SessionView {
        let (expires_at, active) = (session.expires_at(), self.is_live(&session, self.moments.shown()));
        let Session { sid, client_id, began, grant, device, last, renewal, ended, .. } = session;
        SessionView {
            sid: sid.to_string(),
            sub: grant.sub,
            client_id,
            device,
            scope: grant.scope,
            created_at: began.as_secs(),
            last_refreshed_at: last.iat.as_secs(),
            expires_at: expires_at.as_secs(),
            ends_at: renewal.map(|renewal| UnixTime::as_secs(renewal.ends_at)),
            active,
            ended: ended.map(|ended| EndedSession { reason: reason(ended.reason), at: ended.at.as_secs() }),
        }
    }
}

/// Returns a name from `last` on and below `behind`, which is larger. Of two names that are random it tells the first bits, as
/// far as they are the same in both, and nothing of the rest.
fn between(last: SessionId, behind: SessionId) -> SessionId {
    let (last, behind) = (u128::from_be_bytes(last.0), u128::from_be_bytes(behind.0));
    let different = (last ^ behind).checked_ilog2().unwrap_or_default();
    let first_bits = behind >> different << different; // larger than `last`, which has a zero where this has its last one
    SessionId(first_bits.saturating_sub(1).to_be_bytes())
}

fn reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Revoked => "revoked",
        EndReason::Reused => "reused",
        EndReason::AboveNewest => "above_newest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_lies_between_two_names_skips_nothing_and_tells_one_bit_beyond_what_they_share(a: u128, b: u128) {
            prop_assume!(a != b);
            let (last, behind) = (a.min(b), a.max(b));
            let found = u128::from_be_bytes(between(SessionId(last.to_be_bytes()), SessionId(behind.to_be_bytes())).0);
            prop_assert!(last <= found && found < behind);
            let rest = (last ^ behind).ilog2();
            prop_assert_eq!(found & ((1 << rest) - 1), (1 << rest) - 1);
        }
    }
}
