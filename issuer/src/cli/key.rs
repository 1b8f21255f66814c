//! `countersign key`: the signing keys, as an administrator manages them.

use super::ask::Ask;
use super::reach::Reach;
use super::rewrap::{self, Rewrap};
use super::said::{Ended, Said};
use super::{Failure, input, revoke};
use base64ct::{Base64, Encoding as _};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Bytes of a private key in a file.
const MAX_KEY: usize = 8 * 1024;

/// What can be done with signing keys.
#[derive(Args)]
pub(super) struct Keys {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print the keys: what they sign, where they are in their lives, and when that changes
    List,
    /// Publish a next key; it signs once every verifier can know it
    Rotate {
        #[command(flatten)]
        of: Of,
    },
    /// Give a key up at once: every token it has signed is refused, another signs
    Withdraw {
        /// The key
        #[arg(value_name = "KID", allow_hyphen_values = true)] // one in 64 begins with a hyphen
        kid: String,
    },
    /// Seal every key under another master key and put it in the place of the one in use
    Rewrap(Rewrap),
    /// Publish an Ed25519 key of your own as the next one
    Import {
        #[command(flatten)]
        of: Of,
        /// File with the private key: PKCS#8 in PEM or DER, or a JWK [default: standard input]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Of {
    /// What the key signs
    #[arg(long, value_name = "PURPOSE")]
    purpose: Purpose,
}

#[derive(Clone, Copy, ValueEnum)]
enum Purpose {
    /// Access and refresh tokens
    Token,
    /// Revocation lists
    Revocations,
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure`], when it cannot be done.
pub(super) fn run(Keys { reach, verb }: &Keys) -> Ended {
    match verb {
        Verb::List => reach.act(async |target| {
            let mut answer = target.ask(Ask::get(&["v1", "keys"])).await?;
            let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take) else {
                return Ok(Said::object(answer));
            };
            Ok(Said::list(&["kid", "purpose", "algorithm", "state", "since", "changes_at"], items, None))
        }),
        Verb::Rotate { of } => made(reach, Ask::post(&["v1", "keys", "rotate"]), json!({"purpose": of.name()})),
        Verb::Withdraw { kid } => revoke::send(reach, Ask::post(&["v1", "revocations"]).json(&json!({"key": kid}))),
        Verb::Rewrap(command) => rewrap::rewrap(reach, command),
        Verb::Import { of, file } => {
            let bytes = input::bytes(file.as_deref(), "the private key", MAX_KEY)?;
            let (member, key) = private_key(&bytes)?;
            made(reach, Ask::post(&["v1", "keys", "import"]), json!({"purpose": of.name(), member: key}))
        }
    }
}

fn made(reach: &Reach, ask: Ask, body: Value) -> Ended {
    reach.act(async |target| Ok(Said::object(target.ask(ask.json(&body)).await?)))
}

/// Returns the member that brings this key: its form can be seen from its first byte.
fn private_key(bytes: &[u8]) -> Result<(&'static str, Value), Failure> {
    let text = std::str::from_utf8(bytes).map(str::trim);
    match text {
        Ok("") => Err(Failure::Setting("the private key is empty".to_owned())),
        Ok(text) if text.starts_with('{') => {
            let jwk = serde_json::from_str(text);
            jwk.map(|jwk| ("jwk", jwk)).map_err(|_| Failure::Setting("the private key is not JSON".to_owned()))
        }
        Ok(text) if bytes.first() != Some(&0x30) => Ok(("pkcs8", Value::String(text.to_owned()))),
        Ok(_) | Err(_) => Ok(("pkcs8", Value::String(Base64::encode_string(bytes)))), // DER begins with a SEQUENCE
    }
}

impl Of {
    fn name(&self) -> &'static str {
        match self.purpose {
            Purpose::Token => "token",
            Purpose::Revocations => "revocations",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_key_is_seen_from_its_bytes() {
        assert_eq!(private_key(b" {\"d\":\"x\"}\n").expect("a key"), ("jwk", json!({"d": "x"})));
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----";
        assert_eq!(private_key(format!("{pem}\n").as_bytes()).expect("a key"), ("pkcs8", json!(pem)));
        assert_eq!(private_key(b"MC4C\n").expect("a key"), ("pkcs8", json!("MC4C")));
        assert_eq!(private_key(&[0x30, 0x2e, 0xff]).expect("a key"), ("pkcs8", json!("MC7/")));
        assert_eq!(private_key(&[0x30, 0x2e, 0x02]).expect("a key"), ("pkcs8", json!("MC4C")));
        assert!(private_key(b"\n").is_err() && private_key(b"{").is_err());
    }
}
