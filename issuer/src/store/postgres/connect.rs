//! Connecting, and seeing to it that a commit means what this store says it means.

use super::fault::Fault;
use super::hosts::{Hosts, Time, together, within};
use super::settings::PostgresSettings;
use super::tls;
use crate::store::StoreError;
use futures_util::future::join_all;
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Settings of the server that must not have these values: with them a commit that was answered may be forgotten.
const NEEDED: [(&str, &str); 2] = [("fsync", "off"), ("full_page_writes", "off")];

/// What a server says to a setting that it does not know, or knows and does not have.
const UNKNOWN: [SqlState; 2] = [SqlState::UNDEFINED_OBJECT, SqlState::FEATURE_NOT_SUPPORTED];

/// So long a connection that nobody uses any more may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// Makes connections. They are driven on the runtime that it was made with, whoever asks for them.
#[derive(Clone)]
pub(super) struct Connector {
    hosts: Hosts,
    tls: Option<MakeRustlsConnect>,
    timeout: Duration,
    idle: Duration,
    handle: Handle,
}

/// A parameter of a statement.
pub(super) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// One connection, with the statements that were prepared on it. Statements that are sent at once wait for each other only at
/// the server, so a few connections serve any number of callers.
pub(super) struct Connection {
    client: Client,
    prepared: Mutex<HashMap<String, Statement>>,
    timeout: Duration,
    _in_use: oneshot::Sender<Infallible>,
}

impl Connector {
    /// Returns what makes connections as the settings say.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for a URL that is none, or has a password in it, and where TLS would trust nobody.
    pub(super) fn new(settings: &PostgresSettings, handle: Handle) -> Result<Self, StoreError> {
        let unusable = |reason: String| StoreError::Unusable { detail: format!("store.url {reason}").into() };
        let config: Config = settings.url.parse().map_err(|error| unusable(format!("is no URL: {error}")))?;
        if config.get_password().is_some() {
            return Err(unusable("holds a password: give it in its own file or variable".to_owned()));
        }
        let tls = tls::connector(&settings.tls)?;
        let mut hosts = Hosts::of(&config).map_err(unusable)?;
        hosts.for_each(|config| {
            if let Some(password) = &settings.password {
                config.password(password.as_bytes());
            }
            config
                .application_name("countersign")
                .tcp_user_timeout(settings.timeout)
                .keepalives_idle(settings.timeout)
                .target_session_attrs(TargetSessionAttrs::ReadWrite) // of several hosts, the one that is no standby
                .ssl_mode(match &tls {
                    Some(_) => tokio_postgres::config::SslMode::Require,
                    None => tokio_postgres::config::SslMode::Disable,
                });
        });
        Ok(Self { hosts, tls, timeout: settings.timeout, idle: settings.lease, handle })
    }

    /// Returns a new connection whose commits are on disk when they are answered.
    pub(super) async fn connect(&self) -> Result<Connection, Fault> {
        // It has a limit of its own, also where whoever asks goes away.
        let connecting = self.handle.spawn(self.clone().begin());
        connecting.await.unwrap_or_else(|_| Err(Fault::Lost("connecting was broken off".to_owned())))
    }

    async fn begin(self) -> Result<Connection, Fault> {
        let (time, hosts, mut faults) = (Time::of(self.timeout), self.hosts.in_turn(), Vec::new());
        for (tried, host) in hosts.iter().enumerate() {
            let share = time.share(hosts.len().saturating_sub(tried));
            match within(share, self.at(*host, share)).await {
                Ok(connection) => return Ok(connection),
                Err(fault) => faults.push(fault),
            }
        }
        Err(together(faults))
    }

    async fn at(&self, host: usize, limit: Duration) -> Result<Connection, Fault> {
        let (time, places, mut faults) = (Time::of(limit), self.hosts.addresses(host).await?, Vec::new());
        for (tried, (place, config)) in places.iter().enumerate() {
            match within(time.share(places.len().saturating_sub(tried)), self.open(config)).await {
                Ok(connection) => {
                    self.hosts.took(*place);
                    return Ok(connection);
                }
                Err(fault) => faults.push(fault),
            }
        }
        Err(together(faults))
    }

    async fn open(&self, config: &Config) -> Result<Connection, Fault> {
        let (client, in_use) = match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                (client, driven(connection))
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                (client, driven(connection))
            }
        };
        let connection = Connection { client, prepared: Mutex::default(), timeout: self.timeout, _in_use: in_use };
        connection.prepare_session(self.idle).await?;
        Ok(connection)
    }
}

