//! Keys at rest: 32 bytes under XChaCha20-Poly1305, bound to what the key is for.
//!
//! ```text
//! sealed = XChaCha20-Poly1305(master key, nonce of 24 random bytes, seed or public key, associated data)   48 bytes
//! associated data = ("countersign key" | "countersign public key") %x01 purpose:u8 algorithm:u8 kid
//! ```
//!
//! Of a key that may sign only the seed is stored. The public half is derived from it at every start and must have the
//! `kid` of the row, so a swapped, flipped or older half can never meet a signature. Of a key that signs no more only the
//! public half is left, sealed too: nobody who can write to the store, and has no master key, slips in one of his own. The
//! state is not bound: it changes during a key's life.

use super::{Half, KeyState, Signed};
use crate::Error;
use crate::env::{Env, NoEntropy};
use crate::error::KeyFault;
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use token::issue::SigningKey;
use token::jwk::{Algorithm, PublicKey, Purpose};
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

    /// Returns `key` encrypted and bound to what it is for; `None` when it cannot be, which is never seen.
    pub(crate) fn wrap(&self, key: &Zeroizing<[u8; 32]>, nonce: &[u8; 24], bound: &[u8]) -> Option<[u8; 48]> {
        let mut text = key.clone();
        let tag = self.cipher().encrypt_in_place_detached(XNonce::from_slice(nonce), bound, text.as_mut()).ok()?;
        let mut wrapped = [0; 48];
        wrapped.iter_mut().zip(text.iter().chain(tag.iter())).for_each(|(to, from)| *to = *from);
        Some(wrapped)
    }

    /// Returns the key that [`MasterKey::wrap`] encrypted; `None` for any change, another binding or another master key.
    pub(crate) fn unwrap(&self, wrapped: &[u8; 48], nonce: &[u8; 24], bound: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let (text, tag) = wrapped.split_first_chunk::<32>()?;
        let mut key = Zeroizing::new(*text);
        let (nonce, tag) = (XNonce::from_slice(nonce), Tag::from_slice(tag));
        self.cipher().decrypt_in_place_detached(nonce, bound, key.as_mut(), tag).ok().map(|()| key)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(Key::from_slice(self.0.as_ref()))
    }
}

/// A key as it is stored.
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
    /// The dates of what it has signed; none for a key that never signed, and where nobody asks any more.
    pub signed: Option<Signed>,
    /// Which half is sealed.
    pub half: Half,
    /// 24 random bytes, used for this encryption only.
    pub nonce: [u8; 24],
    /// The encrypted half and its tag.
    pub sealed: [u8; 48],
}

/// A key that was opened.
#[allow(clippy::large_enum_variant)] // it lives for the length of a match
pub enum Opened {
    /// It can sign.
    Private(SigningKey),
    /// It can be told by.
    Public(PublicKey),
}

impl Opened {
    /// Returns the public half.
    pub fn public(&self) -> &PublicKey {
        match self {
            Self::Private(key) => key.public(),
            Self::Public(key) => key,
        }
    }
}

impl SealedKey {
    /// Returns the key with this seed, sealed under the master key; an active one signs from `since` on.
    ///
    /// # Errors
    /// [`Error::Signing`] if the seed gave no usable key, which cannot be seen in practice.
    pub fn seal(
        seed: &Zeroizing<[u8; 32]>,
        purpose: Purpose,
        algorithm: Algorithm,
        (state, since): (KeyState, UnixTime),
        nonce: [u8; 24],
        master: &MasterKey,
    ) -> Result<Self, Error> {
        let key = SigningKey::from_seed(seed, purpose, algorithm).map_err(|_| Error::Signing)?;
        let signed = (state == KeyState::Active).then_some(Signed { from: since, until: None });
        let (kid, half, sealed) = (key.kid().to_owned(), Half::Private, [0; 48]);
        Self { kid, purpose, algorithm, state, since, signed, half, nonce, sealed }.filled(seed, master)
    }

    /// Returns the key, and checks that it is the one the row names.
    ///
    /// # Errors
    /// [`KeyFault::Sealed`] for another master key and for any change to the row; [`KeyFault::Mismatch`] when what is
    /// sealed belongs to another `kid`.
    pub fn open(&self, master: &MasterKey) -> Result<Opened, KeyFault> {
        let fault = |_| KeyFault::Sealed { kid: self.kid.clone() };
        let bytes = self.unsealed(master)?;
        let Self { purpose, algorithm, .. } = *self;
        let opened = match self.half {
            Half::Private => Opened::Private(SigningKey::from_seed(&bytes, purpose, algorithm).map_err(fault)?),
            Half::Public => Opened::Public(PublicKey::from_bytes(&bytes, purpose, algorithm).map_err(fault)?),
        };
        if opened.public().kid() == self.kid { Ok(opened) } else { Err(KeyFault::Mismatch { kid: self.kid.clone() }) }
    }

