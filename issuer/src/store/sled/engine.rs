//! The changes, as the committer's thread makes them: read, decide, one atomic batch.

use super::layout;
use crate::keys::SealedKey;
use crate::revocations::Publication;
use crate::rules::Rules;
use crate::session::{Outcome, Session, SessionId};
use crate::store::record::{Count, Record, RevokedBy};
use crate::store::{Announcement, ClientRecord, Pages, Revocations, StoreError, Transition};
use sled::{Batch, IVec, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeInclusive};
use token::id::{Jti, MAX_INDEX};
use tokio::sync::mpsc;

/// Pages of 1,024 indices in an epoch.
const MAX_PAGES: u32 = (MAX_INDEX >> 10) + 1;

/// What the committer's thread owns.
pub(super) struct Engine {
    pub(super) tree: Tree,
    /// Number of the next change that revokes something.
    next_number: u64,
    /// Epochs below have left the published list.
    pub(super) low: u32,
    /// Pages of epochs below are forgotten and never leased again.
    pub(super) floor: u32,
    /// False when the log ends before the newest list.
    whole: bool,
    /// Number of a list stored since the last group.
    listed: Option<u64>,
    feed: Option<mpsc::UnboundedSender<Announcement>>,
    pending: Vec<Announcement>,
    wrote: bool,
    fault: Option<StoreError>,
}

impl Engine {
    /// Returns the engine over an open tree.
    pub(super) fn open(tree: Tree, newest_list: u64) -> Result<Self, StoreError> {
        let publication: Option<Publication> = read(&tree, layout::PUBLICATION)?;
        let floor = read(&tree, layout::FLOOR)?.map_or(0, |Count(floor)| floor);
        let newest = entries(&tree)?.into_iter().map(|(_, number)| number).max().unwrap_or(0);
        Ok(Self {
            tree,
            next_number: newest.max(publication.map_or(0, |publication| publication.upto)).saturating_add(1),
            low: publication.map_or(0, |publication| publication.low),
            floor,
            whole: newest_list <= publication.map_or(0, |publication| publication.seq),
            listed: None,
            feed: None,
            pending: Vec::new(),
            wrote: false,
            fault: None,
        })
    }

    /// Returns whether anything was written since the last call.
    pub(super) fn wrote(&mut self) -> bool {
        std::mem::take(&mut self.wrote)
    }

    /// Returns what failed below a change, if anything did.
    pub(super) fn take_fault(&mut self) -> Option<StoreError> {
        self.fault.take()
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

    /// Hands everything to the operating system; it is not durable yet.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        self.tree.flush().map(drop).map_err(|error| failed(&error))
    }

    pub(super) fn create_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let key = layout::session(session.sid);
        if self.get(&key)?.is_some() {
            return Err(StoreError::damaged("a new session has the name of one that exists"));
        }
        let mut batch = Batch::default();
        batch.insert(&*key, session.encode(&key));
        batch.insert(layout::due(session.expires_at(), session.sid), &[]);
        batch.insert(layout::of_subject(&session.grant.sub, session.sid), &[]);
        self.apply(batch)
    }

    pub(super) fn update_session(
        &mut self,
        sid: SessionId,
        transition: Transition,
    ) -> Result<Option<(Session, Outcome)>, StoreError> {
        let key = layout::session(sid);
        let Some(row) = self.get(&key)? else { return Ok(None) };
        let step = transition(Session::decode(&key, &row)?);
        if step.changed || !step.revoked.is_empty() {
            let mut batch = Batch::default();
            let announcement = self.revoke_in(&mut batch, step.revoked)?;
            batch.insert(&*key, step.session.encode(&key));
            self.apply_announced(batch, announcement)?;
        }
        Ok(Some((step.session, step.outcome)))
    }

    pub(super) fn revoke(&mut self, jtis: Vec<Jti>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        match self.revoke_in(&mut batch, jtis)? {
            Some(announcement) => self.apply_announced(batch, Some(announcement)),
            None => Ok(()),
        }
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
        let entries = entries(&self.tree)?;
        self.pending.clear(); // they are among the entries
        self.feed = Some(feed);
        Ok(Revocations { entries, feed: receiver, whole: self.whole })
    }

    pub(super) fn lease_page(&mut self, epoch: u32) -> Result<u32, StoreError> {
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
        self.apply(batch).map(|()| page)
    }

    pub(super) fn sweep_pages(&mut self, epochs: RangeInclusive<u32>, skipped: u32) -> Result<(), StoreError> {
        let counted = pages(&self.tree, epochs.clone())?;
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
        self.apply(batch)
    }

    pub(super) fn put_publication(&mut self, publication: Publication) -> Result<(), StoreError> {
        let stored: Option<Publication> = read(&self.tree, layout::PUBLICATION)?;
        if stored.is_some_and(|stored| stored.seq >= publication.seq) {
            return Err(StoreError::Superseded);
        }
        let mut batch = Batch::default();
        batch.insert(layout::PUBLICATION, publication.encode(layout::PUBLICATION));
        self.apply(batch)?;
        self.low = self.low.max(publication.low);
        self.listed = Some(publication.seq);
        Ok(())
    }

    pub(super) fn put_rules(&mut self, rules: &Rules, keys: &[SealedKey]) -> Result<(), StoreError> {
        let stored: Option<Rules> = read(&self.tree, layout::RULES)?;
        if stored.is_some_and(|stored| stored.version >= rules.version) {
            return Err(StoreError::Superseded);
        }
        let mut batch = of_keys(keys);
        batch.insert(layout::RULES, rules.encode(layout::RULES));
        self.apply(batch)
    }

    pub(super) fn put_keys(&mut self, keys: &[SealedKey]) -> Result<(), StoreError> {
        self.apply(of_keys(keys))
    }

    pub(super) fn put_client(&mut self, client: &ClientRecord) -> Result<(), StoreError> {
        let key = layout::client(&client.client_id);
        let mut batch = Batch::default();
        batch.insert(&*key, client.encode(&key));
        self.apply(batch)
    }

    pub(super) fn get(&mut self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.tree.get(key).map_err(|error| self.fail(&error))
    }

    pub(super) fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.wrote = true;
        self.tree.apply_batch(batch).map_err(|error| self.fail(&error))
    }

    /// Applies a batch, and announces what it revokes once it is durable.
    pub(super) fn apply_announced(
        &mut self,
        batch: Batch,
        announcement: Option<Announcement>,
    ) -> Result<(), StoreError> {
        self.apply(batch)?;
        self.pending.extend(announcement);
        Ok(())
    }

    /// Remembers that the engine itself failed: the group must not be acknowledged.
    pub(super) fn fail(&mut self, error: &sled::Error) -> StoreError {
        let fault = failed(error);
        self.fault = Some(fault.clone());
        fault
    }
}

