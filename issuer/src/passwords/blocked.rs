//! The operator's list of passwords that nobody may choose.

use super::fold;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

/// Bytes of a list that are read: some six million passwords.
pub const MAX_BLOCK_LIST: u64 = 64 * 1024 * 1024;

/// Passwords that nobody may choose, each as the first 64 bits of its SHA-256: eight bytes a password, and the odds that
/// one of a million lists an innocent one are below 10⁻¹².
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockList(Vec<u64>);

impl BlockList {
    /// Returns the list that `text` is: one password a line, in any letters' case; empty lines say nothing.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty());
        let mut hashes: Vec<u64> = lines.map(|line| hash(&fold(&line.nfc().collect::<String>()))).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// Returns how many passwords it holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the folded password is on it.
    pub(super) fn holds(&self, folded: &str) -> bool {
        self.0.binary_search(&hash(folded)).is_ok()
    }
}

fn hash(folded: &str) -> u64 {
    let digest = Sha256::digest(folded);
    digest.first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first))
}
