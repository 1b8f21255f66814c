//! The Token Status List view of what is revoked: the newest published list once more, as an array of bits for each
//! expiry epoch, for those who verify with somebody else's library.
//!
//! ```text
//! newest published list ─► its indices of the epoch, and its rules as indices ─► bits ─► zlib ─► signed, kept
//! ```
//!
//! Nothing is decided here: both views say the same of every token at every moment. Rules name no indices, so they are
//! turned into some: those that take back everything issued so far, `cut.all` mostly and `cut.kid`, into the pages leased by
//! then (the store's sweep; what is issued later comes from pages above), `cut.all` of an earlier time and tagged rules into
//! the live tokens of the sessions they concern.
//!
//! Lists are built one at a time and off the threads that answer requests. What was built is kept until a list is
//! published, a page leased or a sweep made; whoever asks in between gets the same bytes.

mod build;
mod kept;

use super::Error;
use super::issuer::{Issuer, Parts};
use crate::indices::PAGE;
use crate::revocations::lowest_epoch;
use crate::store::Store;
use crate::telemetry::traces::TARGET;
use build::{Builder, Order, Sought, SoughtKey};
use kept::{Kept, Version};
use std::sync::{Arc, Mutex, PoisonError};
use token::id::{Jti, epoch};
use token::revocation::Cut;
use token::revocation::sorted::SortedSet;
use token::status_list::MAX_INDICES;
use token::time::UnixTime;

/// Pages that are left out in each epoch when the store may have lost writes: 8.4 million indices, 32,768 tokens for
/// every second of an epoch. Nobody knows what was issued from them.
const SKIPPED_PAGES: u32 = 8_192;
/// No access token lives longer, whatever the settings were when it was issued.
const LONGEST_LIFE_SECS: u64 = 86_400;
/// The shortest array is of so many pages: a copy that a reader keeps must hold the tokens issued meanwhile.
const FEWEST_PAGES: u32 = 128;

/// How a status list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusForm {
    /// `statuslist+jwt`.
    Jwt,
    /// `statuslist+cwt`.
    Cwt,
}

/// A signed status list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    /// Another text for other bytes.
    pub version: Arc<str>,
    /// The document, byte for byte.
    pub document: Arc<[u8]>,
}

/// Builds status lists and keeps them.
pub(super) struct StatusLists {
    /// Held by the one who builds.
    builder: Arc<tokio::sync::Mutex<Builder>>,
    kept: Kept,
    /// Nothing dated until then is anywhere but in pages that are swept: there is no session to look for.
    covered: Mutex<Option<UnixTime>>,
}

impl StatusLists {
    /// Returns the place of lists, none of which has been built yet.
    pub(super) fn new() -> Self {
        Self { builder: Arc::default(), kept: Kept::default(), covered: Mutex::default() }
    }
}

impl Issuer {
    /// Returns the URIs of all status lists there are, ascending by epoch.
    ///
    /// # Errors
    /// [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn status_lists(&self) -> Result<Vec<String>, Error> {
        let parts = &self.parts;
        let pages = parts.store.pages(parts.lowest_status_epoch()..=u32::MAX).await?;
        Ok(pages.into_iter().map(|pages| status_uri(&parts.settings.issuer, pages.epoch)).collect())
    }

    /// Returns the status list of an epoch; `None` when no token of the epoch can be valid, or none was ever issued.
    ///
    /// # Errors
    /// [`Error::StatusListTooLarge`] when more indices of the epoch have been leased than a list may have;
    /// [`Error::Store`], [`Error::Signing`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn status_list(&self, epoch: u32, form: StatusForm) -> Result<Option<StatusList>, Error> {
        let StatusLists { builder, kept, .. } = &self.parts.status_lists;
        let Some(order) = self.parts.order(epoch, form).await? else { return Ok(None) };
        if let Some(list) = kept.find(epoch, form, order.version) {
            return Ok(Some(list));
        }
        let mut builder = Arc::clone(builder).lock_owned().await;
        // Meanwhile the one before may have built it, or the state may have gone on.
        let Some(order) = self.parts.order(epoch, form).await? else { return Ok(None) };
        if let Some(list) = kept.find(epoch, form, order.version) {
            return Ok(Some(list));
        }
        builder.find_tokens(self.parts.sought(&order.listed.head.cut), self.parts.store.as_ref()).await?;
        // The builder goes along: if the caller leaves, what was begun is finished and kept before the next one begins.
        let parts = Arc::clone(&self.parts);
        let build = move || {
            let list = builder.build(&order, &parts.settings, &parts.keys.ring())?;
            parts.status_lists.kept.keep(epoch, form, order.version, list.clone());
            Ok(Some(list))
        };
        tokio::task::spawn_blocking(build).await.map_err(|_| Error::Signing)?
    }
}

