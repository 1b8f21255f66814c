//! A revocation list as it is published: signed head, binary body.
//!
//! ```text
//! document = JWS-compact [ LF body ]        application/vnd.countersign.revlist
//! header     {"alg", "kid", "typ": "revlist+jwt"}
//! claims     iss iat exp seq id cut         seq in 1..2^53; id = base64url(left 128 bits of SHA-256(body))
//! ```
//!
//! Nothing of the body is parsed before the signature over the head, and the head's hash of the body, have been checked.
//! Which of two lists counts is decided in [`crate::verify`].

use super::codec::{self, Revoked};
use super::cut::Cut;
use crate::claims::AccessClaims;
use crate::error::{ListRejection, Rejection, RevokedBy};
use crate::id::Jti;
use crate::jwk::{KeySet, Purpose};
use crate::jws::Untrusted;
use crate::time::UnixTime;
use crate::{base64url, json};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Bytes of a document that are read at all, head and body.
pub const MAX_LENGTH: usize = 64 * 1024 * 1024;
/// Bytes that the signed head may have.
pub const MAX_HEAD_LENGTH: usize = 32 * 1024;
/// Sequence numbers lie below this bound, so that a double holds each exactly.
pub const MAX_SEQ: u64 = (1 << 53) - 1;
/// `typ` of a full list.
pub const TYP: &str = "revlist+jwt";

/// Names the state of a list: the left 128 bits of the SHA-256 of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListId([u8; 16]);

impl ListId {
    /// Returns the identifier of the list with this body.
    pub fn of(body: &[u8]) -> Self {
        let mut id = [0; 16];
        id.iter_mut().zip(Sha256::digest(body)).for_each(|(to, from)| *to = from);
        Self(id)
    }

    /// Returns the identifier with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Display for ListId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

/// The claims of a list's signed head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Issuer.
    pub iss: String,
    /// When the list was signed.
    pub iat: UnixTime,
    /// The first second at which the list says nothing any more.
    pub exp: UnixTime,
    /// Number of the list, strictly growing, 1 to [`MAX_SEQ`].
    pub seq: u64,
    /// State of the body.
    pub id: ListId,
    /// Rules that name no indices.
    pub cut: Cut,
}

impl Head {
    fn from_object(claims: &Map<String, Value>) -> Option<Self> {
        // These belong to a delta; a full list that carries them is neither.
        if ["base", "low", "add"].iter().any(|name| claims.contains_key(*name)) {
            return None;
        }
        let time = |name: &str| claims.get(name).and_then(UnixTime::from_json);
        let (iat, exp) = (time("iat")?, time("exp")?);
        Some(Self {
            iss: claims.get("iss")?.as_str().filter(|iss| !iss.is_empty())?.to_owned(),
            iat,
            exp: (exp > iat).then_some(exp)?,
            seq: claims.get("seq")?.as_u64().filter(|seq| (1..=MAX_SEQ).contains(seq))?,
            id: ListId(base64url::decode_array(claims.get("id")?.as_str()?).ok()?),
            cut: claims.get("cut").map_or(Some(Cut::default()), Cut::from_json)?,
        })
    }
}

/// A list whose signature and form have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    head: Head,
    revoked: Revoked,
    length: usize,
}

impl RevocationList {
    /// Returns the list that `document` holds, authenticated by a key that `keys` publishes for revocations.
    ///
    /// Not checked: whether it is fresh, newer than another one, or the expected issuer's.
    ///
    /// # Errors
    /// [`ListRejection::TooLong`], `Head`, `Signature`, `Claims`, `BodyMismatch` and `Body`, in this order.
    pub fn open(document: &[u8], keys: &KeySet) -> Result<Self, ListRejection> {
        if document.len() > MAX_LENGTH {
            return Err(ListRejection::TooLong);
        }
        let end =
            document.iter().take(MAX_HEAD_LENGTH + 1).position(|byte| *byte == b'\n').ok_or(ListRejection::Head)?;
        let (head, body) = document.split_at_checked(end).ok_or(ListRejection::Head)?;
        let body = body.get(1..).ok_or(ListRejection::Head)?;
        let head = std::str::from_utf8(head).map_err(|_| ListRejection::Head)?;
        let signed = Untrusted::parse(head, TYP, MAX_HEAD_LENGTH).map_err(|_| ListRejection::Head)?;
        let signed = signed.verify(keys, Purpose::Revocations).map_err(|rejection| match rejection {
            Rejection::NoMatchingKey | Rejection::Signature => ListRejection::Signature,
            _ => ListRejection::Head,
        })?;
        let claims = json::parse_object(&signed.payload).map_err(|_| ListRejection::Claims)?;
        let head = Head::from_object(&claims).ok_or(ListRejection::Claims)?;
        if ListId::of(body) != head.id {
            return Err(ListRejection::BodyMismatch);
        }
        let revoked = codec::decode(body).map_err(|codec::Malformed| ListRejection::Body)?;
        Ok(Self { head, revoked, length: document.len() })
    }

    /// Returns the signed head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the indices that the body lists.
    pub fn revoked(&self) -> &Revoked {
        &self.revoked
    }

    /// Returns the bytes of the document.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Returns what of this list takes back the token with these claims, signed by the key `kid`.
    pub fn revokes(&self, jti: Jti, claims: &AccessClaims, kid: &str) -> Option<RevokedBy> {
        if self.revoked.contains(jti.epoch, jti.index) {
            return Some(RevokedBy::Index);
        }
        if self.head.cut.is_empty() { None } else { self.head.cut.revokes(claims, kid) }
    }
}
