//! The changes, as the committer makes them: over the rows that were read for the group, in memory, without waiting.
//!
//! A change that finds that it needs other rows says so ([`Stop::Needs`]) and is run again when they are there. So it writes
//! nothing before it has looked at everything it needs, and decides only once.

use super::audit;
use super::load::{Stored, Wanted};
use super::rows::{Batch, Rows, Stop, Writes};
use super::write::Head;
use crate::audit::Event;
use crate::keys::SealedKey;
use crate::revocations::Publication;
use crate::rules::Rules;
use crate::store::events::Events;
use crate::store::record::{Count, Record, RevokedBy};
use crate::store::{Announcement, Pages, Revocations, StoreError, layout};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use token::id::{Jti, MAX_INDEX};
use tokio::sync::mpsc;

/// Pages of 1,024 indices in an epoch.
const MAX_PAGES: u32 = (MAX_INDEX >> 10) + 1;

/// What the holder knows of the database: true as long as nobody else writes, which each transaction makes sure of.
pub(super) struct Engine {
    /// Rows of the group at hand.
    pub(super) rows: Rows,
    /// Where the head is in the database.
    pub(super) written: Head,
    /// Where it is once the group is written.
    pub(super) head: Head,
    /// Epochs below have left the published list.
    pub(super) low: u32,
    /// Pages of epochs below are forgotten and never leased again.
    pub(super) floor: u32,
    /// False when lists were published that the database may have forgotten.
    whole: bool,
    /// Number of a list stored since the last group.
    listed: Option<u64>,
    feed: Option<mpsc::UnboundedSender<Announcement>>,
    pending: Vec<Announcement>,
    pub(super) events: Events,
    /// Names of the assertions that are remembered.
    pub(super) assertions: BTreeSet<[u8; 16]>,
}

/// What was read when the right to write was taken.
pub(super) struct Opened {
    pub(super) head: Head,
    /// The rows that there is one of.
    pub(super) state: Vec<Stored>,
    pub(super) assertions: Vec<Stored>,
    /// The newest list that this process, or an earlier one of its folder, knows to have been published.
    pub(super) newest_list: u64,
}

impl Engine {
    /// Returns the engine over what was read.
    pub(super) fn open(opened: Opened) -> Result<Self, StoreError> {
        let Opened { head, state, assertions, newest_list } = opened;
        let state: BTreeMap<Vec<u8>, Vec<u8>> = state.into_iter().collect();
        let publication: Option<Publication> = one(&state, layout::PUBLICATION)?;
        let name = |(key, _): &Stored| {
            layout::parse_assertion(key).ok_or_else(|| StoreError::damaged("an assertion has an odd key"))
        };
        Ok(Self {
            rows: Rows::default(),
            written: head,
            head,
            low: publication.map_or(0, |publication| publication.low),
            floor: one(&state, layout::FLOOR)?.map_or(0, |Count(floor)| floor),
            whole: head.import == 0 && newest_list <= publication.map_or(0, |publication| publication.seq),
            listed: None,
            feed: None,
            pending: Vec::new(),
            events: audit::open(&state)?,
            assertions: assertions.iter().map(name).collect::<Result<_, _>>()?,
        })
    }

    /// Returns what the group has written so far, and begins another.
    pub(super) fn take_writes(&mut self) -> Writes {
        std::mem::take(&mut self.rows).into_writes()
    }

    /// Returns the number of the newest list stored since the last call.
    pub(super) fn take_listed(&mut self) -> Option<u64> {
        self.listed.take()
    }

    /// Tells the feed what has become durable.
    pub(super) fn announce(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if let Some(feed) = &self.feed {
            pending.into_iter().for_each(|announcement| drop(feed.send(announcement))); // a feed nobody reads is no fault
        }
    }

    /// Returns a record as it is within the group.
    pub(super) fn read<R: Record>(&self, key: &[u8]) -> Result<Option<R>, Stop> {
        Ok(self.rows.get(key)?.map(|record| R::decode(key, record)).transpose()?)
    }

    pub(super) fn apply(&mut self, batch: Batch) {
        self.rows.apply(batch);
    }

    pub(super) fn revoke(&mut self, jtis: &[Jti], events: &[Event]) -> Result<(), Stop> {
        let mut batch = Batch::default();
        let new = self.new_among(jtis)?;
        self.tell(events);
        self.revoke_in(&mut batch, new);
        self.apply(batch);
        Ok(())
    }

    /// Returns those of these tokens that are not revoked yet and whose epoch has not left, none of them twice.
    pub(super) fn new_among(&self, jtis: &[Jti]) -> Result<Vec<Jti>, Stop> {
        let mut seen = BTreeSet::new();
        let listed: Vec<Jti> = jtis.iter().copied().filter(|jti| jti.epoch >= self.low && seen.insert(*jti)).collect();
        let unknown = self.rows.unknown(listed.iter().map(|jti| layout::revocation(*jti)));
        if !unknown.is_empty() {
            return Err(Stop::Needs(unknown));
        }
        let mut new = Vec::with_capacity(listed.len());
        for jti in listed {
            if self.rows.get(&layout::revocation(jti))?.is_none() {
                new.push(jti);
            }
        }
        Ok(new)
    }

