//! The files of the TLS certificate: read at start, and again when they change.

use crate::config::Tls;
use crate::server::Identity;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a certificate chain or key that are read at most.
const MOST: u64 = 1 << 20;

/// What was read of the two files, to see whether they have changed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Files {
    certificate: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
}

/// Returns the identity in the files that `tls` names, and what was read.
///
/// # Errors
/// A text that names the file or what is wrong with it.
pub(super) fn read(tls: &Tls) -> Result<(Identity, Files), String> {
    let files = Files {
        certificate: bounded(&tls.certificate_file)?,
        private_key: Zeroizing::new(bounded(&tls.private_key_file)?),
    };
    let identity = Identity::parse(&files.certificate, &files.private_key, tls.http2).map_err(|error| {
        format!("TLS with {} and {}: {error}", tls.certificate_file.display(), tls.private_key_file.display())
    })?;
    Ok((identity, files))
}

fn bounded(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    if std::fs::metadata(path).map_err(unreadable)?.len() > MOST {
        return Err(format!("{} has more than {MOST} bytes", path.display()));
    }
    std::fs::read(path).map_err(unreadable)
}
