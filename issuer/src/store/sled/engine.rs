//! The changes, as the committer's thread makes them: read, decide, write above the tree.

use super::due::Due;
use super::layers::{Batch, Layer, Layers, Look, Rows};
use super::reading::{entries, failed, pages, read};
use super::room::Room;
use super::witness::Newest;
use super::{audit, clients, keys, layout};
use crate::audit::Event;
use crate::keys::SealedKey;
use crate::revocations::Publication;
use crate::rules::Rules;
use crate::store::events::Events;
use crate::store::record::{Count, Record, RevokedBy};
use crate::store::{Announcement, Revocations, StoreError};
use sled::IVec;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use token::id::{Jti, MAX_INDEX};
use tokio::sync::mpsc;

/// Pages of 1,024 indices in an epoch.
const MAX_PAGES: u32 = (MAX_INDEX >> 10) + 1;

const GAP: &str = "its log ends before its journal begins";

/// What the committer's thread owns.
pub(super) struct Engine {
    rows: Rows,
    /// Number of the next change that revokes something.
    next_number: u64,
    /// Epochs below have left the published list.
    pub(super) low: u32,
    /// Pages of epochs below are forgotten and never leased again.
    pub(super) floor: u32,
    /// False when the log ends before the newest list or the newest event.
    whole: bool,
    /// What is known of that, unless the store was put there so.
    damage: Option<Arc<str>>,
    /// Number of a list stored since the last group.
    listed: Option<u64>,
    feed: Option<mpsc::UnboundedSender<Announcement>>,
    pending: Vec<Announcement>,
    pub(super) events: Events,
    pub(super) due: Due,
    /// Names of the assertions that are remembered.
    pub(super) assertions: BTreeSet<[u8; 16]>,
    wrote: bool,
    fault: Option<StoreError>,
    /// What the disk has left for the group that runs.
    room: Room,
}

impl Engine {
    /// Returns the engine over what was opened: `reached` is what it must reach to be whole, and where `foreign` it is not.
    pub(super) fn open(layers: Arc<Layers>, reached: Newest, foreign: bool) -> Result<Self, StoreError> {
        let rows = Rows::of(layers);
        let publication: Option<Publication> = read(&rows, layout::PUBLICATION)?;
        let floor = read(&rows, layout::FLOOR)?.map_or(0, |Count(floor)| floor);
        let events = audit::open(&rows)?;
        let assertions = clients::assertions(&rows)?;
        let (list, event) = (publication.map_or(0, |publication| publication.seq), events.extent().newest.seq);
        let found = Newest { list, event };
        let newest = entries(&rows)?.into_iter().map(|(_, number)| number).max().unwrap_or(0);
        Ok(Self {
            rows,
            next_number: newest.max(publication.map_or(0, |publication| publication.upto)).saturating_add(1),
            low: publication.map_or(0, |publication| publication.low),
            floor,
            whole: found.reaches(reached) && !foreign,
            damage: found.damage(reached).or_else(|| foreign.then(|| GAP.into())),
            listed: None,
            feed: None,
            pending: Vec::new(),
            events,
            due: Due::default(),
            assertions,
            wrote: false,
            fault: None,
            room: Room::Ample,
        })
    }

    /// Returns whether anything was written since the last call.
    pub(super) fn wrote(&mut self) -> bool {
        std::mem::take(&mut self.wrote)
    }

    /// Notes what the disk has left for the changes that follow.
    pub(super) fn has(&mut self, room: Room) {
        self.room = room;
    }

    /// Refuses a change that needs more room than there is, before anything of it is done.
    pub(super) fn needs(&self, room: Room) -> Result<(), StoreError> {
        if self.room < room { Err(StoreError::Full) } else { Ok(()) }
    }

    /// Returns what failed below a change, if anything did.
    pub(super) fn take_fault(&mut self) -> Option<StoreError> {
        self.fault.take()
    }

    /// Returns the number of the newest list stored since the last call.
    pub(super) fn take_listed(&mut self) -> Option<u64> {
        self.listed.take()
    }

    /// Returns the number of the newest event.
    pub(super) fn newest_event(&self) -> u64 {
        self.events.extent().newest.seq
    }

    /// Tells the feed what has become durable.
    pub(super) fn announce(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if let Some(feed) = &self.feed {
            pending.into_iter().for_each(|announcement| drop(feed.send(announcement))); // a feed nobody reads is no fault
        }
    }

    /// Returns what the group wrote.
    pub(super) fn group(&self) -> &Layer {
        self.rows.group()
    }

    /// Returns whether the group wrote so much that no other change should join.
    pub(super) fn wrote_much(&self) -> bool {
        self.rows.are_many()
    }

    /// Lets everybody see what the group wrote; it must be durable.
    pub(super) fn publish(&mut self) {
        self.rows.publish();
    }

    /// The layers that everybody sees.
    pub(super) fn layers(&self) -> &Layers {
        self.rows.layers()
    }

