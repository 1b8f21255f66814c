//! Publishing the revocation list.
//!
//! ```text
//! drain what became durable ─► drop epochs that are over ─► body ─► nothing missing? ─► intent {seq, iat, id, …} durable
//!   ─► sign (verified) ─► open again with the public keys ─► the same? ─► serve
//! ```
//!
//! One publication runs at a time. Whoever revoked something waits for its turn and then looks first: if an earlier
//! turn has taken it along, there is nothing left to do. So a burst shares a few lists, at least 100 ms apart, and a single
//! revocation after a quiet time goes out at once. If a caller goes away the next tick publishes what it left.
//!
//! If any step fails nothing is served, the number is burnt, an error is logged and readiness is off until a
//! publication succeeds. The newest list is served all the while: it is still true, only older.

use super::issuer::{Issuer, Parts};
use super::moments::Moments;
use super::{Error, NotReady, Published, Revocation};
use crate::revocations::{Publication, RevokedSet, lowest_epoch, nothing_is_missing};
use crate::store::{Announcement, Revocations};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use token::revocation::{Cut, Head, ListId, RevocationList, Revoked, codec};
use token::time::UnixTime;
use tokio::sync::mpsc;

/// Two lists are at least this far apart.
const GAP: Duration = Duration::from_millis(100);
/// Published documents that are kept, at most…
const KEPT: usize = 64;
/// … and their bytes together, the newest always.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// Publishes lists and keeps the newest ones.
pub(super) struct Publisher {
    turn: tokio::sync::Mutex<Turn>,
    kept: RwLock<Kept>,
    stopped: AtomicBool,
}

/// What only the one who publishes may touch.
struct Turn {
    set: RevokedSet,
    feed: mpsc::UnboundedReceiver<Announcement>,
    /// Number of the newest revocation in the set.
    upto: u64,
    /// `upto` of the newest served list; `None` before the first.
    served: Option<u64>,
    /// When that was, on the monotonic clock.
    at: Duration,
    /// The last intent, served or burnt.
    last: Option<Publication>,
    cut_all: Option<UnixTime>,
    /// What the newest served list holds.
    previous: Revoked,
}

#[derive(Default)]
struct Kept {
    /// Oldest first.
    documents: VecDeque<Published>,
    newest: Option<(Published, Revocation)>,
    /// The rule in force, served or about to be.
    cut_all: Option<UnixTime>,
}

impl Publisher {
    /// Loads the revocations and proves them against the last list that was signed; where they do not hold all of it,
    /// everything issued so far is revoked.
    pub(super) fn open(revocations: Revocations, last: Option<Publication>, moments: &Moments) -> Result<Self, Error> {
        let Revocations { entries, feed, whole } = revocations;
        let proven = match &last {
            _ if !whole => false,
            Some(last) => body_of(&entries, last).is_some_and(|body| ListId::of(&body) == last.id),
            None => entries.is_empty(),
        };
        let mut cut_all = last.and_then(|last| last.cut_all);
        if !proven {
            let now = moments.now()?;
            cut_all = cut_all.max(Some(now));
            tracing::error!(
                cut = now.as_secs(),
                "the store lacks revocations of the last signed list: every token issued so far is revoked"
            );
        }
        cut_all.iter().for_each(|cut| moments.cut(*cut));
        let low = last.map_or(0, |last| last.low);
        let mut set = RevokedSet::new(low);
        entries.iter().for_each(|(jti, _)| set.insert(*jti));
        let upto = entries.iter().map(|(_, number)| *number).chain(last.map(|last| last.upto)).max().unwrap_or(0);
        let turn =
            Turn { set, feed, upto, served: None, at: Duration::ZERO, last, cut_all, previous: Revoked::default() };
        Ok(Self {
            turn: tokio::sync::Mutex::new(turn),
            kept: RwLock::new(Kept { cut_all, ..Kept::default() }),
            stopped: AtomicBool::new(false),
        })
    }

    /// Returns the newest published list.
    pub(super) fn newest(&self) -> Published {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        // `Issuer::open` publishes before anybody can ask.
        let none = || Published { seq: 0, document: Arc::from([]), exp: UnixTime::MIN };
        kept.newest.as_ref().map_or_else(none, |(published, _)| published.clone())
    }

    /// Returns the published list with this number, while it is kept.
    pub(super) fn at(&self, seq: u64) -> Option<Published> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.documents.iter().find(|published| published.seq == seq).cloned()
    }

    /// Returns the time until which everything issued is revoked, while that rule is in force.
    pub(super) fn cut_all(&self) -> Option<UnixTime> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).cut_all
    }

    /// Returns whether the last attempt to publish failed.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Makes the set forget what was revoked, as a fault of memory would.
    #[cfg(test)]
    pub(super) async fn forget_for_test(&self) {
        let mut turn = self.turn.lock().await;
        turn.set = RevokedSet::new(turn.set.low());
    }

    fn serve(&self, published: Published, effective_by: UnixTime, cut_all: Option<UnixTime>) -> Revocation {
        let answer = Revocation { seq: published.seq, effective_by: effective_by.as_secs() };
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.documents.push_back(published.clone());
        kept.newest = Some((published, answer));
        kept.cut_all = cut_all;
        let bytes = |kept: &Kept| kept.documents.iter().map(|published| published.document.len()).sum::<usize>();
        while kept.documents.len() > 1 && (kept.documents.len() > KEPT || bytes(&kept) > KEPT_BYTES) {
            kept.documents.pop_front();
        }
        answer
    }

    fn answer(&self) -> Option<Revocation> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.newest.as_ref().map(|(_, answer)| *answer)
    }
}

