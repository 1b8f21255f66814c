//! The judgement of an access token, in the order of docs/protocol.md §6.
//!
//! A [`Verifier`] holds one issuer's keys, what is asked of tokens, and the newest revocation list it has seen. Judging
//! takes `&self`, does no I/O and gives the same verdict for the same bytes and time everywhere. Unknown is never "valid".

use crate::claims::AccessClaims;
use crate::error::{ClaimFault, ListRejection, Rejection, Staleness};
use crate::id::{self, Jti};
use crate::json;
use crate::jwk::{KeySet, Purpose};
use crate::jws::{self, Untrusted};
use crate::revocation::{Delta, Head, RevocationList, list, revoked};
use crate::time::UnixTime;
use std::fmt;

/// `typ` of an access token (RFC 9068 §2.1).
pub const TYP: &str = "at+jwt";
/// Seconds of leeway that may be asked for.
pub const MAX_LEEWAY_SECS: u64 = 60;
/// Seconds of leeway that verifiers use when nobody says otherwise.
pub const DEFAULT_LEEWAY_SECS: u64 = 5;
/// A list signed this many seconds ahead of the local clock is refused: one of the two clocks is wrong.
pub const MAX_LIST_AHEAD_SECS: u64 = 86_400;

/// What is asked of every token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The `iss` that tokens and lists must have; `None` asks for none, on purpose.
    pub issuer: Option<String>,
    /// Of these the token's `aud` must hold at least one; `None` asks for none, on purpose.
    pub audience: Option<Vec<String>>,
    /// Seconds by which `exp` and `nbf` are relaxed, 0 to [`MAX_LEEWAY_SECS`].
    pub leeway_secs: u64,
    /// Scope values that every token must have.
    pub scope: Vec<String>,
    /// Whether a revocation list decides; `false` gives up revocation, on purpose.
    pub revocations: bool,
    /// Seconds after its `iat` during which a list is used, where that ends before its `exp`.
    pub max_staleness_secs: Option<u64>,
}

/// The caller asked for something that makes no sense; never caused by bytes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// More leeway than [`MAX_LEEWAY_SECS`].
    Leeway,
    /// An empty issuer.
    Issuer,
    /// No audience in the list of audiences, or an empty one.
    Audience,
    /// A required scope that is empty or holds a space.
    Scope,
    /// A list was given to a verifier that was told to do without.
    RevocationsOff,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leeway => "leeway must be 0 to 60 seconds",
            Self::Issuer => "issuer must not be empty",
            Self::Audience => "audience must name at least one audience, none of them empty",
            Self::Scope => "a required scope must be one value without spaces",
            Self::RevocationsOff => "this verifier was made without revocations",
        })
    }
}

impl std::error::Error for Misuse {}

/// A token that holds against keys, policy, time and revocations.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The claims, by type.
    pub claims: AccessClaims,
    /// The claims as the issuer wrote them: strict JSON, an object.
    pub json: String,
    /// `kid` of the key that signed.
    pub kid: String,
}

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

/// Judges access tokens of one issuer.
#[derive(Debug, Clone)]
pub struct Verifier {
    policy: Policy,
    keys: KeySet,
    list: Option<RevocationList>,
    /// The latest time that a list was signed at, of all that were seen.
    floor: UnixTime,
}

impl Verifier {
    /// Returns a verifier with these keys and no list yet.
    ///
    /// # Errors
    /// [`Misuse`] when the policy makes no sense.
    pub fn new(policy: Policy, keys: KeySet) -> Result<Self, Misuse> {
        if policy.leeway_secs > MAX_LEEWAY_SECS {
            return Err(Misuse::Leeway);
        }
        if policy.issuer.as_ref().is_some_and(String::is_empty) {
            return Err(Misuse::Issuer);
        }
        if policy.audience.as_ref().is_some_and(|audience| audience.is_empty() || audience.iter().any(String::is_empty))
        {
            return Err(Misuse::Audience);
        }
        check_scope(&policy.scope)?;
        Ok(Self { policy, keys, list: None, floor: UnixTime::MIN })
    }

    /// Replaces the keys; the list in use stays.
    pub fn replace_keys(&mut self, keys: KeySet) {
        self.keys = keys;
    }

    /// Returns the keys in use.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Returns the list in use.
    pub fn list(&self) -> Option<&RevocationList> {
        self.list.as_ref()
    }

    /// Returns the first second at which the list in use says nothing any more: its `exp`, or earlier by the policy.
    pub fn usable_until(&self) -> Option<UnixTime> {
        let head = self.list.as_ref()?.head();
        let earlier = self.policy.max_staleness_secs.map(|most| head.iat.plus_secs(most.saturating_add(1)));
        Some(earlier.map_or(head.exp, |earlier| earlier.min(head.exp)))
    }

