//! What time it is for the issuer, given a calendar that may jump either way.
//!
//! ```text
//! now      = max(calendar, iat of the newest signed list, T + 1 of a rule cut.all = T)      what is signed is dated with it
//!            refused when the calendar is more than a day ahead of what the monotonic clock says
//! certain  = min(calendar, calendar at start + monotonic time since)                      what is forgotten is judged by it
//! ```
//!
//! A calendar that goes back therefore holds `now` at the newest list until it has caught up, as it does for verifiers. A
//! jump ahead within a process stops all signing; a restart is the operator's word that the new time is right. How long
//! a daemon was not running cannot be told from a jump, so a start takes the calendar as it is.

use crate::env::Env;
use crate::error::NotReady;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use token::time::UnixTime;

/// A calendar this far ahead of the monotonic clock has jumped.
const JUMP_SECS: u64 = 86_400;

/// The issuer's time.
pub(super) struct Moments {
    env: Env,
    start: Moment,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct Moment {
    calendar: UnixTime,
    monotonic: Duration,
}

struct State {
    /// The newest signed list, or the start.
    anchor: Moment,
    /// Nothing is dated earlier.
    floor: UnixTime,
}

impl Moments {
    /// Returns the time of an issuer whose last signed list is of `last_iat`.
    pub(super) fn new(env: Env, last_iat: Option<UnixTime>) -> Self {
        let start = Moment { calendar: env.now(), monotonic: env.monotonic() };
        let state = State { anchor: start, floor: last_iat.unwrap_or(UnixTime::MIN) };
        Self { env, start, state: Mutex::new(state) }
    }

    /// Returns the time that what is signed now is dated with.
    ///
    /// # Errors
    /// [`NotReady::ClockJumped`].
    pub(super) fn now(&self) -> Result<UnixTime, NotReady> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let calendar = self.env.now();
        let expected = expected(state.anchor, self.env.monotonic());
        if calendar > expected.plus_secs(JUMP_SECS) {
            Err(NotReady::ClockJumped)
        } else {
            Ok(calendar.max(state.floor))
        }
    }

    /// Returns the time as [`Moments::now`] would, whether or not the calendar has jumped.
    pub(super) fn shown(&self) -> UnixTime {
        self.env.now().max(self.state.lock().unwrap_or_else(PoisonError::into_inner).floor)
    }

    /// Returns a time that has passed for certain.
    pub(super) fn certain(&self) -> UnixTime {
        self.env.now().min(expected(self.start, self.env.monotonic()))
    }

    /// Returns whether the calendar is behind what has been signed by more than `secs`.
    pub(super) fn is_behind(&self, secs: u64) -> bool {
        self.env.now().plus_secs(secs) < self.state.lock().unwrap_or_else(PoisonError::into_inner).floor
    }

    /// Notes that a list of `iat` has been signed: nothing is dated earlier from now on.
    pub(super) fn signed(&self, iat: UnixTime) {
        let anchor = Moment { calendar: self.env.now(), monotonic: self.env.monotonic() };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.anchor = anchor;
        state.floor = state.floor.max(iat);
    }

    /// Notes that everything issued until `cut` is revoked: nothing is dated so early from now on.
    pub(super) fn cut(&self, cut: UnixTime) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.floor = state.floor.max(cut.plus_secs(1));
    }
}

fn expected(since: Moment, monotonic: Duration) -> UnixTime {
    since.calendar.plus_secs(monotonic.saturating_sub(since.monotonic).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(1_700_000_000 + secs).unwrap()
    }

    #[test]
    fn a_calendar_that_goes_back_holds_at_the_newest_list() {
        let (env, clock) = Env::fixed(at(1000), 1);
        let moments = Moments::new(env, None);
        moments.signed(at(1000));
        clock.jump_to(at(400));
        assert_eq!((moments.now(), moments.certain()), (Ok(at(1000)), at(400)));
        assert!(moments.is_behind(300) && !moments.is_behind(600));
        clock.jump_to(at(1001));
        assert_eq!(moments.now(), Ok(at(1001)));
    }

    #[test]
    fn a_jump_of_more_than_a_day_ahead_is_refused_until_it_is_undone_and_nothing_is_forgotten_by_it() {
        let (env, clock) = Env::fixed(at(0), 1);
        let moments = Moments::new(env, None);
        clock.advance_secs(100);
        clock.jump_to(at(100 + JUMP_SECS));
        assert_eq!((moments.now(), moments.certain()), (Ok(at(100 + JUMP_SECS)), at(100)));
        clock.jump_to(at(101 + JUMP_SECS));
        assert_eq!((moments.now(), moments.certain()), (Err(NotReady::ClockJumped), at(100)));
        clock.jump_to(at(100));
        assert_eq!(moments.now(), Ok(at(100)));
    }

    #[test]
    fn a_start_long_after_the_last_list_is_no_jump_and_one_before_it_holds() {
        let (env, _) = Env::fixed(at(1_000_000), 1);
        assert_eq!(Moments::new(env.clone(), Some(at(0))).now(), Ok(at(1_000_000)));
        assert_eq!(Moments::new(env, Some(at(1_000_500))).now(), Ok(at(1_000_500)));
    }

    #[test]
    fn after_a_cut_everything_is_dated_later() {
        let (env, _) = Env::fixed(at(0), 1);
        let moments = Moments::new(env, None);
        moments.cut(at(0));
        assert_eq!(moments.now(), Ok(at(1)));
    }
}
