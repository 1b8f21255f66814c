//! A client as it is kept, and how it may change: pure.
//!
//! ```text
//! made → enabled ⇄ disabled → removed
//! secrets   at most two: the newest, and for an overlap the one before it
//! ```
//!
//! A disabled client proves nothing, and what it got lives on until it is revoked. Nobody disables or removes the last enabled
//! administrator: the store looks at the others in the same change. What a request may say is checked in `operations`.

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};
use std::fmt;
use token::base64url;
use token::time::UnixTime;

/// Clients that there may be.
pub const MAX_CLIENTS: usize = 10_000;
/// Secrets of one client that may be in force at a time.
pub const MAX_SECRETS: usize = 2;
/// Public keys of one client.
pub const MAX_KEYS: usize = 4;

/// A client as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its name in tokens and requests.
    pub client_id: String,
    /// What people call it; may be empty.
    pub name: String,
    /// When it was made; the year 1970 for one of a version that did not say.
    pub created: UnixTime,
    /// May revoke and introspect every token, and manage what there is.
    pub administrator: bool,
    /// Proves nothing and gets nothing.
    pub disabled: bool,
    /// Oldest first, at most [`MAX_SECRETS`].
    pub secrets: Vec<ClientSecret>,
    /// Keys with which it signs assertions, at most [`MAX_KEYS`].
    pub keys: Vec<ClientKey>,
    /// What it may ask for.
    pub allowed: Allowed,
}

/// The stored form of a secret, which is random.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// SHA-256 of its characters.
    pub hash: [u8; 32],
    /// When it was made.
    pub created: UnixTime,
    /// From then on it proves nothing; none while it is the newest.
    pub expires_at: Option<UnixTime>,
}

/// An Ed25519 public key of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey {
    /// What headers call it.
    pub kid: String,
    /// Its RFC 8032 encoding, found fit to verify with.
    pub public: [u8; 32],
}

/// What a client may ask for. An absent list allows any, an empty one nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// How it may get tokens.
    pub grants: Grants,
    /// For whom.
    pub audiences: Option<Vec<String>>,
    /// Scope values.
    pub scopes: Option<Vec<String>>,
    /// Names of its own claims, `roles` and `permissions` among them.
    pub claims: Option<Vec<String>>,
    /// Longest life of an access token in seconds; that of the settings with none.
    pub access_ttl_secs: Option<u64>,
    /// Longest idle life of a session in seconds.
    pub refresh_ttl_secs: Option<u64>,
    /// Longest absolute life of a session in seconds.
    pub session_ttl_secs: Option<u64>,
}

/// A way to get tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    /// For a subject that the client has authenticated.
    Mint,
    /// For itself (RFC 6749 §4.4).
    ClientCredentials,
    /// With a refresh token (RFC 6749 §6).
    RefreshToken,
    /// With an access token, as a narrower one (RFC 8693).
    TokenExchange,
}

/// A set of ways to get tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants(u8);

impl GrantType {
    /// Every way, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Mint, Self::ClientCredentials, Self::RefreshToken, Self::TokenExchange];

    /// Returns its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mint => "mint",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::TokenExchange => "token_exchange",
        }
    }

    /// Returns the way of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }

    fn bit(self) -> u8 {
        match self {
            Self::Mint => 1,
            Self::ClientCredentials => 2,
            Self::RefreshToken => 4,
            Self::TokenExchange => 8,
        }
    }
}

impl Grants {
    /// Returns all of them.
    pub fn all() -> Self {
        GrantType::ALL.into_iter().collect()
    }

    /// True when the set has this one.
    pub fn has(self, grant: GrantType) -> bool {
        self.0 & grant.bit() != 0
    }

    /// Returns those it has, in the order of [`GrantType::ALL`].
    pub fn iter(self) -> impl Iterator<Item = GrantType> {
        GrantType::ALL.into_iter().filter(move |grant| self.has(*grant))
    }

    /// Returns the set as it is stored: mint 1, client credentials 2, refresh token 4, token exchange 8.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Returns the set that was stored as `bits`; `None` for a bit that nothing has.
    pub fn from_bits(bits: u8) -> Option<Self> {
        (bits & !Self::all().0 == 0).then_some(Self(bits))
    }
}

impl FromIterator<GrantType> for Grants {
    fn from_iter<I: IntoIterator<Item = GrantType>>(grants: I) -> Self {
        Self(grants.into_iter().fold(0, |bits, grant| bits | grant.bit()))
    }
}

