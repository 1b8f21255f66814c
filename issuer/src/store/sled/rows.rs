//! The rows as a group of changes sees them.
//!
//! sled closes a buffer before and after every batch and writes both from another thread, which costs more than the
//! changes do. So what the changes of a group write waits above the tree, where those behind them already see it, and goes
//! into the tree as one batch, together with the events that tell of it: a group is on disk as a whole or not at all. Where a scan or the bound parts it, each part
//! is, with its events.

use sled::{IVec, Tree};
use std::collections::BTreeMap;

/// Bytes that wait at most; a group that writes more goes into the tree in several batches, each of whole changes.
const WAITING_BYTES: usize = 512 * 1024;

/// What one change writes, all of it or nothing.
#[derive(Default)]
pub(super) struct Batch(Vec<(IVec, Option<IVec>)>);

impl Batch {
    /// Puts a row in place of the one before.
    pub(super) fn insert(&mut self, key: impl Into<IVec>, row: impl Into<IVec>) {
        self.0.push((key.into(), Some(row.into())));
    }

    /// Takes a row away, if there is one.
    pub(super) fn remove(&mut self, key: impl Into<IVec>) {
        self.0.push((key.into(), None));
    }
}

/// The tree, and above it what waits.
pub(super) struct Rows {
    tree: Tree,
    waiting: BTreeMap<IVec, Option<IVec>>,
    bytes: usize,
}

impl Rows {
    /// Returns the rows of a tree, with nothing waiting.
    pub(super) fn of(tree: Tree) -> Self {
        Self { tree, waiting: BTreeMap::new(), bytes: 0 }
    }

    /// Returns a row as the changes so far have left it.
    pub(super) fn get(&self, key: &[u8]) -> sled::Result<Option<IVec>> {
        match self.waiting.get(key) {
            Some(row) => Ok(row.clone()),
            None => self.tree.get(key),
        }
    }

    /// Takes in what a change writes, and returns whether so much waits now that it must go into the tree.
    #[must_use]
    pub(super) fn write(&mut self, Batch(rows): Batch) -> bool {
        for (key, row) in rows {
            let bytes = key.len().saturating_add(row.as_ref().map_or(0, |row| row.len()));
            self.bytes = self.bytes.saturating_add(bytes);
            self.waiting.insert(key, row);
        }
        self.bytes > WAITING_BYTES
    }

    /// Puts what waits into the tree. It is not durable yet.
    pub(super) fn settle(&mut self) -> sled::Result<()> {
        self.bytes = 0;
        let mut batch = sled::Batch::default();
        for (key, row) in std::mem::take(&mut self.waiting) {
            match row {
                Some(row) => batch.insert(key, row),
                None => batch.remove(key),
            }
        }
        self.tree.apply_batch(batch)
    }

    /// Returns the tree for a scan, after putting into it what waits.
    pub(super) fn settled(&mut self) -> sled::Result<&Tree> {
        if !self.waiting.is_empty() {
            self.settle()?;
        }
        Ok(&self.tree)
    }

    /// Hands everything to the operating system; it is not durable yet.
    pub(super) fn flush(&mut self) -> sled::Result<()> {
        self.settled()?.flush().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> (Rows, Tree) {
        let db = sled::Config::new().temporary(true).open().unwrap();
        let tree: Tree = (*db).clone();
        (Rows::of(tree.clone()), tree)
    }

    fn batch(rows: &[(&[u8], Option<&[u8]>)]) -> Batch {
        Batch(rows.iter().map(|(key, row)| ((*key).into(), row.map(IVec::from))).collect())
    }

    #[test]
    fn what_a_change_wrote_is_seen_by_those_behind_it_and_in_the_tree_once_the_group_is_handed_over() {
        let (mut rows, tree) = rows();
        assert!(!rows.write(batch(&[(b"a", Some(b"1")), (b"b", Some(b"2"))])));
        assert!(!rows.write(batch(&[(b"a", Some(b"3")), (b"b", None)])));
        assert_eq!(rows.get(b"a").unwrap().unwrap(), b"3");
        assert_eq!(rows.get(b"b").unwrap(), None);
        assert!(tree.is_empty());
        rows.flush().unwrap();
        assert_eq!(tree.get(b"a").unwrap().unwrap(), b"3");
        assert_eq!(tree.get(b"b").unwrap(), None);
        assert!(!rows.write(batch(&[(b"a", None)])));
        assert_eq!(rows.get(b"a").unwrap(), None, "also above a row of the tree");
        assert_eq!(rows.settled().unwrap().get(b"a").unwrap(), None, "a scan sees it");
    }

    #[test]
    fn what_waits_is_bounded_and_a_change_is_never_parted() {
        let (mut rows, tree) = rows();
        let large = vec![0; WAITING_BYTES / 2];
        assert!(!rows.write(batch(&[(b"a", Some(&large))])));
        assert!(rows.write(batch(&[(b"b", Some(&large)), (b"c", Some(b"1"))])));
        assert!(tree.is_empty());
        rows.settle().unwrap();
        assert_eq!(tree.len(), 3);
    }
}
