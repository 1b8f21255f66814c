//! Makes tokens, keys and lists byte by byte, well-formed or not, from fixed seeds and times.
//!
//! Nothing of the crate under test is used to sign or to lay out JSON, so that anything at all can be signed.

use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};
use token::base64url;

/// The issuer of most tokens.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// When most tokens are judged, and issued.
pub(crate) const NOW: u64 = 1_700_000_000;
/// When most tokens expire.
pub(crate) const EXP: u64 = NOW + 900;

/// Seed of the issuer's key for tokens.
pub(crate) const TOKEN_KEY: u8 = 1;
/// Seed of the issuer's key for revocation lists.
pub(crate) const LIST_KEY: u8 = 2;
/// Seed of the issuer's key before this one, still published.
pub(crate) const RETIRED_KEY: u8 = 3;
/// Seed of the key that is published under the name `Ed25519`.
pub(crate) const RENAMED_KEY: u8 = 4;
/// Seed of another issuer's key, with a `kid` that is no thumbprint.
pub(crate) const FOREIGN_KEY: u8 = 5;
/// Seed of a key that no set holds.
pub(crate) const ATTACKER_KEY: u8 = 9;

/// The private key of a seed.
pub(crate) fn secret(seed: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32])
}

/// The public key of a seed, RFC 8032 encoding.
pub(crate) fn public(seed: u8) -> [u8; 32] {
    secret(seed).verifying_key().to_bytes()
}

/// base64url of the public key of a seed: the `x` of its JWK.
pub(crate) fn x(seed: u8) -> String {
    base64url::encode(&public(seed))
}

/// The RFC 7638 thumbprint of the key of a seed.
pub(crate) fn thumbprint(seed: u8) -> String {
    thumbprint_of(&x(seed))
}

/// The RFC 7638 thumbprint of the Ed25519 key with this `x`.
pub(crate) fn thumbprint_of(x: &str) -> String {
    base64url::encode(&Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

/// The signature of the key of a seed.
pub(crate) fn signature(seed: u8, message: &[u8]) -> [u8; 64] {
    secret(seed).sign(message).to_bytes()
}

/// HMAC-SHA256 (RFC 2104), for tokens that take a public key for a secret.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let key = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block[..key.len()].copy_from_slice(&key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

/// A JSON string of `text`.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A JSON object as text, its members in the order given, their values as they are.
#[derive(Clone, Default)]
pub(crate) struct Object(Vec<(String, String)>);

impl Object {
    /// Sets a member to a value given as JSON text, in its place if it is there.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(held, _)| held == name) {
            Some((_, held)) => value.clone_into(held),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Takes a member away.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(held, _)| held != name);
    }

    /// The object as JSON without white space.
    pub(crate) fn text(&self) -> String {
        let members: Vec<String> = self.0.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// A token in the making; a good one unless something is done to it.
#[derive(Clone)]
pub(crate) struct Draft {
    /// Header members.
    pub(crate) header: Object,
    /// Claims.
    pub(crate) claims: Object,
    header_bytes: Option<Vec<u8>>,
    claims_bytes: Option<Vec<u8>>,
    signer: u8,
}

impl Draft {
    /// A good token of the issuer.
    pub(crate) fn new() -> Self {
        let mut header = Object::default();
        for (name, value) in [("alg", "EdDSA"), ("typ", "at+jwt"), ("kid", &thumbprint(TOKEN_KEY))] {
            header.set(name, &quoted(value));
        }
        let mut claims = Object::default();
        for (name, value) in [("iss", ISSUER), ("sub", "user-1"), ("aud", "api"), ("client_id", "backend")] {
            claims.set(name, &quoted(value));
        }
        claims.set("iat", &NOW.to_string());
        claims.set("exp", &EXP.to_string());
        claims.set("jti", &format!("\"{}.7\"", EXP >> 8));
        claims.set("sid", "\"session-1\"");
        claims.set("scope", "\"read write\"");
        Self { header, claims, header_bytes: None, claims_bytes: None, signer: TOKEN_KEY }
    }

    /// With this header member, a JSON value.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.header.set(name, value);
        self
    }

    /// Without this header member.
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// With these bytes for a header.
    pub(crate) fn header_bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.header_bytes = Some(bytes.as_ref().to_vec());
        self
    }

    /// With this claim, a JSON value.
    pub(crate) fn claim(mut self, name: &str, value: &str) -> Self {
        self.claims.set(name, value);
        self
    }

    /// Without this claim.
    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// With these bytes for a payload.
    pub(crate) fn claims_bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.claims_bytes = Some(bytes.as_ref().to_vec());
        self
    }

    /// With this expiry, and the `jti` that goes with it.
    pub(crate) fn expiring(self, exp: u64, index: u32) -> Self {
        self.claim("exp", &exp.to_string()).claim("jti", &format!("\"{}.{index}\"", exp >> 8))
    }

    /// Signed by the key of this seed; the header stays.
    pub(crate) fn signed_by(mut self, seed: u8) -> Self {
        self.signer = seed;
        self
    }

    /// Signed by the key of this seed, and saying so.
    pub(crate) fn of_key(self, seed: u8) -> Self {
        self.header("kid", &quoted(&thumbprint(seed))).signed_by(seed)
    }

    /// The header's bytes.
    pub(crate) fn header_text(&self) -> Vec<u8> {
        self.header_bytes.clone().unwrap_or_else(|| self.header.text().into_bytes())
    }

    /// The payload's bytes.
    pub(crate) fn claims_text(&self) -> Vec<u8> {
        self.claims_bytes.clone().unwrap_or_else(|| self.claims.text().into_bytes())
    }

    /// Header and payload as they are signed.
    pub(crate) fn signing_input(&self) -> String {
        format!("{}.{}", base64url::encode(&self.header_text()), base64url::encode(&self.claims_text()))
    }

    /// The signature over [`Draft::signing_input`].
    pub(crate) fn signature(&self) -> [u8; 64] {
        signature(self.signer, self.signing_input().as_bytes())
    }

    /// The token.
    pub(crate) fn token(&self) -> String {
        sealed(self.signer, &self.signing_input())
    }

    /// The token's three parts.
    pub(crate) fn parts(&self) -> [String; 3] {
        let token = self.token();
        let parts: Vec<&str> = token.split('.').collect();
        [parts[0].to_owned(), parts[1].to_owned(), parts[2].to_owned()]
    }

    /// The token with these bytes for a signature.
    pub(crate) fn with_signature(&self, bytes: &[u8]) -> String {
        format!("{}.{}", self.signing_input(), base64url::encode(bytes))
    }
}

/// `signing_input`, whatever it is, with a signature over it.
pub(crate) fn sealed(seed: u8, signing_input: &str) -> String {
    format!("{signing_input}.{}", base64url::encode(&signature(seed, signing_input.as_bytes())))
}