/// Drives a connection until its end, which whoever asks the client sees, or for [`FAREWELL`] once what is returned is gone:
/// one with a statement that was given up never says goodbye by itself, and its server would keep it for as long.
fn driven(
    connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
) -> oneshot::Sender<Infallible> {
    let (in_use, unused) = oneshot::channel();
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        tokio::select! {
            _ended = &mut connection => {}
            _unused = unused => drop(timeout(FAREWELL, connection).await),
        }
    });
    in_use
}

impl Connection {
    /// Returns false once the connection is gone.
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Returns the rows that a statement answers.
    pub(super) async fn rows(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Fault> {
        let statement = self.prepared(sql).await?;
        self.timed(self.client.query(&statement, parameters)).await
    }

    /// Returns how many rows a statement has changed.
    pub(super) async fn change(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, Fault> {
        let statement = self.prepared(sql).await?;
        self.timed(self.client.execute(&statement, parameters)).await
    }

    /// Sends statements at once, the first ones first; returns how many rows each has changed, or the first error.
    pub(super) async fn pipeline(&self, statements: &[(Statement, Vec<Parameter<'_>>)]) -> Result<Vec<u64>, Fault> {
        let sent = statements.iter().map(|(statement, parameters)| self.client.execute(statement, parameters));
        self.timed(async { join_all(sent).await.into_iter().collect() }).await
    }

    /// Runs statements without parameters.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Fault> {
        self.timed(self.client.batch_execute(sql)).await
    }

    /// Sees to it that a statement is prepared, so that sending it takes one step.
    pub(super) async fn prepared(&self, sql: &str) -> Result<Statement, Fault> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.timed(self.client.prepare(sql)).await?;
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn timed<T>(&self, asked: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Fault> {
        Ok(timeout(self.timeout, asked).await.map_err(|_| late())??)
    }

    /// Returns the version of the tables; the error of an undefined table means that there are none.
    pub(super) async fn version(&self) -> Result<i64, tokio_postgres::Error> {
        let row = self.client.query_one("SELECT version FROM countersign_version WHERE one = 1", &[]).await?;
        row.try_get(0)
    }

    /// A weaker `synchronous_commit` than `on` answers before the disk has it. A server that does not know a setting has no
    /// such switch.
    async fn prepare_session(&self, idle: Duration) -> Result<(), Fault> {
        for (name, forgetful) in NEEDED {
            if self.setting(name).await?.as_deref() == Some(forgetful) {
                let detail =
                    format!("the database runs with {name} = off: what it has taken may be gone after a power cut");
                return Err(Fault::Final(StoreError::Unusable { detail: detail.into() }));
            }
        }
        let strict = ["on", "remote_apply"];
        if self.setting("synchronous_commit").await?.is_some_and(|value| !strict.contains(&value.as_str())) {
            self.run("SET synchronous_commit = on").await?;
        }
        // Below what a statement may take here, so that none waits on for a lock at a server that nobody listens to any more.
        let lock = self.timeout.saturating_mul(9) / 10;
        // Statements have their limit here, and a transaction is ended by whoever began it: a limit of the role's must not cut
        // off what is waited for, as a commit waits for a standby. But a process that stands still inside of a transaction must
        // not keep others from taking over.
        let limits = [
            ("statement_timeout", Duration::ZERO),
            ("transaction_timeout", Duration::ZERO),
            ("lock_timeout", lock),
            ("idle_in_transaction_session_timeout", idle),
        ];
        for (name, limit) in limits {
            self.limit(name, limit).await?;
        }
        Ok(())
    }

    /// Sets a limit, 0 for none, where the server knows it.
    async fn limit(&self, name: &str, limit: Duration) -> Result<(), Fault> {
        let set =
            timeout(self.timeout, self.client.batch_execute(&format!("SET {name} = {}", limit.as_millis()))).await;
        match set.map_err(|_| late())? {
            Err(error) if error.code().is_some_and(|code| UNKNOWN.contains(code)) => Ok(()),
            set => Ok(set?),
        }
    }

    async fn setting(&self, name: &str) -> Result<Option<String>, Fault> {
        let shown = timeout(self.timeout, self.client.simple_query(&format!("SHOW {name}"))).await;
        let shown = shown.map_err(|_| late())?;
        let messages = match shown {
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_OBJECT) => return Ok(None),
            shown => shown?,
        };
        Ok(messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }
}

fn late() -> Fault {
    Fault::Lost("the database did not answer in time".to_owned())
}
