//! Public keys: JWK and JWK Set (RFC 7517) of Ed25519 keys (RFC 8037), with thumbprints (RFC 7638).
//!
//! A key that could verify what nobody signed never gets past loading: low-order points and encodings other than the
//! canonical one are refused with the whole set. Keys of other kinds are somebody else's and are passed over
//! (RFC 7517 §5), and so is a key without `alg`: each key serves exactly one algorithm.

use crate::base64url;
use crate::error::KeySetRejection;
use crate::json::{Object, Tape, Value};
use ed25519::{Fault, Pending, Tables, VerifyingKey};
use serde_json::json;
use sha2::{Digest, Sha256};

/// Bytes of JSON that a JWK Set may have.
pub const MAX_SET_LENGTH: usize = 64 * 1024;
/// Entries that a JWK Set may have, those passed over included.
pub const MAX_KEYS: usize = 128;
/// Bytes that a `kid` may have.
pub const MAX_KEY_ID_LENGTH: usize = 256;

/// The JWS algorithm name of an Ed25519 key; both mean the same signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `EdDSA` (RFC 8037), understood by every library.
    EdDsa,
    /// `Ed25519` (RFC 9864), which replaces it.
    Ed25519,
}

impl Algorithm {
    /// Returns the algorithm that a header or key names, compared exactly.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "EdDSA" => Some(Self::EdDsa),
            "Ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// Returns the name as it stands in headers and keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }
}

/// What a key may sign. A verifier takes tokens only from the one and lists only from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Access and refresh tokens; also the meaning of an absent `purpose`.
    Token,
    /// Revocation lists.
    Revocations,
}

impl Purpose {
    /// Returns the purpose with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "token" => Some(Self::Token),
            "revocations" => Some(Self::Revocations),
            _ => None,
        }
    }

    /// Returns the name as it stands in a JWK.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Revocations => "revocations",
        }
    }
}

/// An Ed25519 public key that was found fit to verify with: canonical and not of low order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kid: String,
    algorithm: Algorithm,
    purpose: Purpose,
    point: VerifyingKey,
}

impl PublicKey {
    /// Returns the key with this RFC 8032 encoding, named by its thumbprint.
    ///
    /// # Errors
    /// [`KeySetRejection::InvalidPoint`] when the bytes are not the canonical encoding of a point,
    /// [`KeySetRejection::WeakKey`] when the point is of low order.
    pub fn from_bytes(bytes: &[u8; 32], purpose: Purpose, algorithm: Algorithm) -> Result<Self, KeySetRejection> {
        Ok(Self { kid: thumbprint(bytes), algorithm, purpose, point: point(bytes, purpose)? })
    }

    /// Returns the key identifier, for our own keys the RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the one algorithm this key serves.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns what the key may sign.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Returns the RFC 8032 encoding.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.point.as_bytes()
    }

    /// Returns whether `signature` is one of this key over `message`, by the rules of `verify_strict`: canonical `s`,
    /// no low-order `R`, and the equation without the cofactor.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.point.verifies(message, signature)
    }

    /// Does of [`PublicKey::verifies`] what cannot be shared with other signatures.
    pub(crate) fn begin(&self, message: &[u8], signature: &[u8; 64]) -> Pending<'_> {
        self.point.begin(message, signature)
    }

    /// Returns the key as a JWK, with `use` and `purpose`.
    pub fn to_jwk(&self) -> serde_json::Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "x": base64url::encode(self.as_bytes()), "kid": self.kid,
            "use": "sig", "alg": self.algorithm.name(), "purpose": self.purpose.name(),
        })
    }

    /// Reads one entry of a set; `None` when it is not a key this project can use.
    fn from_jwk(jwk: Object<'_>) -> Result<Option<Self>, KeySetRejection> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("kty") != Some("OKP") || text("crv") != Some("Ed25519") {
            return Ok(None);
        }
        if jwk.get("d").is_some() {
            return Err(KeySetRejection::PrivateKey);
        }
        let bytes = text("x").and_then(|x| base64url::decode_array(x).ok()).ok_or(KeySetRejection::InvalidPoint)?;
        let purpose = match jwk.get("purpose") {
            None => Some(Purpose::Token),
            Some(name) => name.as_str().and_then(Purpose::from_name),
        };
        let point = point(&bytes, purpose.unwrap_or(Purpose::Token))?; // a bad point refuses the set, whatever else it says
        let (Some(kid), Some(algorithm), Some(purpose)) =
            (text("kid"), text("alg").and_then(Algorithm::from_name), purpose)
        else {
            return Ok(None);
        };
        let usable = !kid.is_empty() && kid.len() <= MAX_KEY_ID_LENGTH && is_for_verification(jwk);
        Ok(usable.then(|| Self { kid: kid.to_owned(), algorithm, purpose, point }))
    }
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3), where present, must allow the verification of signatures.
fn is_for_verification(jwk: Object<'_>) -> bool {
    let use_allows = jwk.get("use").is_none_or(|value| value.as_str() == Some("sig"));
    let operations_allow = jwk.get("key_ops").is_none_or(|value| {
        value.as_array().is_some_and(|mut operations| operations.any(|operation| operation.as_str() == Some("verify")))
    });
    use_allows && operations_allow
}

