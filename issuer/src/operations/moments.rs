//! What time it is for the issuer, given a calendar that may jump either way.
//!
//! ```text
//! now      = max(calendar, iat of the newest signed list, T + 1 of a rule or a key that ended with T)   what is signed is dated with it
//!            refused when the calendar is more than a day ahead of the latest that it has shown at a start or at a
//!            list, or that a list says, and what has passed since on the monotonic clock
//! certain  = min(calendar, calendar at start + monotonic time since)                      what is forgotten is judged by it
//! ```
//!
//! A calendar that goes back therefore holds `now` at the newest list until it has caught up, as it does for verifiers. A
//! jump ahead within a process stops all signing; a restart is the operator's word that the new time is right. How long
//! a daemon was not running cannot be told from a jump, so a start takes the calendar as it is.

use crate::env::Env;
use crate::error::{Error, NotReady};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use token::time::UnixTime;

/// A calendar this far ahead of the monotonic clock has jumped.
const JUMP_SECS: u64 = 86_400;
/// Rules in a row may move dates ahead of the clock by so much, also over restarts; then they wait for it. Verifiers' clocks
/// follow the dates.
const AHEAD_SECS: u64 = 10;

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
    /// The newest signed list, or the start; the calendar as it was or should have been, whichever is later.
    anchor: Moment,
    /// Nothing is dated earlier.
    floor: UnixTime,
    /// Date of the newest token that may be out.
    issued: UnixTime,
    /// By how much rules moved dates ahead at that moment of the monotonic clock, less what has passed since.
    ahead: (u64, Duration),
}

impl Moments {
    /// Returns the time of an issuer whose last signed list is of `last_iat`.
    pub(super) fn new(env: Env, last_iat: Option<UnixTime>) -> Self {
        let start = Moment { calendar: env.now(), monotonic: env.monotonic() };
        let floor = last_iat.unwrap_or(UnixTime::MIN);
        // The process before this one may have issued until this very second.
        let issued = floor.max(start.calendar);
        // A calendar that is behind the last list and is put right has not jumped ahead.
        let anchor = Moment { calendar: start.calendar.max(floor), ..start };
        let ahead = (ahead_at_start(floor, start.calendar), start.monotonic);
        let state = State { anchor, floor, issued, ahead };
        Self { env, start, state: Mutex::new(state) }
    }

    /// Returns the time that what is signed now is dated with.
    ///
    /// # Errors
    /// [`NotReady::ClockJumped`].
    pub(super) fn now(&self) -> Result<UnixTime, NotReady> {
        self.now_in(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now_in(&self, state: &State) -> Result<UnixTime, NotReady> {
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
        let (calendar, monotonic) = (self.env.now(), self.env.monotonic());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A calendar that has gone back and is put right again has not jumped ahead.
        state.anchor = Moment { calendar: calendar.max(expected(state.anchor, monotonic)), monotonic };
        state.floor = state.floor.max(iat);
    }

    /// Notes that the process before parted at `cut` what it had issued from what it issued then, by a rule or another key:
    /// nothing is dated so early. For starts.
    pub(super) fn cut(&self, cut: UnixTime) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.floor = state.floor.max(cut.plus_secs(1));
        state.ahead = (ahead_at_start(state.floor, self.start.calendar), self.start.monotonic);
        state.issued = state.issued.max(state.floor); // that process may have gone on issuing right after it
    }

    /// Notes that a token of `iat` goes out.
    pub(super) fn issued(&self, iat: UnixTime) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.issued = state.issued.max(iat);
    }

    /// Parts what has been issued from what is issued next: nothing is dated until the returned second from now on, and
    /// nothing that is out is dated later. Nobody may be issuing meanwhile. It moves dates ahead by a second at most, and is
    /// for what happens rarely: unlike a rule it is never refused.
    pub(super) fn part(&self) -> UnixTime {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.env.now().max(state.floor);
        let until = state.issued.max(now.minus_secs(1));
        state.floor = state.floor.max(until.plus_secs(1));
        until
    }

    /// Returns the T of a rule, which is `asked`, or else late enough for everything that is out: nothing is dated so early
    /// from now on. Nobody may be issuing meanwhile.
    ///
    /// # Errors
    /// [`Error::NotReady`]; [`Error::InvalidRequest`] for a time that has not come; [`Error::TooManyRules`].
    pub(super) fn rule(&self, asked: Option<UnixTime>) -> Result<UnixTime, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, monotonic) = (self.now_in(&state)?, self.env.monotonic());
        let until = match asked {
            None => state.issued.max(now.minus_secs(1)),
            Some(asked) if asked <= now => asked,
            Some(_) => {
                return Err(Error::InvalidRequest { field: "issued_before", detail: "must not be in the future" });
            }
        };
        let next = until.plus_secs(1);
        if next > now {
            let (secs, since) = state.ahead;
            let ahead = secs.saturating_sub(monotonic.saturating_sub(since).as_secs());
            if ahead >= AHEAD_SECS {
                return Err(Error::TooManyRules { retry_after_secs: ahead + 1 - AHEAD_SECS });
            }
            state.ahead = (ahead.saturating_add(next.secs_since(now)), monotonic);
        }
        state.floor = state.floor.max(next);
        Ok(until)
    }
}

