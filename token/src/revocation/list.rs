//! A revocation list as it is published whole: signed head, binary body.
//!
//! ```text
//! document = JWS-compact LF body            application/vnd.countersign.revlist
//! header     {"alg", "kid", "typ": "revlist+jwt"}
//! claims     iss iat exp seq id cut         seq in 1..2^53; id = base64url(left 128 bits of SHA-256(body))
//! ```
//!
//! Nothing of the body is parsed before the signature over the head, and the head's hash of the body, have been checked.
//! Which of two lists counts is decided in [`crate::verify`].

use super::codec;
use super::cut::Cut;
use super::delta::{self, Delta};
use super::head::{Head, ListId, MAX_HEAD_LENGTH, signed_payload};
use super::revoked::{Revoked, TooMany};
use crate::claims::Facts;
use crate::error::{ListRejection, RevokedBy};
use crate::id::Jti;
use crate::json::Tape;
use crate::jwk::KeySet;

/// Bytes of a document that are read at all, head and body.
pub const MAX_LENGTH: usize = 64 * 1024 * 1024;
/// `typ` of a full list.
pub const TYP: &str = "revlist+jwt";

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
        let (head, body) = parts(document).ok_or(ListRejection::Head)?;
        let payload = signed_payload(head, TYP, keys)?;
        let mut tape = Tape::default();
        let claims = tape.read_object(&payload).map_err(|_| ListRejection::Claims)?;
        // These belong to a delta; a full list that carries them is neither.
        if delta::CLAIMS.iter().any(|name| claims.get(name).is_some()) {
            return Err(ListRejection::Claims);
        }
        let head = Head::from_claims(claims).ok_or(ListRejection::Claims)?;
        if ListId::of(body) != head.id {
            return Err(ListRejection::BodyMismatch);
        }
        let revoked = codec::decode(body).map_err(|codec::Malformed| ListRejection::Body)?;
        Ok(Self { head, revoked, length: document.len() })
    }

    /// Makes this the list that `delta` leads to. Whether it leads on from this one is for the caller to have checked.
    ///
    /// # Errors
    /// [`TooMany`]; the list stays what it was.
    pub(crate) fn advance(&mut self, delta: Delta) -> Result<(), TooMany> {
        self.revoked.apply(delta.low(), delta.added())?;
        self.length = self.length.saturating_add(delta.body_length());
        self.head = delta.into_head();
        Ok(())
    }

    /// Returns the signed head of the newest document that this list comes from.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the revoked indices.
    pub fn revoked(&self) -> &Revoked {
        &self.revoked
    }

    /// Returns the bytes of the full list's document, and of the bodies that deltas have added since.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Returns the rules that name no indices.
    pub fn cut(&self) -> &Cut {
        &self.head.cut
    }

    /// Returns what of this list takes back the token with this place in it and these facts.
    pub fn revokes(&self, jti: Jti, token: &Facts<'_>) -> Option<RevokedBy> {
        if self.revoked.contains(jti.epoch, jti.index) {
            return Some(RevokedBy::Index);
        }
        if self.head.cut.is_empty() { None } else { self.head.cut.revokes(token) }
    }
}

/// Returns head and body of a full list; `None` for a document without the line feed between them, such as a delta.
pub(crate) fn parts(document: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = document.iter().take(MAX_HEAD_LENGTH + 1).position(|byte| *byte == b'\n')?;
    let (head, body) = document.split_at_checked(end)?;
    Some((head, body.get(1..)?))
}