    /// Adds revocations, which are new, to the batch; they are announced once it is durable.
    pub(super) fn revoke_in(&mut self, batch: &mut Batch, new: Vec<Jti>) {
        if new.is_empty() {
            return;
        }
        self.head.announced = self.head.announced.saturating_add(1);
        let number = u64::try_from(self.head.announced).unwrap_or_default();
        for jti in &new {
            let key = layout::revocation(*jti);
            let record = RevokedBy(number).encode(&key);
            batch.insert(key, record);
        }
        self.pending.push(Announcement { number, jtis: new });
    }

    pub(super) fn revocations(&mut self, found: &[Stored]) -> Result<Revocations, Stop> {
        let (feed, receiver) = mpsc::unbounded_channel();
        let entry = |(key, record): &Stored| {
            let jti =
                layout::parse_revocation(key).ok_or_else(|| StoreError::damaged("a revocation has an odd key"))?;
            RevokedBy::decode(key, record).map(|RevokedBy(number)| (jti, number))
        };
        let entries = found.iter().map(entry).collect::<Result<_, _>>()?;
        self.feed = Some(feed);
        Ok(Revocations { entries, feed: receiver, whole: self.whole, damage: None })
    }

    pub(super) fn lease_page(&mut self, epoch: u32) -> Result<u32, Stop> {
        let key = layout::of_epoch(layout::PAGES, epoch);
        let page = self.read(&key)?.map_or(0, |Count(page)| page);
        if epoch < self.floor || page >= MAX_PAGES {
            return Err(StoreError::NoIndices.into());
        }
        let mut batch = Batch::default();
        batch.insert(&*key, Count(page + 1).encode(&key));
        self.apply(batch);
        Ok(page)
    }

    pub(super) fn sweep_pages(
        &mut self,
        epochs: &RangeInclusive<u32>,
        skipped: u32,
        found: &[Stored],
    ) -> Result<(), Stop> {
        let mut leased = counts(found)?;
        if skipped > 0 {
            epochs.clone().for_each(|epoch| {
                let leased = leased.entry(epoch).or_default();
                *leased = leased.saturating_add(skipped);
            });
        }
        let mut batch = Batch::default();
        for (epoch, leased) in leased.split_off(&self.floor) {
            for kind in [layout::PAGES, layout::SWEPT] {
                let key = layout::of_epoch(kind, epoch);
                let record = Count(leased.min(MAX_PAGES)).encode(&key);
                batch.insert(key, record);
            }
        }
        self.apply(batch);
        Ok(())
    }

    pub(super) fn put_publication(&mut self, publication: Publication) -> Result<(), Stop> {
        let stored: Option<Publication> = self.read(layout::PUBLICATION)?;
        if stored.is_some_and(|stored| stored.seq >= publication.seq) {
            return Err(StoreError::Superseded.into());
        }
        let mut batch = Batch::default();
        batch.insert(layout::PUBLICATION, publication.encode(layout::PUBLICATION));
        self.apply(batch);
        self.low = self.low.max(publication.low);
        self.head.import = 0; // what came out of a file has been dealt with by whoever published
        self.listed = Some(publication.seq);
        Ok(())
    }

    pub(super) fn put_rules(&mut self, rules: &Rules, keys: &[SealedKey], events: &[Event]) -> Result<(), Stop> {
        let stored: Option<Rules> = self.read(layout::RULES)?;
        if stored.is_some_and(|stored| stored.version >= rules.version) {
            return Err(StoreError::Superseded.into());
        }
        self.tell(events);
        let mut batch = super::keys::batch(keys);
        batch.insert(layout::RULES, rules.encode(layout::RULES));
        self.apply(batch);
        Ok(())
    }
}

/// Returns the rows of these epochs.
pub(super) fn of_epochs(kind: u8, epochs: &RangeInclusive<u32>) -> Wanted {
    let below = epochs.end().checked_add(1).map_or(vec![kind.saturating_add(1)], |end| layout::of_epoch(kind, end));
    Wanted::Range { from: layout::of_epoch(kind, *epochs.start()), below, newest_first: false, most: usize::MAX }
}

/// Returns what is stored of the pages of some epochs.
pub(super) fn pages(leased: &[Stored], swept: &[Stored]) -> Result<Vec<Pages>, StoreError> {
    let swept = counts(swept)?;
    let pages = |(epoch, leased)| Pages { epoch, leased, swept: swept.get(&epoch).copied().unwrap_or_default() };
    Ok(counts(leased)?.into_iter().map(pages).collect())
}

fn counts(found: &[Stored]) -> Result<BTreeMap<u32, u32>, StoreError> {
    let counted = |(key, record): &Stored| {
        let epoch = layout::parse_epoch(key).ok_or_else(|| StoreError::damaged("an epoch has an odd key"))?;
        Count::decode(key, record).map(|Count(count)| (epoch, count))
    };
    found.iter().map(counted).collect()
}

/// Returns the record under `key`.
pub(super) fn one<R: Record>(rows: &BTreeMap<Vec<u8>, Vec<u8>>, key: &[u8]) -> Result<Option<R>, StoreError> {
    rows.get(key).map(|record| R::decode(key, record)).transpose()
}
