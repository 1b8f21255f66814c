//! Vectors that others have published, and which of them were run.

mod cookbook;
mod dalek;
mod json_suite;
mod rfc;
mod rfc_8032;
mod speccheck;
mod status_list;
mod wycheproof;

use std::io::Write as _;
use std::path::PathBuf;
use token::ed25519::{Tables, VerifyingKey, settle};
use token::jwk::{Algorithm, PublicKey, Purpose};

/// Returns the path of a file or folder below the one that `COUNTERSIGN_VECTORS` names.
///
/// Where there is none a line says so on the real standard error, which the test runner does not hold back.
fn folder(what: &str, path: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("COUNTERSIGN_VECTORS").filter(|root| !root.is_empty()) else {
        return not_run(what, "COUNTERSIGN_VECTORS is not set");
    };
    let path = PathBuf::from(root).join(path);
    if path.exists() { Some(path) } else { not_run(what, "COUNTERSIGN_VECTORS does not hold it") }
}

fn not_run(what: &str, why: &str) -> Option<PathBuf> {
    ran(&format!("{what}: not run ({why})"));
    None
}

/// Says what was run, where the "not run" lines go.
fn ran(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap(); // one write, so that lines stay whole
}

fn json(path: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of an even number of hexadecimal digits.
pub(crate) fn bytes_of(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "{hex}");
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Whether a verifier of this project takes the signature: the key gets past loading, and then verifies.
///
/// Without tables and with them, alone and settled among others, it is the same.
fn holds(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), <&[u8; 64]>::try_from(signature)) else { return false };
    let held =
        PublicKey::from_bytes(key, Purpose::Token, Algorithm::EdDsa).is_ok_and(|key| key.verifies(message, signature));
    let longer = [message, b"x"].concat();
    for tables in [Tables::Never, Tables::AtOnce] {
        let Ok(key) = VerifyingKey::from_bytes(key, tables) else {
            assert!(!held);
            continue;
        };
        assert_eq!(key.verifies(message, signature), held, "{tables:?}");
        let batch = [message, &longer, message].map(|message| key.begin(message, signature));
        assert_eq!(settle(&batch), [held, false, held], "{tables:?}, in a batch");
    }
    held
}