impl Allowed {
    /// Returns what an administrator is made with, and what clients could do before there was a choice.
    pub fn everything() -> Self {
        Self {
            grants: Grants::all(),
            audiences: None,
            scopes: None,
            claims: None,
            access_ttl_secs: None,
            refresh_ttl_secs: None,
            session_ttl_secs: None,
        }
    }

    /// True when every one of these audiences is allowed.
    pub fn audiences(&self, audiences: &[String]) -> bool {
        audiences.iter().all(|audience| among(self.audiences.as_deref(), audience))
    }

    /// True when every value of this scope is allowed; no scope always is.
    pub fn scope(&self, scope: Option<&str>) -> bool {
        scope.is_none_or(|scope| scope.split(' ').all(|value| among(self.scopes.as_deref(), value)))
    }

    /// True when a claim of this name is allowed.
    pub fn claim(&self, name: &str) -> bool {
        among(self.claims.as_deref(), name)
    }
}

fn among(allowed: Option<&[String]>, value: &str) -> bool {
    allowed.is_none_or(|allowed| allowed.iter().any(|allowed| allowed == value))
}

impl ClientSecret {
    /// Returns the stored form of these characters.
    pub fn hash(secret: &str) -> [u8; 32] {
        Sha256::digest(secret).into()
    }

    /// Returns a new secret with this hash.
    pub fn new(hash: [u8; 32], created: UnixTime) -> Self {
        Self { hash, created, expires_at: None }
    }

    /// Returns what it is called where it is managed: 12 characters that say nothing of the secret.
    pub fn id(&self) -> String {
        let digest: [u8; 32] = Sha256::new().chain_update("client secret").chain_update(self.hash).finalize().into();
        let (id, _) = digest.split_at(9);
        base64url::encode(id)
    }

    /// True while it proves something.
    pub fn holds(&self, now: UnixTime) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl ClientRecord {
    /// Returns a new administrator with this secret, who may do everything.
    pub fn administrator(client_id: &str, secret: [u8; 32], now: UnixTime) -> Self {
        Self {
            client_id: client_id.to_owned(),
            name: String::new(),
            created: now,
            administrator: true,
            disabled: false,
            secrets: vec![ClientSecret::new(secret, now)],
            keys: Vec::new(),
            allowed: Allowed::everything(),
        }
    }

    /// True when it can manage what there is, now and later: by a secret that does not expire, for keys prove nobody at `/v1`.
    pub fn manages(&self) -> bool {
        self.administrator && !self.disabled && self.secrets.iter().any(|secret| secret.expires_at.is_none())
    }

    /// Returns it with another secret: the newest so far holds for `overlap_secs` more, or is gone at once with 0, and any
    /// older one is gone.
    #[must_use]
    pub fn with_secret(mut self, hash: [u8; 32], overlap_secs: u64, now: UnixTime) -> Self {
        let end = now.plus_secs(overlap_secs);
        let before = self.secrets.pop().filter(|newest| overlap_secs > 0 && newest.holds(now));
        self.secrets = before
            .map(|newest| ClientSecret { expires_at: Some(newest.expires_at.map_or(end, |at| at.min(end))), ..newest })
            .into_iter()
            .chain([ClientSecret::new(hash, now)])
            .collect();
        self
    }

    /// Returns it without the secret of this id; `None` when it has no such secret.
    #[must_use]
    pub fn without_secret(mut self, id: &str) -> Option<Self> {
        let place = self.secrets.iter().position(|secret| secret.id() == id)?;
        self.secrets.remove(place);
        Some(self)
    }
}

/// What a decision about a client comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientStep {
    /// Nothing changes.
    Keep,
    /// This is what is stored from now on.
    Put(Box<ClientRecord>),
    /// It is gone.
    Remove,
}

/// Why a client is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientFault {
    /// There is no such client.
    Unknown,
    /// There is one of this id.
    Exists,
    /// It has no such secret.
    UnknownSecret,
    /// It is not disabled, so it is not removed.
    NotDisabled,
    /// No other administrator is enabled.
    LastAdministrator,
    /// There are [`MAX_CLIENTS`].
    TooMany,
}

impl fmt::Display for ClientFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no client of this id",
            Self::Exists => "there is a client of this id",
            Self::UnknownSecret => "the client has no secret of this id",
            Self::NotDisabled => "the client must be disabled before it is removed",
            Self::LastAdministrator => "the last enabled administrator must stay one",
            Self::TooMany => "there are as many clients as there may be",
        })
    }
}
