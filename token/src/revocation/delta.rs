//! What has been revoked since an earlier state of the list, signed; with nothing added, a heartbeat.
//!
//! ```text
//! document = JWS-compact                    application/vnd.countersign.revdelta, at most 32 KiB
//! header     {"alg", "kid", "typ": "revdelta+jwt"}
//! claims     iss iat exp seq id cut         those of the state afterwards
//!            base                           id of the state it applies to; left out in a heartbeat, which applies to id
//!            low                            epochs below are dropped; at most iat >> 8; left out when none is
//!            add                            base64url of a body, its epochs low or above; left out when nothing is added
//! ```
//!
//! A delta adds indices and drops epochs that are over; it cannot take a revocation back. Its `cut` is complete. A
//! heartbeat has neither `base` nor `low` nor `add`.

use super::codec;
use super::head::{Head, ListId, MAX_HEAD_LENGTH, signed_payload};
use super::revoked::Revoked;
use crate::base64url;
use crate::error::ListRejection;
use crate::id::epoch;
use crate::json::{Object, Tape};
use crate::jwk::KeySet;

/// `typ` of a delta.
pub const TYP: &str = "revdelta+jwt";
/// Bytes that a delta may have.
pub const MAX_LENGTH: usize = MAX_HEAD_LENGTH;
/// The claims that a delta has besides those of a full list.
pub(super) const CLAIMS: [&str; 3] = ["base", "low", "add"];

/// A delta whose signature and form have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    head: Head,
    base: ListId,
    low: u32,
    added: Revoked,
    body_length: usize,
}

impl Delta {
    /// Returns the delta that `document` holds, authenticated by a key that `keys` publishes for revocations.
    ///
    /// Not checked: whether it is fresh, leads on from a list that is held, or is the expected issuer's.
    ///
    /// # Errors
    /// [`ListRejection::Head`], `Signature`, `Claims` and `Body`, in this order.
    pub fn open(document: &[u8], keys: &KeySet) -> Result<Self, ListRejection> {
        let payload = signed_payload(document, TYP, keys)?;
        let mut tape = Tape::default();
        let claims = tape.read_object(&payload).map_err(|_| ListRejection::Claims)?;
        let (head, base, low, add) = members(claims).ok_or(ListRejection::Claims)?;
        let added = codec::decode(&add).map_err(|codec::Malformed| ListRejection::Body)?;
        if added.lowest().is_some_and(|lowest| lowest < low) {
            return Err(ListRejection::Body);
        }
        // A heartbeat brings a body of one byte, its version.
        Ok(Self { head, base, low, added, body_length: add.len().saturating_sub(1) })
    }

    /// Returns the head of the state afterwards.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the state it applies to.
    pub fn base(&self) -> ListId {
        self.base
    }

    /// Returns the lowest epoch that stays.
    pub fn low(&self) -> u32 {
        self.low
    }

    /// Returns what it revokes.
    pub fn added(&self) -> &Revoked {
        &self.added
    }

    pub(super) fn body_length(&self) -> usize {
        self.body_length
    }

    pub(super) fn into_head(self) -> Head {
        self.head
    }
}

fn members(claims: Object<'_>) -> Option<(Head, ListId, u32, Vec<u8>)> {
    let head = Head::from_claims(claims)?;
    let [base, low, add] = CLAIMS.map(|name| claims.get(name));
    let nothing = [codec::VERSION];
    if base.is_none() {
        let id = head.id;
        return (low.is_none() && add.is_none()).then_some((head, id, 0, nothing.to_vec()));
    }
    let base = ListId::from_claims(claims, "base")?;
    // An epoch that is not over by the issuer's own clock must stay: a delta takes nothing back.
    let low = low.map_or(Some(0), |low| u32::try_from(low.as_u64()?).ok().filter(|low| *low <= epoch(head.iat)))?;
    let add = add.map_or_else(|| Some(nothing.to_vec()), |add| base64url::decode(add.as_str()?.as_bytes()).ok())?;
    Some((head, base, low, add))
}
