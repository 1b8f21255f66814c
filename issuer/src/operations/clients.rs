//! Clients, as an administrator manages them: made, listed, changed, disabled, removed, and their secrets rotated.

use super::authenticate::draw;
use super::issuer::{Issuer, Parts};
use super::rule::Change;
use super::terms::{self, ClientTerms};
use super::{Client, Error, Revocation, Secret};
use crate::audit::{Act, Event};
use crate::clients::{Allowed, ClientFault, ClientRecord, ClientSecret, ClientStep, GrantType, Grants};
use crate::telemetry::traces::TARGET;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use serde_json::{Value, json};
use token::base64url;
use token::time::UnixTime;

/// How long a secret that is replaced still proves something, unless told otherwise: a day to bring the new one everywhere.
const OVERLAP_SECS: u64 = 86_400;
/// The longest overlap: 30 days.
const MAX_OVERLAP_SECS: u64 = 2_592_000;

/// A client as its administrators see it; never its secrets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClientView {
    /// Its name in tokens and requests.
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// When it was made, in seconds since 1970; 0 when it was made before that was kept.
    pub created_at: UnixTime,
    /// May revoke and introspect every token, and manage what there is.
    pub administrator: bool,
    /// Proves nothing and gets nothing.
    pub disabled: bool,
    /// How it may get tokens.
    pub grants: Vec<&'static str>,
    /// For whom; any with none.
    pub audiences: Option<Vec<String>>,
    /// Scope values; any with none.
    pub scopes: Option<Vec<String>>,
    /// Names of claims that it may set; any with none.
    pub claims: Option<Vec<String>>,
    /// Longest life of an access token in seconds; that of the settings with none.
    pub access_ttl: Option<u64>,
    /// Longest idle life of a session in seconds.
    pub refresh_ttl: Option<u64>,
    /// Longest absolute life of a session in seconds.
    pub session_ttl: Option<u64>,
    /// Its public keys.
    pub jwks: Value,
    /// Its secrets, oldest first: what they are called and for how long they hold.
    pub secrets: Vec<SecretView>,
}

/// What may be told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretView {
    /// What it is called.
    pub id: String,
    /// When it was made, in seconds since 1970.
    pub created_at: UnixTime,
    /// From then on it proves nothing; never with none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixTime>,
}

/// A part of the list of clients.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientViews {
    /// In the order of their ids.
    pub items: Vec<ClientView>,
    /// Where the next part begins; none when there is no more.
    pub next: Option<String>,
}

/// A client that has a new secret, which is shown only now; none where it proves itself by keys.
pub struct NewSecret {
    /// The client.
    pub client: ClientView,
    /// Its new secret.
    pub secret: Option<Secret>,
}

/// A client is gone, and what it got is taken back.
pub type Removal = Revocation;

