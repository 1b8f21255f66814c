//! A status list of the OAuth Token Status List draft (draft-ietf-oauth-status-list-20 §4): one bit for each token of an
//! expiry epoch, so that a library of somebody else can tell which of our tokens are revoked.
//!
//! ```text
//! bits   1                                   0 = VALID, 1 = INVALID
//! lst    zlib (RFC 1950) of a byte array     index i is bit i mod 8 of byte i div 8, least significant bit first
//! ```
//!
//! This is a second view of what [`crate::revocation`] says, for those who do not read that. `issue/status.rs` signs it;
//! nothing here reads one: verifiers of this project use the revocation list.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write as _;

/// Indices that a list may have, 2^27: 16 MiB before compression, which is what a reader has to hold.
pub const MAX_INDICES: u32 = 1 << 27;

/// The array of one epoch, not compressed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    bytes: Vec<u8>,
}

/// The list would have more than [`MAX_INDICES`] indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyIndices;

impl StatusList {
    /// Returns the list of at least this many indices, rounded up to whole bytes, all of them valid.
    ///
    /// # Errors
    /// [`TooManyIndices`].
    pub fn new(indices: u32) -> Result<Self, TooManyIndices> {
        if indices > MAX_INDICES {
            return Err(TooManyIndices);
        }
        let bytes = usize::try_from(indices.div_ceil(8)).map_err(|_| TooManyIndices)?;
        Ok(Self { bytes: vec![0; bytes] })
    }

    /// Marks an index as revoked. One beyond the list changes nothing: readers refuse it as out of range.
    pub fn revoke(&mut self, index: u32) {
        if let Some(byte) = usize::try_from(index >> 3).ok().and_then(|at| self.bytes.get_mut(at)) {
            *byte |= 1 << (index & 7);
        }
    }

    /// Marks every index below `end` as revoked.
    pub fn revoke_below(&mut self, end: u32) {
        let whole = usize::try_from(end >> 3).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes.iter_mut().take(whole).for_each(|byte| *byte = 0xff);
        (end & !7..end).for_each(|index| self.revoke(index));
    }

    /// Returns the bytes before compression.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns `lst` before it is written as text: the array in zlib's format, compressed as well as it can be.
    pub fn compress(&self) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail. If it did, an empty list would be out of range for every index.
        encoder.write_all(&self.bytes).and_then(|()| encoder.finish()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::ZlibDecoder;
    use std::io::Read as _;

    /// Draft §4.1: the array of the first example.
    const EXAMPLE: [u8; 2] = [0xb9, 0xa3];

    fn example() -> StatusList {
        let mut list = StatusList::new(16).unwrap();
        [0, 3, 4, 5, 7, 8, 9, 13, 15].into_iter().for_each(|index| list.revoke(index));
        list
    }

    #[test]
    fn the_array_of_the_draft_comes_out() {
        assert_eq!(example().as_bytes(), EXAMPLE);
    }

    #[test]
    fn what_is_compressed_inflates_to_the_array() {
        let mut list = StatusList::new(100_000).unwrap();
        (0..100_000).step_by(97).for_each(|index| list.revoke(index));
        let mut inflated = Vec::new();
        ZlibDecoder::new(list.compress().as_slice()).read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, list.as_bytes());
    }

    #[test]
    fn below_an_end_everything_is_revoked_and_from_it_on_nothing() {
        for end in 0..=24 {
            let mut list = StatusList::new(20).unwrap();
            list.revoke_below(end);
            let mut one_by_one = StatusList::new(20).unwrap();
            (0..end).for_each(|index| one_by_one.revoke(index));
            assert_eq!(list, one_by_one, "{end}");
        }
    }

    #[test]
    fn a_list_is_bounded() {
        assert_eq!(StatusList::new(MAX_INDICES + 1), Err(TooManyIndices));
        assert_eq!(StatusList::new(MAX_INDICES).unwrap().as_bytes().len(), 1 << 24);
    }
}
