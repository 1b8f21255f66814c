//! TLS towards a daemon. Its certificate must be for the host of the URL, and from an authority that this machine trusts or
//! from one in a file; or, where the settings are the daemon's own, it must be the one that they name.

mod own;

use super::super::{Failure, input};
use own::Own;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Bytes of a file with certificates.
const MAX_CERTIFICATES: usize = 1024 * 1024;

/// Returns what begins TLS: with the authorities in `ca_file`, in PEM, or with those of the system. `name` is what the file
/// is called where it was given.
///
/// # Errors
/// [`Failure::Setting`] when the file cannot be used; [`Failure::Machine`] when the system trusts nobody.
pub(super) fn connector(ca_file: Option<&Path>, name: &str) -> Result<TlsConnector, Failure> {
    let roots = match ca_file {
        Some(file) => of_file(file, name)?,
        None => of_system(),
    };
    if roots.is_empty() {
        let reason = format!("this system has no certificates of authorities: install them, or give {name}");
        return Err(Failure::Machine(reason));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unspoken)?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

/// Returns what begins TLS with a daemon that has the certificate in `file`, first of its chain: it need not be from an authority,
/// nor for the host. Any other certificate is judged by the authorities of the system.
///
/// # Errors
/// [`Failure::Setting`] when the file cannot be used.
pub(super) fn connector_to_own(file: &Path) -> Result<TlsConnector, Failure> {
    let name = "tls.certificate_file";
    let pem = input::bytes(Some(file), "the certificate", MAX_CERTIFICATES)?;
    let first = CertificateDer::pem_slice_iter(&pem).next();
    let certificate = first.ok_or_else(|| wrong(name, file, &NONE))?.map_err(|error| wrong(name, file, &error))?;
    let (provider, roots) = (Arc::new(default_provider()), Arc::new(of_system()));
    // Without any authority there is nothing to judge others by, which is an error of this builder.
    let others = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build().ok();
    let others = others.map(|others| -> Arc<dyn ServerCertVerifier> { others });
    let own = Own { certificate, algorithms: provider.signature_verification_algorithms, others };
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(unspoken)?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(own)).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn of_file(file: &Path, name: &str) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let pem = input::bytes(Some(file), "the certificate", MAX_CERTIFICATES)?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(name, file, &error))?;
        roots.add(certificate).map_err(|error| wrong(name, file, &error))?;
    }
    if roots.is_empty() { Err(wrong(name, file, &NONE)) } else { Ok(roots) }
}

const NONE: &str = "there is no certificate in it (PEM)";

fn wrong(name: &str, file: &Path, reason: &dyn ToString) -> Failure {
    Failure::Setting(format!("{name} {}: {}", file.display(), reason.to_string()))
}

fn unspoken(error: rustls::Error) -> Failure {
    Failure::Machine(format!("TLS cannot be spoken: {error}"))
}
