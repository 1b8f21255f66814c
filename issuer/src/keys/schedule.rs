//! What is due in the life of the keys, as a pure decision, and the rows that it changes.
//!
//! ```text
//! next → active      published for `publish_before_secs`, of which this process has shown it for `cached_secs`
//! (none) → next      so long before the active key is `rotate_every_secs` old, or when somebody asks for it
//! retired → kept     `token_secs` after its last signature: every access token has expired. Its private half goes
//! retired → gone     for a list key, [`LIST_SECS`] after its last signature
//! kept → gone        [`SESSION_SECS`] after its last signature
//! ```
//!
//! Two clocks. That a key has been published is measured by the monotonic clock of this process, because the calendar
//! may have been wrong when it was made and right now, or the daemon off in between: after a long absence verifiers get
//! the time to learn of it. What ends is judged by a time that has passed for certain. A date that lies in the future is
//! a date of a wrong clock: it holds nothing up.

use super::{KeyRing, KeyState, MAX_PUBLISHED, MasterKey, SealedKey, Signed};
use crate::Error;
use crate::env::Env;
use token::jwk::{Algorithm, Purpose};
use token::time::UnixTime;

/// No revocation list lives longer, whatever the settings were when it was signed: a day, and the largest leeway.
pub(super) const LIST_SECS: u64 = 86_400 + token::verify::MAX_LEEWAY_SECS;
/// No session lives longer, whatever the settings were when it began: a year, and the largest leeway.
pub(super) const SESSION_SECS: u64 = 365 * 86_400 + token::verify::MAX_LEEWAY_SECS;
/// A date this far ahead of the clock is a wrong one.
const AHEAD_SECS: u64 = 86_400;

/// What an operator has chosen, and what follows from it. Whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// A key signs for so long; 0: until somebody asks for another.
    pub rotate_every_secs: u64,
    /// A key is published for so long before it signs.
    pub publish_before_secs: u64,
    /// Verifiers keep a key set for so long, the time it takes to reach them included.
    pub cached_secs: u64,
    /// A token key stays published for so long after its last signature.
    pub token_secs: u64,
}

/// How things are when something may be due.
pub struct View<'a> {
    /// What is signed now is dated so.
    pub now: UnixTime,
    /// A time that has passed for certain.
    pub certain: UnixTime,
    /// For how many seconds this process has published a key.
    pub shown_secs: &'a dyn Fn(&str) -> u64,
}

/// One thing that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// A next key of this purpose is to be published.
    Create(Purpose),
    /// The next key of this purpose signs from now on, and the active one no more.
    Switch(Purpose),
    /// This key leaves the JWK Set and loses its private half.
    Keep(String),
    /// This key is forgotten.
    Forget(String),
}

impl KeyRing {
    /// Returns what is due, each key in at most one of it.
    pub fn due(&self, schedule: &Schedule, view: &View<'_>) -> Vec<Due> {
        let purposes = [Purpose::Token, Purpose::Revocations];
        let turns = purposes.into_iter().filter_map(|purpose| self.turn(purpose, schedule, view));
        let ends = self.rows.iter().filter_map(|row| schedule.end_of(row, view.certain));
        turns.chain(ends).collect()
    }

    fn turn(&self, purpose: Purpose, schedule: &Schedule, view: &View<'_>) -> Option<Due> {
        let active = self.in_state(KeyState::Active, purpose)?;
        match self.in_state(KeyState::Next, purpose) {
            Some(next) => schedule.may_sign(next, view).then_some(Due::Switch(purpose)),
            None if self.public.keys().len() >= MAX_PUBLISHED => None, // some leave soon
            None => schedule.is_old(active, view).then_some(Due::Create(purpose)),
        }
    }

    /// Returns the rows that make the next key of a purpose the active one; what the old one signed is dated until
    /// `until` at the latest, and what the new one signs later.
    pub fn switch(&self, purpose: Purpose, until: UnixTime) -> Vec<SealedKey> {
        let next = self.in_state(KeyState::Next, purpose).map(|next| activated(next, until.plus_secs(1)));
        let active = self.in_state(KeyState::Active, purpose).map(|active| SealedKey {
            state: KeyState::Retired,
            since: until,
            signed: Some(Signed { until: Some(until), ..signed(active) }),
            ..active.clone()
        });
        next.into_iter().chain(active).collect()
    }

    /// Returns until when the key may have dated tokens that signed before the one that signs now.
    pub fn parted(&self) -> Option<UnixTime> {
        self.in_state(KeyState::Active, Purpose::Token).map(|active| signed(active).from.minus_secs(1))
    }

