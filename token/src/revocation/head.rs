//! The signed head that full lists and deltas have in common.

use super::cut::Cut;
use crate::base64url;
use crate::error::{ListRejection, Rejection};
use crate::json::Object;
use crate::jwk::{KeySet, Purpose};
use crate::jws::Untrusted;
use crate::time::UnixTime;
use sha2::{Digest, Sha256};

/// Bytes that the signed head of a list, or a whole delta, may have.
pub const MAX_HEAD_LENGTH: usize = 32 * 1024;
/// Sequence numbers lie below this bound, so that a double holds each exactly.
pub const MAX_SEQ: u64 = (1 << 53) - 1;

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

    /// Returns the identifier that the claim `name` holds.
    pub(super) fn from_claims(claims: Object<'_>, name: &str) -> Option<Self> {
        base64url::decode_array(claims.get(name)?.as_str()?).ok().map(Self)
    }
}

impl std::fmt::Display for ListId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

/// What a signed head says of the state it stands for; a delta's head is that of the state after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Issuer.
    pub iss: String,
    /// When it was signed.
    pub iat: UnixTime,
    /// The first second at which it says nothing any more.
    pub exp: UnixTime,
    /// Number of the state, strictly growing, 1 to [`MAX_SEQ`].
    pub seq: u64,
    /// State of the body.
    pub id: ListId,
    /// Rules that name no indices.
    pub cut: Cut,
}

impl Head {
    pub(super) fn from_claims(claims: Object<'_>) -> Option<Self> {
        let time = |name: &str| claims.get(name).and_then(UnixTime::from_json);
        let (iat, exp) = (time("iat")?, time("exp")?);
        Some(Self {
            iss: claims.get("iss")?.as_str().filter(|iss| !iss.is_empty())?.to_owned(),
            iat,
            exp: (exp > iat).then_some(exp)?,
            seq: claims.get("seq")?.as_u64().filter(|seq| (1..=MAX_SEQ).contains(seq))?,
            id: ListId::from_claims(claims, "id")?,
            cut: claims.get("cut").map_or(Some(Cut::default()), Cut::from_json)?,
        })
    }
}

/// Returns the payload of a head of this `typ` that a key for revocations has signed.
pub(super) fn signed_payload(head: &[u8], typ: &str, keys: &KeySet) -> Result<Vec<u8>, ListRejection> {
    let signed = Untrusted::parse(head, typ, MAX_HEAD_LENGTH).map_err(|_| ListRejection::Head)?;
    let signed = signed.verify(keys, Purpose::Revocations).map_err(|rejection| match rejection {
        Rejection::NoMatchingKey | Rejection::Signature => ListRejection::Signature,
        _ => ListRejection::Head,
    })?;
    Ok(signed.payload)
}