/// Returns the body that the list of this publication must have had, as far as the store still knows.
fn body_of(entries: &[(token::id::Jti, u64)], last: &Publication) -> Option<Vec<u8>> {
    let mut set = RevokedSet::new(last.low);
    entries.iter().filter(|(_, number)| *number <= last.upto).for_each(|(jti, _)| set.insert(*jti));
    set.body().ok()
}

impl Issuer {
    /// Returns from which list on everything revoked so far is contained, after publishing it where it is not yet.
    pub(super) async fn published(&self) -> Result<Revocation, Error> {
        let mut turn = self.parts.publisher.turn.lock().await;
        turn.drain();
        match self.parts.publisher.answer() {
            Some(answer) if turn.served == Some(turn.upto) => Ok(answer),
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
        let age = env.monotonic().saturating_sub(turn.at);
        let due =
            age.as_secs() >= settings.list_interval_secs || turn.served != Some(turn.upto) || publisher.is_stopped();
        if due { self.take_turn(&mut turn).await.map(drop) } else { Ok(()) }
    }

    async fn take_turn(&self, turn: &mut Turn) -> Result<Revocation, Error> {
        if turn.served.is_some() {
            let age = self.parts.env.monotonic().saturating_sub(turn.at);
            tokio::time::sleep(GAP.saturating_sub(age)).await;
        }
        let published = self.try_publish(turn).await;
        let stopped = self.parts.publisher.stopped.swap(published.is_err(), Ordering::Relaxed);
        if let (Err(error), false) = (&published, stopped) {
            // Said once, not every second.
            tracing::error!(%error, cause = ?error, "no revocation list was published; the one before is served on");
        }
        published
    }

    async fn try_publish(&self, turn: &mut Turn) -> Result<Revocation, Error> {
        let Parts { env, store, moments, publisher, .. } = self.parts.as_ref();
        let effective_by = turn.last.map(|last| last.exp);
        let (intent, body, listed) = self.intend(turn)?;
        turn.last = Some(intent); // burnt from here on, even if this future is dropped
        store.put_publication(intent).await?;
        let published = self.seal(&intent, &body, &listed)?;
        turn.previous = listed;
        turn.served = Some(intent.upto);
        turn.at = env.monotonic();
        moments.signed(intent.iat);
        Ok(publisher.serve(published, effective_by.unwrap_or(intent.iat), intent.cut_all))
    }

    /// Decides what the next list is: its body, decoded again, and what is stored of it.
    fn intend(&self, turn: &mut Turn) -> Result<(Publication, Vec<u8>, Revoked), Error> {
        let Parts { settings, env, moments, .. } = self.parts.as_ref();
        turn.drain();
        // Never before the newest list's, whatever the calendar does.
        let (iat, certain) = (moments.now()?, moments.certain());
        turn.set.drop_below(lowest_epoch(certain, settings.leeway_secs));
        let rule_life = settings.max_access_ttl_secs.saturating_add(settings.leeway_secs);
        turn.cut_all = turn.cut_all.filter(|cut| certain <= cut.plus_secs(rule_life));
        let body = turn.set.body().map_err(|_| Error::Signing)?;
        let listed = codec::decode(&body).map_err(|_| Error::Signing)?;
        if !nothing_is_missing(&turn.previous, &listed, turn.set.low()) {
            return Err(NotReady::PublicationStopped.into());
        }
        let exp = iat.plus_secs(settings.list_ttl_secs);
        let intent = Publication {
            seq: next_seq(turn.last, turn.served.is_none(), env.unix_millis()),
            iat,
            exp: turn.last.map_or(exp, |last| exp.max(last.exp)),
            id: ListId::of(&body),
            upto: turn.upto,
            low: turn.set.low(),
            cut_all: turn.cut_all,
        };
        Ok((intent, body, listed))
    }

    /// Signs the list that was intended, and reads it as a verifier would before anybody else does.
    fn seal(&self, intent: &Publication, body: &[u8], listed: &Revoked) -> Result<Published, Error> {
        let Parts { settings, keys, .. } = self.parts.as_ref();
        let exp = intent.iat.plus_secs(settings.list_ttl_secs);
        let cut = Cut { all: intent.cut_all, ..Cut::default() };
        let head = Head { iss: settings.issuer.clone(), iat: intent.iat, exp, seq: intent.seq, id: intent.id, cut };
        let document = keys.list_signer().sign_list(&head, body).map_err(|_| Error::Signing)?;
        let list = RevocationList::open(&document, keys.public()).map_err(|_| Error::Signing)?;
        if *list.head() != head || list.revoked() != listed {
            return Err(NotReady::PublicationStopped.into());
        }
        Ok(Published { seq: intent.seq, document: document.into(), exp })
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

/// Strictly above the last one; at a start also at least the milliseconds since 1970, so that a store restored from a
/// backup does not repeat the numbers of lists it has forgotten.
fn next_seq(last: Option<Publication>, first: bool, unix_millis: u64) -> u64 {
    let above = last.map_or(1, |last| last.seq.saturating_add(1));
    if first { above.max(unix_millis) } else { above }
}
