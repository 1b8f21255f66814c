//! HMAC-SHA256 under keys of 32 bytes, and keys of their own that a master key gives for one purpose each.

use super::MasterKey;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Returns HMAC-SHA256 under `key`. One that is shorter than a block of the hash is a block that ends in zeros (RFC 2104 §2).
pub fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(byte, of_key)| *byte = *of_key);
    <Hmac<Sha256> as hmac::Mac>::new((&*block).into())
}

impl MasterKey {
    /// Returns the key for `purpose`, which no other purpose has and which does not lead back to the master key: HMAC-SHA256 of
    /// `countersign purpose`, the purpose and a byte 1 under it.
    pub fn derived(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mac = keyed(self.bytes()).chain_update(b"countersign purpose ").chain_update(purpose).chain_update([1]);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_key_is_the_key() {
        let expected = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap().chain_update(b"text").finalize().into_bytes();
        assert_eq!(keyed(&[7; 32]).chain_update(b"text").finalize().into_bytes(), expected);
    }

    #[test]
    fn each_purpose_and_each_master_key_has_its_own() {
        let of = |byte, purpose| *MasterKey::from_bytes(Zeroizing::new([byte; 32])).derived(purpose);
        assert_eq!(of(7, "a"), of(7, "a"));
        assert_ne!(of(7, "a"), of(7, "b"));
        assert_ne!(of(7, "a"), of(8, "a"));
        assert_ne!(of(7, "a"), [7; 32]);
    }
}
