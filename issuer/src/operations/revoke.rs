//! A token is taken back (RFC 7009): an access token alone, a refresh token with its session.

use super::issuer::{Issuer, Parts};
use super::{Client, Error, Revocation};
use crate::audit::{Act, Event};
use crate::session::{Session, SessionId};
use crate::store::Told;
use crate::telemetry::traces::TARGET;
use std::sync::Arc;
use token::claims::AccessClaims;
use token::id::{Jti, epoch};
use token::jwk::Purpose;
use token::jws::{self, Untrusted};
use token::verify;

/// What a token stands for.
enum Target {
    Access { jti: Jti, sub: String, sid: Option<String> },
    Session(SessionId),
}

impl Issuer {
    /// Revokes a token, durably, and returns from which list on everybody is told.
    ///
    /// A refresh token revokes its session and the session's live access tokens. Unknown, malformed, foreign and expired
    /// tokens are answered the same, since they need no revoking (RFC 7009 §2.2).
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] for a token of another client, unless an administrator asks; [`Error::Store`] when
    /// nothing was revoked; [`Error::NotReady`] and [`Error::Signing`] when it is revoked but could not be published yet.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn revoke(&self, client: &Client, token: &str) -> Result<Revocation, Error> {
        match self.parts.target(client, token).await? {
            Some(Target::Access { jti, sub, sid }) => {
                let event = client.did(Act::TokenRevoked, self.parts.moments.shown()).subject(&sub).token(jti);
                let event = sid.as_deref().and_then(SessionId::parse).into_iter().fold(event, Event::sid);
                self.parts.store.revoke(vec![jti], vec![event]).await?;
                tracing::info!(sid, jti = %jti, client_id = client.id(), "access token revoked");
            }
            Some(Target::Session(sid)) => {
                self.parts.end(client, sid).await?;
                tracing::info!(%sid, client_id = client.id(), "session revoked");
            }
            None => {}
        }
        self.published().await
    }
}

impl Parts {
    /// Ends a session because this client wants it so; returns whether there is one.
    ///
    /// # Errors
    /// [`Error::Store`] when it has not ended.
    pub(super) async fn end(&self, client: &Client, sid: SessionId) -> Result<bool, Error> {
        let now = self.moments.shown();
        let event = client.did(Act::SessionRevoked, now);
        let refusals = Arc::clone(&self.refusals);
        let revoke = move |session: Session| {
            let step = session.revoke(now);
            let event = event.session(&step.session);
            // Whoever has a token of it can ask again and again: that must not fill the log.
            let events = match step.changed {
                true => vec![event],
                false if refusals.admit() => vec![event.detail("it had ended before")],
                false => Vec::new(),
            };
            Told { step, events }
        };
        Ok(self.store.update_session(sid, Box::new(revoke)).await?.is_some())
    }

    /// Returns what there is to revoke; a wrong `token_type_hint` could not mislead it, so none is asked for.
    async fn target(&self, client: &Client, token: &str) -> Result<Option<Target>, Error> {
        let may = |owner: &str| client.is_administrator() || owner == client.id();
        if let Some((sid, _)) = self.read_refresh(token) {
            return match self.store.session(sid).await? {
                Some(session) if may(&session.client_id) => Ok(Some(Target::Session(sid))),
                Some(_) => Err(self.denied(client, "revoke", Error::UnauthorizedClient)),
                None => Ok(None),
            };
        }
        let Some(claims) = self.read_access(token) else { return Ok(None) };
        let over = claims.exp.plus_secs(self.settings.leeway_secs) <= self.moments.certain();
        match claims.jti.parse::<Jti>() {
            Ok(_) if !may(&claims.client_id) => Err(self.denied(client, "revoke", Error::UnauthorizedClient)),
            Ok(jti) if !over && jti.epoch == epoch(claims.exp) => {
                Ok(Some(Target::Access { jti, sub: claims.sub, sid: claims.sid }))
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Returns the claims of an access token of this issuer, whatever its times: one that is not valid yet can be revoked.
    fn read_access(&self, token: &str) -> Option<AccessClaims> {
        let untrusted = Untrusted::parse(token.as_bytes(), verify::TYP, jws::MAX_LENGTH).ok()?;
        let signed = untrusted.verify(self.keys.ring().public(), Purpose::Token).ok()?;
        let claims = AccessClaims::parse(&signed.payload).ok()?;
        (claims.iss == self.settings.issuer).then_some(claims)
    }
}
