//! One built-in user, as a pure state machine: names, rights, password, failures, reset.
//!
//! ```text
//! login      attempt (counted before the password is tried) ──► right: login, the count is 0 again
//!                                                           └─► wrong: the count stays
//! password   change (the old one is right), redeem (a one-time code); either ends sessions
//! ```
//!
//! At most a hundred attempts in a row fail (NIST SP 800-63B-4 §3.2.2); then only a reset opens the account again. A stranger can use
//! up four fifths of them and no more: the last fifth is for places and devices the user has logged in from. No clock, no store,
//! no randomness, no hashing here: the store applies a [`Step`] as one atomic and durable change, `operations/users/` ask for it.

mod name;
#[cfg(test)]
mod tests;
mod throttle;

pub use name::{MAX_NAME, Name};
pub use throttle::{Place, Throttle};

use crate::passwords::PasswordHash;
use crate::session::SessionId;
use std::fmt;
use subtle::ConstantTimeEq as _;
use token::base64url;
use token::time::UnixTime;

/// Places that are remembered of a user, the newest.
const MAX_KNOWN: usize = 8;

/// The `sub` of a user: 128 random bits, 22 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub [u8; 16]);

impl UserId {
    /// Stands for whoever does not exist: a login with an unknown name does the same work on this row.
    pub const NOBODY: Self = Self([0; 16]);

    /// Returns the user that `sub` names; `None` when it is not the base64url text of 16 bytes.
    pub fn parse(sub: &str) -> Option<Self> {
        base64url::decode_array(sub).ok().map(Self)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

/// What the tokens of a user say and how long they live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Roles.
    pub roles: Vec<String>,
    /// Permissions.
    pub permissions: Vec<String>,
    /// The whole scope; a login may ask for less of it.
    pub scope: Option<String>,
    /// Audiences; the default one of the settings when empty.
    pub aud: Vec<String>,
    /// Own claims: the text of a JSON object, or empty for none.
    pub claims: String,
    /// Life of an access token in seconds, when it is not that of the settings.
    pub access_ttl: Option<u64>,
    /// Idle life of a session in seconds, when it is not that of the settings.
    pub refresh_ttl: Option<u64>,
    /// Absolute life of a session in seconds, when it is not that of the settings.
    pub session_ttl: Option<u64>,
}

/// A one-time code, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetCode {
    /// SHA-256 of the code, which is random.
    pub hash: [u8; 32],
    /// From then on it opens nothing.
    pub expires_at: UnixTime,
    /// So many wrong codes may still come.
    pub tries: u32,
}

/// Sessions that are over, whatever their rows say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Those that began earlier than this second …
    pub before: UnixTime,
    /// … but this one.
    pub except: Option<SessionId>,
}

/// One user as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The `sub` of the user's tokens.
    pub id: UserId,
    /// User name; one of the two is there.
    pub user_name: Option<Name>,
    /// E-mail address.
    pub email: Option<Name>,
    /// Cannot log in or refresh.
    pub disabled: bool,
    /// Must choose a new password before anything else.
    pub must_reset: bool,
    /// What the tokens say.
    pub profile: Profile,
    /// The password; none until a first code has been redeemed.
    pub password: Option<PasswordHash>,
    /// The code that is out, if one is.
    pub code: Option<ResetCode>,
    /// Attempts since the last one that was right.
    pub failures: u32,
    /// Where the user logged in from, newest last.
    pub known: Vec<Place>,
    /// Random, drawn anew with each password: devices are known as long as it stays.
    pub stamp: [u8; 16],
    /// When the user was made.
    pub created: UnixTime,
    /// When the password was set.
    pub password_set: Option<UnixTime>,
    /// When the user last logged in.
    pub last_login: Option<UnixTime>,
    /// Sessions that are over.
    pub ended: Option<Ended>,
}

