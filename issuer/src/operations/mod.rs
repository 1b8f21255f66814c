//! What the issuer does, one use case a file: load, decide (pure), store, sign.
//!
//! `http/` and `server.rs` call [`Issuer`] and nothing below it. Every method may be dropped at an await: what was
//! queued for the store by then still happens, and nothing half-done is left behind.

mod assertion;
pub mod audit;
mod authenticate;
mod backup;
mod census;
mod client_credentials;
mod clients;
mod exchange;
mod introspect;
mod issuer;
mod limits;
mod measure;
mod mint;
mod moments;
mod operator;
mod publish;
mod refresh;
mod revoke;
mod revoke_by;
mod rewrap;
mod rights;
mod rotate;
mod rule;
mod sessions;
mod sign;
mod signers;
mod status_list;
mod terms;
#[cfg(test)]
mod tests;
mod upkeep;
mod users;

pub use crate::error::{Error, GrantFault, NotReady};
pub use crate::passwords::{BlockList, Costs as HashCosts, MAX_BLOCK_LIST};
pub use backup::Backup;
pub use clients::{ClientView, ClientViews, NewSecret, Removal};
pub use exchange::{ACCESS_TOKEN, ExchangeAnswer, ExchangeRequest};
pub use issuer::Issuer;
pub use publish::{Events, Step, holds_its_list};
pub use rewrap::Rewrapped;
pub use rotate::{KeyImport, KeyStatus, PrivateKey};
pub use sessions::{EndedSession, SessionQuery, SessionView, SessionViews, SessionsEnded};
pub use status_list::{StatusForm, StatusList};
pub use terms::ClientTerms;
pub use users::{
    LoggedIn, LoginRequest, LoginSession, OwnSessions, ProfileRequest, Renewed, ResetCodeAnswer, SignedIn, UserAnswer,
    UserList, UserRequest, UserSettings, UserView,
};

use crate::audit::Origin;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use token::time::UnixTime;
use zeroize::Zeroizing;

/// What an operator chooses. Durations are whole seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The `iss` of every token and list, and the base of the daemon's URLs; no trailing slash.
    pub issuer: String,
    /// The `aud` of a client-credentials token when the request names none.
    pub default_audience: String,
    /// Tokens for one of these audiences say in which status list they are.
    pub status_list_audiences: Vec<String>,
    /// The name under which signatures are made: `EdDSA`, or `Ed25519` of RFC 9864.
    pub algorithm: token::jwk::Algorithm,
    /// Life of an access token when the request names none.
    pub access_ttl_secs: u64,
    /// The longest life of an access token that a request may name.
    pub max_access_ttl_secs: u64,
    /// Idle life of a session when the request names none: without a refresh for so long it ends.
    pub refresh_ttl_secs: u64,
    /// Absolute life of a session when the request names none, and the longest a request may name.
    pub session_ttl_secs: u64,
    /// How long after a refresh the consumed token still buys the same pair again.
    pub retry_window_secs: u64,
    /// The largest leeway of any verifier: a revocation is kept in the list for so long after the token's expiry.
    pub leeway_secs: u64,
    /// Life of a published revocation list.
    pub list_ttl_secs: u64,
    /// The list is signed again after so long even when nothing was revoked.
    pub list_interval_secs: u64,
    /// `max-age` of the JWK Set: a new key signs only after it has been published for so long.
    pub jwks_max_age_secs: u64,
    /// How much of the audit log is kept.
    pub audit: audit::Retention,
    /// How long keys live.
    pub keys: KeyLife,
    /// Built-in users; none turns them off.
    pub users: Option<UserSettings>,
}

/// How long keys live. Whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyLife {
    /// A key signs for so long; 0: until somebody asks for another.
    pub rotate_every_secs: u64,
    /// A new key is published for so long before it signs, at least as long as `jwks_max_age_secs` and
    /// [`KeyLife::MARGIN_SECS`] ask for.
    pub publish_before_secs: u64,
}

impl KeyLife {
    /// So long after it was asked for, a key set has reached whoever keeps it.
    pub const MARGIN_SECS: u64 = 10;
}

impl Default for KeyLife {
    /// A quarter of a year, and a day: also caches that keep keys for longer than they are told know the next one by then.
    fn default() -> Self {
        Self { rotate_every_secs: 90 * 86_400, publish_before_secs: 86_400 }
    }
}

impl Settings {
    /// Returns the default settings for this issuer URL.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            default_audience: "api".to_owned(),
            status_list_audiences: Vec::new(), // the claim is 100 bytes that our own verifiers do not need
            algorithm: token::jwk::Algorithm::EdDsa,
            access_ttl_secs: 900, // a quarter of an hour: what a stolen token is worth without a list
            max_access_ttl_secs: 86_400, // a day: no revocation is kept for longer
            refresh_ttl_secs: 604_800, // a week without use ends a login
            session_ttl_secs: 2_592_000, // 30 days, NIST SP 800-63B-4 2.1.3
            retry_window_secs: 30, // a lost answer is asked again within seconds
            leeway_secs: token::verify::MAX_LEEWAY_SECS, // a verifier with more than the issuer knows of would revive a revoked token
            list_ttl_secs: 300,                          // a verifier lives through five minutes without the issuer
            list_interval_secs: 15,                      // twenty lists within one life
            jwks_max_age_secs: 300,
            audit: audit::Retention::default(),
            keys: KeyLife::default(),
            users: None, // a backend has users of its own, as a rule
        }
    }
}