fn of_keys(keys: &[SealedKey]) -> Batch {
    let mut batch = Batch::default();
    for sealed in keys {
        let key = layout::key(&sealed.kid);
        let record = sealed.encode(&key);
        batch.insert(key, record);
    }
    batch
}

/// Returns the record under `key`.
pub(super) fn read<R: Record>(tree: &Tree, key: &[u8]) -> Result<Option<R>, StoreError> {
    let row = tree.get(key).map_err(|error| failed(&error))?;
    row.map(|row| R::decode(key, &row)).transpose()
}

/// Returns all records of a kind.
pub(super) fn read_all<R: Record>(tree: &Tree, kind: u8) -> Result<Vec<R>, StoreError> {
    let rows = tree.scan_prefix([kind]);
    rows.map(|row| row.map_err(|error| failed(&error)).and_then(|(key, row)| R::decode(&key, &row))).collect()
}

/// Returns what is stored of the pages of these epochs.
pub(super) fn pages(tree: &Tree, epochs: RangeInclusive<u32>) -> Result<Vec<Pages>, StoreError> {
    let (first, last) = epochs.into_inner();
    let rows = tree.range(layout::of_epoch(layout::PAGES, first)..=layout::of_epoch(layout::PAGES, last));
    let pages = |row: sled::Result<(IVec, IVec)>| {
        let (key, row) = row.map_err(|error| failed(&error))?;
        let Count(leased) = Count::decode(&key, &row)?;
        let epoch = layout::parse_epoch(&key).ok_or_else(|| StoreError::damaged("an epoch has an odd key"))?;
        let swept = read(tree, &layout::of_epoch(layout::SWEPT, epoch))?.map_or(0, |Count(swept)| swept);
        Ok(Pages { epoch, leased, swept })
    };
    rows.map(pages).collect()
}

/// Returns the sessions behind this one.
pub(super) fn sessions(tree: &Tree, after: Option<SessionId>, most: usize) -> Result<Vec<Session>, StoreError> {
    let from = after.map_or(Bound::Included(vec![layout::SESSION]), |sid| Bound::Excluded(layout::session(sid)));
    let rows = tree.range((from, Bound::Excluded(vec![layout::SESSION + 1]))).take(most);
    rows.map(|row| row.map_err(|error| failed(&error)).and_then(|(key, row)| Session::decode(&key, &row))).collect()
}

fn entries(tree: &Tree) -> Result<Vec<(Jti, u64)>, StoreError> {
    let entry = |row: sled::Result<(IVec, IVec)>| {
        let (key, row) = row.map_err(|error| failed(&error))?;
        let jti = layout::parse_revocation(&key).ok_or_else(|| StoreError::damaged("a revocation has an odd key"))?;
        RevokedBy::decode(&key, &row).map(|RevokedBy(number)| (jti, number))
    };
    tree.scan_prefix([layout::REVOCATION]).map(entry).collect()
}

fn failed(error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } => StoreError::damaged("the engine found corrupted data"),
        other => StoreError::Failed { detail: other.to_string().into() },
    }
}
