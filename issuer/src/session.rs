//! The life of one session (a refresh-token family), as a pure state machine: start, refresh, revoke.
//!
//! ```text
//! presented generation                                              answer
//! the newest                                                        Rotated: new pair, generation + 1
//! the one before, newest not used, within the retry window          Repeated: the same pair again, bit for bit
//!   … but the key that signed the last pair is withdrawn            Rotated
//! above the newest (the store lost writes: a restore)               AboveNewest: the session ends
//! any other                                                         Reused: the session ends
//! ```
//!
//! A session that ends takes its live access tokens with it. Another client, a session that has ended or expired, a
//! scope that does not fit and a full session change nothing. No clock, no store, no randomness here: the store applies
//! a [`Step`] as one atomic and durable change, `operations/refresh.rs` and `operations/revoke.rs` ask for it.
//!
//! Time: `now` may go back between two calls. A session never does: it goes on at its newest `iat` until the clock has
//! passed that again, so nothing ends early and no token has `iat` after `exp`.

mod exchange;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

pub use exchange::{Exchanged, MAX_EXCHANGED};

use crate::error::GrantFault;
use std::fmt;
use token::base64url;
use token::id::{Jti, epoch};
use token::time::UnixTime;

/// Access tokens of one session that may be unexpired at a time: what one revocation has to list at most.
pub const MAX_LIVE_TOKENS: usize = 512;

/// The name of a session: 128 random bits, `sid` in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 16]);

impl SessionId {
    /// Returns the session that `sid` names; `None` when it is not the base64url text of 16 bytes.
    pub fn parse(sid: &str) -> Option<Self> {
        base64url::decode_array(sid).ok().map(Self)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

/// What every access token of a session says, beside its times and its place in the revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Subject.
    pub sub: String,
    /// Audiences, at least one.
    pub aud: Vec<String>,
    /// The whole scope; a refresh may ask for less of it.
    pub scope: Option<String>,
    /// Roles.
    pub roles: Vec<String>,
    /// Permissions.
    pub permissions: Vec<String>,
    /// When the subject logged in.
    pub auth_time: Option<UnixTime>,
    /// Not valid before.
    pub nbf: Option<UnixTime>,
    /// Own claims: the text of a JSON object, or empty for none.
    pub claims: String,
    /// Whether its tokens say in which Token Status List they are.
    pub status: bool,
}

/// What a refresh says in place of what the grant said: the rights of a user, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fresh {
    /// Roles.
    pub roles: Vec<String>,
    /// Permissions.
    pub permissions: Vec<String>,
    /// The scope that is allowed; what the session has of it is left.
    pub scope: Option<String>,
    /// Own claims, as in [`Grant`].
    pub claims: String,
}

impl Grant {
    /// Returns the grant with other rights; the scope only ever gets less.
    #[must_use]
    pub fn refreshed(self, fresh: &Fresh) -> Self {
        let allowed: Vec<&str> = fresh.scope.as_deref().unwrap_or_default().split(' ').collect();
        let scope = self
            .scope
            .map(|scope| scope.split(' ').filter(|value| allowed.contains(value)).collect::<Vec<_>>().join(" "));
        Self {
            scope: scope.filter(|scope| !scope.is_empty()),
            roles: fresh.roles.clone(),
            permissions: fresh.permissions.clone(),
            claims: fresh.claims.clone(),
            ..self
        }
    }
}

/// The newest access token: with the grant, all that is needed to sign it again bit for bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The key that signs it and the refresh token beside it.
    pub kid: String,
    /// When it was issued.
    pub iat: UnixTime,
    /// When it expires, not after the session.
    pub exp: UnixTime,
    /// Its index in the expiry epoch of `exp`.
    pub index: u32,
    /// Its scope, the grant's or less.
    pub scope: Option<String>,
}

/// The refresh side of a session; client-credentials sessions have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// Idle life in seconds.
    pub idle_secs: u64,
    /// Absolute clock: nothing of the session is valid from then on.
    pub ends_at: UnixTime,
    /// Generation of the newest refresh token, from 1.
    pub generation: u64,
    /// Idle clock: when the newest refresh token expires, not after `ends_at`.
    pub expires_at: UnixTime,
}