    /// Returns the rows that withdrawing a key changes: its own, without its private half, and if it was active that of the
    /// key which takes its place at once: the next one, which some verifiers know by now, or else a new one. Where `until`
    /// is given, the tokens of an active key are to be found by their dates, which end there.
    ///
    /// # Errors
    /// As [`KeyRing::create`], and [`Error::Keys`].
    pub fn withdraw(
        &self,
        key: &SealedKey,
        until: Option<UnixTime>,
        (env, master, algorithm): (&Env, &MasterKey, Algorithm),
        now: UnixTime,
    ) -> Result<Vec<SealedKey>, Error> {
        let dates = match key.state {
            KeyState::Active => until.map(|until| Signed { until: Some(until), ..signed(key) }),
            KeyState::Retired => key.signed,
            KeyState::Next | KeyState::Kept | KeyState::Withdrawn => None, // no access token of it can be valid
        };
        let public = key.without_private_half(env.random()?, master)?;
        let withdrawn = SealedKey { state: KeyState::Withdrawn, since: now, signed: dates, ..public };
        let from = until.map_or(now, |until| until.plus_secs(1));
        let successor = (key.state == KeyState::Active).then(|| match self.in_state(KeyState::Next, key.purpose) {
            Some(next) => Ok(activated(next, from)),
            None => Self::draw(key.purpose, (KeyState::Active, from), env, master, algorithm),
        });
        std::iter::once(Ok(withdrawn)).chain(successor).collect()
    }

    /// Returns the row of a key that is kept for refresh tokens only.
    ///
    /// # Errors
    /// [`Error::Keys`], [`Error::Entropy`], [`Error::Signing`]: nothing is lost.
    pub fn keep(&self, kid: &str, env: &Env, master: &MasterKey, now: UnixTime) -> Result<Option<SealedKey>, Error> {
        let row = self.rows.iter().find(|row| row.kid == kid);
        row.map(|row| {
            let kept = row.without_private_half(env.random()?, master)?;
            Ok(SealedKey { state: KeyState::Kept, since: now, ..kept })
        })
        .transpose()
    }

    /// Returns the withdrawn token keys whose tokens are to be found by their dates: `kid`, first and last date.
    pub fn sought(&self) -> impl Iterator<Item = (&str, UnixTime, UnixTime)> {
        let withdrawn = |row: &&SealedKey| row.state == KeyState::Withdrawn && row.purpose == Purpose::Token;
        self.rows.iter().filter(withdrawn).filter_map(|row| {
            let Signed { from, until } = row.signed?;
            Some((row.kid.as_str(), from, until?))
        })
    }
}

impl Schedule {
    /// Returns when the next change of a key is due by the calendar; none when it stays as it is.
    pub fn next_change(&self, row: &SealedKey) -> Option<UnixTime> {
        let last = last_signature(row);
        match (row.state, row.purpose) {
            (KeyState::Next, _) => Some(row.since.plus_secs(self.publish_before_secs)),
            (KeyState::Active, _) if self.rotate_every_secs == 0 => None,
            (KeyState::Active, _) => Some(row.since.plus_secs(self.rotate_every_secs)),
            (KeyState::Retired, Purpose::Token) => Some(last.plus_secs(self.token_secs)),
            (KeyState::Retired, Purpose::Revocations) => Some(last.plus_secs(LIST_SECS)),
            (KeyState::Kept, _) => Some(last.plus_secs(SESSION_SECS)),
            (KeyState::Withdrawn, _) => None,
        }
    }

    fn may_sign(&self, next: &SealedKey, view: &View<'_>) -> bool {
        let shown_secs = (view.shown_secs)(&next.kid);
        let published_secs = view.certain.secs_since(next.since).max(shown_secs);
        shown_secs >= self.cached_secs && published_secs >= self.publish_before_secs
    }

    fn is_old(&self, active: &SealedKey, view: &View<'_>) -> bool {
        let age = self.rotate_every_secs.saturating_sub(self.publish_before_secs);
        let wrong = active.since > view.now.plus_secs(AHEAD_SECS);
        self.rotate_every_secs > 0 && (view.certain >= active.since.plus_secs(age) || wrong)
    }

    fn end_of(&self, row: &SealedKey, certain: UnixTime) -> Option<Due> {
        let over = self.next_change(row).is_some_and(|at| certain >= at);
        match (row.state, row.purpose) {
            (KeyState::Retired, Purpose::Token) => over.then(|| Due::Keep(row.kid.clone())),
            (KeyState::Retired, Purpose::Revocations) | (KeyState::Kept, _) => {
                over.then(|| Due::Forget(row.kid.clone()))
            }
            (KeyState::Next | KeyState::Active | KeyState::Withdrawn, _) => None,
        }
    }
}

fn activated(next: &SealedKey, from: UnixTime) -> SealedKey {
    let signed = Some(Signed { from, until: None });
    SealedKey { state: KeyState::Active, since: from, signed, ..next.clone() }
}

fn signed(row: &SealedKey) -> Signed {
    row.signed.unwrap_or(Signed { from: row.since, until: None })
}

fn last_signature(row: &SealedKey) -> UnixTime {
    signed(row).until.unwrap_or(row.since)
}
