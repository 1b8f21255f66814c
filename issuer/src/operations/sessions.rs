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
        let sessions = self.parts.visible_of(client, sub, after, limit).await?;
        let next = sessions.last().filter(|_| sessions.len() >= limit).map(|session| session.sid.to_string());
        let items = sessions.into_iter().map(|session| self.parts.view(session));
        Ok(SessionViews { items: items.filter(|view| view.active || !only_active).collect(), next })
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

    /// Returns sessions of a subject behind `after` that this client may see, `limit` of them unless there are no more. It
    /// reads on over those of others, which are not there for it: no answer tells how many, nor the `sid` of one.
    async fn visible_of(
        &self,
        client: &Client,
        sub: String,
        mut after: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<Session>, Error> {
        let mut visible = Vec::new();
        loop {
            let part = self.store.sessions_of(sub.clone(), after, limit).await?;
            after = part.last().filter(|_| part.len() >= limit).map(|session| session.sid);
            visible.extend(part.into_iter().filter(|session| is_visible(client, session)));
            if visible.len() >= limit || after.is_none() {
                visible.truncate(limit);
                return Ok(visible);
            }
        }
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

fn reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Revoked => "revoked",
        EndReason::Reused => "reused",
        EndReason::AboveNewest => "above_newest",
    }
}