/// What shall be different; `None` leaves a member as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amendment {
    /// User name; `Some(None)` takes it away.
    pub user_name: Option<Option<Name>>,
    /// E-mail address; `Some(None)` takes it away.
    pub email: Option<Option<Name>>,
    /// Whether the user is disabled.
    pub disabled: Option<bool>,
    /// Whether a new password must be chosen first.
    pub must_reset: Option<bool>,
    /// What the tokens say.
    pub profile: ProfileChange,
}

/// What shall be different about a profile; `None` leaves a member as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the members of [`Profile`]
pub struct ProfileChange {
    pub roles: Option<Vec<String>>,
    pub permissions: Option<Vec<String>>,
    pub scope: Option<Option<String>>,
    pub aud: Option<Vec<String>>,
    pub claims: Option<String>,
    pub access_ttl: Option<Option<u64>>,
    pub refresh_ttl: Option<Option<u64>>,
    pub session_ttl: Option<Option<u64>>,
}

impl Profile {
    /// Returns the profile with the change made.
    #[must_use]
    pub fn changed(self, change: ProfileChange) -> Self {
        Self {
            roles: change.roles.unwrap_or(self.roles),
            permissions: change.permissions.unwrap_or(self.permissions),
            scope: change.scope.unwrap_or(self.scope),
            aud: change.aud.unwrap_or(self.aud),
            claims: change.claims.unwrap_or(self.claims),
            access_ttl: change.access_ttl.unwrap_or(self.access_ttl),
            refresh_ttl: change.refresh_ttl.unwrap_or(self.refresh_ttl),
            session_ttl: change.session_ttl.unwrap_or(self.session_ttl),
        }
    }
}

/// What the store shall make of a user: one atomic, durable change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The user afterwards.
    pub user: User,
    /// Whether it is to be written.
    pub changed: bool,
    /// What happened.
    pub outcome: Outcome,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked for.
    Done,
    /// As many attempts as may fail have failed: the password is not to be tried.
    Closed,
    /// The password is another one than the one that was tried; nothing changed.
    Overtaken,
    /// The code is not the one that is out, or it has expired; a try is used up.
    WrongCode,
    /// The name or the address belongs to another user; nothing changed.
    NameTaken,
    /// Neither a user name nor an address would be left; nothing changed.
    Nameless,
    /// What tokens would say of the user fits into none; nothing changed.
    TooLong,
}

impl User {
    /// Returns a new user with this name or address, who has no password yet.
    pub fn new(
        id: UserId,
        user_name: Option<Name>,
        email: Option<Name>,
        profile: Profile,
        stamp: [u8; 16],
        now: UnixTime,
    ) -> Self {
        Self {
            id,
            user_name,
            email,
            disabled: false,
            must_reset: false,
            profile,
            password: None,
            code: None,
            failures: 0,
            known: Vec::new(),
            stamp,
            created: now,
            password_set: None,
            last_login: None,
            ended: None,
        }
    }

