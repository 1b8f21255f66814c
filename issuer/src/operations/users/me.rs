//! Somebody who is logged in, by an access token of the login.

use super::super::issuer::Issuer;
use super::super::{Error, SessionQuery, SessionViews, SessionsEnded};
use super::{Desk, LoginSession};
use crate::audit::Origin;
use crate::session::SessionId;
use crate::telemetry::traces::TARGET;
use crate::users::{User, UserId};
use token::id::Jti;
use token::verify::Verified;

/// A user who has shown an access token that is valid at this moment; only [`Issuer::signed_in`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub(super) user: User,
    pub(super) sid: SessionId,
}

impl SignedIn {
    /// Returns the session that the token belongs to.
    pub fn session(&self) -> LoginSession {
        LoginSession(self.sid)
    }

    /// Returns the `sub` of the user.
    pub fn sub(&self) -> String {
        self.user.id.to_string()
    }
}

impl Issuer {
    /// Returns the user whom this access token names, if it is of a login, valid and not revoked at this moment, and the user
    /// may still do something.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] for everything else; [`Error::NoUsers`], [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn signed_in(&self, access_token: &str) -> Result<SignedIn, Error> {
        let desk: &Desk = self.parts.desk()?;
        let verified = self.parts.keys.verifier().verify(access_token, self.parts.moments.shown());
        let Verified { claims, kid, .. } = verified.map_err(|_| Error::InvalidToken)?;
        let named =
            (claims.jti.parse::<Jti>(), claims.sid.as_deref().and_then(SessionId::parse), UserId::parse(&claims.sub));
        let (Ok(jti), Some(sid), Some(id)) = named else { return Err(Error::InvalidToken) };
        let ruled = self.parts.ruling.rules().revokes(&claims, &kid);
        if claims.client_id != desk.settings.client_id || ruled || self.parts.store.is_revoked(jti).await? {
            return Err(Error::InvalidToken);
        }
        let user = self.parts.store.user(id).await?.filter(|user| !user.disabled && !user.must_reset);
        let user = user.filter(|user| user.id != UserId::NOBODY).ok_or(Error::InvalidToken)?;
        Ok(SignedIn { user, sid })
    }
}

/// Which of one's own logins shall end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnSessions {
    /// The one of this `sid`.
    One(String),
    /// All but the one that asks.
    Others,
    /// All.
    All,
}

impl Issuer {
    /// Returns the logins of this user that go on, at most `limit` of those behind `after`.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for an `after` that is no `next`; [`Error::NoUsers`], [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn own_sessions(
        &self,
        origin: &Origin,
        me: &SignedIn,
        after: Option<String>,
        limit: usize,
    ) -> Result<SessionViews, Error> {
        let client = self.parts.desk()?.client(origin);
        self.sessions(&client, SessionQuery { sub: me.sub(), only_active: true, after, limit }).await
    }

    /// Ends logins of this user, durably, and returns how many did.
    ///
    /// # Errors
    /// [`Error::UnknownSession`] for a session that is not one of theirs; otherwise as [`Issuer::end_sessions`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn end_own_sessions(
        &self,
        origin: &Origin,
        me: &SignedIn,
        which: OwnSessions,
    ) -> Result<SessionsEnded, Error> {
        let client = self.parts.desk()?.client(origin);
        match which {
            OwnSessions::All => self.end_sessions(&client, me.sub(), None).await,
            OwnSessions::Others => self.end_sessions(&client, me.sub(), Some(&me.sid.to_string())).await,
            OwnSessions::One(sid) => {
                let session = self.session(&client, &sid).await?;
                if session.sub != me.sub() {
                    return Err(Error::UnknownSession);
                }
                let revocation = self.end_session(&client, &sid).await?;
                Ok(SessionsEnded { revocation, ended: usize::from(session.ended.is_none()) })
            }
        }
    }
}
