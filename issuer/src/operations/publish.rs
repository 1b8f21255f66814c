//! Publishing the revocation list.
//!
//! ```text
//! drain what became durable ─► drop epochs that are over ─► body ─► intent {seq, iat, id, …} durable
//!   ─► sign list and delta (verified) ─► open again with the public keys ─► the same, nothing missing? ─► serve
//! ```
//!
//! One publication runs at a time. Whoever revoked something waits for its turn and then looks first: if an earlier
//! turn has taken it along, there is nothing left to do. So a burst shares a few lists, at least 100 ms apart, and a single
//! revocation after a quiet time goes out at once. If a caller goes away the next tick publishes what it left.
//!
//! If any step fails nothing is served, the number is burnt, an error is logged and readiness is off until a
//! publication succeeds. The newest list is served all the while: it is still true, only older.

mod served;

pub(super) use served::Listed;
pub use served::{Events, Step};

use super::issuer::{Issuer, Parts};
use super::{Error, NotReady, Published, Revocation};
use crate::revocations::{self, Draft, Places, Publication, RevokedSet, Since, State, lowest_epoch};
use crate::store::{Announcement, Revocations};
use crate::telemetry::traces::TARGET;
use served::{Release, Served};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use token::id::Jti;
use token::issue::IssueError;
use token::revocation::{Cut, Head, ListId, RevocationList, Revoked, codec};
use token::time::UnixTime;
use tokio::sync::mpsc;

/// Two lists are at least this far apart.
const GAP: Duration = Duration::from_millis(100);
/// While anybody follows, the list is signed again after so long at the latest: who hears nothing for longer has lost
/// the connection.
const HEARTBEAT_SECS: u64 = 15;

/// Publishes lists and keeps the newest ones.
pub(super) struct Publisher {
    turn: tokio::sync::Mutex<Turn>,
    served: Served,
    /// So many lists were begun in this process.
    begun: AtomicU64,
    stopped: AtomicBool,
}

/// What only the one who publishes may touch.
struct Turn {
    set: RevokedSet,
    feed: mpsc::UnboundedReceiver<Announcement>,
    /// Number of the newest revocation in the set.
    upto: u64,
    /// `upto` of the newest served list, and the version of its rules; `None` before the first.
    served: Option<(u64, u64)>,
    /// Which of the lists that were begun the newest served one is. What was revoked before it began is in it.
    shown: u64,
    /// State of the newest served list, also of the process before this one.
    base: Option<State>,
    /// When that was, on the monotonic clock.
    at: Duration,
    /// The last intent, served or burnt.
    last: Option<Publication>,
    /// Lists may be in use that this store has forgotten; until the first one of this process.
    forgetful: bool,
    /// What the newest served list holds, as it was read back.
    previous: Arc<Revoked>,
}

impl Publisher {
    /// Loads the revocations, and tells whether they hold all of the last list that was signed.
    pub(super) fn open(revocations: Revocations, last: Option<Publication>) -> Result<(Self, bool), Error> {
        let Revocations { entries, feed, whole, damage: _ } = revocations; // damage has refused the start
        let low = last.map_or(0, |last| last.low);
        let upto = last.map_or(0, |last| last.upto);
        let listed = entries.iter().filter(|(_, number)| *number <= upto).map(|(jti, _)| *jti);
        let mut set = RevokedSet::after(listed, low).map_err(|_| Error::Signing)?;
        let proven = whole && is_proven(&set, low, &entries, last.as_ref())?;
        entries.iter().for_each(|(jti, _)| set.insert(*jti));
        let base = last.filter(|_| proven).map(|last| (last.seq, State { id: last.id, low: last.low }));
        let turn = Turn {
            set,
            feed,
            upto: entries.iter().map(|(_, number)| *number).fold(upto, u64::max),
            served: None,
            shown: 0,
            base: base.map(|(_, state)| state),
            at: Duration::ZERO,
            last,
            forgetful: !proven,
            previous: Arc::default(),
        };
        let turn = tokio::sync::Mutex::new(turn);
        let (begun, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok((Self { turn, served: Served::after(base), begun, stopped }, proven))
    }

    /// Returns the newest published list.
    pub(super) fn newest(&self) -> Published {
        // `Issuer::open` publishes before anybody can ask.
        let none = || Published { seq: 0, document: Arc::from([]), exp: UnixTime::MIN };
        self.served.newest().unwrap_or_else(none)
    }

    /// Returns the newest published list, opened.
    pub(super) fn listed(&self) -> Option<Listed> {
        self.served.listed()
    }

    /// Returns the published list with this number, while it is kept.
    pub(super) fn at(&self, seq: u64) -> Option<Published> {
        self.served.at(seq)
    }

    /// Returns a subscription to publications.
    pub(super) fn events(&self) -> Events {
        self.served.events()
    }

    /// Returns whether the last attempt to publish failed.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Makes the set forget what was revoked, as a fault of memory would.
    #[cfg(test)]
    pub(super) async fn forget_for_test(&self) {
        self.turn.lock().await.set = RevokedSet::default();
    }
}

/// Returns whether revocations, each with its number, are those that the newest list was made of, as far as it lists them.
///
/// # Errors
/// [`Error::Signing`] for what no list can hold.
pub fn holds_its_list(entries: &[(Jti, u64)], last: Option<&Publication>) -> Result<bool, Error> {
    let (low, upto) = last.map_or((0, 0), |last| (last.low, last.upto));
    let listed = entries.iter().filter(|(_, number)| *number <= upto).map(|(jti, _)| *jti);
    let set = RevokedSet::after(listed, low).map_err(|_| Error::Signing)?;
    is_proven(&set, low, entries, last)
}

/// Returns whether the store still holds all that the last list did.
fn is_proven(set: &RevokedSet, low: u32, entries: &[(Jti, u64)], last: Option<&Publication>) -> Result<bool, Error> {
    match last {
        Some(last) => Ok(ListId::of(&set.draft(low).map_err(|_| Error::Signing)?.body) == last.id),
        None => Ok(entries.is_empty()),
    }
}

impl Issuer {
    /// Returns from which list on everything revoked so far is contained, after publishing it where it is not yet.
    pub(super) async fn published(&self) -> Result<Revocation, Error> {
        let publisher = &self.parts.publisher;
        let begun = publisher.begun.load(Ordering::SeqCst);
        let mut turn = publisher.turn.lock().await;
        turn.drain();
        // One that was begun since says it, whatever was revoked behind it: nobody waits for those that came later.
        let is_said = turn.shown > begun || !self.is_unsaid(&turn);
        match publisher.served.answer() {
            Some(answer) if is_said => Ok(answer),
            Some(_) | None => self.take_turn(&mut turn).await,
        }
    }

