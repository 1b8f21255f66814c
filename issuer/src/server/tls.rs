//! What TLS needs: a certificate chain, its key, and the choice of protocols. Which files they come from is `cli`'s.

use std::fmt;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig};

/// The server's side of TLS, ready to be used for connections.
#[derive(Clone)]
pub struct Identity(pub(super) Arc<ServerConfig>);

/// Certificate and key cannot be used together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsError {
    /// The chain is no PEM, or has no certificate in it.
    Certificate(String),
    /// The key is no PEM, or has no private key in it.
    PrivateKey(String),
    /// The two do not belong together, or are of a kind that cannot be used.
    Unusable(String),
}

impl Identity {
    /// Returns the identity of this certificate chain, the server's own certificate first, and its private key, both in PEM;
    /// it offers HTTP/2 before HTTP/1.1 if `http2` says so.
    ///
    /// TLS 1.3 and 1.2 are spoken, the latter with ECDHE and AEAD only (RFC 9325 §4.2): rustls has nothing else. Expiry and
    /// names are not checked: clients do that, and a daemon with an expired certificate is better seen than absent.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn parse(certificate: &[u8], private_key: &[u8], http2: bool) -> Result<Self, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.map_err(|error| TlsError::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(TlsError::Certificate("there is no certificate in it".to_owned()));
        }
        let key =
            PrivateKeyDer::from_pem_slice(private_key).map_err(|error| TlsError::PrivateKey(error.to_string()))?;
        let unusable = |error: rustls::Error| TlsError::Unusable(error.to_string());
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(unusable)?;
        config.alpn_protocols = match http2 {
            true => vec![HTTP_2.to_vec(), b"http/1.1".to_vec()],
            false => vec![b"http/1.1".to_vec()],
        };
        Ok(Self(Arc::new(config)))
    }
}

/// The name of HTTP/2 in ALPN (RFC 9113 §3.2).
pub(super) const HTTP_2: &[u8] = b"h2";

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(reason) => write!(f, "the certificate cannot be used: {reason}"),
            Self::PrivateKey(reason) => write!(f, "the private key cannot be used: {reason}"),
            Self::Unusable(reason) => write!(f, "certificate and key cannot be used together: {reason}"),
        }
    }
}

impl std::error::Error for TlsError {}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: (&[u8], &[u8]) = (
        include_bytes!("../../../tests/e2e/certificates/one.pem"),
        include_bytes!("../../../tests/e2e/certificates/one.key"),
    );
    const TWO: (&[u8], &[u8]) = (
        include_bytes!("../../../tests/e2e/certificates/two.pem"),
        include_bytes!("../../../tests/e2e/certificates/two.key"),
    );

    #[test]
    fn a_certificate_with_its_key_is_an_identity() {
        let identity = Identity::parse(ONE.0, ONE.1, true).expect("they belong together");
        assert_eq!(identity.0.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        assert!(Identity::parse(&[TWO.0, ONE.0].concat(), TWO.1, false).is_ok(), "a chain");
    }

    #[test]
    fn anything_else_is_refused_with_what_is_wrong() {
        let error = |certificate, key| Identity::parse(certificate, key, true).err().expect("refused");
        assert!(matches!(error(b"", ONE.1), TlsError::Certificate(_)));
        assert!(matches!(
            error(b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", ONE.1),
            TlsError::Certificate(_)
        ));
        assert!(matches!(error(ONE.0, b""), TlsError::PrivateKey(_)));
        assert!(matches!(error(ONE.0, ONE.0), TlsError::PrivateKey(_)));
        assert!(matches!(error(ONE.0, TWO.1), TlsError::Unusable(_)), "the key of another certificate");
    }
}
