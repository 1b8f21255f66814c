//! For whom a daemon that stands by passes a request on: a field that only daemons with the same master key can write.
//!
//! ```text
//! Countersign-Forwarded: 1;<unix seconds>;<address>;<name, base64url>;<HMAC-SHA256, base64url>
//! ```
//!
//! The MAC is over what stands before it, the method and the target (path and query) of the request, so a field that was seen
//! says nothing about another request, and nothing at all after half a minute. `http` writes and reads it; which key it is
//! follows from the master key, which is `cli`'s.

use crate::keys::keyed;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::net::IpAddr;
use token::base64url;
use token::time::UnixTime;
use zeroize::Zeroizing;

/// The name of the field, in lower case.
pub const FIELD: &str = "countersign-forwarded";
/// What the key is derived for.
pub const PURPOSE: &str = "forwarding";
/// A field that was written longer ago, or so much later than now, is none: clocks of daemons differ, too. In seconds.
const MAX_AGE: u64 = 30;
/// Bytes of a field that are read.
const MAX_FIELD: usize = 512;
/// Bytes of a daemon's name that are told.
const MAX_NAME: usize = 128;

/// The key of all daemons of one database. It has no `Debug`.
pub struct ForwardingKey(Zeroizing<[u8; 32]>);

/// What the daemon that passed a request on says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// The daemon, as it calls itself.
    pub by: String,
    /// The address of the client.
    pub address: IpAddr,
}

impl ForwardingKey {
    /// Returns the key with these bytes, which nobody else uses for anything else.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Returns the field for one request that is passed on at `now`.
    pub fn sealed(&self, forwarded: &Forwarded, method: &str, target: &str, now: UnixTime) -> String {
        let name: Vec<u8> = forwarded.by.bytes().take(MAX_NAME).collect();
        let said = format!("1;{};{};{}", now.as_secs(), forwarded.address, base64url::encode(&name));
        let mac = self.mac(&said, method, target).finalize().into_bytes();
        format!("{said};{}", base64url::encode(&mac))
    }

    /// Returns what `field` says, if a daemon with this key wrote it for this request not long before `now`. The MAC is
    /// compared in the same time for every difference.
    pub fn opened(&self, field: &str, method: &str, target: &str, now: UnixTime) -> Option<Forwarded> {
        let (said, mac) = field.rsplit_once(';').filter(|_| field.len() <= MAX_FIELD)?;
        let mac = base64url::decode_array::<32>(mac).ok()?;
        self.mac(said, method, target).verify_slice(&mac).ok()?;
        let mut parts = said.split(';');
        let (version, at, address, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let at: u64 = at.parse().ok()?;
        if version != "1" || parts.next().is_some() || at.abs_diff(now.as_secs()) > MAX_AGE {
            return None;
        }
        let by = base64url::decode(name.as_bytes()).ok()?;
        Some(Forwarded { by: String::from_utf8_lossy(&by).into_owned(), address: address.parse().ok()? })
    }

    /// Each part is preceded by its length, so that no two requests are the same text.
    fn mac(&self, said: &str, method: &str, target: &str) -> Hmac<Sha256> {
        let mut mac = keyed(&self.0);
        for part in [said, method, target] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> ForwardingKey {
        ForwardingKey::new(Zeroizing::new([byte; 32]))
    }

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(1_800_000_000 + secs).expect("a time")
    }

    fn forwarded(address: &str) -> Forwarded {
        Forwarded { by: "one (process 7)".to_owned(), address: address.parse().expect("an address") }
    }

    #[test]
    fn what_one_daemon_has_sealed_another_with_the_key_opens() {
        for address in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            let field = key(1).sealed(&forwarded(address), "POST", "/oauth/token", at(0));
            for now in [0, 30] {
                assert_eq!(key(1).opened(&field, "POST", "/oauth/token", at(now)), Some(forwarded(address)));
            }
        }
    }

    #[test]
    fn a_field_is_of_one_request_of_one_key_and_of_one_half_minute() {
        let field = key(1).sealed(&forwarded("192.0.2.1"), "POST", "/oauth/token", at(100));
        assert_eq!(key(2).opened(&field, "POST", "/oauth/token", at(100)), None, "another key");
        assert_eq!(key(1).opened(&field, "PUT", "/oauth/token", at(100)), None, "another method");
        assert_eq!(key(1).opened(&field, "POST", "/oauth/token?x", at(100)), None, "another target");
        assert_eq!(key(1).opened(&field, "POST/", "oauth/token", at(100)), None, "cut elsewhere");
        for now in [69, 131] {
            assert_eq!(key(1).opened(&field, "POST", "/oauth/token", at(now)), None, "{now}");
        }
    }

    #[test]
    fn a_field_that_was_changed_anywhere_is_none() {
        let field = key(1).sealed(&forwarded("192.0.2.1"), "GET", "/", at(0));
        for place in 0..field.len() {
            let mut bytes = field.clone().into_bytes();
            bytes[place] = if bytes[place] == b'2' { b'3' } else { b'2' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(key(1).opened(&changed, "GET", "/", at(0)), None, "{changed}");
        }
        for none in ["", ";", "1;2;3;4;5", &format!("{field};"), &field.replacen("1;", ";", 1), &"1;".repeat(400)] {
            assert_eq!(key(1).opened(none, "GET", "/", at(0)), None, "{none}");
        }
    }
}