    /// Publishes a list now, whether or not anything was revoked.
    pub(super) async fn publish(&self) -> Result<Revocation, Error> {
        let mut turn = self.parts.publisher.turn.lock().await;
        self.take_turn(&mut turn).await
    }

    /// Publishes if something was revoked or the newest list is due to be signed again.
    pub(super) async fn publish_if_due(&self) -> Result<(), Error> {
        let Parts { publisher, env, settings, .. } = self.parts.as_ref();
        let mut turn = publisher.turn.lock().await;
        turn.drain();
        let age = env.monotonic().saturating_sub(turn.at).as_secs();
        let heartbeat = publisher.served.is_followed() && age >= HEARTBEAT_SECS;
        let unsaid = self.is_unsaid(&turn) || publisher.is_stopped();
        if age >= settings.list_interval_secs || heartbeat || unsaid {
            self.take_turn(&mut turn).await.map(drop)
        } else {
            Ok(())
        }
    }

    /// Returns one delta from the published list `since` to the newest, whose number it carries; `None` when that list is
    /// not remembered or the delta would be too long for verifiers: the full list must do then.
    ///
    /// # Errors
    /// [`Error::Signing`].
    pub fn revocation_delta(&self, since: u64) -> Result<Option<Published>, Error> {
        let Parts { publisher, keys, .. } = self.parts.as_ref();
        let (Since { base, added }, listed) = match publisher.served.delta(since) {
            None => return Ok(None),
            Some(Ok(signed)) => return Ok(signed),
            Some(Err(unsigned)) => unsigned,
        };
        let Head { seq, exp, .. } = listed.head;
        let signed = delta(keys.ring().list_signer(), &listed.head, base, listed.low, added)?;
        let signed = signed.map(|delta| Published { seq, document: Arc::from(delta.as_bytes()), exp });
        publisher.served.keep_delta(since, seq, &signed);
        Ok(signed)
    }

    /// Returns whether something was revoked that the newest list does not say.
    fn is_unsaid(&self, turn: &Turn) -> bool {
        turn.served != Some((turn.upto, self.parts.ruling.rules().version))
    }

    async fn take_turn(&self, turn: &mut Turn) -> Result<Revocation, Error> {
        if turn.served.is_some() {
            let age = self.parts.env.monotonic().saturating_sub(turn.at);
            if let Some(rest) = GAP.checked_sub(age).filter(|rest| !rest.is_zero()) {
                tokio::time::sleep(rest).await; // even a sleep of nothing takes a tick of the timer, a millisecond
            }
        }
        let published = self.try_publish(turn).await;
        let stopped = self.parts.publisher.stopped.swap(published.is_err(), Ordering::Relaxed);
        if let (Err(error), false) = (&published, stopped) {
            // Said once, not every second.
            tracing::error!(%error, cause = ?error, "no revocation list was published; the one before is served on");
        }
        published
    }

