//! Private keys at rest: the 32-byte seed under XChaCha20-Poly1305, bound to what the key is for.
//!
//! ```text
//! sealed = XChaCha20-Poly1305(master key, nonce of 24 random bytes, seed, associated data)        48 bytes
//! associated data = "countersign key" %x01 purpose:u8 algorithm:u8 kid
//! ```
//!
//! Only the seed is stored. The public half is derived from it at every start and must have the `kid` of the row, so a
//! swapped, flipped or older half can never meet a signature. The state is not bound: it changes during a key's life.

use super::KeyState;
use crate::Error;
use crate::env::{Env, NoEntropy};
use crate::error::KeyFault;
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use token::issue::SigningKey;
use token::jwk::{Algorithm, Purpose};
use token::time::UnixTime;
use zeroize::Zeroizing;

/// The key under which private keys are encrypted at rest: 32 bytes that never enter the store. Zeroized when dropped.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Length of a master key in bytes.
    pub const LEN: usize = 32;

    /// Returns the master key with these bytes.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Returns a new master key and its bytes, which the caller must keep where the store is not.
    ///
    /// # Errors
    /// [`NoEntropy`] when the system has no randomness.
    pub fn generate(env: &Env) -> Result<(Self, Zeroizing<[u8; 32]>), NoEntropy> {
        let mut bytes = Zeroizing::new([0; 32]);
        env.fill(bytes.as_mut())?;
        Ok((Self(bytes.clone()), bytes))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(Key::from_slice(self.0.as_ref()))
    }
}

/// A private key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Thumbprint of the public key.
    pub kid: String,
    /// What it may sign.
    pub purpose: Purpose,
    /// The name under which it signs.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when.
    pub since: UnixTime,
    /// 24 random bytes, used for this encryption only.
    pub nonce: [u8; 24],
    /// Encrypted seed and its tag.
    pub sealed: [u8; 48],
}

impl SealedKey {
    /// Returns the active key with this seed, sealed under the master key.
    ///
    /// # Errors
    /// [`Error::Signing`] if the seed gave no usable key, which cannot be seen in practice.
    pub fn seal(
        seed: &Zeroizing<[u8; 32]>,
        purpose: Purpose,
        algorithm: Algorithm,
        since: UnixTime,
        nonce: [u8; 24],
        master: &MasterKey,
    ) -> Result<Self, Error> {
        let key = SigningKey::from_seed(seed, purpose, algorithm).map_err(|_| Error::Signing)?;
        let kid = key.kid().to_owned();
        let mut text = seed.clone();
        let bound = associated_data(&kid, purpose, algorithm);
        let tag = master
            .cipher()
            .encrypt_in_place_detached(XNonce::from_slice(&nonce), &bound, text.as_mut())
            .map_err(|_| Error::Signing)?;
        let mut sealed = [0; 48];
        sealed.iter_mut().zip(text.iter().chain(tag.iter())).for_each(|(to, from)| *to = *from);
        Ok(Self { kid, purpose, algorithm, state: KeyState::Active, since, nonce, sealed })
    }

    /// Returns the key, ready to sign.
    ///
    /// # Errors
    /// [`KeyFault::Sealed`] for another master key and for any change to the row; [`KeyFault::Mismatch`] when the seed
    /// belongs to another `kid`.
    pub fn open(&self, master: &MasterKey) -> Result<SigningKey, KeyFault> {
        let fault = || KeyFault::Sealed { kid: self.kid.clone() };
        let (text, tag) = self.sealed.split_first_chunk::<32>().ok_or_else(fault)?;
        let mut seed = Zeroizing::new(*text);
        let bound = associated_data(&self.kid, self.purpose, self.algorithm);
        master
            .cipher()
            .decrypt_in_place_detached(XNonce::from_slice(&self.nonce), &bound, seed.as_mut(), Tag::from_slice(tag))
            .map_err(|_| fault())?;
        let key = SigningKey::from_seed(&seed, self.purpose, self.algorithm).map_err(|_| fault())?;
        if key.kid() == self.kid { Ok(key) } else { Err(KeyFault::Mismatch { kid: self.kid.clone() }) }
    }
}

fn associated_data(kid: &str, purpose: Purpose, algorithm: Algorithm) -> Vec<u8> {
    const VERSION: u8 = 1;
    let purpose = u8::from(purpose == Purpose::Revocations);
    let algorithm = u8::from(algorithm == Algorithm::Ed25519);
    let mut data = b"countersign key".to_vec();
    data.extend_from_slice(&[VERSION, purpose, algorithm]);
    data.extend_from_slice(kid.as_bytes());
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey::from_bytes(Zeroizing::new([byte; 32]))
    }

    fn sealed() -> SealedKey {
        let now = UnixTime::from_secs(1_700_000_000).unwrap();
        SealedKey::seal(&Zeroizing::new([7; 32]), Purpose::Token, Algorithm::EdDsa, now, [3; 24], &master(1)).unwrap()
    }

    #[test]
    fn a_sealed_key_opens_under_its_master_key_only() {
        let key = sealed();
        assert_eq!(key.open(&master(1)).unwrap().kid(), key.kid);
        assert!(matches!(key.open(&master(2)), Err(KeyFault::Sealed { .. })));
        assert!(!key.sealed.windows(4).any(|window| window == [7; 4]), "the seed must not show");
    }

    #[test]
    fn every_flipped_bit_and_every_changed_binding_is_refused() {
        for bit in 0..(48 + 24) * 8 {
            let mut key = sealed();
            let byte = key.sealed.iter_mut().chain(key.nonce.iter_mut()).nth(bit / 8).unwrap();
            *byte ^= 1 << (bit % 8);
            assert!(key.open(&master(1)).is_err(), "bit {bit}");
        }
        assert!(SealedKey { purpose: Purpose::Revocations, ..sealed() }.open(&master(1)).is_err());
        assert!(SealedKey { algorithm: Algorithm::Ed25519, ..sealed() }.open(&master(1)).is_err());
        assert!(SealedKey { kid: sealed().kid.to_lowercase(), ..sealed() }.open(&master(1)).is_err());
    }

    #[test]
    fn a_seed_under_the_name_of_another_key_is_refused() {
        let mut key = sealed();
        let kid = "0".repeat(43);
        let mut text = Zeroizing::new([7; 32]);
        let bound = associated_data(&kid, key.purpose, key.algorithm);
        let tag = master(1)
            .cipher()
            .encrypt_in_place_detached(XNonce::from_slice(&key.nonce), &bound, text.as_mut())
            .unwrap();
        key.sealed.iter_mut().zip(text.iter().chain(tag.iter())).for_each(|(to, from)| *to = *from);
        key.kid = kid.clone();
        assert_eq!(key.open(&master(1)).err(), Some(KeyFault::Mismatch { kid }));
    }
}