/// An access token of the session that may not have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// When it expires.
    pub exp: UnixTime,
    /// Its index in the expiry epoch of `exp`.
    pub index: u32,
}

/// Why and when a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub reason: EndReason,
    /// When.
    pub at: UnixTime,
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// A client revoked it.
    Revoked,
    /// An old refresh token came back.
    Reused,
    /// A refresh token came that the store does not know to have issued.
    AboveNewest,
}

/// One session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub sid: SessionId,
    /// The client it belongs to.
    pub client_id: String,
    /// When it began; no refresh moves it.
    pub began: UnixTime,
    /// What its tokens say.
    pub grant: Grant,
    /// On what it began, as its client named it; for lists, and in no token.
    pub device: Option<String>,
    /// Life of an access token in seconds.
    pub access_ttl_secs: u64,
    /// The newest access token.
    pub last: Access,
    /// Generation and clocks; none for client credentials.
    pub renewal: Option<Renewal>,
    /// Access tokens to revoke when the session ends, oldest first, at most [`MAX_LIVE_TOKENS`].
    pub live: Vec<Live>,
    /// Tokens got by exchange to revoke with them, oldest first, at most [`MAX_EXCHANGED`].
    pub exchanged: Vec<Exchanged>,
    /// Set once, never taken back.
    pub ended: Option<Ended>,
}

/// How a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Its name.
    pub sid: SessionId,
    /// The client it belongs to.
    pub client_id: String,
    /// What its tokens say.
    pub grant: Grant,
    /// On what it begins.
    pub device: Option<String>,
    /// Life of an access token in seconds, at least 1.
    pub access_ttl_secs: u64,
    /// Idle and absolute life in seconds, each at least 1; none for client credentials.
    pub lives: Option<(u64, u64)>,
    /// The key that signs the first pair.
    pub kid: String,
    /// When it begins.
    pub now: UnixTime,
}

/// When the next pair is issued and expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Issued.
    pub iat: UnixTime,
    /// Access token expires.
    pub exp: UnixTime,
    /// Refresh token expires.
    pub refresh_exp: UnixTime,
}

impl Start {
    /// Returns the times of the first pair; its index must come from the epoch of their `exp`.
    pub fn times(&self) -> Times {
        let end = self.lives.map(|(_, absolute)| self.now.plus_secs(absolute));
        times(self.now, self.access_ttl_secs, self.lives.map(|(idle, _)| idle), end)
    }

    /// Returns the session, its first access token having this index.
    pub fn begin(self, index: u32) -> Session {
        let Times { iat, exp, refresh_exp } = self.times();
        let renewal = self.lives.map(|(idle_secs, absolute)| Renewal {
            idle_secs,
            ends_at: self.now.plus_secs(absolute),
            generation: 1,
            expires_at: refresh_exp,
        });
        let last = Access { kid: self.kid, iat, exp, index, scope: self.grant.scope.clone() };
        Session {
            sid: self.sid,
            client_id: self.client_id,
            began: self.now,
            grant: self.grant,
            device: self.device,
            access_ttl_secs: self.access_ttl_secs,
            last,
            renewal,
            live: vec![Live { exp, index }],
            exchanged: Vec::new(),
            ended: None,
        }
    }
}

/// An access token never outlives its session: what is revoked or over is over for all of it.
fn times(iat: UnixTime, access_ttl: u64, idle: Option<u64>, end: Option<UnixTime>) -> Times {
    let end = end.unwrap_or(UnixTime::MAX);
    let refresh_exp = idle.map_or(end, |idle| iat.plus_secs(idle).min(end));
    Times { iat, exp: iat.plus_secs(access_ttl).min(refresh_exp), refresh_exp }
}