impl Issuer {
    /// Returns at most `most` clients that follow `after`, a `next` of an earlier part.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks; [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn clients(&self, client: &Client, after: Option<String>, most: usize) -> Result<ClientViews, Error> {
        self.parts.administrator(client, "clients")?;
        let mut records = self.parts.store.clients(after, most.saturating_add(1)).await?;
        let more = records.len() > most;
        records.truncate(most);
        let next = records.last().filter(|_| more).map(|record| record.client_id.clone());
        Ok(ClientViews { items: records.into_iter().map(view).collect(), next })
    }

    /// Returns a client.
    ///
    /// # Errors
    /// As [`Issuer::clients`]; [`Error::Client`] when there is none of this id.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn client(&self, client: &Client, client_id: &str) -> Result<ClientView, Error> {
        self.parts.administrator(client, "clients")?;
        let record = self.parts.store.client(client_id.to_owned()).await?;
        record.map(view).ok_or(Error::Client(ClientFault::Unknown))
    }

    /// Makes a client, of a random id when none is given. It has a secret unless its terms have keys.
    ///
    /// # Errors
    /// As [`Issuer::clients`]; [`Error::InvalidRequest`] names the member that breaks a limit; [`Error::Client`] when there is
    /// one of this id, or as many as there may be.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn create_client(
        &self,
        client: &Client,
        client_id: Option<String>,
        terms: ClientTerms,
    ) -> Result<NewSecret, Error> {
        self.parts.administrator(client, "clients")?;
        let parts = &self.parts;
        let client_id = match client_id {
            Some(id) => id,
            None => format!("c-{}", Base64UrlUnpadded::encode_string(&parts.env.random::<12>()?)),
        };
        terms::check_id(&client_id)?;
        if parts.is_of_logins(&client_id) {
            return Err(Error::Client(ClientFault::Exists));
        }
        let by_keys = matches!(terms.jwks, Some(Some(_)));
        let (change, now) = (terms.checked(&parts.settings)?, parts.moments.shown());
        let secret = if by_keys { None } else { Some(draw(&parts.env)?) };
        let mut record = blank(&client_id, now);
        record
            .secrets
            .extend(secret.as_ref().map(|secret| ClientSecret::new(ClientSecret::hash(secret.expose()), now)));
        change(&mut record);
        let event = client.did(Act::ClientCreated, now).target(&client_id);
        let decide = move |before: Option<ClientRecord>| match before {
            Some(_) => Err(ClientFault::Exists),
            None => Ok((ClientStep::Put(Box::new(record)), vec![event])),
        };
        Ok(NewSecret { client: parts.change_client(client_id, decide).await?, secret })
    }

    /// Changes a client. When it is disabled, nothing is issued to it once this is answered.
    ///
    /// # Errors
    /// As [`Issuer::create_client`]; [`Error::Client`] when it is not there, or is the last enabled administrator.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn change_client(
        &self,
        client: &Client,
        client_id: String,
        terms: ClientTerms,
    ) -> Result<ClientView, Error> {
        self.parts.administrator(client, "clients")?;
        let parts = &self.parts;
        let members = terms.members().join(" ");
        let (change, now) = (terms.checked(&parts.settings)?, parts.moments.shown());
        let event = client.did(Act::ClientChanged, now).target(&client_id);
        let decide = move |before: Option<ClientRecord>| {
            let before = before.ok_or(ClientFault::Unknown)?;
            let mut after = before.clone();
            change(&mut after);
            let act = match (before.disabled, after.disabled) {
                (false, true) => Act::ClientDisabled,
                (true, false) => Act::ClientEnabled,
                (true, true) | (false, false) => Act::ClientChanged,
            };
            let told = (before != after).then(|| event.act(act).detail(&members)).into_iter().collect();
            Ok((ClientStep::Put(Box::new(after)), told))
        };
        let view = parts.change_client(client_id, decide).await?;
        parts.ruling.settle().await?; // whoever was judged by the record before has got what it asked for, and it is stored
        Ok(view)
    }

    /// Gives a client another secret. The newest one so far proves something for `overlap_secs` more, a day unless told
    /// otherwise, and nothing from now on with 0.
    ///
    /// # Errors
    /// As [`Issuer::change_client`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn rotate_secret(
        &self,
        client: &Client,
        client_id: String,
        overlap_secs: Option<u64>,
    ) -> Result<NewSecret, Error> {
        self.parts.administrator(client, "clients")?;
        let (overlap_secs, now) = (overlap_secs.unwrap_or(OVERLAP_SECS), self.parts.moments.shown());
        if overlap_secs > MAX_OVERLAP_SECS {
            let detail = "must be at most 2592000";
            return Err(Error::InvalidRequest { field: "overlap_seconds", detail });
        }
        let secret = draw(&self.parts.env)?;
        let hash = ClientSecret::hash(secret.expose());
        let event = client.did(Act::ClientSecretReplaced, now).target(&client_id);
        let decide = move |before: Option<ClientRecord>| {
            let after = before.ok_or(ClientFault::Unknown)?.with_secret(hash, overlap_secs, now);
            Ok((ClientStep::Put(Box::new(after)), vec![event]))
        };
        Ok(NewSecret { client: self.parts.change_client(client_id, decide).await?, secret: Some(secret) })
    }

    /// Removes a secret by its id; it proves nothing once this is answered.
    ///
    /// # Errors
    /// As [`Issuer::change_client`]; [`Error::Client`] also when the client has no such secret.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn remove_secret(&self, client: &Client, client_id: String, secret: String) -> Result<(), Error> {
        self.parts.administrator(client, "clients")?;
        let now = self.parts.moments.shown();
        let event = client.did(Act::ClientSecretRemoved, now).target(&client_id).detail(&secret);
        let decide = move |before: Option<ClientRecord>| {
            let before = before.ok_or(ClientFault::Unknown)?;
            let after = before.without_secret(&secret).ok_or(ClientFault::UnknownSecret)?;
            Ok((ClientStep::Put(Box::new(after)), vec![event]))
        };
        self.parts.change_client(client_id, decide).await.map(drop)
    }

    /// Removes a client that is disabled, after everything that it got has been taken back: whoever gets its id later gets
    /// nothing of it.
    ///
    /// # Errors
    /// As [`Issuer::change_client`]; [`Error::Client`] for a client that is not disabled; [`Error::TooManyRules`],
    /// [`Error::NotReady`] and [`Error::Signing`] as for a revocation.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn remove_client(&self, client: &Client, client_id: String) -> Result<Removal, Error> {
        self.parts.administrator(client, "clients")?;
        let removable = |record: Option<&ClientRecord>| match record {
            None => Err(ClientFault::Unknown),
            Some(record) if !record.disabled => Err(ClientFault::NotDisabled),
            Some(_) => Ok(()),
        };
        let record = self.parts.store.client(client_id.clone()).await?;
        removable(record.as_ref()).map_err(Error::Client)?;
        self.rule(client, Change::Client(client_id.clone())).await?;
        self.parts.take_back_exchanged(client, &client_id).await?;
        let event = client.did(Act::ClientRemoved, self.parts.moments.shown()).target(&client_id);
        let decide = move |before: Option<ClientRecord>| {
            removable(before.as_ref())?;
            Ok((ClientStep::Remove, vec![event]))
        };
        self.parts.store.update_client(client_id, Box::new(decide)).await?.map_err(Error::Client)?;
        self.published().await
    }
}

