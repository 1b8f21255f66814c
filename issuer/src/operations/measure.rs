//! What metrics tell of the issuer when somebody asks.

use super::issuer::{Issuer, Parts};
use crate::keys::KeyState;
use crate::telemetry::metrics::Seen;
use token::jwk::Purpose;

impl Issuer {
    /// Returns what can be seen of the issuer right now.
    pub async fn seen(&self) -> Seen {
        let Parts { moments, publisher, store, settings, keys, .. } = self.parts.as_ref();
        let newest = publisher.newest();
        let signed_at = newest.exp.minus_secs(settings.list_ttl_secs);
        let (now, ring) = (moments.shown(), keys.ring());
        let age = |purpose: Purpose| {
            let since = ring.in_state(KeyState::Active, purpose)?.since;
            Some((purpose.name(), now.as_secs().saturating_sub(since.as_secs())))
        };
        Seen {
            not_ready: self.readiness().iter().map(|reason| reason.code()).collect(),
            list_seq: newest.seq,
            list_age_secs: now.as_secs().saturating_sub(signed_at.as_secs()),
            list_bytes: newest.document.len(),
            key_ages_secs: [Purpose::Token, Purpose::Revocations].into_iter().filter_map(age).collect(),
            keys: ring.public().keys().len(),
            audit_seq: store.audit_extent().await.ok().map(|extent| extent.newest.seq),
        }
    }
}
