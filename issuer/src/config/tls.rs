//! `[tls]`: the daemon's own TLS; without both files it speaks HTTP in the clear.

use super::table::table;
use super::{ConfigError, needed};
use std::path::PathBuf;
use std::time::Duration;

table! {
    /// TLS of the listening address.
    TlsTable in "tls." {
        /// Certificate chain in PEM, the server's own first; read again when it changes [default: no TLS]
        #[arg(id = "tls.certificate_file", long = "tls-certificate-file", env = "COUNTERSIGN_TLS_CERTIFICATE_FILE", value_name = "FILE")]
        certificate_file: PathBuf;
        /// Private key of the certificate in PEM (PKCS#8, PKCS#1 or SEC1); read again when it changes [default: no TLS]
        #[arg(id = "tls.private_key_file", long = "tls-private-key-file", env = "COUNTERSIGN_TLS_PRIVATE_KEY_FILE", value_name = "FILE")]
        private_key_file: PathBuf;
        /// How long a TLS handshake may take
        #[arg(id = "tls.handshake_timeout_seconds", long = "tls-handshake-timeout-seconds", env = "COUNTERSIGN_TLS_HANDSHAKE_TIMEOUT_SECONDS", value_name = "SECONDS")]
        handshake_timeout_seconds: u64 = 5, 1..=60;
        /// Offer HTTP/2 to clients that speak TLS
        #[arg(id = "tls.http2", long = "tls-http2", env = "COUNTERSIGN_TLS_HTTP2", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
        http2: bool = true;
        /// Requests of one HTTP/2 connection at once
        #[arg(id = "tls.http2_streams", long = "tls-http2-streams", env = "COUNTERSIGN_TLS_HTTP2_STREAMS", value_name = "COUNT")]
        http2_streams: u64 = 100, 1..=1_000; // RFC 9113 §6.5.2 advises no fewer than 100
    }
}

/// TLS of the listening address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain in PEM.
    pub certificate_file: PathBuf,
    /// Its private key in PEM.
    pub private_key_file: PathBuf,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
}

impl TlsTable {
    /// Returns what TLS needs; `None` when neither file is named.
    pub(super) fn checked(&self) -> Result<Option<Tls>, ConfigError> {
        let missing = |name, other: &str| ConfigError::Setting { name, reason: format!("must be given with {other}") };
        let (certificate_file, private_key_file) = match (&self.certificate_file, &self.private_key_file) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            (Some(_), None) => return Err(missing("tls.private_key_file", "tls.certificate_file")),
            (None, Some(_)) => return Err(missing("tls.certificate_file", "tls.private_key_file")),
        };
        let handshake = needed("tls.handshake_timeout_seconds", self.handshake_timeout_seconds)?;
        Ok(Some(Tls {
            certificate_file,
            private_key_file,
            handshake: Duration::from_secs(handshake),
            http2: needed("tls.http2", self.http2)?,
        }))
    }
}
