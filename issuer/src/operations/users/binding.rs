//! What is bound to a session or a user without a row of its own: HMAC-SHA256 under one key of the store.
//!
//! ```text
//! CSRF token     nonce[16] mac("csrf"   sid nonce)           base64url, 64 characters
//! device token   nonce[16] mac("device" sub stamp nonce)     the stamp changes with the password
//! place          left half of mac("place" address)           an IPv6 address by its /64
//! name           left half of mac("name" name)
//! ```

use crate::keys::keyed;
use crate::session::SessionId;
use crate::users::{Place, User};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::net::IpAddr;
use token::base64url;
use zeroize::Zeroizing;

/// The key. It only leaves the store for this.
pub(super) struct Binding(Zeroizing<[u8; 32]>);

impl Binding {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// Returns a token that a page of this session sends along with what it does.
    pub(super) fn csrf(&self, sid: SessionId, nonce: [u8; 16]) -> String {
        self.token(nonce, &[b"csrf", &sid.0])
    }

    /// Returns whether `token` was made for this session.
    pub(super) fn is_csrf(&self, token: &str, sid: SessionId) -> bool {
        self.is_token(token, &[b"csrf", &sid.0])
    }

    /// Returns a token by which this device is known to be the user's, until the password changes.
    pub(super) fn device(&self, user: &User, nonce: [u8; 16]) -> String {
        self.token(nonce, &[b"device", &user.id.0, &user.stamp])
    }

    /// Returns whether `token` was made for a device of this user under the present password.
    pub(super) fn is_device(&self, token: &str, user: &User) -> bool {
        self.is_token(token, &[b"device", &user.id.0, &user.stamp])
    }

    /// Returns where a request comes from. Whoever has one address of an IPv6 network of 64 bits has all of them.
    pub(super) fn place(&self, address: Option<IpAddr>) -> Place {
        match address.map(|address| address.to_canonical()) {
            None => self.half(&[b"place"]),
            Some(IpAddr::V4(address)) => self.half(&[b"place", &address.octets()]),
            Some(IpAddr::V6(address)) => {
                let octets = address.octets();
                let (network, _) = octets.split_at(8);
                self.half(&[b"place", network])
            }
        }
    }

    /// Returns whom an attempt is for, whether there is such a user or not.
    pub(super) fn name(&self, name: &str) -> Place {
        self.half(&[b"name", name.as_bytes()])
    }

    fn token(&self, nonce: [u8; 16], parts: &[&[u8]]) -> String {
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&self.mac(&nonce, parts).finalize().into_bytes());
        base64url::encode(&bytes)
    }

    /// The comparison takes the same time for every difference.
    fn is_token(&self, token: &str, parts: &[&[u8]]) -> bool {
        let Ok(bytes) = base64url::decode_array::<48>(token) else { return false };
        let (nonce, mac) = bytes.split_at(16);
        self.mac(nonce, parts).verify_slice(mac).is_ok()
    }

    fn half(&self, parts: &[&[u8]]) -> Place {
        let whole = self.mac(&[], parts).finalize().into_bytes();
        Place(whole.first_chunk().copied().unwrap_or_default())
    }

    /// Each part is preceded by its length, so that no two lists of parts are the same text.
    fn mac(&self, nonce: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = keyed(&self.0);
        for part in parts.iter().copied().chain([nonce]) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{Profile, UserId};
    use token::time::UnixTime;

    fn binding() -> Binding {
        Binding::new([7; 32])
    }

    fn user(stamp: u8) -> User {
        User::new(UserId([1; 16]), None, None, Profile::default(), [stamp; 16], UnixTime::MIN)
    }

    #[test]
    fn a_csrf_token_is_of_one_session_and_under_one_key() {
        let (sid, other) = (SessionId([1; 16]), SessionId([2; 16]));
        let token = binding().csrf(sid, [9; 16]);
        assert_eq!(token.len(), 64);
        assert!(binding().is_csrf(&token, sid));
        assert!(!binding().is_csrf(&token, other) && !Binding::new([8; 32]).is_csrf(&token, sid));
        assert!(!binding().is_device(&token, &user(0)));
        let other =
            if token.starts_with('A') { token.replacen('A', "B", 1) } else { format!("A{}", token.split_at(1).1) };
        for broken in ["", "x", token.split_at(1).1, &format!("{token}A"), &other] {
            assert!(!binding().is_csrf(broken, sid), "{broken}");
        }
    }

    #[test]
    fn a_device_is_known_until_the_password_changes() {
        let token = binding().device(&user(3), [9; 16]);
        assert!(binding().is_device(&token, &user(3)));
        assert!(!binding().is_device(&token, &user(4)));
    }

    #[test]
    fn an_ipv6_network_is_one_place_and_a_mapped_address_is_the_ipv4_one() {
        let place = |text: &str| binding().place(text.parse().ok());
        assert_eq!(place("2001:db8::1"), place("2001:db8::ffff:1"));
        assert_ne!(place("2001:db8::1"), place("2001:db8:0:1::1"));
        assert_eq!(place("::ffff:192.0.2.1"), place("192.0.2.1"));
        assert_ne!(place("192.0.2.1"), place("192.0.2.2"));
        assert_ne!(binding().name("a"), binding().name("b"));
    }
}
