//! A refresh token comes in (RFC 6749 §6): the next pair, or the last one again. `session.rs` decides.

use super::issuer::{Issuer, Parts};
use super::limits;
use super::{Client, Error, TokenAnswer};
use crate::audit::{Act, Event};
use crate::clients::{Allowed, GrantType};
use crate::error::GrantFault;
use crate::session::{Outcome, Presentation, Session, SessionId, Step};
use crate::store::{StoreError, Told};
use crate::telemetry::traces::TARGET;
use token::time::UnixTime;

/// How often a place in the wrong epoch is exchanged; once is rare.
const ATTEMPTS: usize = 4;

impl Issuer {
    /// Exchanges a refresh token for the next pair, or answers the last pair again.
    ///
    /// `scope` may ask for less than the session holds; it goes for that access token only. A repetition must ask for the
    /// scope it asked for at first: one pair has one answer. What a reuse revokes is published by the next tick, so that the
    /// time of the answer does not tell the reasons apart.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] for a client that may not refresh; [`Error::InvalidGrant`], the reason of which is logged and reads the same outside; [`Error::InvalidScope`] and
    /// [`Error::TooManyLiveTokens`], which change nothing; [`Error::NotReady`], [`Error::Store`], [`Error::Signing`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn refresh(
        &self,
        client: &Client,
        refresh_token: &str,
        scope: Option<&str>,
    ) -> Result<TokenAnswer, Error> {
        let _gate = self.parts.ruling.pass().await?;
        let allowed = self.parts.allowed(client, GrantType::RefreshToken).await?;
        self.parts.refresh(client, &allowed, refresh_token, scope).await
    }
}

impl Parts {
    /// Refreshes for a client that is `allowed` so much. The gate must be held.
    pub(super) async fn refresh(
        &self,
        client: &Client,
        allowed: &Allowed,
        refresh_token: &str,
        scope: Option<&str>,
    ) -> Result<TokenAnswer, Error> {
        let refreshed = self.refresh_once(client, allowed, refresh_token, scope).await;
        refreshed.map_err(|error| self.denied(client, GrantType::RefreshToken.name(), error))
    }

    async fn refresh_once(
        &self,
        client: &Client,
        allowed: &Allowed,
        refresh_token: &str,
        scope: Option<&str>,
    ) -> Result<TokenAnswer, Error> {
        let now = self.moments.now()?;
        if scope.is_some_and(|scope| !limits::is_scope(scope)) {
            return Err(Error::InvalidScope);
        }
        let (sid, claims) =
            self.read_refresh(refresh_token).ok_or_else(|| self.refused(None, client, GrantFault::NotOurs))?;
        for _ in 0..ATTEMPTS {
            let (session, outcome) = self.present(client, allowed, (sid, claims.generation), scope, now).await?;
            match outcome {
                Outcome::Rotated | Outcome::Repeated => return self.answer(session),
                Outcome::WrongPlace | Outcome::Exchanged => {}
                Outcome::ScopeRefused => return Err(Error::InvalidScope),
                Outcome::Full { retry_after_secs } => return Err(Error::TooManyLiveTokens { retry_after_secs }),
                Outcome::Refused(fault) => return Err(self.refused(Some(sid), client, fault)),
                Outcome::Revoked | Outcome::AlreadyEnded => {
                    return Err(self.refused(Some(sid), client, GrantFault::Ended));
                }
            }
        }
        Err(StoreError::Busy.into()) // the session's times moved four times in a row between reading and deciding
    }

