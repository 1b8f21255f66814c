//! Several tokens judged at once, so that what their signatures cost is shared.

use super::judge::Opened;
use super::{Judged, Scope, Scratch, Verifier};
use crate::error::Rejection;
use crate::time::UnixTime;
use ed25519::Pending;

/// Tokens of one chunk: more share an inversion that is then a small part of what each costs.
const CHUNK: usize = 64;
/// A chunk ends with the token that brings its payloads to this many bytes.
const CHUNK_BYTES: usize = 64 * 1024;

impl Verifier {
    /// Judges `tokens` and hands each verdict to `each`, in order; the verdicts are those of [`Verifier::judge`].
    ///
    /// A chunk of tokens is held at a time: at most 64, with payloads of 64 KiB and one more.
    pub fn judge_many<'t>(
        &self,
        tokens: impl IntoIterator<Item = &'t [u8]>,
        required: Scope<'_>,
        now: UnixTime,
        scratch: &mut Scratch,
        mut each: impl FnMut(Result<Judged<'_>, Rejection>),
    ) {
        let mut tokens = tokens.into_iter().fuse();
        let (mut chunk, mut pending) = (Vec::new(), Vec::new());
        loop {
            self.begin_chunk(&mut tokens, &mut chunk, &mut pending, scratch);
            if chunk.is_empty() {
                return;
            }
            let mut holds = ed25519::settle(&pending).into_iter();
            pending.clear();
            for opened in chunk.drain(..) {
                each(opened.and_then(|opened: Opened<'_, '_>| {
                    if holds.next() != Some(true) {
                        return Err(Rejection::Signature);
                    }
                    scratch.buffers.recent.note(&opened);
                    let payload = scratch.buffers.payload(&opened.payload);
                    self.weigh(opened.key, payload, &mut scratch.tape, required, now)
                }));
            }
        }
    }

    /// Opens the tokens of a chunk and begins with their signatures: one pending for each that could be opened.
    fn begin_chunk<'k, 't>(
        &'k self,
        tokens: &mut impl Iterator<Item = &'t [u8]>,
        chunk: &mut Vec<Result<Opened<'k, 't>, Rejection>>,
        pending: &mut Vec<Pending<'k>>,
        scratch: &mut Scratch,
    ) {
        let Scratch { buffers, tape } = scratch;
        buffers.payloads.clear();
        while chunk.len() < CHUNK && buffers.payloads.len() < CHUNK_BYTES {
            let Some(token) = tokens.next() else { return };
            let opened = self.open(token, buffers, tape);
            if let Ok(opened) = &opened {
                pending.push(opened.key.begin(opened.signing_input, &opened.signature));
            }
            chunk.push(opened);
        }
    }
}