/// A refresh token that has come in, well signed, and what the next pair would need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation {
    /// Who presents it.
    pub client_id: String,
    /// Its generation.
    pub generation: u64,
    /// The scope asked for, of the right grammar; none asks for the whole.
    pub scope: Option<String>,
    /// What the next tokens say in place of what the last ones said; none where that does not change.
    pub fresh: Option<Fresh>,
    /// The place in the revocation list for the next access token.
    pub place: Jti,
    /// The key that would sign the next pair.
    pub kid: String,
    /// Retry window in seconds; 0 for none.
    pub retry_window_secs: u64,
    /// The largest leeway of a verifier, in seconds: so long after its expiry an access token still counts as live.
    pub leeway_secs: u64,
    /// A time that has passed for certain, whatever the calendar shows: by it live tokens are forgotten.
    pub certain: UnixTime,
    /// What the calendar shows.
    pub now: UnixTime,
}

/// What the store shall make of a session: one atomic, durable change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The session afterwards.
    pub session: Session,
    /// Whether it differs from what is stored.
    pub changed: bool,
    /// Access tokens that are revoked with the same change.
    pub revoked: Vec<Jti>,
    /// What happened.
    pub outcome: Outcome,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new pair is due.
    Rotated,
    /// The last pair is due again.
    Repeated,
    /// A token got by exchange is due.
    Exchanged,
    /// The session has ended on request.
    Revoked,
    /// It had ended before; nothing changed.
    AlreadyEnded,
    /// The place offered is in another epoch than the pair would need: ask again with one from [`Session::next_times`].
    WrongPlace,
    /// The scope asked for is not within the grant, or for a repetition not that of the last pair; nothing changed.
    ScopeRefused,
    /// [`MAX_LIVE_TOKENS`] are live; nothing changed.
    Full {
        /// Seconds until there is room, at least 1.
        retry_after_secs: u64,
    },
    /// No pair. `Reused` and `AboveNewest` ended the session, the others changed nothing.
    Refused(GrantFault),
}

impl Session {
    /// Returns the times of the pair that a refresh would issue at `now`.
    pub fn next_times(&self, now: UnixTime) -> Times {
        let renewal = self.renewal.as_ref();
        let (idle, end) = (renewal.map(|renewal| renewal.idle_secs), renewal.map(|renewal| renewal.ends_at));
        times(now.max(self.last.iat), self.access_ttl_secs, idle, end)
    }

    /// Returns when nothing of the session is valid any more.
    pub fn expires_at(&self) -> UnixTime {
        self.renewal.as_ref().map_or(self.last.exp, |renewal| renewal.expires_at)
    }

    /// Returns when a live token was issued; for one that the end of the session cuts short, and that is not the newest, the
    /// earliest that can have been.
    pub fn issued(&self, live: &Live) -> UnixTime {
        if (live.exp, live.index) == (self.last.exp, self.last.index) {
            return self.last.iat;
        }
        let idle_secs = self.renewal.as_ref().map_or(u64::MAX, |renewal| renewal.idle_secs);
        live.exp.minus_secs(self.access_ttl_secs.min(idle_secs))
    }

    /// Returns the latest date that a live token can have; [`Session::issued`] is the earliest.
    pub fn issued_at_most(&self, live: &Live) -> UnixTime {
        let cut_short = self.renewal.as_ref().is_some_and(|renewal| live.exp >= renewal.ends_at);
        if cut_short { self.last.iat.max(self.issued(live)) } else { self.issued(live) }
    }

    /// Answers a refresh token. `can_sign` tells whether a key may sign again: it has not been withdrawn.
    pub fn present(self, presented: &Presentation, can_sign: impl Fn(&str) -> bool) -> Step {
        if self.client_id != presented.client_id {
            return self.unchanged(Outcome::Refused(GrantFault::WrongClient));
        }
        if self.ended.is_some() {
            return self.unchanged(Outcome::Refused(GrantFault::Ended));
        }
        let Some(newest) = self.renewal.as_ref().map(|renewal| renewal.generation) else {
            return self.unchanged(Outcome::Refused(GrantFault::UnknownSession));
        };
        let now = presented.now; // before `last.iat` after a jump back: then nothing has expired and no time has passed
        if now >= self.expires_at() {
            return self.unchanged(Outcome::Refused(GrantFault::Expired));
        }
        let in_window = now.secs_since(self.last.iat) < presented.retry_window_secs;
        let one_before = presented.generation.checked_add(1) == Some(newest) && presented.generation > 0;
        if presented.generation == newest {
            self.rotate(presented, newest, now)
        } else if one_before && in_window {
            if can_sign(&self.last.kid) { self.repeat(presented) } else { self.rotate(presented, newest, now) }
        } else if presented.generation > newest {
            self.end(EndReason::AboveNewest, Outcome::Refused(GrantFault::AboveNewest), now)
        } else {
            self.end(EndReason::Reused, Outcome::Refused(GrantFault::Reused), now)
        }
    }