fn point(bytes: &[u8; 32], purpose: Purpose) -> Result<VerifyingKey, KeySetRejection> {
    let tables = match purpose {
        Purpose::Token => Tables::WhenBusy,
        Purpose::Revocations => Tables::Never, // one list a second at most
    };
    VerifyingKey::from_bytes(bytes, tables).map_err(|fault| match fault {
        Fault::InvalidPoint => KeySetRejection::InvalidPoint,
        Fault::LowOrder => KeySetRejection::WeakKey,
    })
}

/// Returns the RFC 7638 thumbprint of an Ed25519 public key: base64url of SHA-256 over its required members in order.
pub fn thumbprint(public_key: &[u8; 32]) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url::encode(public_key));
    base64url::encode(&Sha256::digest(members))
}

/// The keys of one issuer: at least one for tokens, no two with the same `kid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

impl KeySet {
    /// Returns the usable keys of a JWK Set given as JSON.
    ///
    /// Entries of other kinds, for other uses, without `kid` or without one of the two algorithm names are passed over.
    ///
    /// # Errors
    /// [`KeySetRejection`]; then nothing of the set may be used.
    pub fn parse(text: &[u8]) -> Result<Self, KeySetRejection> {
        if text.len() > MAX_SET_LENGTH {
            return Err(KeySetRejection::TooLong);
        }
        let mut tape = Tape::default();
        let set = tape.read_object(text).map_err(|_| KeySetRejection::Malformed)?;
        let entries = set.get("keys").and_then(Value::as_array).ok_or(KeySetRejection::Malformed)?;
        if entries.count() > MAX_KEYS {
            return Err(KeySetRejection::TooManyKeys);
        }
        let mut keys = Vec::new();
        for entry in entries {
            keys.extend(PublicKey::from_jwk(entry.as_object().ok_or(KeySetRejection::Malformed)?)?);
        }
        Self::from_keys(keys)
    }

    /// Returns the set of these keys.
    ///
    /// # Errors
    /// [`KeySetRejection::DuplicateKeyId`] and [`KeySetRejection::NoTokenKey`].
    pub fn from_keys(keys: Vec<PublicKey>) -> Result<Self, KeySetRejection> {
        let duplicate =
            keys.iter().enumerate().any(|(at, key)| keys.iter().skip(at + 1).any(|other| other.kid == key.kid));
        if duplicate {
            return Err(KeySetRejection::DuplicateKeyId);
        }
        if !keys.iter().any(|key| key.purpose == Purpose::Token) {
            return Err(KeySetRejection::NoTokenKey);
        }
        Ok(Self { keys })
    }

    /// Returns the set of one key, whatever it is for.
    #[cfg(feature = "issue")]
    pub(crate) fn single(key: PublicKey) -> Self {
        Self { keys: vec![key] }
    }

    /// Returns the key of this name, purpose and algorithm.
    pub fn find(&self, kid: &str, purpose: Purpose, algorithm: Algorithm) -> Option<&PublicKey> {
        self.find_near(0, kid, purpose, algorithm).map(|(_, key)| key)
    }

    /// As [`KeySet::find`], looking at the key in this place first; returns the place, too.
    pub(crate) fn find_near(
        &self,
        place: usize,
        kid: &str,
        purpose: Purpose,
        algorithm: Algorithm,
    ) -> Option<(usize, &PublicKey)> {
        let near = self.keys.get(place).map(|key| (place, key));
        let mut keys = near.into_iter().chain(self.keys.iter().enumerate());
        keys.find(|(_, key)| key.kid == kid && key.purpose == purpose && key.algorithm == algorithm)
    }

    /// Returns whether every key of `others` is in this set, alike in all that it says.
    pub(crate) fn holds_all_of(&self, others: &Self) -> bool {
        others.keys.iter().all(|other| self.keys.contains(other))
    }

    /// Takes over what `others` has computed for keys that are in both.
    pub(crate) fn take_over(&mut self, others: &Self) {
        for key in &mut self.keys {
            if let Some(other) =
                others.keys.iter().find(|other| other.point == key.point && other.purpose == key.purpose)
            {
                key.point = other.point.clone();
            }
        }
    }

    /// Returns the keys in the order of the set.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Returns the set as a JWK Set in JSON.
    pub fn to_json(&self) -> String {
        json!({ "keys": self.keys.iter().map(PublicKey::to_jwk).collect::<Vec<_>>() }).to_string()
    }
}

#[cfg(test)]
mod tests;
