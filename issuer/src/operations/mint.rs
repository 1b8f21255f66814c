//! A backend mints a pair for a subject that it has authenticated: a session begins.

use super::issuer::{Issuer, Parts};
use super::limits::{self, Lives};
use super::{Client, Error, MintRequest, TokenAnswer};
use crate::audit::{Act, Event};
use crate::clients::GrantType;
use crate::session::{Grant, SessionId, Start};
use crate::telemetry::traces::TARGET;
use token::time::UnixTime;

/// What is wrong with a subject that is no user.
pub(super) const IS_A_CLIENT: &str = "is the id of a client";

impl Issuer {
    /// Starts a session and returns its first pair; the access token alone to a client that may not refresh.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] for a client that may not mint; [`Error::InvalidClient`] for one that was disabled meanwhile;
    /// [`Error::InvalidRequest`] names the member that breaks a limit of [`MintRequest`]; [`Error::NotReady`] and
    /// [`Error::Store`] when nothing was begun; [`Error::Signing`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn mint(&self, client: &Client, request: MintRequest) -> Result<TokenAnswer, Error> {
        let _gate = self.parts.ruling.pass().await?;
        let allowed = self.parts.allowed(client, GrantType::Mint).await?;
        let now = self.parts.moments.now()?;
        // RFC 9700 §4.15: who is a user and who a client must not be a matter of luck.
        if self.parts.store.client(request.sub.clone()).await?.is_some() {
            return Err(self.parts.denied(client, "mint", Error::InvalidRequest { field: "sub", detail: IS_A_CLIENT }));
        }
        let device = request.device.clone();
        let asked = limits::mint(request, &self.parts.settings, &allowed, now);
        let (grant, lives) = asked.map_err(|error| self.parts.denied(client, "mint", error))?;
        self.parts.begin(client, grant, device, lives, now).await
    }
}

/// What may be different about the beginning of a session.
pub(super) struct Beginning {
    /// Bytes that its access tokens may have.
    pub(super) longest: usize,
    /// What is told of it before that it has begun, in one change with it.
    pub(super) told: Option<Event>,
}

impl Parts {
    /// Stores a new session and signs its first pair. The gate must be held since `now` was read.
    pub(super) async fn begin(
        &self,
        client: &Client,
        grant: Grant,
        device: Option<String>,
        lives: Lives,
        now: UnixTime,
    ) -> Result<TokenAnswer, Error> {
        self.begin_as(client, grant, device, lives, now, Beginning { longest: usize::MAX, told: None }).await
    }

    /// As [`Self::begin`], with what is different about the session.
    pub(super) async fn begin_as(
        &self,
        client: &Client,
        grant: Grant,
        device: Option<String>,
        lives: Lives,
        now: UnixTime,
        Beginning { longest, told }: Beginning,
    ) -> Result<TokenAnswer, Error> {
        let start = Start {
            sid: SessionId(self.env.random()?),
            client_id: client.id().to_owned(),
            grant,
            device,
            access_ttl_secs: lives.access_ttl_secs,
            lives: lives.session,
            kid: self.keys.ring().token_signer().kid().to_owned(),
            now,
        };
        let place = self.indices.allocate(start.times().exp).await?;
        let session = start.begin(place.index);
        let issuer = &self.settings.issuer;
        limits::check_length(issuer, &session)
            .and_then(|()| limits::check_length_within(issuer, &session, longest))
            .inspect_err(|_| self.indices.give_back(place))?;
        let event = client.did(Act::TokenIssued, now).pair(&session);
        let event = session.device.as_deref().into_iter().fold(event, Event::detail);
        let session = self.store.create_session(session, told.into_iter().chain([event]).collect()).await?;
        tracing::info!(sid = %session.sid, client_id = client.id(), "session begun");
        self.answer(session)
    }
}
