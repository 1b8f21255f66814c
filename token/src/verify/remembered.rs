//! A token that has been judged before, asked about again.
//!
//! What its bytes decide is known; what time, list and call decide is checked each time by the code that judged it first.

use super::{Judged, Scope, Verifier};
use crate::claims::Facts;
use crate::error::Rejection;
use crate::id::Jti;
use crate::time::UnixTime;
use std::sync::Arc;

/// What must be known of a token that was accepted, to say whether it still holds. Worth nothing to any other verifier.
///
/// About 100 bytes, and the bytes of `kid`, `sub`, `sid`, `client_id` and `scope`.
#[derive(Debug, Clone)]
pub struct Remembered {
    keys_stand: Arc<()>,
    jti: Option<Jti>,
    sub: Box<str>,
    sid: Option<Box<str>>,
    client_id: Box<str>,
    scope: Option<Box<str>>,
    kid: Box<str>,
    iat: UnixTime,
    exp: UnixTime,
    nbf: Option<UnixTime>,
}

/// What becomes of a token that was accepted before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recheck {
    /// It holds: judging it again would accept it.
    Holds,
    /// It does not hold any more, or not for this call: judging it again would say the same.
    Refused(Rejection),
    /// A key that was in use then has gone or changed, or another verifier judged it: it must be judged again.
    Unknown,
}

impl Judged<'_> {
    /// Returns what [`Verifier::recheck`] needs.
    pub fn remember(&self) -> Remembered {
        let Facts { sub, sid, client_id, scope, kid, iat, exp, nbf } = self.facts();
        Remembered {
            keys_stand: Arc::clone(&self.verifier.keys_stand),
            jti: self.jti,
            sub: sub.into(),
            sid: sid.map(Into::into),
            client_id: client_id.into(),
            scope: scope.map(Into::into),
            kid: kid.into(),
            iat,
            exp,
            nbf,
        }
    }
}

impl Remembered {
    fn facts(&self) -> Facts<'_> {
        Facts {
            sub: &self.sub,
            sid: self.sid.as_deref(),
            client_id: &self.client_id,
            scope: self.scope.as_deref(),
            kid: &self.kid,
            iat: self.iat,
            exp: self.exp,
            nbf: self.nbf,
        }
    }
}

impl Verifier {
    /// Returns what [`Verifier::judge`] would say of a token that it has accepted before, without looking at its bytes.
    ///
    /// Checked are time, scope and revocation. Policy, issuer and the bytes of the token cannot have changed: with
    /// revocations on nothing is accepted before there is a list, and every later one is of the same issuer.
    pub fn recheck(&self, remembered: &Remembered, required: Scope<'_>, now: UnixTime) -> Recheck {
        if !Arc::ptr_eq(&self.keys_stand, &remembered.keys_stand) {
            return Recheck::Unknown;
        }
        match self.still_holds(remembered, required, self.now(now)) {
            Ok(()) => Recheck::Holds,
            Err(rejection) => Recheck::Refused(rejection),
        }
    }

    fn still_holds(&self, remembered: &Remembered, required: Scope<'_>, now: UnixTime) -> Result<(), Rejection> {
        let facts = remembered.facts();
        self.check_times(&facts, now)?;
        self.check_scope(&facts, required)?;
        remembered.jti.map_or(Ok(()), |jti| self.check_revocation(jti, &facts, now))
    }
}
