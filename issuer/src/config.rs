//! Settings: a TOML file, the environment and flags become one checked [`Config`].
//!
//! A flag wins over the environment, the environment over the file, the file over the default. Every setting has one
//! name in all three: `access_ttl_seconds`, `COUNTERSIGN_ACCESS_TTL_SECONDS`, `--access-ttl-seconds`; in a table of the file
//! `connections.head_bytes`, `COUNTERSIGN_CONNECTIONS_HEAD_BYTES`, `--connections-head-bytes`. Secrets are no settings: they
//! come from a file of their own or from the environment, never from a flag or this file (see `cli`).

mod audit;
mod connections;
mod cookies;
mod issuer_url;
mod keys;
mod layer;
mod listed;
mod nearest;
mod rate_limits;
mod reloading;
mod show;
mod store;
mod table;
mod telemetry;
#[cfg(test)]
mod tests;
mod tls;
mod users;

pub use cookies::{Cookies, SameSite, SiteData};
pub use issuer_url::IssuerUrl;
pub use keys::Keys;
pub use layer::{AlgorithmName, ForwardedHeader, Layer};
pub use listed::{described, in_force};
pub use reloading::{Changes, changes};
pub use show::{Source, defaults, show};
pub use store::{Database, Engine};
pub use telemetry::Otlp;
pub use tls::Tls;
pub use users::UsersTable;

use crate::limits::Quotas;
use crate::server::{Limits, Proxies};
use crate::telemetry::{LogFormat, LogLevel};
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

/// Everything the daemon can be told, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The issuer identifier; `None` = the address it listens on, which must then be loopback.
    pub issuer: Option<IssuerUrl>,
    /// The folder of the store and, by default, of the master key.
    pub data_dir: PathBuf,
    /// The file of the master key, when it is not `master.key` in `data_dir`.
    pub master_key_file: Option<PathBuf>,
    /// What keeps the rows.
    pub store: Engine,
    /// What tokens are and how long they live.
    pub tokens: Tokens,
    /// How much of the audit log is kept.
    pub audit: AuditLimits,
    /// How long signing keys live.
    pub keys: Keys,
    /// Bounds on connections.
    pub limits: Limits,
    /// Followers of the revocation list at once; above are told to ask for it instead.
    pub max_followers: usize,
    /// From the end of a request head to the end of its body.
    pub body_timeout: Duration,
    /// Pages of these origins may call the token and the revocation endpoint (exact match, RFC 6454).
    pub cors_origins: Vec<String>,
    /// Built-in users, each member within its range; whether there are any is one of them.
    pub users: UsersTable,
    /// How browsers keep the tokens of a login.
    pub cookies: Cookies,
    /// Who is believed when it says for whom it speaks.
    pub trusted_proxies: Proxies,
    /// Where trusted proxies say so.
    pub forwarded_header: ForwardedHeader,
    /// Trusted proxies begin each connection with a PROXY header.
    pub proxy_protocol: bool,
    /// How often one party may do something.
    pub rate_limits: Quotas,
    /// Where metrics are told; `None` = nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Where traces go; `None` = nowhere.
    pub otlp: Option<Otlp>,
    /// TLS of the listening address; `None` = in the clear.
    pub tls: Option<Tls>,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Which log lines are written.
    pub log_level: LogLevel,
}

/// How much of the audit log is kept.
#[derive(Debug, Clone, Copy)]
pub struct AuditLimits {
    /// For so many days.
    pub retention_days: u64,
    /// So many events at most.
    pub max_events: u64,
}

/// What tokens are and how long they live; all times in seconds.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// `aud` of a token whose request names none (RFC 9068 §3).
    pub default_audience: String,
    /// Tokens for one of these audiences carry the `status` claim, for verifiers that read Token Status Lists.
    pub status_list_audiences: Vec<String>,
    /// The name of the one signature algorithm.
    pub algorithm: AlgorithmName,
    /// Life of an access token whose request names none.
    pub access_ttl_seconds: u64,
    /// The longest life an access token may be given.
    pub max_access_ttl_seconds: u64,
    /// Idle life of a session: a refresh token not used for so long is dead.
    pub refresh_ttl_seconds: u64,
    /// Absolute life of a session.
    pub session_ttl_seconds: u64,
    /// How long the same refresh token buys the same answer again.
    pub retry_window_seconds: u64,
    /// The largest leeway of any verifier.
    pub leeway_seconds: u64,
    /// Life of a signed revocation list.
    pub list_ttl_seconds: u64,
    /// How often the list is signed anew when nothing is revoked.
    pub list_interval_seconds: u64,
    /// `max-age` of the key set.
    pub jwks_max_age_seconds: u64,
}

