//! The settings as they are written: one table that is the TOML file, the environment variables and the flags alike.

use super::ConfigError;
use crate::telemetry::LogFormat;
use clap::Args as _;
use serde::{Deserialize, Serialize};
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

/// Some settings, from one source. What is not set there is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layer {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "COUNTERSIGN_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// URL that names this issuer in tokens and under which clients reach it [default: the address it listens on]
    #[arg(long, env = "COUNTERSIGN_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,
    /// Allow an issuer that is plain http on a host that is not loopback
    #[arg(long, env = "COUNTERSIGN_ALLOW_INSECURE_ISSUER", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_insecure_issuer: Option<bool>,
    /// Folder of the store and the master key; made when missing, with mode 0700
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// File with the master key [default: master.key in the data folder]
    #[arg(long, env = "COUNTERSIGN_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// Audience of a token whose request names none
    #[arg(long, env = "COUNTERSIGN_DEFAULT_AUDIENCE", value_name = "TEXT")]
    pub default_audience: Option<String>,
    /// Audiences whose tokens carry the `status` claim of Token Status Lists, separated by commas
    #[arg(long, env = "COUNTERSIGN_STATUS_LIST_AUDIENCES", value_delimiter = ',', value_name = "AUDIENCES")]
    pub status_list_audiences: Option<Vec<String>>,
    /// Name of the signature algorithm in headers and keys
    #[arg(long, env = "COUNTERSIGN_ALGORITHM", value_name = "NAME")]
    pub algorithm: Option<AlgorithmName>,
    /// Life of an access token whose request names none
    #[arg(long, env = "COUNTERSIGN_ACCESS_TTL_SECONDS", value_name = "SECONDS")]
    pub access_ttl_seconds: Option<u64>,
    /// Longest life an access token may be given
    #[arg(long, env = "COUNTERSIGN_MAX_ACCESS_TTL_SECONDS", value_name = "SECONDS")]
    pub max_access_ttl_seconds: Option<u64>,
    /// Idle life of a session: a refresh token not used for so long is dead
    #[arg(long, env = "COUNTERSIGN_REFRESH_TTL_SECONDS", value_name = "SECONDS")]
    pub refresh_ttl_seconds: Option<u64>,
    /// Absolute life of a session
    #[arg(long, env = "COUNTERSIGN_SESSION_TTL_SECONDS", value_name = "SECONDS")]
    pub session_ttl_seconds: Option<u64>,
    /// How long the same refresh token buys the same answer again
    #[arg(long, env = "COUNTERSIGN_RETRY_WINDOW_SECONDS", value_name = "SECONDS")]
    pub retry_window_seconds: Option<u64>,
    /// Largest leeway of any verifier: revocations stay in the list for so long after their tokens expire
    #[arg(long, env = "COUNTERSIGN_LEEWAY_SECONDS", value_name = "SECONDS")]
    pub leeway_seconds: Option<u64>,
    /// Life of a signed revocation list: how long verifiers work without the issuer
    #[arg(long, env = "COUNTERSIGN_LIST_TTL_SECONDS", value_name = "SECONDS")]
    pub list_ttl_seconds: Option<u64>,
    /// How often the list is signed anew when nothing is revoked
    #[arg(long, env = "COUNTERSIGN_LIST_INTERVAL_SECONDS", value_name = "SECONDS")]
    pub list_interval_seconds: Option<u64>,
    /// How long verifiers may cache the key set
    #[arg(long, env = "COUNTERSIGN_JWKS_MAX_AGE_SECONDS", value_name = "SECONDS")]
    pub jwks_max_age_seconds: Option<u64>,
    /// Connections open at once
    #[arg(long, env = "COUNTERSIGN_MAX_CONNECTIONS", value_name = "COUNT")]
    pub max_connections: Option<u64>,
    /// Connections open at once from one address; 0 = no such cap; loopback is exempt
    #[arg(long, env = "COUNTERSIGN_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT")]
    pub max_connections_per_address: Option<u64>,
    /// Followers of the revocation list at once, fewer than connections [default: five sixths of max_connections]
    #[arg(long, env = "COUNTERSIGN_MAX_FOLLOWERS", value_name = "COUNT")]
    pub max_followers: Option<u64>,
    /// How long a request head may take
    #[arg(long, env = "COUNTERSIGN_HEADER_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub header_timeout_seconds: Option<u64>,
    /// How long a request body may take
    #[arg(long, env = "COUNTERSIGN_BODY_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub body_timeout_seconds: Option<u64>,
    /// How long a connection may wait for its next request
    #[arg(long, env = "COUNTERSIGN_IDLE_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub idle_timeout_seconds: Option<u64>,
    /// How long a client may take no byte of an answer
    #[arg(long, env = "COUNTERSIGN_WRITE_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub write_timeout_seconds: Option<u64>,
    /// How long requests that have begun may go on after the signal to stop
    #[arg(long, env = "COUNTERSIGN_DRAIN_SECONDS", value_name = "SECONDS")]
    pub drain_seconds: Option<u64>,
    /// Origins whose pages may call the token and the revocation endpoint, separated by commas
    #[arg(long, env = "COUNTERSIGN_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
    pub cors_origins: Option<Vec<String>>,
    /// How log lines are written to stderr
    #[arg(long, env = "COUNTERSIGN_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Which log lines are written, for example `info` or `issuer=debug,warn`
    #[arg(long, env = "COUNTERSIGN_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,
}

