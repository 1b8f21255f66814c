//! TLS towards a daemon. Its certificate must be for the host of the URL, and from an authority that this machine trusts or
//! from one in a file.

use super::super::{Failure, input};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Bytes of a file with certificates.
const MAX_CERTIFICATES: usize = 1024 * 1024;

/// Returns what begins TLS: with the authorities in `ca_file`, in PEM, or with those of the system. `name` is what the file
/// is called where it was given.
///
/// # Errors
/// [`Failure::Setting`] when the file cannot be used; [`Failure::Machine`] when the system trusts nobody.
pub(super) fn connector(ca_file: Option<&Path>, name: &str) -> Result<TlsConnector, Failure> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(file) => {
            let wrong =
                |reason: &dyn ToString| Failure::Setting(format!("{name} {}: {}", file.display(), reason.to_string()));
            let pem = input::bytes(Some(file), "the certificate", MAX_CERTIFICATES)?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
            if roots.is_empty() {
                return Err(wrong(&"there is no certificate in it (PEM)"));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                let reason = format!("this system has no certificates of authorities: install them, or give {name}");
                return Err(Failure::Machine(reason));
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Machine(format!("TLS cannot be spoken: {error}")))?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}