/// A setting cannot be used; the message names it and says what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is not TOML, or a value in it has the wrong type.
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what, over several lines.
        reason: String,
    },
    /// The file has a key that no setting has.
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key as written.
        key: String,
        /// The setting that was probably meant.
        nearest: Option<String>,
    },
    /// A value is outside of what the setting allows.
    Setting {
        /// The setting's name in the file; the flag and the variable follow from it.
        name: &'static str,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

impl Config {
    /// Returns the configuration that `given` (flags and environment) over the file at `path` over the defaults makes.
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting or the key.
    pub fn load(path: Option<&Path>, given: &Layer) -> Result<Self, ConfigError> {
        Self::try_from(Layer::in_force(path, given)?)
    }
}

impl TryFrom<Layer> for Config {
    type Error = ConfigError;

    fn try_from(layer: Layer) -> Result<Self, ConfigError> {
        layer.in_range()?;
        let listen = needed("listen", layer.listen)?;
        let issuer = match &layer.issuer {
            Some(text) => Some(IssuerUrl::parse(text, layer.allow_insecure_issuer.unwrap_or(false))?),
            None => None,
        };
        if issuer.is_none() && !listen.ip().is_loopback() {
            let reason =
                format!("must be given when the daemon listens on {listen}: the URL under which clients reach it");
            return Err(ConfigError::Setting { name: "issuer", reason });
        }
        let log_level = needed("log_level", layer.log_level.clone())?;
        let tokens = tokens(&layer)?;
        let keys = layer.keys.checked(tokens.jwks_max_age_seconds)?;
        Ok(Self {
            listen,
            issuer,
            data_dir: needed("data_dir", layer.data_dir.clone())?,
            master_key_file: layer.master_key_file.clone(),
            store: layer.store.checked()?,
            audit: AuditLimits {
                retention_days: needed("audit.retention_days", layer.audit.retention_days)?,
                max_events: needed("audit.max_events", layer.audit.max_events)?,
            },
            tokens,
            keys,
            limits: limits(&layer)?,
            max_followers: max_followers(&layer)?,
            body_timeout: seconds("body_timeout_seconds", layer.body_timeout_seconds)?,
            users: layer.users.checked()?,
            cookies: cookies::cookies(layer.cookies)?,
            trusted_proxies: proxies(layer.trusted_proxies.clone().unwrap_or_default())?,
            forwarded_header: needed("forwarded_header", layer.forwarded_header)?,
            proxy_protocol: needed("proxy_protocol", layer.proxy_protocol)?,
            rate_limits: layer.rate_limits.quotas(),
            metrics_listen: layer.telemetry.metrics_listen,
            otlp: layer.telemetry.otlp()?,
            tls: layer.tls.checked()?,
            cors_origins: origins(layer.cors_origins.unwrap_or_default())?,
            log_format: needed("log_format", layer.log_format)?,
            log_level: LogLevel::parse(&log_level)
                .map_err(|error| ConfigError::Setting { name: "log_level", reason: error.to_string() })?,
        })
    }
}

fn tokens(layer: &Layer) -> Result<Tokens, ConfigError> {
    let tokens = Tokens {
        default_audience: needed("default_audience", layer.default_audience.clone())?,
        status_list_audiences: audiences(layer.status_list_audiences.clone().unwrap_or_default())?,
        algorithm: needed("algorithm", layer.algorithm)?,
        access_ttl_seconds: needed("access_ttl_seconds", layer.access_ttl_seconds)?,
        max_access_ttl_seconds: needed("max_access_ttl_seconds", layer.max_access_ttl_seconds)?,
        refresh_ttl_seconds: needed("refresh_ttl_seconds", layer.refresh_ttl_seconds)?,
        session_ttl_seconds: needed("session_ttl_seconds", layer.session_ttl_seconds)?,
        retry_window_seconds: needed("retry_window_seconds", layer.retry_window_seconds)?,
        leeway_seconds: needed("leeway_seconds", layer.leeway_seconds)?,
        list_ttl_seconds: needed("list_ttl_seconds", layer.list_ttl_seconds)?,
        list_interval_seconds: needed("list_interval_seconds", layer.list_interval_seconds)?,
        jwks_max_age_seconds: needed("jwks_max_age_seconds", layer.jwks_max_age_seconds)?,
    };
    if tokens.default_audience.is_empty() {
        return Err(ConfigError::Setting { name: "default_audience", reason: "must not be empty".to_owned() });
    }
    at_most("access_ttl_seconds", tokens.access_ttl_seconds, "max_access_ttl_seconds", tokens.max_access_ttl_seconds)?;
    at_most("refresh_ttl_seconds", tokens.refresh_ttl_seconds, "session_ttl_seconds", tokens.session_ttl_seconds)?;
    // A list that is signed only once in its life leaves verifiers without one when a single signing is late.
    at_most(
        "list_interval_seconds",
        tokens.list_interval_seconds,
        "half of list_ttl_seconds",
        tokens.list_ttl_seconds / 2,
    )?;
    Ok(tokens)
}

fn limits(layer: &Layer) -> Result<Limits, ConfigError> {
    Ok(Limits {
        max_connections: count("max_connections", layer.max_connections)?,
        max_connections_per_address: count("max_connections_per_address", layer.max_connections_per_address)?,
        header: seconds("header_timeout_seconds", layer.header_timeout_seconds)?,
        idle: seconds("idle_timeout_seconds", layer.idle_timeout_seconds)?,
        write_stall: seconds("write_timeout_seconds", layer.write_timeout_seconds)?,
        drain: seconds("drain_seconds", layer.drain_seconds)?,
        linger: seconds("connections.linger_seconds", layer.connections.linger_seconds)?,
        max_head_bytes: count("connections.head_bytes", layer.connections.head_bytes)?,
        max_head_fields: count("connections.head_fields", layer.connections.head_fields)?,
        max_streams: needed("tls.http2_streams", layer.tls.http2_streams)?.try_into().unwrap_or(u32::MAX),
    })
}

/// An audience that no request can name would never match.
fn audiences(mut audiences: Vec<String>) -> Result<Vec<String>, ConfigError> {
    audiences.retain(|audience| !audience.is_empty()); // an empty variable names none
    match audiences.iter().find(|audience| audience.len() > 255 || audience.chars().any(char::is_control)) {
        None => Ok(audiences),
        Some(_) => Err(ConfigError::Setting {
            name: "status_list_audiences",
            reason: "must hold audiences of at most 255 bytes without control characters".to_owned(),
        }),
    }
}

/// Followers stay for hours: some connections are always left for those who do not.
fn max_followers(layer: &Layer) -> Result<usize, ConfigError> {
    let connections = needed("max_connections", layer.max_connections)?;
    let followers = layer.max_followers.unwrap_or_else(|| connections.saturating_sub(connections.div_ceil(6)));
    at_most("max_followers", followers, "max_connections less one", connections.saturating_sub(1))?;
    count("max_followers", Some(followers))
}

/// An origin is compared as a browser writes it: scheme and host in lower case, no path (RFC 6454 §6.2).
fn origins(mut origins: Vec<String>) -> Result<Vec<String>, ConfigError> {
    origins.retain(|origin| !origin.is_empty()); // an empty variable names none
    for origin in &origins {
        let (scheme, authority) = origin.split_once("://").unwrap_or_default();
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        };
        if !matches!(scheme, "http" | "https") || !plain(authority) || authority.contains(['/', '?', '#', '@', '*']) {
            let reason = format!("`{origin}` is not an origin such as https://app.example.com");
            return Err(ConfigError::Setting { name: "cors_origins", reason });
        }
        if authority.ends_with(if scheme == "https" { ":443" } else { ":80" }) {
            let reason =
                format!("`{origin}` names the port that browsers leave out: it would never be the origin of a page");
            return Err(ConfigError::Setting { name: "cors_origins", reason });
        }
    }
    Ok(origins)
}