impl Parts {
    /// Returns what an epoch's list is made of: the newest published list first and the pages after it, so that every
    /// index it lists has its place.
    async fn order(&self, epoch: u32, form: StatusForm) -> Result<Option<Order>, Error> {
        let Some(listed) = self.publisher.listed() else { return Ok(None) }; // `Issuer::open` publishes before
        if epoch < self.lowest_status_epoch() {
            return Ok(None);
        }
        let Some(pages) = self.store.pages(epoch..=epoch).await?.pop() else { return Ok(None) };
        let version = Version { seq: listed.head.seq, leased: pages.leased, swept: pages.swept };
        Ok(Some(Order { listed, pages, form, version }))
    }

    fn lowest_status_epoch(&self) -> u32 {
        lowest_epoch(self.moments.certain(), self.settings.leeway_secs)
    }

    /// Counts what has been issued so far as swept: a rule that names no index takes it back, and what comes next comes from
    /// other pages. Nobody may be issuing meanwhile, and with `until` nothing is dated so early from now on.
    pub(super) async fn sweep(&self, until: Option<UnixTime>) -> Result<(), Error> {
        self.indices.drop_below(u32::MAX); // what is left of the pages is abandoned
        self.store.sweep_pages(self.lowest_status_epoch()..=u32::MAX, 0).await?;
        let mut covered = self.status_lists.covered.lock().unwrap_or_else(PoisonError::into_inner);
        *covered = until.max(*covered);
        Ok(())
    }

    /// Returns what is found in sessions, if at all: the tokens of rules, and those of keys that were withdrawn while tokens
    /// of other keys were alive. All others of a withdrawn key are swept, and what a thief signs has no place of its own.
    fn sought(&self, cut: &Cut) -> Sought {
        let covered = *self.status_lists.covered.lock().unwrap_or_else(PoisonError::into_inner);
        let (certain, life_secs) = (self.moments.certain(), self.ruling.rules().life_secs);
        let ring = self.keys.ring();
        let listed = ring.sought().filter(|(kid, ..)| cut.kid.contains(*kid));
        let alive = listed.filter(|(_, _, until)| certain <= until.plus_secs(life_secs));
        let keys = alive.map(|(kid, from, until)| SoughtKey { kid: kid.to_owned(), from, until }).collect();
        let all = cut.all.filter(|until| Some(*until) > covered);
        Sought { cut: Cut { all, kid: SortedSet::default(), ..cut.clone() }, keys }
    }
}

/// Counts as swept what may have been issued until `until` in a store that has forgotten some of it, and makes sure that
/// none of its indices is handed out again.
pub(super) async fn sweep_unknown(store: &dyn Store, low: u32, until: UnixTime) -> Result<(), Error> {
    Ok(store.sweep_pages(low..=epoch(until.plus_secs(LONGEST_LIFE_SECS)), SKIPPED_PAGES).await?)
}

/// Returns the URI of an epoch's list: the `sub` of the list and the `uri` of its tokens.
pub(super) fn status_uri(issuer: &str, epoch: u32) -> String {
    format!("{issuer}/status/{epoch}")
}

/// Returns the `status` claim of a token (draft-ietf-oauth-status-list-20 §6.2).
pub(super) fn status_claim(issuer: &str, jti: Jti) -> serde_json::Value {
    serde_json::json!({"status_list": {"idx": jti.index, "uri": status_uri(issuer, jti.epoch)}})
}

/// Returns how many indices the list of an epoch has of which so many pages are leased: a power of two with room for as
/// many tokens again, so that its length tells little and a copy of some seconds knows the tokens issued since.
///
/// # Errors
/// [`Error::StatusListTooLarge`].
fn indices(leased: u32) -> Result<u32, Error> {
    let most = MAX_INDICES / u32::from(PAGE);
    if leased > most {
        return Err(Error::StatusListTooLarge);
    }
    let pages = leased.saturating_mul(2).next_power_of_two().clamp(FEWEST_PAGES, most);
    Ok(pages * u32::from(PAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_room_for_what_is_issued_next_and_its_length_tells_little() {
        assert_eq!([0, 1, 64].map(indices), [Ok(1 << 17), Ok(1 << 17), Ok(1 << 17)]);
        assert_eq!([65, 128, 129].map(indices), [Ok(1 << 18), Ok(1 << 18), Ok(1 << 19)]);
        assert_eq!([1 << 16, (1 << 16) + 1, 1 << 17].map(indices), [Ok(1 << 27), Ok(1 << 27), Ok(1 << 27)]);
        assert_eq!(indices((1 << 17) + 1), Err(Error::StatusListTooLarge));
    }
}
