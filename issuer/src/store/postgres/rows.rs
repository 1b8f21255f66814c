//! The rows that one group of changes works on: read once, changed in memory, written together.

use super::load::Stored;
use crate::store::layout;
use std::collections::BTreeMap;

/// Why a change cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// It looks at rows that have not been read yet: it is run again when they are.
    Needs(Vec<Vec<u8>>),
    /// It is refused.
    Refused(crate::store::StoreError),
}

impl From<crate::store::StoreError> for Stop {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Where a session is found beside its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The left half of its subject's hash.
    pub(super) subject: [u8; 16],
    /// When to look whether it has expired.
    pub(super) due: i64,
}

/// What one change writes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    rows: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    places: Vec<(Vec<u8>, Place)>,
}

impl Batch {
    /// Writes a row, in place of what is there.
    pub(super) fn insert(&mut self, key: impl Into<Vec<u8>>, record: impl Into<Vec<u8>>) {
        self.rows.push((key.into(), Some(record.into())));
    }

    /// Removes a row, if it is there.
    pub(super) fn remove(&mut self, key: impl Into<Vec<u8>>) {
        self.rows.push((key.into(), None));
    }

    /// Says where a session is found, which a new one needs.
    pub(super) fn place(&mut self, key: impl Into<Vec<u8>>, place: Place) {
        self.places.push((key.into(), place));
    }
}

/// Rows by their keys.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// As they were read, and as they are now; `None` where there is none.
    known: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    changed: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    places: BTreeMap<Vec<u8>, Place>,
}

/// What a group writes, by the kind of statement.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Rows of each kind, but for sessions that were there before.
    pub(super) put: BTreeMap<u8, Vec<Stored>>,
    /// Keys of each kind.
    pub(super) removed: BTreeMap<u8, Vec<Vec<u8>>>,
    /// Sessions that are new.
    pub(super) made: Vec<(Vec<u8>, Vec<u8>, Place)>,
    /// Sessions that are to be looked at later than they were.
    pub(super) moved: Vec<(Vec<u8>, i64)>,
}

impl Rows {
    /// Takes in what was read of these keys; those that were not found are not there.
    pub(super) fn learn(&mut self, keys: &[Vec<u8>], found: Vec<Stored>) {
        for key in keys {
            self.known.entry(key.clone()).or_default();
        }
        self.known.extend(found.into_iter().map(|(key, record)| (key, Some(record))));
    }

    /// Returns those of these keys of which nothing is known yet.
    pub(super) fn unknown(&self, keys: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
        keys.into_iter().filter(|key| !self.known.contains_key(key) && !self.changed.contains_key(key)).collect()
    }

    /// Returns a row as it is within the group.
    ///
    /// # Errors
    /// [`Stop::Needs`] when it has not been read.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<&[u8]>, Stop> {
        match self.changed.get(key).or_else(|| self.known.get(key)) {
            Some(record) => Ok(record.as_deref()),
            None => Err(Stop::Needs(vec![key.to_vec()])),
        }
    }

    /// Makes the changes of one batch.
    pub(super) fn apply(&mut self, batch: Batch) {
        self.changed.extend(batch.rows);
        self.places.extend(batch.places);
    }

    /// Returns what differs from what was read.
    pub(super) fn into_writes(self) -> Writes {
        let Self { known, changed, mut places } = self;
        let mut writes = Writes::default();
        for (key, record) in changed {
            if known.get(&key).is_some_and(|before| *before == record) {
                continue;
            }
            let kind = key.first().copied().unwrap_or_default();
            match (record, places.remove(&key)) {
                (Some(record), Some(place)) => writes.made.push((key, record, place)),
                (Some(record), None) => writes.put.entry(kind).or_default().push((key, record)),
                (None, _) => writes.removed.entry(kind).or_default().push(key),
            }
        }
        writes.moved = places.into_iter().map(|(key, place)| (key, place.due)).collect();
        writes
    }
}

impl Writes {
    /// Returns true when there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.put.is_empty() && self.removed.is_empty() && self.made.is_empty() && self.moved.is_empty()
    }
}

/// Returns what stands behind the letter of the kind.
pub(super) fn rest(key: &[u8]) -> &[u8] {
    key.split_first().map_or(&[], |(_, rest)| rest)
}

/// Returns where a session of this subject is found that is to be looked at then.
pub(super) fn place(sub: &str, due: token::time::UnixTime) -> Place {
    let subject = rest(&layout::subject(sub)).try_into().unwrap_or_default();
    Place { subject, due: i64::try_from(due.as_secs()).unwrap_or(i64::MAX) }
}
