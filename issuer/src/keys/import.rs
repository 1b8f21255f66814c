//! Private keys from elsewhere: PKCS#8 (RFC 5208, RFC 8410) or a private JWK (RFC 8037 §2), of Ed25519 only.
//!
//! Only the seed is taken. The public half is derived from it, and one that comes along must be the same. Names and dates
//! that come along are not taken: a key of this issuer is called by its thumbprint.

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use serde_json::{Map, Value};
use std::fmt;
use token::base64url;
use token::jwk::{Algorithm, thumbprint};
use zeroize::Zeroizing;

/// Bytes that a key in PKCS#8 may have, as PEM or as base64 of DER; one with its public half has some 120.
const MAX_LENGTH: usize = 1_024;
/// A random seed has fewer distinct bytes than this once in 10^27 times.
const FEWEST_DISTINCT: usize = 12;

/// Thumbprints of keys whose private half is in a document: everybody has them.
const PUBLISHED: [&str; 6] = [
    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", // RFC 8032 §7.1 test 1, and RFC 8037 appendix A
    "FtIu-VbGrfe_KB6CH7GNwODB72MNxj_ml11dEvO-7kk", // test 2
    "FVV5umTuau890q59V-4Ga_R6qWb7ON_ivJc4EjvCwTM", // test 3
    "lZI1vM7tnlYapaF5-cy86ptx0tT_8Av721hhiNB5ti4", // test 1024
    "iiDHHfFVNG6ICMUTsicgrWf1igtFYZEK73xlobt1ah4", // test SHA(abc)
    "3YZxBJ12jO3n_mXt_q-j_Z-TFP1vt-NiI3OCf-fEnHQ", // RFC 8410 §10.3
];

/// The seed of a private key that came from elsewhere. Zeroized when dropped.
pub struct Imported(pub(super) Zeroizing<[u8; 32]>);

/// Why a private key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFault {
    /// Not PKCS#8 of an Ed25519 key, as PEM or as base64 of DER.
    Pkcs8,
    /// Not a JWK of an Ed25519 key with `d` and `x`, for signatures.
    Jwk,
    /// The public half that comes along is that of another private key.
    PublicHalf,
    /// The private key is not random, or published in a document.
    Weak,
}

impl Imported {
    /// Returns the key in `text`: PKCS#8 as PEM, or its DER in base64.
    ///
    /// # Errors
    /// [`ImportFault`].
    pub fn from_pkcs8(text: &str) -> Result<Self, ImportFault> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return Err(ImportFault::Pkcs8);
        }
        let key = if text.starts_with("-----BEGIN") {
            SigningKey::from_pkcs8_pem(text)
        } else {
            let der = Zeroizing::new(Base64::decode_vec(text).map_err(|_| ImportFault::Pkcs8)?);
            SigningKey::from_pkcs8_der(&der)
        };
        Self::checked(Zeroizing::new(key.map_err(|_| ImportFault::Pkcs8)?.to_bytes()))
    }

    /// Returns the key that a JWK holds; members that say nothing of the key itself are passed over.
    ///
    /// # Errors
    /// [`ImportFault`].
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, ImportFault> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let half = |name: &str| text(name).and_then(|text| base64url::decode_array::<32>(text).ok());
        let algorithm_fits = jwk.get("alg").is_none_or(|alg| alg.as_str().and_then(Algorithm::from_name).is_some());
        let use_fits = jwk.get("use").is_none_or(|value| value.as_str() == Some("sig"));
        if text("kty") != Some("OKP") || text("crv") != Some("Ed25519") || !algorithm_fits || !use_fits {
            return Err(ImportFault::Jwk);
        }
        let (seed, public) = half("d").map(Zeroizing::new).zip(half("x")).ok_or(ImportFault::Jwk)?;
        if SigningKey::from_bytes(&seed).verifying_key().as_bytes() != &public {
            return Err(ImportFault::PublicHalf);
        }
        Self::checked(seed)
    }

    fn checked(seed: Zeroizing<[u8; 32]>) -> Result<Self, ImportFault> {
        let distinct = (0..=u8::MAX).filter(|byte| seed.contains(byte)).count();
        let kid = thumbprint(SigningKey::from_bytes(&seed).verifying_key().as_bytes());
        let weak = distinct < FEWEST_DISTINCT || PUBLISHED.contains(&kid.as_str());
        if weak { Err(ImportFault::Weak) } else { Ok(Self(seed)) }
    }
}

