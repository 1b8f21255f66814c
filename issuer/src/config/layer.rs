//! The settings as they are written: one table that is the TOML file, the environment variables and the flags alike.
//!
//! Flat settings are declared here, those of a subject in a table of its own in the file of that name.

use super::audit::AuditTable;
use super::connections::ConnectionsTable;
use super::cookies::CookiesTable;
use super::keys::KeysTable;
use super::nearest::nearest;
use super::rate_limits::RateLimitsTable;
use super::store::StoreTable;
use super::table::table;
use super::telemetry::TelemetryTable;
use super::tls::TlsTable;
use super::users::UsersTable;
use super::{ConfigError, DAY, MINUTE, YEAR};
use crate::telemetry::LogFormat;
use clap::Args as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The name of the signature algorithm in headers and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub enum AlgorithmName {
    /// The name that every library knows (RFC 8037).
    #[serde(rename = "EdDSA")]
    #[value(name = "EdDSA")]
    EdDsa,
    /// The name of RFC 9864, for verifiers that ask for it.
    #[value(name = "Ed25519")]
    Ed25519,
}

/// The field in which trusted proxies say for whom they speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, which most proxies write.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

table! {
    /// Some settings, from one source. What is not set there is `None`.
    Layer in "" {
        /// Address and port to listen on; port 0 takes a free one
        #[arg(long, env = "COUNTERSIGN_LISTEN", value_name = "ADDRESS:PORT")]
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080));
        /// URL that names this issuer in tokens and under which clients reach it [default: the address it listens on]
        #[arg(long, env = "COUNTERSIGN_ISSUER", value_name = "URL")]
        issuer: String; // follows the address it listens on
        /// Allow an issuer that is plain http on a host that is not loopback
        #[arg(long, env = "COUNTERSIGN_ALLOW_INSECURE_ISSUER", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
        allow_insecure_issuer: bool = false;
        /// Folder of the store and the master key; made when missing, with mode 0700
        #[arg(long, env = "COUNTERSIGN_DATA_DIR", value_name = "FOLDER")]
        data_dir: PathBuf = PathBuf::from("countersign-data");
        /// File with the master key [default: master.key in the data folder]
        #[arg(long, env = "COUNTERSIGN_MASTER_KEY_FILE", value_name = "FILE")]
        master_key_file: PathBuf; // follows the data folder
        /// Audience of a token for a client itself, and of a user, where none is named; minting always names one
        #[arg(long, env = "COUNTERSIGN_DEFAULT_AUDIENCE", value_name = "TEXT")]
        default_audience: String = "api".to_owned();
        /// Audiences whose tokens carry the `status` claim of Token Status Lists, separated by commas
        #[arg(long, env = "COUNTERSIGN_STATUS_LIST_AUDIENCES", value_delimiter = ',', value_name = "AUDIENCES")]
        status_list_audiences: Vec<String> = Vec::new(); // only other people's verifiers need the claim
        /// Name of the signature algorithm in headers and keys
        #[arg(long, env = "COUNTERSIGN_ALGORITHM", value_name = "NAME")]
        algorithm: AlgorithmName = AlgorithmName::EdDsa; // RFC 9864's name is refused by common libraries still
        /// Life of an access token whose request names none
        #[arg(long, env = "COUNTERSIGN_ACCESS_TTL_SECONDS", value_name = "SECONDS")]
        access_ttl_seconds: u64 = 900, 1..=DAY;
        /// Longest life an access token may be given
        #[arg(long, env = "COUNTERSIGN_MAX_ACCESS_TTL_SECONDS", value_name = "SECONDS")]
        max_access_ttl_seconds: u64 = 86_400, 1..=DAY; // a revocation stays in the list as long as the longest token
        /// Idle life of a session: a refresh token not used for so long is dead
        #[arg(long, env = "COUNTERSIGN_REFRESH_TTL_SECONDS", value_name = "SECONDS")]
        refresh_ttl_seconds: u64 = 604_800, 1..=YEAR;
        /// Absolute life of a session
        #[arg(long, env = "COUNTERSIGN_SESSION_TTL_SECONDS", value_name = "SECONDS")]
        session_ttl_seconds: u64 = 2_592_000, 1..=YEAR; // 30 days: NIST SP 800-63B-4 §2.1.3
        /// How long the same refresh token buys the same answer again
        #[arg(long, env = "COUNTERSIGN_RETRY_WINDOW_SECONDS", value_name = "SECONDS")]
        retry_window_seconds: u64 = 30, 0..=300;
        /// Largest leeway of any verifier: revocations stay in the list for so long after their tokens expire
        #[arg(long, env = "COUNTERSIGN_LEEWAY_SECONDS", value_name = "SECONDS")]
        leeway_seconds: u64 = 60, 0..=60;
        /// Life of a signed revocation list: how long verifiers work without the issuer
        #[arg(long, env = "COUNTERSIGN_LIST_TTL_SECONDS", value_name = "SECONDS")]
        list_ttl_seconds: u64 = 300, 10..=DAY;
        /// How often the list is signed anew when nothing is revoked
        #[arg(long, env = "COUNTERSIGN_LIST_INTERVAL_SECONDS", value_name = "SECONDS")]
        list_interval_seconds: u64 = 15, 1..=DAY / 2;
        /// How long verifiers may cache the key set
        #[arg(long, env = "COUNTERSIGN_JWKS_MAX_AGE_SECONDS", value_name = "SECONDS")]
        jwks_max_age_seconds: u64 = 300, 1..=DAY;
        /// Connections open at once
        #[arg(long, env = "COUNTERSIGN_MAX_CONNECTIONS", value_name = "COUNT")]
        max_connections: u64 = 12_000, 1..=1_000_000; // 10,000 followers, and the rest for everybody else
        /// Connections open at once from one address; 0 = no such cap; loopback is exempt
        #[arg(long, env = "COUNTERSIGN_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT")]
        max_connections_per_address: u64 = 1_000, 0..=1_000_000;
        /// Followers of the revocation list at once, fewer than connections [default: five sixths of max_connections]
        #[arg(long, env = "COUNTERSIGN_MAX_FOLLOWERS", value_name = "COUNT")]
        max_followers: u64, 0..=1_000_000; // follows the number of connections
        /// How long a request head may take
        #[arg(long, env = "COUNTERSIGN_HEADER_TIMEOUT_SECONDS", value_name = "SECONDS")]
        header_timeout_seconds: u64 = 5, 1..=MINUTE;
        /// How long a request body may take
        #[arg(long, env = "COUNTERSIGN_BODY_TIMEOUT_SECONDS", value_name = "SECONDS")]
        body_timeout_seconds: u64 = 10, 1..=MINUTE;
        /// How long a connection may wait for its next request
        #[arg(long, env = "COUNTERSIGN_IDLE_TIMEOUT_SECONDS", value_name = "SECONDS")]
        idle_timeout_seconds: u64 = 30, 1..=10 * MINUTE;
        /// How long a client may take no byte of an answer
        #[arg(long, env = "COUNTERSIGN_WRITE_TIMEOUT_SECONDS", value_name = "SECONDS")]
        write_timeout_seconds: u64 = 10, 1..=10 * MINUTE;
        /// How long requests that have begun may go on after the signal to stop
        #[arg(long, env = "COUNTERSIGN_DRAIN_SECONDS", value_name = "SECONDS")]
        drain_seconds: u64 = 5, 0..=10 * MINUTE;
        /// Origins whose pages may call the token and the revocation endpoint, and /v1/session with cookies, separated by commas
        #[arg(long, env = "COUNTERSIGN_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
        cors_origins: Vec<String> = Vec::new();
        /// Addresses and networks of proxies that are believed when they say for whom they speak, separated by commas
        #[arg(long, env = "COUNTERSIGN_TRUSTED_PROXIES", value_delimiter = ',', value_name = "NETWORKS")]
        trusted_proxies: Vec<String> = Vec::new();
        /// Field in which trusted proxies say for whom they speak; they must overwrite or append to what clients send in it
        #[arg(long, env = "COUNTERSIGN_FORWARDED_HEADER", value_name = "NAME")]
        forwarded_header: ForwardedHeader = ForwardedHeader::XForwardedFor;
        /// Trusted proxies begin each connection with a PROXY header, version 1 or 2
        #[arg(long, env = "COUNTERSIGN_PROXY_PROTOCOL", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
        proxy_protocol: bool = false;
        /// How log lines are written to stderr
        #[arg(long, env = "COUNTERSIGN_LOG_FORMAT", value_name = "FORMAT")]
        log_format: LogFormat = LogFormat::Text;
        /// Which log lines are written, for example `info` or `issuer=debug,warn`
        #[arg(long, env = "COUNTERSIGN_LOG_LEVEL", value_name = "LEVEL")]
        log_level: String = "info".to_owned();
    }
    tables {
        /// How much of the audit log is kept.
        audit: AuditTable;
        /// Bounds on one connection.
        connections: ConnectionsTable;
        /// How long signing keys live.
        keys: KeysTable;
        /// Where everything is kept.
        store: StoreTable;
        /// Built-in users.
        users: UsersTable;
        /// Cookies of logins.
        cookies: CookiesTable;
        /// Rate limits.
        rate_limits: RateLimitsTable;
        /// Metrics and traces.
        telemetry: TelemetryTable;
        /// TLS of the listening address.
        tls: TlsTable;
    }
}