    pub(super) fn revoke(&mut self, jtis: Vec<Jti>, events: Vec<Event>) -> Result<(), StoreError> {
        self.needs(Room::Scarce)?;
        self.tell(events);
        let mut batch = Batch::default();
        if let Some(announcement) = self.revoke_in(&mut batch, jtis)? {
            self.apply_announced(batch, Some(announcement));
        }
        Ok(())
    }

    /// Adds the revocations that are new to the batch; the announcement is due once it is applied.
    pub(super) fn revoke_in(&mut self, batch: &mut Batch, jtis: Vec<Jti>) -> Result<Option<Announcement>, StoreError> {
        let number = self.next_number;
        let mut new = Vec::with_capacity(jtis.len());
        let mut seen = BTreeSet::new(); // one change may revoke a thousand
        for jti in jtis {
            let key = layout::revocation(jti);
            if jti.epoch >= self.low && seen.insert(jti) && self.get(&key)?.is_none() {
                let record = RevokedBy(number).encode(&key);
                batch.insert(key, record);
                new.push(jti);
            }
        }
        if new.is_empty() {
            return Ok(None);
        }
        self.next_number = number.saturating_add(1);
        Ok(Some(Announcement { number, jtis: new }))
    }

    pub(super) fn revocations(&mut self) -> Result<Revocations, StoreError> {
        let (feed, receiver) = mpsc::unbounded_channel();
        let entries = entries(&self.rows)?;
        self.pending.clear(); // they are among the entries
        self.feed = Some(feed);
        Ok(Revocations { entries, feed: receiver, whole: self.whole, damage: self.damage.clone() })
    }

    pub(super) fn lease_page(&mut self, epoch: u32) -> Result<u32, StoreError> {
        self.needs(Room::Ample)?;
        let key = layout::of_epoch(layout::PAGES, epoch);
        let page = match self.get(&key)? {
            Some(row) => Count::decode(&key, &row)?.0,
            None => 0,
        };
        if epoch < self.floor || page >= MAX_PAGES {
            return Err(StoreError::NoIndices);
        }
        let mut batch = Batch::default();
        batch.insert(&*key, Count(page + 1).encode(&key));
        self.apply(batch);
        Ok(page)
    }

    pub(super) fn sweep_pages(&mut self, epochs: RangeInclusive<u32>, skipped: u32) -> Result<(), StoreError> {
        self.needs(Room::Scarce)?;
        let counted = pages(&self.rows, epochs.clone())?;
        let mut leased: BTreeMap<u32, u32> = counted.into_iter().map(|pages| (pages.epoch, pages.leased)).collect();
        if skipped > 0 {
            epochs.for_each(|epoch| {
                let leased = leased.entry(epoch).or_default();
                *leased = leased.saturating_add(skipped);
            });
        }
        let mut batch = Batch::default();
        for (epoch, leased) in leased.split_off(&self.floor) {
            let count = Count(leased.min(MAX_PAGES));
            for kind in [layout::PAGES, layout::SWEPT] {
                let key = layout::of_epoch(kind, epoch);
                let record = count.encode(&key);
                batch.insert(key, record);
            }
        }
        self.apply(batch);
        Ok(())
    }

    pub(super) fn put_publication(&mut self, publication: Publication) -> Result<(), StoreError> {
        self.needs(Room::Scarce)?;
        let stored: Option<Publication> = self.read(layout::PUBLICATION)?;
        if stored.is_some_and(|stored| stored.seq >= publication.seq) {
            return Err(StoreError::Superseded);
        }
        let mut batch = Batch::default();
        batch.insert(layout::PUBLICATION, publication.encode(layout::PUBLICATION));
        self.apply(batch);
        self.low = self.low.max(publication.low);
        self.listed = Some(publication.seq);
        Ok(())
    }

    pub(super) fn put_rules(
        &mut self,
        rules: &Rules,
        keys: &[SealedKey],
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        self.needs(Room::Scarce)?;
        let stored: Option<Rules> = self.read(layout::RULES)?;
        if stored.is_some_and(|stored| stored.version >= rules.version) {
            return Err(StoreError::Superseded);
        }
        self.tell(events);
        let mut batch = keys::batch(keys);
        batch.insert(layout::RULES, rules.encode(layout::RULES));
        self.apply(batch);
        Ok(())
    }

    pub(super) fn get(&mut self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.rows.get(key).map_err(|error| self.fail(&error))
    }

    /// Returns the record under `key`, as the changes so far have left it.
    pub(super) fn read<R: Record>(&mut self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.get(key)?.map(|row| R::decode(key, &row)).transpose()
    }

    /// Returns the rows as the changes so far have left them.
    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Takes in what a change writes.
    pub(super) fn apply(&mut self, batch: Batch) {
        self.wrote = true;
        self.rows.write(batch);
    }

    /// Applies a batch, and announces what it revokes once it is durable.
    pub(super) fn apply_announced(&mut self, batch: Batch, announcement: Option<Announcement>) {
        self.apply(batch);
        self.pending.extend(announcement);
    }

    /// Remembers that the engine itself failed: the group must not be acknowledged.
    pub(super) fn fail(&mut self, error: &sled::Error) -> StoreError {
        let fault = failed(error);
        self.fault = Some(fault.clone());
        fault
    }
}
