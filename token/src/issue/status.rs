//! Signing status lists, as JWT and as CWT (draft-ietf-oauth-status-list-20 §5).
//!
//! ```text
//! JWT   header  {"alg","typ":"statuslist+jwt","kid"}
//!       claims  iss sub iat exp ttl status_list {bits: 1, lst: base64url, aggregation_uri}
//! CWT   COSE_Sign1 (RFC 9052 §4.2), tag 18; protected: alg (1), kid (4, the thumbprint's text), typ (16) "application/statuslist+cwt"
//!       claims  1 iss, 2 sub, 4 exp, 6 iat, 65533 status_list {bits: 1, lst: bytes, aggregation_uri}, 65534 ttl
//! ```

use super::{IssueError, SigningKey, date};
use crate::base64url;
use crate::jwk::{Algorithm, Purpose};
use crate::time::UnixTime;
use ciborium::Value;
use coset::{CborSerializable as _, CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _, iana};
use ed25519_dalek::Signer as _;
use jwt_compact::Claims;
use serde::Serialize;

/// Media type of a list as a JWT, without `application/`.
pub const JWT_TYP: &str = "statuslist+jwt";
/// Media type of a list as a CWT.
pub const CWT_TYP: &str = "application/statuslist+cwt";

/// Bytes that a signed list may have: the largest array that does not compress at all, twice in base64url.
const MAX_LENGTH: usize = 32 * 1024 * 1024;
/// Bits for each token: revoked or not.
const BITS: u8 = 1;
/// COSE header parameter `typ` (RFC 9596).
const TYP: i64 = 16;

/// CWT claims (RFC 8392 §4) and those that the draft registers (§14.3).
mod label {
    pub(super) const ISS: u32 = 1;
    pub(super) const SUB: u32 = 2;
    pub(super) const EXP: u32 = 4;
    pub(super) const IAT: u32 = 6;
    pub(super) const STATUS_LIST: u32 = 65_533;
    pub(super) const TTL: u32 = 65_534;
}

/// What a signed status list says, in either form.
#[derive(Debug, Clone, Copy)]
pub struct StatusClaims<'a> {
    /// Issuer, the one of the tokens.
    pub iss: &'a str,
    /// The URI of this list, as it stands in the tokens.
    pub sub: &'a str,
    /// When the list was true.
    pub iat: UnixTime,
    /// From then on it says nothing any more.
    pub exp: UnixTime,
    /// Seconds for which a copy may be used before a newer one is asked for.
    pub ttl: u64,
    /// The array in zlib's format, [`crate::status_list::StatusList::compress`].
    pub lst: &'a [u8],
    /// Where all lists are named.
    pub aggregation_uri: &'a str,
}

impl SigningKey {
    /// Returns the compact serialization of a status list (draft §5.1).
    ///
    /// # Errors
    /// [`IssueError`]; `Form` when this key is not for revocations.
    pub fn sign_status_list_jwt(&self, claims: &StatusClaims<'_>) -> Result<String, IssueError> {
        let lst = base64url::encode(claims.lst);
        let status_list = Listed { bits: BITS, lst, aggregation_uri: claims.aggregation_uri };
        let mut full = Claims::new(Body { iss: claims.iss, sub: claims.sub, ttl: claims.ttl, status_list });
        full.issued_at = Some(date(claims.iat)?);
        full.expiration = Some(date(claims.exp)?);
        self.sign(JWT_TYP, Purpose::Revocations, &full, MAX_LENGTH).map(|(token, _)| token)
    }

    /// Returns a status list as a tagged COSE_Sign1 (draft §5.2).
    ///
    /// # Errors
    /// [`IssueError`]; `Form` when this key is not for revocations.
    pub fn sign_status_list_cwt(&self, claims: &StatusClaims<'_>) -> Result<Vec<u8>, IssueError> {
        if self.public.purpose() != Purpose::Revocations {
            return Err(IssueError::Form("the key is for another purpose"));
        }
        let algorithm = match self.public.algorithm() {
            Algorithm::EdDsa => iana::Algorithm::EdDSA,     // -8
            Algorithm::Ed25519 => iana::Algorithm::Ed25519, // -19, RFC 9864
        };
        let protected = HeaderBuilder::new()
            .algorithm(algorithm)
            .key_id(self.kid().as_bytes().to_vec())
            .value(TYP, Value::from(CWT_TYP))
            .build();
        let payload = claims_set(claims).to_vec().map_err(|_| IssueError::Form("claims"))?;
        let document = CoseSign1Builder::new()
            .protected(protected)
            .payload(payload)
            .create_signature(&[], |input| self.secret.sign(input).to_bytes().to_vec())
            .build()
            .to_tagged_vec()
            .map_err(|_| IssueError::Form("header"))?;
        if document.len() > MAX_LENGTH {
            return Err(IssueError::TooLong);
        }
        if self.has_signed(&document) { Ok(document) } else { Err(IssueError::Fault) }
    }

    /// Whether the document, read again from its bytes, carries a signature of this key.
    fn has_signed(&self, document: &[u8]) -> bool {
        let verify = |signature: &[u8], input: &[u8]| {
            let signature = signature.try_into().map_err(|_| ())?;
            if self.public.verifies(input, signature) { Ok(()) } else { Err(()) }
        };
        CoseSign1::from_tagged_slice(document).is_ok_and(|read| read.verify_signature(&[], verify).is_ok())
    }
}

/// The claims in the order of their encoded labels (RFC 8949 §4.2.1): the same claims give the same bytes.
fn claims_set(claims: &StatusClaims<'_>) -> Value {
    let text = |name: &str, value: Value| (Value::from(name), value);
    let status_list = Value::Map(vec![
        text("lst", Value::Bytes(claims.lst.to_vec())),
        text("bits", Value::from(BITS)),
        text("aggregation_uri", Value::from(claims.aggregation_uri)),
    ]);
    Value::Map(vec![
        (Value::from(label::ISS), Value::from(claims.iss)),
        (Value::from(label::SUB), Value::from(claims.sub)),
        (Value::from(label::EXP), Value::from(claims.exp.as_secs())),
        (Value::from(label::IAT), Value::from(claims.iat.as_secs())),
        (Value::from(label::STATUS_LIST), status_list),
        (Value::from(label::TTL), Value::from(claims.ttl)),
    ])
}

#[derive(Serialize)]
struct Body<'a> {
    iss: &'a str,
    sub: &'a str,
    ttl: u64,
    status_list: Listed<'a>,
}

#[derive(Serialize)]
struct Listed<'a> {
    bits: u8,
    lst: String,
    aggregation_uri: &'a str,
}

#[cfg(test)]
mod tests;