impl Settings {
    /// Returns for how long a rule speaks of tokens that can be alive: the longest access token, with the largest leeway.
    pub(crate) fn rule_life_secs(&self) -> u64 {
        self.max_access_ttl_secs.saturating_add(self.leeway_secs)
    }
}

/// A client secret. It can be compared and shown once, not printed by accident.
#[derive(Clone)]
pub struct Secret(pub(crate) Zeroizing<String>);

impl Secret {
    /// Shortest secret an operator may set, in characters: the stored form is one SHA-256, so it must be random, not chosen.
    pub const MIN_LEN: usize = 32;
    /// Longest secret, in characters.
    pub const MAX_LEN: usize = 255;

    /// Returns the secret that `text` spells: 32 to 255 visible ASCII characters; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (Self::MIN_LEN..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Returns the characters, for the one moment when they are shown.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A client that has proved who it is; [`Issuer::authenticate`] makes one, and [`Issuer::operator`] for whoever
/// holds the store itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) administrator: bool,
    pub(crate) origin: Origin,
}

impl Client {
    /// Returns the `client_id`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns where its request came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// True for a client that may revoke and introspect every token.
    pub fn is_administrator(&self) -> bool {
        self.administrator
    }
}

/// What a backend asks for a subject that it has authenticated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MintRequest {
    /// Whom the tokens speak of: 1 to 255 bytes without control characters, not the id of a client.
    pub sub: String,
    /// For whom: 1 to 16 entries of 1 to 255 bytes.
    pub aud: Vec<String>,
    /// Scope in the grammar of RFC 6749 §3.3, at most 1,024 bytes.
    pub scope: Option<String>,
    /// At most 64 entries of 1 to 128 bytes.
    pub roles: Vec<String>,
    /// At most 64 entries of 1 to 128 bytes.
    pub permissions: Vec<String>,
    /// When the subject logged in, in seconds since 1970; not later than now plus the leeway.
    pub auth_time: Option<u64>,
    /// The access token is not valid before; earlier than its expiry.
    pub nbf: Option<u64>,
    /// Own claims: at most 4,096 bytes of JSON, 8 levels, no registered name.
    pub claims: Map<String, Value>,
    /// Seconds, 1 to the largest of the settings.
    pub access_ttl: Option<u64>,
    /// Idle life of the session in seconds, 1 to `session_ttl`.
    pub refresh_ttl: Option<u64>,
    /// Absolute life of the session in seconds, 1 to the one in the settings.
    pub session_ttl: Option<u64>,
    /// On what the session begins, for the list of sessions: 1 to 255 bytes without control characters.
    pub device: Option<String>,
}

/// What a client asks for itself (RFC 6749 §4.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientCredentialsRequest {
    /// As in [`MintRequest`].
    pub scope: Option<String>,
    /// One audience; the default one of the settings when absent.
    pub audience: Option<String>,
}

/// The answer of the token endpoints (RFC 6749 §5.1); serialised it is the body, the same bytes for a retry.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TokenAnswer {
    /// The access token, compact.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Life of the access token in seconds, counted from when it was first issued.
    pub expires_in: u64,
    /// The refresh token, compact; none for client credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Idle clock: seconds until the refresh token expires, counted from when it was first issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_expires_in: Option<u64>,
    /// Absolute clock: when the session ends whatever happens, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_expires_at: Option<u64>,
    /// The scope of the access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The session.
    pub sid: String,
}

/// What an administrator takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationRequest {
    /// The sessions of a subject, with all their live access tokens.
    Subject {
        /// The `sub` of the tokens, 1 to 255 bytes.
        sub: String,
        /// Only sessions that began at or before this second, in seconds since 1970; all there are when absent.
        issued_before: Option<u64>,
    },
    /// One session, with all its live access tokens.
    Session {
        /// Its `sid`.
        sid: String,
    },
    /// Every access token that a client has got, and its sessions.
    Client {
        /// Its `client_id`.
        client_id: String,
    },
    /// A signing key: it is published no more and signs nothing, and every token it signed is refused. A new key takes its
    /// place at once if it was active.
    Key {
        /// Its `kid`.
        kid: String,
    },
    /// Every access token, and all sessions.
    All {
        /// Only tokens issued and sessions begun at or before this second, in seconds since 1970; all when absent.
        issued_before: Option<u64>,
    },
}

/// From when a revocation is in force everywhere. The answer is the same when there was nothing to revoke (RFC 7009 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Revocation {
    /// The published list from which on it is contained.
    pub seq: u64,
    /// When the list before that one expires: from then on no verifier accepts the token, in seconds since 1970.
    pub effective_by: u64,
}

/// What is known of a token at this moment (RFC 7662 §2.2); serialised it is the body.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Introspection {
    /// Expired, revoked, malformed, foreign, or none of the caller's business: nothing tells which.
    Inactive {
        /// Always false.
        active: bool,
    },
    /// Valid in signature, time and revocation right now: `active: true` and its claims.
    Active(Map<String, Value>),
}

impl Introspection {
    /// True when the token is active.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active(_))
    }
}

/// A revocation list that has been published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its number; the `ETag`.
    pub seq: u64,
    /// The document, byte for byte.
    pub document: Arc<[u8]>,
    /// From then on no verifier uses it.
    pub exp: UnixTime,
}
