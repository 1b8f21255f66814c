//! What is due without anybody asking: signing the list again, turning keys, writing down refusals,
//! forgetting what has expired, counting what is left.

use super::issuer::{Issuer, Parts};
use crate::revocations::lowest_epoch;
use crate::store::StoreError;

/// Expired sessions are kept for this long, so that the log can tell "expired" from "never heard of".
const SESSIONS_KEPT_SECS: u64 = 3_600;
/// An assertion is remembered for so much longer than it is accepted, besides the age that a list may have.
const ASSERTIONS_KEPT_SECS: u64 = 60;
/// Page counters outlive their epoch by this much: twice the largest jump of the calendar that is not refused.
const PAGES_KEPT_SECS: u64 = 2 * 86_400;
/// Steps of one purge in one tick; each holds up other changes for about a millisecond.
const STEPS: usize = 8;

impl Issuer {
    /// Does what is due: signs the list again, turns keys, writes down what was refused, drops what has expired.
    /// Called every second.
    pub async fn tick(&self) {
        // A failure was logged where it happened, and readiness tells of it.
        drop(self.publish_if_due().await);
        if let Err(error) = self.turn_keys().await {
            tracing::warn!(%error, "what is due in the life of the keys was not done; it is tried again");
        }
        if let Err(error) = self.parts.write_refusals().await {
            tracing::warn!(%error, "refusals are missing in the audit log");
        }
        if let Err(error) = self.parts.keep_audit().await {
            tracing::warn!(%error, "old events were not removed");
        }
        if let Err(error) = self.parts.purge().await {
            tracing::warn!(%error, "what has expired was not dropped");
        }
        if let Err(error) = self.parts.count_sessions().await {
            tracing::warn!(%error, "the live sessions were not counted");
        }
    }
}

impl Parts {
    async fn purge(&self) -> Result<(), StoreError> {
        let certain = self.moments.certain();
        let low = lowest_epoch(certain, self.settings.leeway_secs);
        let pages_low = lowest_epoch(certain, PAGES_KEPT_SECS);
        self.indices.drop_below(low);
        let sessions = certain.minus_secs(self.settings.leeway_secs.saturating_add(SESSIONS_KEPT_SECS));
        // What an assertion is judged by may be behind the calendar of a moment ago, by the age of the newest list.
        let assertions = certain.minus_secs(self.settings.list_interval_secs.saturating_add(ASSERTIONS_KEPT_SECS));
        for _ in 0..STEPS {
            let more_sessions = self.store.purge_sessions(sessions).await?;
            let more_epochs = self.store.purge_epochs(low, pages_low).await?;
            let more_assertions = self.store.purge_assertions(assertions).await?;
            if !more_sessions && !more_epochs && !more_assertions {
                break;
            }
        }
        Ok(())
    }
}
