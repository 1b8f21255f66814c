//! What bench_fixture has written.

use crate::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use token::time::UnixTime;

/// As in fixture.rs.
pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const AUDIENCE: &str = "api";

pub(crate) struct Fixture {
    folder: PathBuf,
    pub(crate) keys: Vec<u8>,
    pub(crate) list: Vec<u8>,
    pub(crate) tokens: Vec<String>,
    pub(crate) forged: String,
    pub(crate) expired: String,
    pub(crate) revoked: String,
    /// `x` of the JWK that the tokens are signed with.
    pub(crate) x: String,
}

/// Bytes that a signature is over, and the signature.
pub(crate) struct Signed {
    pub(crate) message: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

impl Fixture {
    pub(crate) fn read(folder: PathBuf) -> Result<Self> {
        let text = |name: &str| fs::read_to_string(folder.join(name));
        let tokens: Vec<String> = text("tokens.txt")?.lines().map(str::to_owned).collect();
        let refused: Value = serde_json::from_str(&text("refused.json")?)?;
        let keys = text("keys.json")?;
        let word = |value: &Value| value.as_str().map(str::to_owned).ok_or("the fixture is not as expected");
        Ok(Self {
            list: fs::read(folder.join("revocations.bin"))?,
            forged: forged(&tokens[0]),
            expired: word(&refused["expired"])?,
            revoked: word(&refused["revoked"])?,
            x: word(&key_of(&serde_json::from_str(&keys)?, &tokens[0])?["x"])?,
            keys: keys.into_bytes(),
            tokens,
            folder,
        })
    }

    /// A file of the fixture, by its name.
    pub(crate) fn file(&self, name: &str) -> Result<Vec<u8>> {
        Ok(fs::read(self.folder.join(name))?)
    }

    /// The 32 bytes of the key that the tokens are signed with.
    pub(crate) fn key(&self) -> Result<[u8; 32]> {
        URL_SAFE_NO_PAD.decode(&self.x)?.try_into().map_err(|_| "a key of 32 bytes".into())
    }
}

pub(crate) fn signed(token: &str) -> Signed {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
    Signed { message: message.as_bytes().to_vec(), signature }
}

/// The local clock, as a service would read it for each token.
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixTime::from_secs(since.as_secs()).unwrap()
}

fn key_of(keys: &Value, token: &str) -> Result<Value> {
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap_or_default())?)?;
    let keys = keys["keys"].as_array().ok_or("a key set")?;
    Ok(keys.iter().find(|key| key["kid"] == header["kid"]).ok_or("the token's key")?.clone())
}

/// The token with another signature.
fn forged(token: &str) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let at = bytes.len() - 40;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}