    /// Returns the names by which the user is found, in the form that is compared.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.user_name.iter().chain(&self.email).map(Name::key)
    }

    /// Returns whether a session of the user that began then has been ended by a change of the password.
    pub fn ends(&self, sid: SessionId, began: UnixTime) -> bool {
        self.ended.is_some_and(|ended| began < ended.before && ended.except != Some(sid))
    }

    /// Returns whether the user has logged in from this place.
    pub fn knows(&self, place: Place) -> bool {
        self.known.contains(&place)
    }

    /// Counts an attempt before it is made, so that attempts at the same time cannot be more than are allowed: `most` in all,
    /// four fifths of them from places that are not `known`. What is refused is written too: it takes the same time.
    pub fn attempt(mut self, known: bool, most: u32) -> Step {
        let most = if known { most } else { most - most / 5 };
        if self.failures >= most {
            return self.step(Outcome::Closed);
        }
        self.failures = self.failures.saturating_add(1);
        self.step(Outcome::Done)
    }

    /// Notes that the password of this hash was right. `again` takes its place where it was hashed anew.
    pub fn log_in(
        mut self,
        tried: &PasswordHash,
        again: Option<PasswordHash>,
        place: Option<Place>,
        now: UnixTime,
    ) -> Step {
        if self.password.as_ref() != Some(tried) {
            return self.unchanged(Outcome::Overtaken);
        }
        self.failures = 0;
        if let Some(again) = again {
            self.password = Some(again);
        }
        if !self.disabled && !self.must_reset {
            self.last_login = Some(now);
            self.remember(place);
        }
        self.step(Outcome::Done)
    }

    /// Puts a new password in place of the one that was tried, and ends all sessions but `kept`.
    pub fn change_password(
        mut self,
        tried: &PasswordHash,
        new: PasswordHash,
        kept: Option<SessionId>,
        stamp: [u8; 16],
        now: UnixTime,
    ) -> Step {
        if self.password.as_ref() != Some(tried) || self.disabled {
            return self.unchanged(Outcome::Overtaken);
        }
        self.set_password(new, stamp, now);
        self.ended = Some(Ended { before: now, except: kept });
        self.step(Outcome::Done)
    }

    /// Gives out a code in place of any other.
    pub fn give_code(mut self, code: ResetCode) -> Step {
        self.code = Some(code);
        self.step(Outcome::Done)
    }

    /// Tries a code, and counts it when it is wrong. `Done` when it is right and has not expired; it is redeemed by
    /// [`Self::redeem`]. It is written either way: that takes the same time.
    pub fn try_code(mut self, hash: &[u8; 32], now: UnixTime) -> Step {
        let Some(code) = &mut self.code else { return self.step(Outcome::WrongCode) };
        let usable = code.tries > 0 && now < code.expires_at;
        let right = usable && bool::from(code.hash.ct_eq(hash));
        code.tries = code.tries.saturating_sub(u32::from(!right));
        self.step(if right { Outcome::Done } else { Outcome::WrongCode })
    }

    /// Sets a new password by a code, which opens nothing after that, and ends all sessions.
    pub fn redeem(mut self, hash: &[u8; 32], new: PasswordHash, stamp: [u8; 16], now: UnixTime) -> Step {
        let right = |code: &ResetCode| now < code.expires_at && bool::from(code.hash.ct_eq(hash));
        if !self.code.as_ref().is_some_and(right) {
            return self.unchanged(Outcome::WrongCode);
        }
        self.set_password(new, stamp, now);
        self.ended = Some(Ended { before: now, except: None });
        self.step(Outcome::Done)
    }

    /// Changes what an administrator may change.
    pub fn amend(mut self, amendment: Amendment) -> Step {
        let before = self.clone();
        let Amendment { user_name, email, disabled, must_reset, profile } = amendment;
        self.user_name = user_name.unwrap_or(self.user_name);
        self.email = email.unwrap_or(self.email);
        self.disabled = disabled.unwrap_or(self.disabled);
        self.must_reset = must_reset.unwrap_or(self.must_reset);
        self.profile = self.profile.changed(profile);
        if self.user_name.is_none() && self.email.is_none() {
            return before.unchanged(Outcome::Nameless);
        }
        let changed = self != before;
        Step { user: self, changed, outcome: Outcome::Done }
    }

    fn set_password(&mut self, new: PasswordHash, stamp: [u8; 16], now: UnixTime) {
        self.password = Some(new);
        self.password_set = Some(now);
        self.must_reset = false;
        self.code = None;
        self.failures = 0;
        self.stamp = stamp;
        self.known.clear(); // a place that somebody else logged in from is none of the user's
    }

    fn remember(&mut self, place: Option<Place>) {
        let Some(place) = place else { return };
        self.known.retain(|known| *known != place);
        self.known.push(place);
        let surplus = self.known.len().saturating_sub(MAX_KNOWN);
        self.known.drain(..surplus);
    }

    fn step(self, outcome: Outcome) -> Step {
        Step { user: self, changed: true, outcome }
    }

    fn unchanged(self, outcome: Outcome) -> Step {
        Step { user: self, changed: false, outcome }
    }
}
