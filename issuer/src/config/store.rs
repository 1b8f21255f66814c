//! `[store]`: where everything is kept: in files of this machine, or in a database that more than one daemon can reach.

use super::table::table;
use super::{ConfigError, needed};
use http::Uri;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What keeps the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    /// Files in the data folder.
    Sled,
    /// A PostgreSQL server.
    Postgres,
}

/// Whether the way to the database is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsName {
    /// It is, and the server proves its name; but in the clear where it is on this machine.
    Auto,
    /// It is, wherever the server is.
    Required,
    /// It is not: whoever can listen in reads and changes everything.
    Off,
}

table! {
    /// Where everything is kept.
    StoreTable in "store." {
        /// `sled` keeps everything in files of the data folder, `postgres` in a database that several daemons can reach
        #[arg(id = "store.engine", long = "store-engine", env = "COUNTERSIGN_STORE_ENGINE", value_name = "NAME")]
        engine: EngineName = EngineName::Sled;
        /// Database as postgres://user@host:port/name, several hosts separated by commas; the password is not part of it
        #[arg(id = "store.url", long = "store-url", env = "COUNTERSIGN_STORE_URL", value_name = "URL")]
        url: String;
        /// File with the password of the database's user; COUNTERSIGN_STORE_PASSWORD wins over it [default: none]
        #[arg(id = "store.password_file", long = "store-password-file", env = "COUNTERSIGN_STORE_PASSWORD_FILE", value_name = "FILE")]
        password_file: PathBuf;
        /// TLS towards the database: `auto` is `required` but for a server on this machine
        #[arg(id = "store.tls", long = "store-tls", env = "COUNTERSIGN_STORE_TLS", value_name = "MODE")]
        tls: TlsName = TlsName::Auto;
        /// Certificates of the authorities that may name the database, in PEM [default: those of the system]
        #[arg(id = "store.tls_root_file", long = "store-tls-root-file", env = "COUNTERSIGN_STORE_TLS_ROOT_FILE", value_name = "FILE")]
        tls_root_file: PathBuf;
        /// Connections to the database for reading; one more writes
        #[arg(id = "store.connections", long = "store-connections", env = "COUNTERSIGN_STORE_CONNECTIONS", value_name = "COUNT")]
        connections: u64 = 4, 1..=64; // requests share them: each carries any number of statements at once
        /// How long connecting to the database, and any one statement, may take
        #[arg(id = "store.timeout_seconds", long = "store-timeout-seconds", env = "COUNTERSIGN_STORE_TIMEOUT_SECONDS", value_name = "SECONDS")]
        timeout_seconds: u64 = 10, 1..=300;
        /// How long a request waits while the database is away, before it is refused as retryable
        #[arg(id = "store.patience_seconds", long = "store-patience-seconds", env = "COUNTERSIGN_STORE_PATIENCE_SECONDS", value_name = "SECONDS")]
        patience_seconds: u64 = 10, 1..=300;
        /// A daemon that the database has not heard of for so long is followed by one that stands by
        #[arg(id = "store.lease_seconds", long = "store-lease-seconds", env = "COUNTERSIGN_STORE_LEASE_SECONDS", value_name = "SECONDS")]
        lease_seconds: u64 = 8, 3..=60; // a third of it may pass between two signs of life
        /// Bring the tables of an older version, or of none, up to this one at the start
        #[arg(id = "store.migrate", long = "store-migrate", env = "COUNTERSIGN_STORE_MIGRATE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
        migrate: bool = false;
        /// Origin at which the other daemons of this database reach this one [default: `listen`, where that is one address]
        #[arg(id = "store.advertise", long = "store-advertise", env = "COUNTERSIGN_STORE_ADVERTISE", value_name = "URL")]
        advertise: String;
        /// Certificates of the authorities that may name the other daemons, in PEM [default: those of the system]
        #[arg(id = "store.advertise_root_file", long = "store-advertise-root-file", env = "COUNTERSIGN_STORE_ADVERTISE_ROOT_FILE", value_name = "FILE")]
        advertise_root_file: PathBuf;
    }
}

/// What keeps the rows, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// Files in the data folder.
    Sled,
    /// A database.
    Postgres(Database),
}

/// How a database is reached; the password is not among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its URL.
    pub url: String,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Certificates of the authorities; none for those of the system.
    pub tls_root_file: Option<PathBuf>,
    /// Connections for reading.
    pub connections: usize,
    /// How long connecting, and any one statement, may take.
    pub timeout: Duration,
    /// How long a request waits while the database is away.
    pub patience: Duration,
    /// How long a silent daemon keeps the right to write.
    pub lease: Duration,
    /// Whether older tables are brought up to this version.
    pub migrate: bool,
    /// The origin at which the other daemons reach this one; none when they cannot.
    pub advertise: Option<String>,
    /// Certificates of the authorities that may name the other daemons; none for those of the system.
    pub advertise_root_file: Option<PathBuf>,
}

impl Engine {
    /// Returns the engine with an address for the other daemons: where it listens, over TLS if it does so, unless the
    /// settings name one or it listens everywhere, which is nobody's address.
    #[must_use]
    pub fn listening(self, listen: SocketAddr, tls: bool) -> Self {
        let Self::Postgres(database) = self else { return self };
        let scheme = if tls { "https" } else { "http" };
        let own = (!listen.ip().is_unspecified()).then(|| format!("{scheme}://{listen}"));
        Self::Postgres(Database { advertise: database.advertise.clone().or(own), ..database })
    }
}