    /// Returns the time that is judged by where the local clock shows `local`: a clock that runs behind what was signed
    /// revives nothing.
    pub fn now(&self, local: UnixTime) -> UnixTime {
        local.max(self.floor)
    }

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

    /// Returns the claims of `token` if it holds at `now`.
    ///
    /// # Errors
    /// [`Rejection`], the first that applies in the order of docs/protocol.md §6.
    pub fn verify(&self, token: &str, now: UnixTime) -> Result<Verified, Rejection> {
        self.verify_with_scope(token, &[], now)
    }

    /// As [`Verifier::verify`], asking for the scope values `required` besides those of the policy.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub fn verify_with_scope(&self, token: &str, required: &[String], now: UnixTime) -> Result<Verified, Rejection> {
        let signed = Untrusted::parse(token, TYP, jws::MAX_LENGTH)?.verify(&self.keys, Purpose::Token)?;
        let object = json::parse_object(&signed.payload).map_err(Rejection::Jwt)?;
        let claims = AccessClaims::from_object(object)?;
        let now = self.now(now);
        self.check_parties(&claims)?;
        self.check_times(&claims, now)?;
        let jti = self.check_index(&claims)?;
        if !claims.has_scope(&self.policy.scope) || !claims.has_scope(required) {
            return Err(failed("scope"));
        }
        if let Some(jti) = jti {
            self.check_revocation(jti, &claims, &signed.kid, now)?;
        }
        let json = String::from_utf8(signed.payload).map_err(|_| Rejection::Jwt(json::Fault::Syntax))?;
        Ok(Verified { claims, json, kid: signed.kid })
    }

    fn check_parties(&self, claims: &AccessClaims) -> Result<(), Rejection> {
        let list_issuer = self.list.as_ref().map(|list| &list.head().iss);
        if [self.policy.issuer.as_ref(), list_issuer].into_iter().flatten().any(|issuer| *issuer != claims.iss) {
            return Err(failed("iss"));
        }
        match &self.policy.audience {
            Some(audience) if !claims.aud.iter().any(|held| audience.contains(held)) => Err(failed("aud")),
            Some(_) | None => Ok(()),
        }
    }

    fn check_times(&self, claims: &AccessClaims, now: UnixTime) -> Result<(), Rejection> {
        let leeway = self.policy.leeway_secs;
        if claims.nbf.is_some_and(|nbf| nbf.as_secs() > now.as_secs() + leeway) {
            return Err(failed("nbf"));
        }
        // RFC 7519 §4.1.4: "on or after" exp, so the very second of exp is too late.
        if now.as_secs() >= claims.exp.as_secs() + leeway { Err(Rejection::Expired) } else { Ok(()) }
    }

    /// Returns the token's place in the revocation list, or `None` when revocations are off.
    fn check_index(&self, claims: &AccessClaims) -> Result<Option<Jti>, Rejection> {
        if !self.policy.revocations {
            return Ok(None);
        }
        let jti: Jti = claims.jti.parse().map_err(|id::NotAnIndex| Rejection::StatusMissing)?;
        if jti.epoch != id::epoch(claims.exp) {
            return Err(failed("jti"));
        }
        if claims.sid.is_none() {
            return Err(Rejection::Claim { claim: "sid", reason: ClaimFault::Missing });
        }
        Ok(Some(jti))
    }

    fn check_revocation(&self, jti: Jti, claims: &AccessClaims, kid: &str, now: UnixTime) -> Result<(), Rejection> {
        let list = self.list.as_ref().ok_or(Rejection::Stale(Staleness::Absent))?;
        let head = list.head();
        if now >= head.exp {
            return Err(Rejection::Stale(Staleness::Expired));
        }
        if self.policy.max_staleness_secs.is_some_and(|most| now.secs_since(head.iat) > most) {
            return Err(Rejection::Stale(Staleness::TooOld));
        }
        list.revokes(jti, claims, kid).map_or(Ok(()), |by| Err(Rejection::Revoked(by)))
    }
}

/// Checks that each required scope is one value.
///
/// # Errors
/// [`Misuse::Scope`].
pub fn check_scope(scope: &[String]) -> Result<(), Misuse> {
    if scope.iter().any(|value| value.is_empty() || value.contains(' ')) { Err(Misuse::Scope) } else { Ok(()) }
}

fn failed(claim: &'static str) -> Rejection {
    Rejection::Claim { claim, reason: ClaimFault::CheckFailed }
}
