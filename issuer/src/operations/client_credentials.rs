//! A client asks for an access token of its own (RFC 6749 §4.4). It has a session too, so that it can be revoked.

use super::issuer::Issuer;
use super::{Client, ClientCredentialsRequest, Error, TokenAnswer, limits};
use crate::clients::GrantType;
use crate::telemetry::traces::TARGET;

impl Issuer {
    /// Returns an access token for the client itself, without a refresh token (RFC 6749 §4.4.3).
    ///
    /// # Errors
    /// [`Error::InvalidScope`], [`Error::InvalidTarget`] and [`Error::InvalidRequest`] for a scope or an audience that the
    /// client may not ask for or that is beyond its limits; otherwise as
    /// [`Issuer::mint`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn client_credentials(
        &self,
        client: &Client,
        request: ClientCredentialsRequest,
    ) -> Result<TokenAnswer, Error> {
        let _gate = self.parts.ruling.pass().await?;
        let allowed = self.parts.allowed(client, GrantType::ClientCredentials).await?;
        let now = self.parts.moments.now()?;
        let asked = limits::client_credentials(client.id(), request, &self.parts.settings, &allowed);
        let (grant, lives) = asked.map_err(|error| self.parts.denied(client, "client_credentials", error))?;
        self.parts.begin(client, grant, None, lives, now).await
    }
}
