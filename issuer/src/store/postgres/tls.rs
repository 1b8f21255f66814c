//! TLS towards the database: the certificate must be for its host, and from an authority that this machine trusts or from
//! one in a file.

use super::settings::PostgresTls;
use crate::store::StoreError;
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Bytes of a file with certificates.
const MAX_CERTIFICATES: u64 = 1024 * 1024;

/// Returns what begins TLS; `None` where none is spoken.
///
/// # Errors
/// [`StoreError::Unusable`] when nobody would be trusted.
pub(super) fn connector(tls: &PostgresTls) -> Result<Option<MakeRustlsConnect>, StoreError> {
    let PostgresTls::Required { root_file } = tls else { return Ok(None) };
    let roots = match root_file {
        Some(file) => of_file(file)?,
        None => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        }
    };
    if roots.is_empty() {
        let reason = "no authority is trusted to name the database: install certificates, or set store.tls_root_file";
        return Err(StoreError::Unusable { detail: reason.into() });
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Unusable { detail: format!("TLS cannot be spoken: {error}").into() })?;
    Ok(Some(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth())))
}

fn of_file(file: &Path) -> Result<RootCertStore, StoreError> {
    let unusable = |reason: &dyn std::fmt::Display| StoreError::Unusable {
        detail: format!("store.tls_root_file {}: {reason}", file.display()).into(),
    };
    let length = file.metadata().map_err(|error| unusable(&error))?.len();
    if length > MAX_CERTIFICATES {
        return Err(unusable(&format!("has {length} bytes, and at most {MAX_CERTIFICATES} are read")));
    }
    let pem = std::fs::read(file).map_err(|error| unusable(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    Ok(roots)
}