    async fn present(
        &self,
        client: &Client,
        allowed: &Allowed,
        (sid, generation): (SessionId, u64),
        scope: Option<&str>,
        now: UnixTime,
    ) -> Result<(Session, Outcome), Error> {
        // Only what never changes, and the epoch, is taken from this reading; the decision reads again.
        let unknown = || self.refused(Some(sid), client, GrantFault::UnknownSession);
        let session = self.store.session(sid).await?.ok_or_else(unknown)?;
        let own = session.client_id == client.id();
        if own && self.ruling.rules().ends(&session.client_id, session.began) {
            return Err(self.refused(Some(sid), client, GrantFault::Ended));
        }
        // What its registration no longer allows the client does not get by a session that began before.
        if own && !allowed.audiences(&session.grant.aud) {
            return Err(self.refused(Some(sid), client, GrantFault::NotAllowed));
        }
        if own && !allowed.scope(scope.or(session.grant.scope.as_deref())) {
            return Err(Error::InvalidScope);
        }
        let barred = |error| match error {
            Error::InvalidGrant(fault) => self.refused(Some(sid), client, fault),
            other => other,
        };
        let fresh = if own { self.fresh(&session).await.map_err(barred)? } else { None };
        let keys = self.keys.ring();
        let place = self.indices.allocate(session.next_times(now).exp).await?;
        let presented = Presentation {
            client_id: client.id().to_owned(),
            generation,
            scope: scope.map(str::to_owned),
            fresh,
            place,
            kid: keys.token_signer().kid().to_owned(),
            retry_window_secs: self.settings.retry_window_secs,
            leeway_secs: self.settings.leeway_secs,
            certain: self.moments.certain(),
            now,
        };
        let event = client.did(Act::TokenRefreshed, now);
        let decide = move |session: Session| {
            let step = session.present(&presented, |kid| keys.signed_with(kid).is_some());
            Told { events: told(event, &step), step }
        };
        let (session, outcome) = self.store.update_session(sid, Box::new(decide)).await?.ok_or_else(unknown)?;
        if outcome != Outcome::Rotated {
            self.indices.give_back(place);
        }
        Ok((session, outcome))
    }

    /// Says which failure it was: in the one line of the log, and in the audit log unless the change itself is told there.
    fn refused(&self, sid: Option<SessionId>, client: &Client, fault: GrantFault) -> Error {
        log(sid, client, fault);
        if !ends_the_session(fault) {
            let event = client.did(Act::TokenRefused, self.moments.shown()).code(fault.code());
            self.note(sid.into_iter().fold(event, Event::sid));
        }
        Error::InvalidGrant(fault)
    }
}

/// Returns what the audit log is told with a step, its client and time being those of `event`.
fn told(event: Event, step: &Step) -> Vec<Event> {
    let session = &step.session;
    match step.outcome {
        Outcome::Rotated => vec![event.pair(session)],
        Outcome::Repeated => vec![event.act(Act::TokenRepeated).pair(session)],
        Outcome::Refused(fault) if ends_the_session(fault) => {
            vec![event.act(Act::TokenReused).session(session).code(fault.code())]
        }
        Outcome::Refused(_)
        | Outcome::Revoked
        | Outcome::AlreadyEnded
        | Outcome::Exchanged
        | Outcome::WrongPlace
        | Outcome::ScopeRefused
        | Outcome::Full { .. } => Vec::new(),
    }
}

fn ends_the_session(fault: GrantFault) -> bool {
    match fault {
        GrantFault::Reused | GrantFault::AboveNewest => true,
        GrantFault::NotOurs
        | GrantFault::UnknownSession
        | GrantFault::WrongClient
        | GrantFault::NotAllowed
        | GrantFault::Expired
        | GrantFault::Ended
        | GrantFault::UserBarred => false,
    }
}

fn log(sid: Option<SessionId>, client: &Client, fault: GrantFault) {
    let sid = sid.map(|sid| sid.to_string());
    let (client_id, code) = (client.id(), fault.code());
    match fault {
        GrantFault::Reused => {
            tracing::warn!(
                sid,
                client_id,
                code,
                "an old refresh token came back: the session and its access tokens are revoked"
            );
        }
        GrantFault::AboveNewest => {
            tracing::warn!(
                sid,
                client_id,
                code,
                "a refresh token came from a future the store has lost (a restore): the session ended"
            );
        }
        GrantFault::NotOurs
        | GrantFault::UnknownSession
        | GrantFault::WrongClient
        | GrantFault::NotAllowed
        | GrantFault::Expired
        | GrantFault::Ended
        | GrantFault::UserBarred => {
            tracing::info!(sid, client_id, code, "a refresh token was refused");
        }
    }
}
