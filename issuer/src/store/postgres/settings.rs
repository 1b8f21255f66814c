//! How the database is reached, as whoever opens the store says it.

use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// Everything that is known of the database before it is reached. It has no `Debug`: the password is in it.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user@host:port/database`, several hosts separated by commas; without a password.
    pub url: String,
    /// The user's password; none where the server asks for none.
    pub password: Option<Zeroizing<String>>,
    /// Whether TLS is spoken, and whom it trusts.
    pub tls: PostgresTls,
    /// Connections for reading; one more writes.
    pub connections: usize,
    /// How long connecting, and any one statement, may take.
    pub timeout: Duration,
    /// How long a caller waits for an answer while the database is away.
    pub patience: Duration,
    /// How long a daemon that says nothing keeps the right to write.
    pub lease: Duration,
    /// Whether tables of an older version are brought up to this one.
    pub migrate: bool,
    /// What others are told of whoever holds the right to write.
    pub holder: String,
    /// The origin at which others reach it while it does; none when they cannot.
    pub origin: Option<String>,
}

/// Whether TLS is spoken towards the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostgresTls {
    /// It is: the server's certificate is for its host, and from an authority in the file, or one of the system's.
    Required {
        /// Certificates of the authorities, in PEM.
        root_file: Option<PathBuf>,
    },
    /// It is not.
    Off,
}