impl fmt::Display for ImportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl ImportFault {
    /// Returns what is wrong, as it follows the name of the member.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Pkcs8 => "must be an Ed25519 private key in PKCS#8, as PEM or as base64 of its DER",
            Self::Jwk => "must be a private JWK of an Ed25519 key for signatures, with 'd' and 'x'",
            Self::PublicHalf => "holds a public half that does not belong to the private one",
            Self::Weak => "is not a random key, or one that is published in a document",
        }
    }
}

impl std::error::Error for ImportFault {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SEED: &str = "d84cb24e3a1f70955cbe0d26f917a3446b82c5e0910f3d7a58ee624bb7c912a6";

    fn seed() -> Zeroizing<[u8; 32]> {
        let bytes = SEED.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16));
        Zeroizing::new(bytes.collect::<Result<Vec<u8>, _>>().unwrap().try_into().unwrap())
    }

    fn public(seed: &[u8; 32]) -> [u8; 32] {
        SigningKey::from_bytes(seed).verifying_key().to_bytes()
    }

    fn der(seed: &[u8; 32]) -> Vec<u8> {
        [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..], seed].concat()
    }

    /// RFC 5958: version 2 carries the public half.
    fn der_with(seed: &[u8; 32], public: &[u8; 32]) -> Vec<u8> {
        let begin = [0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        [&begin[..], seed, &[0x81, 0x21, 0], public].concat()
    }

    fn jwk(seed: &[u8; 32]) -> Map<String, Value> {
        let (d, x) = (base64url::encode(seed), base64url::encode(&public(seed)));
        json!({"kty": "OKP", "crv": "Ed25519", "d": d, "x": x, "kid": "old"}).as_object().cloned().unwrap()
    }

    fn fault<T>(result: Result<T, ImportFault>) -> Option<ImportFault> {
        result.err()
    }

    #[test]
    fn a_key_reads_from_every_form_to_the_same_seed() {
        let base64 = Base64::encode_string(&der(&seed()));
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
        let both = Base64::encode_string(&der_with(&seed(), &public(&seed())));
        for text in [base64, pem, both] {
            assert_eq!(*Imported::from_pkcs8(&text).ok().unwrap().0, *seed(), "{text}");
        }
        assert_eq!(*Imported::from_jwk(&jwk(&seed())).ok().unwrap().0, *seed());
    }

    #[test]
    fn a_public_half_of_another_key_is_refused() {
        let other = public(&[1; 32]);
        assert!(Imported::from_pkcs8(&Base64::encode_string(&der_with(&seed(), &other))).is_err());
        let mut jwk = jwk(&seed());
        jwk.insert("x".to_owned(), base64url::encode(&other).into());
        assert_eq!(fault(Imported::from_jwk(&jwk)), Some(ImportFault::PublicHalf));
    }

    #[test]
    fn what_is_no_ed25519_key_is_refused() {
        let good = Base64::encode_string(&der(&seed()));
        let x25519 = Base64::encode_string(&[&der(&seed())[..11], &[0x6e], &der(&seed())[12..]].concat());
        let long = format!("{good}{}", "A".repeat(2_000));
        for text in
            ["", "-----BEGIN PRIVATE KEY-----", good.get(1..).unwrap(), good.get(..60).unwrap(), &x25519, &long, "!"]
        {
            assert_eq!(fault(Imported::from_pkcs8(text)), Some(ImportFault::Pkcs8), "{text}");
        }
        for (name, value) in [
            ("kty", json!("EC")),
            ("crv", json!("X25519")),
            ("d", json!("AAAA")),
            ("d", json!(7)),
            ("x", json!(null)),
            ("alg", json!("ES256")),
            ("use", json!("enc")),
        ] {
            let mut jwk = jwk(&seed());
            jwk.insert(name.to_owned(), value);
            assert_eq!(fault(Imported::from_jwk(&jwk)), Some(ImportFault::Jwk), "{name}");
        }
    }

    #[test]
    fn a_key_that_everybody_can_guess_or_read_is_refused() {
        let of_the_rfc = base64url::decode_array("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        for weak in [[0; 32], [0xff; 32], of_the_rfc] {
            assert_eq!(fault(Imported::from_jwk(&jwk(&weak))), Some(ImportFault::Weak));
            assert_eq!(fault(Imported::from_pkcs8(&Base64::encode_string(&der(&weak)))), Some(ImportFault::Weak));
        }
        let counted: [u8; 32] = std::array::from_fn(|at| u8::try_from(at % 11).unwrap());
        assert_eq!(fault(Imported::from_jwk(&jwk(&counted))), Some(ImportFault::Weak));
    }
}
