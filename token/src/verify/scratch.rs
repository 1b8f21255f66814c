//! Memory that judging uses again.

use super::judge::Opened;
use crate::json::Tape;
use crate::jwk::Algorithm;
use std::ops::Range;

/// Memory that judging reuses from call to call, whichever verifier is called.
///
/// It grows with the longest token, of which it holds the decoded bytes and a tape of at most 24 bytes for every two of
/// them, and with the payloads of one chunk of [`super::Verifier::judge_many`].
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) buffers: Buffers,
    pub(super) tape: Tape,
}

impl Scratch {
    /// Returns none yet.
    pub const fn new() -> Self {
        let recent = Recent { header: Vec::new(), algorithm: None, kid: String::new(), place: 0 };
        let buffers = Buffers { header: Vec::new(), signature: Vec::new(), payloads: Vec::new(), recent };
        Self { buffers, tape: Tape::new() }
    }
}

/// The decoded parts of tokens.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) header: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// Of one token, or of a chunk one after another.
    pub(super) payloads: Vec<u8>,
    pub(super) recent: Recent,
}

impl Buffers {
    pub(super) fn payload(&self, range: &Range<usize>) -> &[u8] {
        self.payloads.get(range.clone()).unwrap_or_default()
    }
}

/// The header of the last token whose signature held: tokens of one key have the same, so its text says what is in it.
///
/// It holds what the header says and no key: which key that is, is looked up in the verifier's set for each token, first
/// where it was last. No forged token gets here, so none can drive out what is remembered.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// As base64url.
    header: Vec<u8>,
    algorithm: Option<Algorithm>,
    kid: String,
    place: usize,
}

impl Recent {
    /// Returns the header as base64url; empty when there is none.
    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    /// Returns algorithm and key identifier of this header, if it is the one that is remembered.
    pub(super) fn knows(&self, header: &[u8]) -> Option<(Algorithm, &str)> {
        let algorithm = self.algorithm.filter(|_| self.header == header)?;
        Some((algorithm, &self.kid))
    }

    /// Returns where the key was in its set.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// Remembers the header of a token whose signature holds.
    pub(super) fn note(&mut self, token: &Opened<'_, '_>) {
        let Opened { header, key, place, .. } = token;
        self.place = *place;
        if self.knows(header).is_some() {
            return;
        }
        self.header.clear();
        self.header.extend_from_slice(header);
        self.algorithm = Some(key.algorithm());
        self.kid.clear();
        self.kid.push_str(key.kid());
    }
}