fn proxies(mut texts: Vec<String>) -> Result<Proxies, ConfigError> {
    texts.retain(|text| !text.is_empty()); // an empty variable names none
    Proxies::parse(&texts).map_err(|text| {
        let reason = format!("`{text}` is not an address or a network such as 10.0.0.0/8");
        ConfigError::Setting { name: "trusted_proxies", reason }
    })
}

fn needed<T>(name: &'static str, value: Option<T>) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::Setting { name, reason: "must be given".to_owned() })
}

/// Checks that a value which is set is in its range; the declaration of a setting calls it (see `table`).
fn within(name: &'static str, value: Option<u64>, allowed: RangeInclusive<u64>) -> Result<(), ConfigError> {
    match value.filter(|value| !allowed.contains(value)) {
        None => Ok(()),
        Some(value) => {
            let reason = format!("is {value} but must be from {} to {}", allowed.start(), allowed.end());
            Err(ConfigError::Setting { name, reason })
        }
    }
}

fn seconds(name: &'static str, value: Option<u64>) -> Result<Duration, ConfigError> {
    needed(name, value).map(Duration::from_secs)
}

fn count(name: &'static str, value: Option<u64>) -> Result<usize, ConfigError> {
    let value = needed(name, value)?;
    usize::try_from(value)
        .map_err(|_| ConfigError::Setting { name, reason: format!("is {value}, too large for this machine") })
}

fn at_most(name: &'static str, value: u64, bound_name: &str, bound: u64) -> Result<(), ConfigError> {
    if value <= bound {
        return Ok(());
    }
    Err(ConfigError::Setting { name, reason: format!("is {value} but must be at most {bound_name}, which is {bound}") })
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, reason } => write!(f, "{} cannot be read: {reason}", path.display()),
            Self::Malformed { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::UnknownKey { path, key, nearest } => {
                write!(f, "{}: there is no setting `{key}`", path.display())?;
                nearest.iter().try_for_each(|nearest| write!(f, "; did you mean `{nearest}`?"))
            }
            Self::Setting { name, reason } => write!(
                f,
                "{name} {reason} (file: {name}, environment: COUNTERSIGN_{}, flag: --{})",
                name.to_ascii_uppercase().replace('.', "_"),
                name.replace(['_', '.'], "-")
            ),
        }
    }
}

impl std::error::Error for ConfigError {}