/// Returns by how much the process before may have moved dates ahead by rules; one more is made without waiting in any case.
fn ahead_at_start(floor: UnixTime, calendar: UnixTime) -> u64 {
    floor.secs_since(calendar).min(AHEAD_SECS - 1)
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
    fn a_calendar_that_was_back_for_a_while_and_is_put_right_has_not_jumped() {
        let (env, clock) = Env::fixed(at(10 * JUMP_SECS), 1);
        let moments = Moments::new(env, None);
        clock.jump_to(at(0));
        for _ in 0..3 {
            clock.advance_secs(JUMP_SECS);
            moments.signed(moments.now().unwrap());
        }
        clock.jump_to(at(13 * JUMP_SECS));
        assert_eq!(moments.now(), Ok(at(13 * JUMP_SECS)));
        clock.jump_to(at(14 * JUMP_SECS + 1));
        assert_eq!(moments.now(), Err(NotReady::ClockJumped));
    }

    #[test]
    fn a_start_before_the_time_is_known_goes_on_once_it_is() {
        let (env, clock) = Env::fixed(at(0), 1);
        let moments = Moments::new(env, Some(at(20 * JUMP_SECS)));
        assert_eq!(moments.now(), Ok(at(20 * JUMP_SECS)));
        clock.jump_to(at(21 * JUMP_SECS));
        assert_eq!((moments.now(), moments.certain()), (Ok(at(21 * JUMP_SECS)), at(0)));
    }

    #[test]
    fn a_start_long_after_the_last_list_is_no_jump_and_one_before_it_holds() {
        let (env, _) = Env::fixed(at(1_000_000), 1);
        assert_eq!(Moments::new(env.clone(), Some(at(0))).now(), Ok(at(1_000_000)));
        assert_eq!(Moments::new(env, Some(at(1_000_500))).now(), Ok(at(1_000_500)));
    }

    #[test]
    fn a_rule_covers_what_is_out_and_what_is_issued_next_is_dated_after_it() {
        let (env, clock) = Env::fixed(at(0), 1);
        let moments = Moments::new(env, None);
        assert_eq!(
            (moments.rule(None), moments.now()),
            (Ok(at(0)), Ok(at(1))),
            "a process before may have issued at 0"
        );
        clock.advance_secs(10);
        assert_eq!((moments.rule(None), moments.now()), (Ok(at(9)), Ok(at(10))), "nothing was issued in this second");
        moments.issued(at(10));
        assert_eq!((moments.rule(None), moments.now()), (Ok(at(10)), Ok(at(11))));
        assert_eq!((moments.rule(None), moments.now()), (Ok(at(10)), Ok(at(11))), "again, and nothing new is out");
        moments.issued(at(11));
        clock.jump_to(at(5));
        assert_eq!((moments.rule(None), moments.now()), (Ok(at(11)), Ok(at(12))), "the calendar has gone back");
        assert_eq!((moments.rule(Some(at(3))), moments.now()), (Ok(at(3)), Ok(at(12))));
        assert_eq!((moments.rule(Some(at(12))), moments.now()), (Ok(at(12)), Ok(at(13))));
        assert!(matches!(moments.rule(Some(at(14))), Err(Error::InvalidRequest { field: "issued_before", .. })));
        clock.jump_to(at(90_000));
        assert_eq!(moments.rule(None), Err(Error::NotReady(NotReady::ClockJumped)));
    }

    #[test]
    fn what_is_issued_after_a_parting_is_dated_after_it_whatever_the_calendar_does() {
        let (env, clock) = Env::fixed(at(0), 1);
        let moments = Moments::new(env, None);
        clock.advance_secs(10);
        assert_eq!((moments.part(), moments.now()), (at(9), Ok(at(10))), "nothing was issued in this second");
        moments.issued(at(10));
        assert_eq!((moments.part(), moments.now()), (at(10), Ok(at(11))));
        clock.jump_to(at(5));
        assert_eq!((moments.part(), moments.now()), (at(10), Ok(at(11))));
        clock.jump_to(at(100_000));
        assert_eq!((moments.part(), moments.now()), (at(99_999), Err(NotReady::ClockJumped)));
    }

    #[test]
    fn many_rules_at_once_move_dates_ahead_by_a_few_seconds_and_then_wait_for_the_clock() {
        let (env, clock) = Env::fixed(at(0), 1);
        let moments = Moments::new(env, None);
        for second in 0..AHEAD_SECS {
            assert_eq!(moments.rule(None), Ok(at(second)));
            moments.issued(moments.now().unwrap());
        }
        assert_eq!(moments.rule(None), Err(Error::TooManyRules { retry_after_secs: 1 }));
        clock.advance_secs(1);
        assert_eq!(moments.rule(None), Ok(at(AHEAD_SECS)));
        moments.issued(moments.now().unwrap());
        assert!(moments.rule(None).is_err());
        clock.advance_secs(100);
        moments.issued(moments.now().unwrap());
        assert_eq!((moments.rule(None), moments.now()), (Ok(at(101)), Ok(at(102))), "the clock has caught up");
    }

    #[test]
    fn a_start_reckons_with_the_rules_of_the_process_before() {
        let (env, clock) = Env::fixed(at(0), 1);
        for list in [None, Some(at(5)), Some(at(5_000))] {
            let moments = Moments::new(env.clone(), list);
            moments.cut(at(AHEAD_SECS + 3));
            moments.rule(None).expect("one is made at once");
            moments.issued(moments.now().unwrap());
            assert_eq!(moments.rule(None), Err(Error::TooManyRules { retry_after_secs: 1 }), "{list:?}");
            clock.advance_secs(1);
            moments.rule(None).expect("and one a second from then on");
            clock.jump_to(at(0));
        }
    }

    #[test]
    fn after_a_cut_everything_is_dated_later() {
        let (env, _) = Env::fixed(at(0), 1);
        let moments = Moments::new(env, None);
        moments.cut(at(0));
        assert_eq!(moments.now(), Ok(at(1)));
    }
}