impl Parts {
    async fn change_client<F>(&self, client_id: String, decide: F) -> Result<ClientView, Error>
    where
        F: FnOnce(Option<ClientRecord>) -> Result<(ClientStep, Vec<Event>), ClientFault> + Send + 'static,
    {
        let changed = self.store.update_client(client_id, Box::new(decide)).await?.map_err(Error::Client)?;
        changed.map(view).ok_or(Error::Client(ClientFault::Unknown))
    }
}

/// A new client, which may do nothing until its terms say so.
fn blank(client_id: &str, now: UnixTime) -> ClientRecord {
    ClientRecord {
        administrator: false,
        secrets: Vec::new(),
        allowed: Allowed { grants: Grants::default(), ..Allowed::everything() },
        ..ClientRecord::administrator(client_id, [0; 32], now)
    }
}

fn view(record: ClientRecord) -> ClientView {
    let secret = |secret: &ClientSecret| SecretView {
        id: secret.id(),
        created_at: secret.created,
        expires_at: secret.expires_at,
    };
    let key = |key: &crate::clients::ClientKey| json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&key.public), "kid": key.kid, "use": "sig"});
    let Allowed { grants, audiences, scopes, claims, access_ttl_secs, refresh_ttl_secs, session_ttl_secs } =
        record.allowed;
    ClientView {
        jwks: json!({"keys": record.keys.iter().map(key).collect::<Vec<_>>()}),
        secrets: record.secrets.iter().map(secret).collect(),
        client_id: record.client_id,
        name: record.name,
        created_at: record.created,
        administrator: record.administrator,
        disabled: record.disabled,
        grants: grants.iter().map(GrantType::name).collect(),
        audiences,
        scopes,
        claims,
        access_ttl: access_ttl_secs,
        refresh_ttl: refresh_ttl_secs,
        session_ttl: session_ttl_secs,
    }
}
