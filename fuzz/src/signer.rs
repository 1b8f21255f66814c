//! Keys that only the targets know, unlike those of the vectors: what is accepted and was not signed here is a forgery.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use std::sync::LazyLock;
use token::jwk::{Algorithm, KeySet, PublicKey, Purpose};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) static TOKENS: LazyLock<Key> = LazyLock::new(|| Key::new(201, Purpose::Token));
pub(crate) static LISTS: LazyLock<Key> = LazyLock::new(|| Key::new(202, Purpose::Revocations));

pub(crate) struct Key {
    signing: SigningKey,
    public: PublicKey,
}

impl Key {
    fn new(seed: u8, purpose: Purpose) -> Self {
        let signing = SigningKey::from_bytes(&[seed; 32]);
        let public = PublicKey::from_bytes(signing.verifying_key().as_bytes(), purpose, Algorithm::EdDsa);
        Self { signing, public: public.expect("a key") }
    }

    /// The header as the issuer writes it.
    pub(crate) fn header(&self, typ: &str) -> Vec<u8> {
        format!(r#"{{"alg":"EdDSA","typ":"{typ}","kid":"{}"}}"#, self.public.kid()).into_bytes()
    }

    /// The compact serialization, whatever the bytes are.
    pub(crate) fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let text = format!("{}.{}", encoded(header), encoded(payload));
        let signature = self.signing.sign(text.as_bytes());
        format!("{text}.{}", encoded(&signature.to_bytes()))
    }
}

pub(crate) fn key_set() -> KeySet {
    KeySet::from_keys(vec![TOKENS.public.clone(), LISTS.public.clone()]).expect("a key set")
}

pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