impl Layer {
    /// Returns what `given` (flags and environment) over the file at `path` over the defaults makes.
    ///
    /// # Errors
    /// As [`Layer::read`].
    pub fn in_force(path: Option<&Path>, given: &Self) -> Result<Self, ConfigError> {
        let file = match path {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        Ok(given.over(&file).over(&Self::defaults()))
    }

    /// Returns the settings in the TOML file at `path`.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`], [`ConfigError::Malformed`] or [`ConfigError::UnknownKey`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        Self::parse(path, &text)
    }

    /// Returns the settings in `text`, which was read from `path`.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let malformed = |error: toml::de::Error| ConfigError::Malformed {
            path: path.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        };
        let table: toml::Table = text.parse().map_err(malformed)?;
        if let Some((key, nearest)) = unknown(&table) {
            return Err(ConfigError::UnknownKey { path: path.to_owned(), key, nearest });
        }
        toml::from_str(text).map_err(malformed)
    }

    /// Returns the name of every setting, in the order of the tables; one of a table is `table.name`.
    pub(super) fn names() -> Vec<String> {
        let flags = Self::augment_args(clap::Command::new("settings"));
        flags.get_arguments().map(|flag| flag.get_id().to_string()).collect()
    }
}

/// Returns the first key that no setting has, with the one that was probably meant.
fn unknown(given: &toml::Table) -> Option<(String, Option<String>)> {
    let mut names = Layer::names();
    let tables: BTreeSet<String> =
        names.iter().filter_map(|name| name.split_once('.')).map(|(table, _)| table.to_owned()).collect();
    let below = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::Table(inner) if tables.contains(key) => inner.keys().map(|name| format!("{key}.{name}")).collect(),
        _ => vec![key.clone()],
    };
    let known = |key: &String| names.contains(key) || tables.contains(key);
    let key = given.iter().flat_map(below).find(|key| !known(key))?;
    names.extend(tables);
    let nearest = nearest(&key, &names);
    Some((key, nearest))
}