    #[tracing::instrument(target = TARGET, name = "publication", skip_all)]
    async fn try_publish(&self, turn: &mut Turn) -> Result<Revocation, Error> {
        let Parts { settings, env, store, moments, publisher, .. } = self.parts.as_ref();
        let before = turn.last.map(|last| last.exp);
        let begun = publisher.begun.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let (intent, cut, draft) = self.intend(turn)?;
        // A list that was forgotten is good for as long as one of this moment.
        let forgotten = turn.forgetful.then_some(intent.iat.plus_secs(settings.list_ttl_secs));
        let effective_by = before.max(forgotten).unwrap_or(intent.iat);
        turn.last = Some(intent); // burnt from here on, even if this future is dropped
        store.put_publication(intent).await?;
        let release = self.seal(turn, &intent, cut, &draft)?;
        turn.previous = Arc::clone(&release.listed.revoked);
        turn.set.serve(draft);
        turn.served = Some((intent.upto, intent.rules));
        turn.shown = begun;
        turn.base = Some(State { id: intent.id, low: intent.low });
        turn.at = env.monotonic();
        moments.signed(intent.iat);
        turn.forgetful = false;
        Ok(publisher.served.release(release, effective_by))
    }

    /// Decides what the next list is, and what is stored of it.
    fn intend(&self, turn: &mut Turn) -> Result<(Publication, Cut, Draft), Error> {
        let Parts { settings, env, moments, ruling, .. } = self.parts.as_ref();
        turn.drain();
        // Never before the newest list's, whatever the calendar does.
        let (iat, certain) = (moments.now()?, moments.certain());
        let rules = ruling.rules();
        let cut = rules.cut(certain, settings.rule_life_secs());
        let draft = turn.set.draft(lowest_epoch(certain, settings.leeway_secs)).map_err(|_| Error::Signing)?;
        let exp = iat.plus_secs(settings.list_ttl_secs);
        let intent = Publication {
            seq: next_seq(turn.last, turn.served.is_none(), env.unix_millis()),
            iat,
            exp: turn.last.map_or(exp, |last| exp.max(last.exp)),
            id: ListId::of(&draft.body),
            upto: turn.upto,
            low: draft.low,
            cut_all: cut.all,
            rules: rules.version,
        };
        Ok((intent, cut, draft))
    }

    /// Signs the list that was intended and the delta that leads to it, and reads both as a verifier would before anybody
    /// else does: the list must say what was intended and lack nothing of the one before.
    fn seal(&self, turn: &Turn, intent: &Publication, cut: Cut, draft: &Draft) -> Result<Release, Error> {
        let Parts { settings, keys, .. } = self.parts.as_ref();
        let keys = keys.ring();
        let exp = intent.iat.plus_secs(settings.list_ttl_secs);
        let head = Head { iss: settings.issuer.clone(), iat: intent.iat, exp, seq: intent.seq, id: intent.id, cut };
        let document = keys.list_signer().sign_list(&head, &draft.body).map_err(|_| Error::Signing)?;
        let list = RevocationList::open(&document, keys.public()).map_err(|_| Error::Signing)?;
        let nothing_is_missing = turn.previous.is_within(list.revoked(), draft.low);
        if *list.head() != head || *list.revoked() != draft.revoked || !nothing_is_missing {
            return Err(NotReady::PublicationStopped.into());
        }
        let step = |base| delta(keys.list_signer(), &head, base, draft.low, draft.added.clone());
        let delta = turn.base.map(step).transpose()?.flatten();
        let revoked = Arc::new(list.revoked().clone());
        Ok(Release {
            listed: Listed { head, low: draft.low, revoked },
            document: document.into(),
            delta,
            added: draft.added.clone(),
        })
    }
}

impl Turn {
    /// Takes in what has become durable since.
    fn drain(&mut self) {
        while let Ok(Announcement { number, jtis }) = self.feed.try_recv() {
            jtis.into_iter().for_each(|jti| self.set.insert(jti));
            self.upto = self.upto.max(number);
        }
    }
}

/// Returns the delta from the state `base` to that of `head`, `None` when it would be too long for verifiers.
fn delta(
    key: &token::issue::SigningKey,
    head: &Head,
    base: State,
    low: u32,
    mut added: Places,
) -> Result<Option<Arc<str>>, Error> {
    let added = revocations::body(&added.split_off(&low)).map_err(|codec::Malformed| Error::Signing)?;
    let dropped = if base.low < low && base.id != head.id { low } else { 0 };
    match key.sign_delta(head, base.id, dropped, &added) {
        Ok(document) => String::from_utf8(document).map(|text| Some(Arc::from(text))).map_err(|_| Error::Signing),
        Err(IssueError::TooLong) => Ok(None),
        Err(_) => Err(Error::Signing),
    }
}

/// Strictly above the last one; at a start also at least the milliseconds since 1970, so that a store restored from a
/// backup does not repeat the numbers of lists it has forgotten.
fn next_seq(last: Option<Publication>, first: bool, unix_millis: u64) -> u64 {
    let above = last.map_or(1, |last| last.seq.saturating_add(1));
    if first { above.max(unix_millis) } else { above }
}