impl Layer {
    /// Returns the value of each setting that nobody has set.
    pub fn defaults() -> Self {
        Self {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 8080))),
            issuer: None,          // follows the address it listens on
            master_key_file: None, // follows the data folder
            allow_insecure_issuer: Some(false),
            data_dir: Some(PathBuf::from("countersign-data")),
            default_audience: Some("api".to_owned()),
            status_list_audiences: Some(Vec::new()), // only other people's verifiers need the claim
            algorithm: Some(AlgorithmName::EdDsa),   // RFC 9864's name is refused by common libraries still
            access_ttl_seconds: Some(900),
            max_access_ttl_seconds: Some(86_400), // a revocation stays in the list as long as the longest token
            refresh_ttl_seconds: Some(604_800),
            session_ttl_seconds: Some(2_592_000), // 30 days: NIST SP 800-63B-4 §2.1.3
            retry_window_seconds: Some(30),
            leeway_seconds: Some(60),
            list_ttl_seconds: Some(300),
            list_interval_seconds: Some(15),
            jwks_max_age_seconds: Some(300),
            max_connections: Some(12_000), // 10,000 followers, and the rest for everybody else
            max_connections_per_address: Some(1_000),
            max_followers: None, // follows the number of connections
            header_timeout_seconds: Some(5),
            body_timeout_seconds: Some(10),
            idle_timeout_seconds: Some(30),
            write_timeout_seconds: Some(10),
            drain_seconds: Some(5),
            cors_origins: Some(Vec::new()),
            log_format: Some(LogFormat::Text),
            log_level: Some("info".to_owned()),
        }
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
        let names = Self::names();
        if let Some(key) = table.keys().find(|key| !names.contains(key)) {
            return Err(ConfigError::UnknownKey {
                path: path.to_owned(),
                key: key.clone(),
                nearest: nearest(key, &names),
            });
        }
        toml::from_str(text).map_err(malformed)
    }

    /// Returns these settings, and those of `below` where these have none.
    #[must_use]
    pub fn over(&self, below: &Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            issuer: self.issuer.clone().or_else(|| below.issuer.clone()),
            allow_insecure_issuer: self.allow_insecure_issuer.or(below.allow_insecure_issuer),
            data_dir: self.data_dir.clone().or_else(|| below.data_dir.clone()),
            master_key_file: self.master_key_file.clone().or_else(|| below.master_key_file.clone()),
            default_audience: self.default_audience.clone().or_else(|| below.default_audience.clone()),
            status_list_audiences: self.status_list_audiences.clone().or_else(|| below.status_list_audiences.clone()),
            algorithm: self.algorithm.or(below.algorithm),
            access_ttl_seconds: self.access_ttl_seconds.or(below.access_ttl_seconds),
            max_access_ttl_seconds: self.max_access_ttl_seconds.or(below.max_access_ttl_seconds),
            refresh_ttl_seconds: self.refresh_ttl_seconds.or(below.refresh_ttl_seconds),
            session_ttl_seconds: self.session_ttl_seconds.or(below.session_ttl_seconds),
            retry_window_seconds: self.retry_window_seconds.or(below.retry_window_seconds),
            leeway_seconds: self.leeway_seconds.or(below.leeway_seconds),
            list_ttl_seconds: self.list_ttl_seconds.or(below.list_ttl_seconds),
            list_interval_seconds: self.list_interval_seconds.or(below.list_interval_seconds),
            jwks_max_age_seconds: self.jwks_max_age_seconds.or(below.jwks_max_age_seconds),
            max_connections: self.max_connections.or(below.max_connections),
            max_connections_per_address: self.max_connections_per_address.or(below.max_connections_per_address),
            max_followers: self.max_followers.or(below.max_followers),
            header_timeout_seconds: self.header_timeout_seconds.or(below.header_timeout_seconds),
            body_timeout_seconds: self.body_timeout_seconds.or(below.body_timeout_seconds),
            idle_timeout_seconds: self.idle_timeout_seconds.or(below.idle_timeout_seconds),
            write_timeout_seconds: self.write_timeout_seconds.or(below.write_timeout_seconds),
            drain_seconds: self.drain_seconds.or(below.drain_seconds),
            cors_origins: self.cors_origins.clone().or_else(|| below.cors_origins.clone()),
            log_format: self.log_format.or(below.log_format),
            log_level: self.log_level.clone().or_else(|| below.log_level.clone()),
        }
    }

    /// Returns the name of every setting, in the order of the table.
    pub(super) fn names() -> Vec<String> {
        let flags = Self::augment_args(clap::Command::new("settings"));
        flags.get_arguments().map(|flag| flag.get_id().to_string()).collect()
    }
}

/// Returns the name that differs from `key` in the fewest characters, unless that is most of them.
fn nearest(key: &str, names: &[String]) -> Option<String> {
    let ranked = names.iter().map(|name| (distance(key, name), name));
    ranked.min().filter(|(distance, name)| *distance <= name.len() / 2).map(|(_, name)| name.clone())
}

/// Returns how many insertions, deletions and replacements of one character lead from `a` to `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut left = i.saturating_add(1);
        let mut diagonal = i;
        for (above, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let replaced = diagonal.saturating_add(usize::from(from != to));
            diagonal = *above;
            left = replaced.min(left.saturating_add(1)).min(above.saturating_add(1));
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or_default()
}
