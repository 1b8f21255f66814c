//! The checks of claims that judging a token and asking again about a remembered one have in common.

use super::{Scope, Verifier};
use crate::claims::Facts;
use crate::error::{ClaimFault, Rejection, Staleness};
use crate::id::Jti;
use crate::time::UnixTime;

impl Verifier {
    /// The issuer asked for, and that of the list in use.
    pub(super) fn check_issuer(&self, iss: &str) -> Result<(), Rejection> {
        let list_issuer = self.list.as_ref().map(|list| &list.head().iss);
        if [self.policy.issuer.as_ref(), list_issuer].into_iter().flatten().any(|issuer| issuer != iss) {
            return Err(failed("iss"));
        }
        Ok(())
    }

    pub(super) fn check_times(&self, facts: &Facts<'_>, now: UnixTime) -> Result<(), Rejection> {
        let leeway = self.policy.leeway_secs;
        if facts.nbf.is_some_and(|nbf| nbf.as_secs() > now.as_secs() + leeway) {
            return Err(failed("nbf"));
        }
        // RFC 7519 §4.1.4: "on or after" exp, so the very second of exp is too late.
        if now.as_secs() >= facts.exp.as_secs() + leeway { Err(Rejection::Expired) } else { Ok(()) }
    }

    /// The scope that the policy asks for, and that of the call.
    pub(super) fn check_scope(&self, facts: &Facts<'_>, required: Scope<'_>) -> Result<(), Rejection> {
        let has = |scope: Scope<'_>| scope.is_within(facts.scope);
        if has(Scope::of(&self.policy.scope)) && has(required) { Ok(()) } else { Err(failed("scope")) }
    }

    /// The list, for a token that has a place in it.
    pub(super) fn check_revocation(&self, jti: Jti, facts: &Facts<'_>, now: UnixTime) -> Result<(), Rejection> {
        let list = self.list.as_ref().ok_or(Rejection::Stale(Staleness::Absent))?;
        let head = list.head();
        if now >= head.exp {
            return Err(Rejection::Stale(Staleness::Expired));
        }
        if self.policy.max_staleness_secs.is_some_and(|most| now.secs_since(head.iat) > most) {
            return Err(Rejection::Stale(Staleness::TooOld));
        }
        list.revokes(jti, facts).map_or(Ok(()), |by| Err(Rejection::Revoked(by)))
    }
}

pub(super) fn failed(claim: &'static str) -> Rejection {
    Rejection::Claim { claim, reason: ClaimFault::CheckFailed }
}
