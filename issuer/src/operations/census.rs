//! How many sessions are live, for metrics: counted beside all other work, a few thousand a second.
//!
//! A count that every change kept up to date would be a row that all of them write, and would be wrong as soon as one expired. So it
//! is taken by looking at every session, once a minute at most and only where somebody asks for metrics.

use super::issuer::Parts;
use crate::session::{Session, SessionId};
use crate::store::StoreError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use token::time::UnixTime;

/// Sessions that are read at a time; a thread is busy with them for a millisecond or two.
const STEP: usize = 512;
/// Steps in one tick, so that a million sessions are counted in four minutes for a hundredth of a processor.
const STEPS: usize = 8;
/// Two counts begin at least so far apart.
const EVERY: Duration = Duration::from_secs(60);

/// The count that is under way, and the last one.
#[derive(Default)]
pub(super) struct Census(Mutex<State>);

#[derive(Default)]
struct State {
    wanted: bool,
    /// On the monotonic clock; at once when there is none.
    due: Option<Duration>,
    under_way: Option<Count>,
    live: Option<u64>,
}

#[derive(Default, Clone, Copy)]
struct Count {
    after: Option<SessionId>,
    live: u64,
}

impl Census {
    /// Returns how many sessions were live at the last count; from now on there are counts.
    pub(super) fn live(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = true;
        state.live
    }

    /// Returns the count that is under way or now due.
    fn begin(&self, now: Duration) -> Option<Count> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.under_way.is_none() && state.wanted && state.due.is_none_or(|due| now >= due) {
            state.due = Some(now.saturating_add(EVERY));
            state.under_way = Some(Count::default());
        }
        state.under_way
    }

    fn go_on(&self, count: Count, is_done: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way = (!is_done).then_some(count);
        if is_done {
            state.live = Some(count.live);
        }
    }
}

impl Parts {
    /// Goes on counting the sessions that are live, where a count is under way or due.
    ///
    /// # Errors
    /// [`StoreError`]: the count goes on at the next tick.
    pub(super) async fn count_sessions(&self) -> Result<(), StoreError> {
        let Some(mut count) = self.census.begin(self.env.monotonic()) else { return Ok(()) };
        for _ in 0..STEPS {
            let sessions = self.store.sessions(count.after, STEP).await?;
            let now = self.moments.shown();
            let live = sessions.iter().filter(|session| self.is_live(session, now)).count();
            count.live = count.live.saturating_add(u64::try_from(live).unwrap_or(u64::MAX));
            count.after = sessions.last().map_or(count.after, |session| Some(session.sid));
            let is_done = sessions.len() < STEP;
            self.census.go_on(count, is_done);
            if is_done {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Returns whether a session goes on: nobody and no rule has ended it, and both its clocks run.
    pub(super) fn is_live(&self, session: &Session, now: UnixTime) -> bool {
        let over_by_rule = self.ruling.rules().ends(&session.client_id, session.began);
        session.ended.is_none() && !over_by_rule && now < session.expires_at()
    }
}