    /// Returns the key without its private half, which is gone for good once this is stored.
    ///
    /// # Errors
    /// [`Error::Keys`] as [`SealedKey::open`]; [`Error::Signing`] when it could not be sealed.
    pub fn without_private_half(&self, nonce: [u8; 24], master: &MasterKey) -> Result<Self, Error> {
        let public = Zeroizing::new(*self.open(master).map_err(Error::Keys)?.public().as_bytes());
        Self { half: Half::Public, nonce, ..self.clone() }.filled(&public, master)
    }

    /// Returns the same key under another master key.
    ///
    /// # Errors
    /// [`Error::Keys`] as [`SealedKey::open`]; [`Error::Signing`] when it could not be sealed.
    pub fn under(&self, nonce: [u8; 24], master: &MasterKey, new: &MasterKey) -> Result<Self, Error> {
        self.open(master).map_err(Error::Keys)?;
        Self { nonce, ..self.clone() }.filled(&self.unsealed(master).map_err(Error::Keys)?, new)
    }

    /// Seals `half` into the row.
    fn filled(mut self, half: &Zeroizing<[u8; 32]>, master: &MasterKey) -> Result<Self, Error> {
        self.sealed = master.wrap(half, &self.nonce, &self.associated_data()).ok_or(Error::Signing)?;
        Ok(self)
    }

    fn unsealed(&self, master: &MasterKey) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
        let opened = master.unwrap(&self.sealed, &self.nonce, &self.associated_data());
        opened.ok_or_else(|| KeyFault::Sealed { kid: self.kid.clone() })
    }

    fn associated_data(&self) -> Vec<u8> {
        const VERSION: u8 = 1;
        let begin: &[u8] = match self.half {
            Half::Private => b"countersign key",
            Half::Public => b"countersign public key",
        };
        let purpose = u8::from(self.purpose == Purpose::Revocations);
        let algorithm = u8::from(self.algorithm == Algorithm::Ed25519);
        [begin, &[VERSION, purpose, algorithm], self.kid.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey::from_bytes(Zeroizing::new([byte; 32]))
    }

    fn sealed() -> SealedKey {
        let now = UnixTime::from_secs(1_700_000_000).unwrap();
        let active = (KeyState::Active, now);
        SealedKey::seal(&Zeroizing::new([7; 32]), Purpose::Token, Algorithm::EdDsa, active, [3; 24], &master(1))
            .unwrap()
    }

    #[test]
    fn a_sealed_key_opens_under_its_master_key_only() {
        let key = sealed();
        assert_eq!(key.open(&master(1)).unwrap().public().kid(), key.kid);
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
        let kid = "0".repeat(43);
        let key = SealedKey { kid: kid.clone(), ..sealed() }.filled(&Zeroizing::new([7; 32]), &master(1)).unwrap();
        assert_eq!(key.open(&master(1)).err(), Some(KeyFault::Mismatch { kid }));
    }

    #[test]
    fn without_its_private_half_a_key_can_be_told_by_and_never_be_taken_for_a_seed() {
        let public = sealed().without_private_half([4; 24], &master(1)).unwrap();
        assert!(matches!(public.open(&master(1)), Ok(Opened::Public(key)) if key.kid() == sealed().kid));
        assert!(SealedKey { half: Half::Private, ..public.clone() }.open(&master(1)).is_err());
        assert!(SealedKey { half: Half::Public, ..sealed() }.open(&master(1)).is_err());
        assert!(public.open(&master(2)).is_err());
    }

    #[test]
    fn under_another_master_key_it_is_the_same_key_and_the_one_before_opens_it_no_more() {
        for key in [sealed(), sealed().without_private_half([4; 24], &master(1)).unwrap()] {
            let moved = key.under([5; 24], &master(1), &master(2)).unwrap();
            assert_eq!(moved.open(&master(2)).unwrap().public(), key.open(&master(1)).unwrap().public());
            assert_eq!(SealedKey { nonce: key.nonce, sealed: key.sealed, ..moved.clone() }, key);
            assert!(moved.open(&master(1)).is_err() && key.under([5; 24], &master(2), &master(1)).is_err());
        }
    }
}
