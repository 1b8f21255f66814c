//! The issuer as the rest of the daemon sees it.

use super::{
    Client, ClientCredentialsRequest, Error, Introspection, MintRequest, NotReady, Published, Revocation, Secret, Settings, TokenAnswer,
};
use crate::env::Env;
use crate::keys::MasterKey;
use crate::store::{Store, StoreError};
use std::sync::Arc;

/// The issuer: every use case, over one store. Cheap to clone.
#[derive(Clone)]
pub struct Issuer {
    settings: Arc<Settings>,
}

const CLOSED: Error = Error::Store(StoreError::Closed);

impl Issuer {
    /// Opens the issuer: keys and revocations are loaded or made, and the first revocation list is published.
    ///
    /// # Errors
    /// [`Error`] when a key does not open, the store fails, or no list can be published.
    pub async fn open(settings: Settings, _env: Env, _store: Arc<dyn Store>, _master_key: MasterKey) -> Result<Self, Error> {
        Ok(Self { settings: Arc::new(settings) })
    }

    /// Returns the settings it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes sure that the administrative client exists; returns its new secret when one was made, to be shown once.
    pub async fn ensure_client(&self, _client_id: &str, _secret: Option<Secret>) -> Result<Option<Secret>, Error> {
        Err(CLOSED)
    }

    /// Returns the client that this id and secret belong to.
    pub async fn authenticate(&self, _client_id: &str, _secret: &str) -> Result<Client, Error> {
        Err(CLOSED)
    }

    /// Starts a session and returns its first pair.
    pub async fn mint(&self, _client: &Client, _request: MintRequest) -> Result<TokenAnswer, Error> {
        Err(CLOSED)
    }

    /// Returns an access token for the client itself.
    pub async fn client_credentials(&self, _client: &Client, _request: ClientCredentialsRequest) -> Result<TokenAnswer, Error> {
        Err(CLOSED)
    }

    /// Exchanges a refresh token for the next pair, or answers the last pair again.
    pub async fn refresh(&self, _client: &Client, _refresh_token: &str, _scope: Option<&str>) -> Result<TokenAnswer, Error> {
        Err(CLOSED)
    }

    /// Revokes a token, and with a refresh token its session.
    pub async fn revoke(&self, _client: &Client, _token: &str) -> Result<Revocation, Error> {
        Err(CLOSED)
    }

    /// Returns what is known of a token right now.
    pub async fn introspect(&self, _client: &Client, _token: &str) -> Result<Introspection, Error> {
        Err(CLOSED)
    }

    /// Returns the JWK Set as JSON text.
    pub fn jwks(&self) -> Arc<str> {
        Arc::from("")
    }

    /// Returns the newest published revocation list.
    pub fn revocation_list(&self) -> Published {
        Published { seq: 0, document: Arc::from([]), exp: token::time::UnixTime::MIN }
    }

    /// Returns the published list with this number while it is kept: the newest 64.
    pub fn revocation_list_at(&self, _seq: u64) -> Option<Published> {
        None
    }

    /// Returns why the issuer is not ready; empty when it is.
    pub fn readiness(&self) -> Vec<NotReady> {
        Vec::new()
    }

    /// Does what is due: signs the list again, drops what has expired. Called every second.
    pub async fn tick(&self) {}

    /// Returns when the store has failed for good. The process must then end with an error: nothing more can be acknowledged.
    pub async fn failed(&self) -> StoreError {
        std::future::pending().await
    }

    /// Finishes what is queued, syncs and closes the store.
    pub async fn close(&self) {}
}
