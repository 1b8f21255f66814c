//! An administrator takes back what a name stands for: a subject, a session, a client, a key, everything.

use super::issuer::{Issuer, Parts};
use super::rule::Change;
use super::{Client, Error, Revocation, RevocationRequest, limits};
use crate::audit::Act;
use crate::session::{Exchanged, SessionId};
use crate::store::{OfSubject, StoreError};
use crate::telemetry::traces::TARGET;
use token::id::Jti;
use token::time::UnixTime;

impl Issuer {
    /// Revokes what the request names, durably, and returns from which list on everybody is told.
    ///
    /// A subject and a session that are not known need no revoking and are answered the same. What is issued after the
    /// answer is not concerned, also when it is issued in the same second.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks; [`Error::InvalidRequest`] for a client or key that does
    /// not exist, a session that cannot be one, a time that has not come; [`Error::TooManyRules`]; [`Error::Store`] when
    /// it is not revoked, or not all of it; [`Error::NotReady`] and [`Error::Signing`] also when it is revoked but could not
    /// be published yet.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn revoke_by(&self, client: &Client, request: RevocationRequest) -> Result<Revocation, Error> {
        self.parts.administrator(client, "revocations")?;
        let unreadable = match request {
            RevocationRequest::Subject { sub, issued_before } => {
                limits::check_text("subject", &sub, limits::MAX_NAME)?;
                let until = issued_before.map(|secs| self.past(secs)).transpose()?.unwrap_or(UnixTime::MAX);
                self.end_subject(client, OfSubject { until, ..OfSubject::all(sub) }).await?.unreadable
            }
            RevocationRequest::Session { sid } => self.revoke_session(client, &sid).await.map(|()| 0)?,
            RevocationRequest::Client { client_id } => self.end_client(client, client_id).await.map(|()| 0)?,
            RevocationRequest::Key { kid } => {
                self.rule(client, Change::Key(kid.clone())).await?;
                tracing::warn!(kid, "key withdrawn");
                0
            }
            RevocationRequest::All { issued_before } => {
                let until = issued_before.map(|secs| self.past(secs)).transpose()?;
                self.rule(client, Change::All(until)).await?;
                tracing::warn!("everything issued so far was revoked");
                0
            }
        };
        self.published_all(unreadable).await
    }

    /// Publishes what was revoked; `unreadable` sessions could not be.
    pub(super) async fn published_all(&self, unreadable: usize) -> Result<Revocation, Error> {
        let answer = self.published().await?;
        if unreadable > 0 {
            // Nobody knows their live tokens, so nobody may say that they are revoked.
            return Err(StoreError::damaged("a session that was to be revoked cannot be read").into());
        }
        Ok(answer)
    }

    async fn revoke_session(&self, client: &Client, sid: &str) -> Result<(), Error> {
        let cannot_be = Error::InvalidRequest { field: "session", detail: "is not the sid of a session" };
        let sid = SessionId::parse(sid).ok_or(cannot_be)?;
        if self.parts.end(client, sid).await? {
            tracing::info!(%sid, "session revoked");
        }
        Ok(())
    }

    async fn end_client(&self, client: &Client, client_id: String) -> Result<(), Error> {
        if !self.parts.is_of_logins(&client_id) && self.parts.store.client(client_id.clone()).await?.is_none() {
            return Err(Error::InvalidRequest { field: "client", detail: "is not the id of a client" });
        }
        self.rule(client, Change::Client(client_id.clone())).await?;
        self.parts.take_back_exchanged(client, &client_id).await?;
        tracing::warn!(revoked_client = client_id, "everything that a client got so far was revoked");
        Ok(())
    }

    fn past(&self, secs: u64) -> Result<UnixTime, Error> {
        let now = self.parts.moments.now()?;
        UnixTime::from_secs(secs).filter(|time| *time <= now).ok_or(Error::InvalidRequest {
            field: "issued_before",
            detail: "must be whole seconds since 1970 and not in the future",
        })
    }
}

impl Parts {
    /// Takes back what others have got by exchange for tokens of a client's sessions: the rule for the client names only what
    /// was issued to itself. It must be in force, so that none of those sessions gives anything more.
    pub(super) async fn take_back_exchanged(&self, client: &Client, client_id: &str) -> Result<(), Error> {
        const STEP: usize = 256;
        let mut after = None;
        loop {
            let sessions = self.store.sessions(after, STEP).await?;
            let of_client = sessions.iter().filter(|session| session.client_id == client_id);
            let ended = of_client.filter(|session| self.ruling.rules().ends(client_id, session.began));
            for session in ended.filter(|session| !session.exchanged.is_empty()) {
                let jtis: Vec<Jti> = session.exchanged.iter().map(Exchanged::jti).collect();
                let told = |jti: &Jti| client.did(Act::TokenRevoked, self.moments.shown()).session(session).token(*jti);
                let events = jtis.iter().map(told).collect();
                self.store.revoke(jtis, events).await?;
            }
            let Some(last) = sessions.last().filter(|_| sessions.len() == STEP) else { return Ok(()) };
            after = Some(last.sid);
        }
    }
}