    /// Ends the session because its client, or an administrator, wants it so.
    pub fn revoke(self, now: UnixTime) -> Step {
        if self.ended.is_some() {
            self.unchanged(Outcome::AlreadyEnded)
        } else {
            self.end(EndReason::Revoked, Outcome::Revoked, now)
        }
    }

    /// A second scope beside the stored one would be a second branch, so a repetition must ask for the same.
    fn repeat(self, presented: &Presentation) -> Step {
        let same = narrowed(self.grant.scope.as_deref(), presented.scope.as_deref()) == Some(self.last.scope.clone());
        self.unchanged(if same { Outcome::Repeated } else { Outcome::ScopeRefused })
    }

    fn rotate(mut self, presented: &Presentation, newest: u64, now: UnixTime) -> Step {
        let grant =
            presented.fresh.as_ref().map_or_else(|| self.grant.clone(), |fresh| self.grant.clone().refreshed(fresh));
        let Some(scope) = narrowed(grant.scope.as_deref(), presented.scope.as_deref()) else {
            return self.unchanged(Outcome::ScopeRefused);
        };
        let Times { iat, exp, refresh_exp } = self.next_times(now);
        if presented.place.epoch != epoch(exp) {
            return self.unchanged(Outcome::WrongPlace);
        }
        let gone = |live: &Live| live.exp.plus_secs(presented.leeway_secs) <= presented.certain;
        if self.live.iter().filter(|live| !gone(live)).count() >= MAX_LIVE_TOKENS {
            let free = self
                .live
                .iter()
                .map(|live| live.exp.plus_secs(presented.leeway_secs))
                .filter(|at| *at > presented.certain)
                .min();
            let retry_after_secs = free.map_or(1, |at| at.secs_since(presented.certain)).max(1);
            return self.unchanged(Outcome::Full { retry_after_secs });
        }
        self.live.retain(|live| !gone(live));
        self.live.push(Live { exp, index: presented.place.index });
        self.grant = grant;
        self.last = Access { kid: presented.kid.clone(), iat, exp, index: presented.place.index, scope };
        if let Some(renewal) = &mut self.renewal {
            renewal.generation = newest.saturating_add(1);
            renewal.expires_at = refresh_exp;
        }
        Step { session: self, changed: true, revoked: Vec::new(), outcome: Outcome::Rotated }
    }

    fn end(mut self, reason: EndReason, outcome: Outcome, at: UnixTime) -> Step {
        let exchanged = std::mem::take(&mut self.exchanged);
        let live = std::mem::take(&mut self.live).into_iter().map(|live| Jti::new(live.exp, live.index));
        let revoked = live.chain(exchanged.iter().map(Exchanged::jti)).collect();
        self.ended = Some(Ended { reason, at });
        Step { session: self, changed: true, revoked, outcome }
    }

    fn unchanged(self, outcome: Outcome) -> Step {
        Step { session: self, changed: false, revoked: Vec::new(), outcome }
    }
}

/// Returns the scope that `asked` leaves of `held`, in the order of `held`; `None` when it asks for more (RFC 6749 §6).
pub(crate) fn narrowed(held: Option<&str>, asked: Option<&str>) -> Option<Option<String>> {
    let Some(asked) = asked else { return Some(held.map(str::to_owned)) };
    let held: Vec<&str> = held.unwrap_or_default().split(' ').collect();
    let asked: Vec<&str> = asked.split(' ').collect();
    if !asked.iter().all(|value| held.contains(value)) {
        return None;
    }
    let kept: Vec<&str> = held.into_iter().filter(|value| asked.contains(value)).collect();
    Some(Some(kept.join(" ")))
}
