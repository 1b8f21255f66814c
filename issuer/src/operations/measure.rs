//! What metrics tell of the issuer when somebody asks.

use super::issuer::{Issuer, Parts};
use crate::audit::{self, Extent};
use crate::keys::KeyState;
use crate::store::Order;
use crate::telemetry::metrics::Seen;
use token::jwk::Purpose;
use token::time::UnixTime;

impl Issuer {
    /// Returns what can be seen of the issuer right now.
    pub async fn seen(&self) -> Seen {
        let Parts { moments, publisher, store, settings, keys, census, .. } = self.parts.as_ref();
        let newest = publisher.newest();
        let signed_at = newest.exp.minus_secs(settings.list_ttl_secs);
        let (now, ring) = (moments.shown(), keys.ring());
        let age = |purpose: Purpose| {
            let since = ring.in_state(KeyState::Active, purpose)?.since;
            Some((purpose.name(), now.as_secs().saturating_sub(since.as_secs())))
        };
        let extent = store.audit_extent().await.ok();
        Seen {
            not_ready: self.readiness().iter().map(|reason| reason.code()).collect(),
            list_seq: newest.seq,
            list_age_secs: now.as_secs().saturating_sub(signed_at.as_secs()),
            list_bytes: newest.document.len(),
            key_ages_secs: [Purpose::Token, Purpose::Revocations].into_iter().filter_map(age).collect(),
            keys: ring.public().keys().len(),
            audit_seq: extent.map(|extent| extent.newest.seq),
            audit_events: extent.map(|extent| extent.newest.seq.saturating_sub(extent.before.seq)),
            audit_oldest_age_secs: match extent {
                Some(extent) => self.parts.oldest_event(extent).await.map(|at| now.secs_since(at)),
                None => None,
            },
            sessions_live: census.live(),
            store_bytes: store.bytes_on_disk().await.ok().flatten(),
        }
    }
}

impl Parts {
    /// Returns when the oldest event happened that is kept.
    async fn oldest_event(&self, extent: Extent) -> Option<UnixTime> {
        let oldest = extent.before.seq.saturating_add(1);
        let runs = self.store.event_runs(oldest, Order::OldestFirst, 1).await.ok()?;
        let run = runs.first()?;
        let (_, event) = run.links().find(|(link, _)| link.seq >= oldest)?;
        audit::Seen::of(event).map(|event| event.at)
    }
}
