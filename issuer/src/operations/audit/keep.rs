//! How much of the audit log is kept, and what is said of its newest event so that somebody can prove later that it was there.

use super::super::issuer::Parts;
use crate::audit::{Act, Event, Extent, Origin};
use crate::store::StoreError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often the newest event is told to the log, and old events are removed.
const EVERY: Duration = Duration::from_secs(3_600);
/// Steps in one tick; each holds up other changes for about a millisecond.
const STEPS: usize = 8;

/// How much of the audit log is kept; what is more goes, from the oldest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// For how long, in seconds.
    pub secs: u64,
    /// So many events at most.
    pub events: u64,
}

impl Default for Retention {
    /// 90 days; ten million events, which are about 5 GB.
    fn default() -> Self {
        Self { secs: 90 * 86_400, events: 10_000_000 }
    }
}

/// When the log is looked after the next time.
#[derive(Default)]
pub(crate) struct Keeper(Mutex<State>);

#[derive(Default)]
struct State {
    /// On the monotonic clock; at the first tick when there is none.
    due: Option<Duration>,
    /// Where the log began when the removing did that is not done yet.
    from: Option<u64>,
}

impl Keeper {
    /// Returns where the log began when the removing did that is under way or now due; none when nothing is.
    fn begin(&self, now: Duration, extent: Extent) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.from.is_none() && state.due.is_none_or(|due| now >= due) {
            *state = State { due: Some(now.saturating_add(EVERY)), from: Some(extent.before.seq) };
        }
        state.from
    }

    fn is_idle(&self, now: Duration) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.from.is_none() && state.due.is_some_and(|due| now < due)
    }

    fn done(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).from = None;
    }
}

impl Parts {
    /// Removes what is kept no more and tells the log of the newest event, where the hour has come.
    ///
    /// # Errors
    /// [`StoreError`]: it is tried again by the next tick.
    pub(in super::super) async fn keep_audit(&self) -> Result<(), StoreError> {
        let now = self.env.monotonic();
        if self.keeper.is_idle(now) {
            return Ok(());
        }
        let Some(from) = self.keeper.begin(now, self.store.audit_extent().await?) else { return Ok(()) };
        let Retention { secs, events } = self.settings.audit;
        let before = self.moments.certain().minus_secs(secs);
        for _ in 0..STEPS {
            if !self.store.trim_events(before, events).await? {
                self.keeper.done();
                return self.tell_audit(from).await;
            }
        }
        Ok(())
    }

    /// Records that events have gone since the log began behind `from`, if any have, and tells the log of the newest.
    async fn tell_audit(&self, from: u64) -> Result<(), StoreError> {
        let Extent { before, .. } = self.store.audit_extent().await?;
        if before.seq > from {
            let event = Event::new(Act::AuditTrimmed, &Origin::internal(), self.moments.shown());
            self.store.record(vec![event.detail(&format!("up to {}", before.seq))]).await?;
        }
        self.tell_newest().await
    }

    /// Writes a line with the newest event that is on disk: who keeps these lines can prove that it was there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in super::super) async fn tell_newest(&self) -> Result<(), StoreError> {
        let newest = self.store.audit_extent().await?.newest;
        tracing::info!(seq = newest.seq, noted = %newest, "the newest event of the audit log");
        Ok(())
    }
}
