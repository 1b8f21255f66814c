//! Taking revocation lists and deltas into use.

use super::Verifier;
use super::policy::Misuse;
use crate::error::ListRejection;
use crate::revocation::{Delta, Head, RevocationList, list, revoked};
use crate::time::UnixTime;

/// A list signed this many seconds ahead of the local clock is refused: one of the two clocks is wrong.
pub const MAX_LIST_AHEAD_SECS: u64 = 86_400;

/// What became of a list or a delta that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// The list in use is now the one it holds or leads to.
    Newer,
    /// It is of the state in use already.
    Same,
    /// It is older than the list in use and was ignored.
    Older,
    /// It is a delta of a newer list that does not lead on from the one in use, which stays: one that does, or a full
    /// list, must be fetched.
    Gap,
}

impl Loaded {
    /// Returns the stable word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Newer => "newer",
            Self::Same => "same",
            Self::Older => "older",
            Self::Gap => "gap",
        }
    }
}

/// Why a list was not even looked at, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadError {
    /// The caller's fault.
    Misuse(Misuse),
    /// The list's fault.
    Rejected(ListRejection),
}

impl Verifier {
    /// Takes a revocation list document into use if it is newer than the one in use: a full list, or a delta that leads on
    /// from it.
    ///
    /// An expired list is taken too, since it may revoke more than the one before: tokens are then refused as stale.
    ///
    /// # Errors
    /// [`LoadError`]; the list in use stays.
    pub fn load_revocations(&mut self, document: &[u8], now: UnixTime) -> Result<Loaded, LoadError> {
        if !self.policy.revocations {
            return Err(LoadError::Misuse(Misuse::RevocationsOff));
        }
        let is_delta = document.len() <= list::MAX_LENGTH && list::parts(document).is_none();
        let loaded = if is_delta { self.load_delta(document, now) } else { self.load_list(document, now) };
        loaded.map_err(LoadError::Rejected)
    }

    fn load_list(&mut self, document: &[u8], now: UnixTime) -> Result<Loaded, ListRejection> {
        let list = RevocationList::open(document, &self.keys)?;
        let loaded = self.place(list.head(), now)?;
        self.floor = self.floor.max(list.head().iat);
        if loaded == Loaded::Newer {
            self.list = Some(list);
        }
        Ok(loaded)
    }

    fn load_delta(&mut self, document: &[u8], now: UnixTime) -> Result<Loaded, ListRejection> {
        let delta = Delta::open(document, &self.keys)?;
        let loaded = self.place(delta.head(), now)?;
        self.floor = self.floor.max(delta.head().iat);
        match &mut self.list {
            Some(list) if loaded == Loaded::Newer && delta.base() == list.head().id => {
                list.advance(delta).map_err(|revoked::TooMany| ListRejection::TooLong)?;
                Ok(Loaded::Newer)
            }
            Some(_) | None if loaded == Loaded::Newer => Ok(Loaded::Gap),
            Some(_) | None => Ok(loaded),
        }
    }

    fn place(&self, head: &Head, now: UnixTime) -> Result<Loaded, ListRejection> {
        if self.policy.issuer.as_ref().is_some_and(|issuer| *issuer != head.iss) {
            return Err(ListRejection::Issuer);
        }
        if head.iat > now.plus_secs(MAX_LIST_AHEAD_SECS) {
            return Err(ListRejection::Future);
        }
        match self.list.as_ref().map(RevocationList::head) {
            Some(held) if head.iss != held.iss => Err(ListRejection::Issuer),
            Some(held) if head.seq < held.seq => Ok(Loaded::Older),
            Some(held) if head.seq == held.seq && head == held => Ok(Loaded::Same),
            Some(held) if head.seq == held.seq => Err(ListRejection::Equivocation),
            Some(_) | None => Ok(Loaded::Newer),
        }
    }
}