impl StoreTable {
    /// Returns what keeps the rows.
    pub(super) fn checked(&self) -> Result<Engine, ConfigError> {
        if needed("store.engine", self.engine)? == EngineName::Sled {
            return Ok(Engine::Sled);
        }
        let url = needed("store.url", self.url.clone())?;
        let wrong = |reason: &str| ConfigError::Setting { name: "store.url", reason: reason.to_owned() };
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or_else(|| wrong("must be a URL such as postgres://user@host:5432/name"))?;
        let (authority, behind) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user.contains(':') || behind.contains("password=") {
            return Err(wrong("holds a password: give it in store.password_file or COUNTERSIGN_STORE_PASSWORD"));
        }
        let seconds = |name, value| needed(name, value).map(Duration::from_secs);
        let tls = match needed("store.tls", self.tls)? {
            TlsName::Auto => !hosts.split(',').all(is_this_machine) || behind.contains("host="),
            TlsName::Required => true,
            TlsName::Off => false,
        };
        Ok(Engine::Postgres(Database {
            url,
            password_file: self.password_file.clone(),
            tls,
            tls_root_file: self.tls_root_file.clone(),
            connections: super::count("store.connections", self.connections)?,
            timeout: seconds("store.timeout_seconds", self.timeout_seconds)?,
            patience: seconds("store.patience_seconds", self.patience_seconds)?,
            lease: seconds("store.lease_seconds", self.lease_seconds)?,
            migrate: needed("store.migrate", self.migrate)?,
            advertise: self.advertise.as_deref().filter(|text| !text.is_empty()).map(origin).transpose()?,
            advertise_root_file: self.advertise_root_file.clone(),
        }))
    }
}

/// Returns the origin that `text` spells: scheme, host and port, and nothing else (RFC 6454 §6.2).
fn origin(text: &str) -> Result<String, ConfigError> {
    let wrong = || ConfigError::Setting {
        name: "store.advertise",
        reason: format!("is `{text}` but must be an origin such as https://one.internal:8080"),
    };
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let everywhere = bare.parse().is_ok_and(|address: IpAddr| address.is_unspecified());
    let is_origin = matches!(uri.scheme_str(), Some("http" | "https"))
        && !text.contains(['?', '#', '@'])
        && matches!(uri.path(), "" | "/")
        && text.len() <= 255;
    if is_origin && !everywhere { Ok(text.trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

/// True for a host that is this machine itself: its loopback address, or a folder of sockets, percent-encoded.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        || name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(url: &str) -> StoreTable {
        let given =
            StoreTable { engine: Some(EngineName::Postgres), url: Some(url.to_owned()), ..StoreTable::default() };
        given.over(&StoreTable::defaults())
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_repeated() {
        for url in [
            "postgres://me:hunter2@db/name",
            "postgres://me@db/name?password=hunter2",
            "postgres://db?password=hunter2",
        ] {
            let refused = table(url).checked().expect_err(url).to_string();
            assert!(refused.contains("store.password_file") && !refused.contains("hunter2"), "{refused}");
        }
        for url in ["host=db", "mysql://db", ""] {
            assert!(table(url).checked().is_err(), "{url}");
        }
    }

    #[test]
    fn tls_is_left_out_only_where_every_server_is_this_machine() {
        let spoken = |url: &str| match table(url).checked().expect(url) {
            Engine::Postgres(database) => database.tls,
            Engine::Sled => panic!("{url}"),
        };
        for here in [
            "postgres://me@localhost:5432/x",
            "postgres://127.0.0.1/x",
            "postgres://me@[::1]:5/x",
            "postgres://me@%2Frun%2Fpg/x",
        ] {
            assert!(!spoken(here), "{here}");
        }
        for elsewhere in [
            "postgres://me@db/x",
            "postgres://127.0.0.1,db/x",
            "postgres://localhost.example/x",
            "postgres:///x?host=db",
        ] {
            assert!(spoken(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn other_daemons_are_told_an_origin_and_nothing_else() {
        let told = |text: &str| StoreTable { advertise: Some(text.to_owned()), ..table("postgres://localhost/x") };
        for (text, origin) in [
            ("https://one.internal:8080", "https://one.internal:8080"),
            ("http://10.0.0.1/", "http://10.0.0.1"),
            ("http://[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ] {
            let Ok(Engine::Postgres(database)) = told(text).checked() else { panic!("{text}") };
            assert_eq!(database.advertise.as_deref(), Some(origin));
        }
        for text in [
            "one.internal:8080",
            "ftp://one",
            "https://",
            "https://one/path",
            "https://one?x",
            "https://me@one",
            "http://0.0.0.0:8080",
            "http://[::]:8080",
        ] {
            assert!(told(text).checked().is_err(), "{text}");
        }
    }

    #[test]
    fn where_nothing_is_told_the_address_is_that_of_the_listener_unless_it_is_everywhere() {
        let listening = |text: Option<&str>, listen: &str, tls| {
            let table = StoreTable { advertise: text.map(str::to_owned), ..table("postgres://localhost/x") };
            match table.checked().expect("valid").listening(listen.parse().expect("an address"), tls) {
                Engine::Postgres(database) => database.advertise.unwrap_or_default(),
                Engine::Sled => panic!("{listen}"),
            }
        };
        assert_eq!(listening(None, "127.0.0.1:8080", false), "http://127.0.0.1:8080");
        assert_eq!(listening(None, "[2001:db8::1]:443", true), "https://[2001:db8::1]:443");
        assert_eq!(listening(None, "0.0.0.0:8080", false), "");
        assert_eq!(listening(None, "[::]:8080", true), "");
        assert_eq!(listening(Some("https://one"), "0.0.0.0:8080", false), "https://one");
    }

    #[test]
    fn the_embedded_engine_needs_nothing() {
        assert_eq!(StoreTable::defaults().checked(), Ok(Engine::Sled));
    }
}
