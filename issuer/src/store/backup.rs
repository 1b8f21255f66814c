//! Everything a store keeps, row by row, for backups.

use super::Answer;

/// A row as it lies in a store: the first byte of the key says of what kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it lies.
    pub key: Vec<u8>,
    /// What it holds.
    pub record: Vec<u8>,
}

/// Reads everything out of a store while it is in use.
///
/// Each row is whole. What was acknowledged before the first call is there; what changes meanwhile is there as it was or
/// as it is. Rows that follow from others are left out, and made again when the store is restored.
pub trait Backups {
    /// Returns the rows that speak of the store as a whole, all of one moment.
    fn backup_head(&self) -> Answer<Vec<Row>>;

    /// Returns the rows behind this key, some `most_bytes` of them; none when there are no more.
    fn backup_rows(&self, after: Option<Vec<u8>>, most_bytes: usize) -> Answer<Vec<Row>>;

    /// Returns how many bytes the store takes on disk, which is more than a backup does; `None` where the engine cannot tell.
    fn bytes_on_disk(&self) -> Answer<Option<u64>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
