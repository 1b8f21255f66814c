//! Secrets that the environment carries. They are read once and never become settings, flags or log fields.

use super::Failure;
use crate::operations::Secret;
use std::env::var_os;
use std::path::Path;
use zeroize::Zeroizing;

/// The master key in base64url, in place of the key file.
pub(super) const MASTER_KEY: &str = "COUNTERSIGN_MASTER_KEY";
/// The secret of the client that acts on a running daemon.
pub(super) const CLIENT_SECRET: &str = "COUNTERSIGN_CLIENT_SECRET";
/// Fields of each request to the collector of traces, one `Name: value` a line.
pub(super) const OTLP_HEADERS: &str = "COUNTERSIGN_OTLP_HEADERS";
/// The secret of the client `admin` when it is made.
pub(super) const ADMIN_SECRET: &str = "COUNTERSIGN_ADMIN_SECRET";

/// The password of the database's user.
pub(super) const STORE_PASSWORD: &str = "COUNTERSIGN_STORE_PASSWORD";

/// True when the variable is there, whatever it holds.
pub(super) fn is_set(name: &str) -> bool {
    var_os(name).is_some()
}

/// True for a file that systemd has laid there for this unit (`LoadCredential=` and its like).
pub(super) fn is_credential(path: &Path) -> bool {
    let folder = var_os("CREDENTIALS_DIRECTORY").and_then(|folder| Path::new(&folder).canonicalize().ok());
    folder.zip(path.canonicalize().ok()).is_some_and(|(folder, path)| path.starts_with(folder))
}

/// Returns what the variable holds; `None` when it is not there.
///
/// # Errors
/// [`Failure::Setting`] when it is not UTF-8.
pub(super) fn read(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(value) = var_os(name) else { return Ok(None) };
    let text = value.into_string().map_err(|_| Failure::Setting(format!("{name} is not UTF-8")))?;
    Ok(Some(Zeroizing::new(text)))
}

/// Returns the secret that the client `admin` is to be made with; `None` lets the issuer draw one.
///
/// # Errors
/// [`Failure::Setting`] when it is no secret of the needed form.
pub(super) fn admin_secret() -> Result<Option<Secret>, Failure> {
    let Some(text) = read(ADMIN_SECRET)? else { return Ok(None) };
    let secret = Secret::parse(&text).ok_or_else(|| {
        let (min, max) = (Secret::MIN_LEN, Secret::MAX_LEN);
        Failure::Setting(format!("{ADMIN_SECRET} must be {min} to {max} visible ASCII characters, drawn at random"))
    })?;
    Ok(Some(secret))
}
