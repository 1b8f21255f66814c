//! Where JavaScript lays down what is to be judged and finds the answers: buffers at fixed places in the module's memory,
//! so that a judgement is one call with numbers only and nothing is allocated for it.

use crate::answer::Refusal;
use crate::seconds;
use crate::slots::Slots;
use std::fmt::{self, Write as _};
use token::Rejection;
use token::jws;
use token::time::UnixTime;
use token::verify::{Judged, Recheck, Scope, Scratch, Verifier};
use wasm_bindgen::prelude::*;

/// Bytes of all tokens that are judged together: room for a few of the longest.
const TOKENS_LENGTH: usize = 32 * 1024;
/// Tokens that are judged together.
const TOKENS: usize = 64;
/// Bytes of the scope that one call asks for: no token holds more.
const SCOPE_LENGTH: usize = jws::MAX_LENGTH;
/// Bytes of a refusal at most; a test holds each of them against it.
const REFUSAL_LENGTH: usize = 256;
/// Base64url makes four bytes of three, so claims are shorter than their token. Between answers there are commas.
const OUTPUT_LENGTH: usize = TOKENS_LENGTH + TOKENS * (REFUSAL_LENGTH + 1) + 2;

/// Buffers for judging, one set for all verifiers.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Desk {
    tokens: Box<[u8]>,
    lengths: Box<[u32]>,
    scope: Box<[u8]>,
    output: Output,
    scratch: Scratch,
}

#[wasm_bindgen]
impl Desk {
    /// Returns an empty desk.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self {
            tokens: vec![0; TOKENS_LENGTH].into(),
            lengths: vec![0; TOKENS].into(),
            scope: vec![0; SCOPE_LENGTH].into(),
            output: Output { bytes: vec![0; OUTPUT_LENGTH].into(), length: 0 },
            scratch: Scratch::default(),
        }
    }

    /// Where tokens are laid down, as many bytes as [`Desk::tokens_length`] says.
    pub fn tokens(&self) -> usize {
        self.tokens.as_ptr().expose_provenance()
    }

    /// Bytes of all tokens that are judged together.
    #[wasm_bindgen(js_name = tokensLength)]
    pub fn tokens_length(&self) -> usize {
        self.tokens.len()
    }

    /// Where the length of each token in bytes is laid down when several are judged, as u32.
    pub fn lengths(&self) -> usize {
        self.lengths.as_ptr().expose_provenance()
    }

    /// How many lengths there is room for.
    pub fn count(&self) -> usize {
        self.lengths.len()
    }

    /// Where a required scope is laid down.
    pub fn scope(&self) -> usize {
        self.scope.as_ptr().expose_provenance()
    }

    /// Bytes of a required scope at most.
    #[wasm_bindgen(js_name = scopeLength)]
    pub fn scope_length(&self) -> usize {
        self.scope.len()
    }

    /// Where answers are.
    pub fn output(&self) -> usize {
        self.output.bytes.as_ptr().expose_provenance()
    }
}

impl Desk {
    /// Judges the token of `length` bytes, keeps in `slot` what is asked again, and returns the length of the answer.
    pub(crate) fn judge(
        &mut self,
        verifier: &Verifier,
        call: Call,
        length: usize,
        slots: &mut Slots,
        slot: usize,
    ) -> usize {
        let Self { tokens, scope, output, scratch, .. } = self;
        let token = tokens.get(..length).unwrap_or(tokens);
        output.begin();
        let written = match call.asked(scope) {
            Ok((required, now)) => {
                let verdict = verifier.judge(token, required, now, scratch);
                if let Ok(judged) = &verdict {
                    slots.keep(slot, judged);
                }
                output.verdict(verdict)
            }
            Err(refusal) => write!(output, "{refusal}"),
        };
        output.end(written)
    }

    /// Judges the first `count` tokens, and returns the length of the array of answers.
    pub(crate) fn judge_many(&mut self, verifier: &Verifier, call: Call, count: usize) -> usize {
        let Self { tokens, lengths, scope, output, scratch } = self;
        output.begin();
        let mut written = Ok(());
        match call.asked(scope) {
            Ok((required, now)) => {
                let tokens = split(tokens, lengths.get(..count).unwrap_or(lengths));
                verifier.judge_many(tokens, required, now, scratch, |verdict| {
                    let separator = if output.length == 0 { '[' } else { ',' };
                    let answered = output.write_char(separator).and_then(|()| output.verdict(verdict));
                    written = written.and(answered);
                });
                written = written.and_then(|()| output.write_char(']'));
            }
            Err(refusal) => written = write!(output, "{refusal}"),
        }
        output.end(written)
    }

    /// Returns [`HOLDS`], [`UNKNOWN`], or the length of the refusal.
    pub(crate) fn recheck(&mut self, verifier: &Verifier, call: Call, slots: &Slots, slot: usize) -> usize {
        let Self { scope, output, .. } = self;
        let (Some(remembered), Ok((required, now))) = (slots.get(slot), call.asked(scope)) else { return UNKNOWN };
        match verifier.recheck(remembered, required, now) {
            Recheck::Holds => HOLDS,
            Recheck::Unknown => UNKNOWN,
            Recheck::Refused(rejection) => {
                output.begin();
                let written = output.verdict(Err(rejection));
                output.end(written)
            }
        }
    }
}

/// Nothing is known of it: the token must be judged.
const UNKNOWN: usize = 0;
/// The token holds. No answer is that short.
const HOLDS: usize = 1;

/// What a call asks for, as JavaScript says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// Bytes of the required scope.
    pub(crate) scope: usize,
    /// Seconds since 1970.
    pub(crate) now: f64,
}

impl Call {
    fn asked(self, scope: &[u8]) -> Result<(Scope<'_>, UnixTime), Refusal> {
        let scope = scope.get(..self.scope).and_then(|scope| std::str::from_utf8(scope).ok());
        let scope = scope.ok_or_else(|| Refusal::usage("the required scope is too long"))?;
        Ok((Scope::parse(scope)?, seconds::time(self.now)?))
    }
}

/// Returns the pieces of `bytes` that lie one behind the other; what goes beyond the end is empty, and so no token.
fn split<'t>(bytes: &'t [u8], lengths: &[u32]) -> impl Iterator<Item = &'t [u8]> {
    let mut rest = bytes;
    lengths.iter().map(move |&length| {
        let (piece, behind) = usize::try_from(length).ok().and_then(|at| rest.split_at_checked(at)).unwrap_or_default();
        rest = behind;
        piece
    })
}

/// Answers, as many bytes of them as there is room for.
#[derive(Debug)]
struct Output {
    bytes: Box<[u8]>,
    length: usize,
}

impl Output {
    fn begin(&mut self) {
        self.length = 0;
    }

    fn verdict(&mut self, verdict: Result<Judged<'_>, Rejection>) -> fmt::Result {
        match verdict {
            Ok(judged) => self.write_str(judged.json()),
            Err(rejection) => write!(self, "{}", Refusal::from(rejection)),
        }
    }

    /// Returns the length of what was written; 0, which is no answer at all, when that is not the whole.
    fn end(&self, written: fmt::Result) -> usize {
        if written.is_ok() { self.length } else { 0 }
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length.saturating_add(text.len());
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use token::error::{ClaimFault, JwsFault, RevokedBy, Staleness};
    use token::json::Fault;

    fn output(room: usize) -> Output {
        Output { bytes: vec![0; room].into(), length: 0 }
    }

    #[test]
    fn every_refusal_is_shorter_than_the_room_for_it() {
        let claims = [ClaimFault::Missing, ClaimFault::Invalid, ClaimFault::CheckFailed];
        let jws = [JwsFault::TooLong, JwsFault::Parts, JwsFault::Base64url, JwsFault::RefusedMember];
        let jws = jws.into_iter().chain([JwsFault::Algorithm, JwsFault::KeyId, JwsFault::Header(Fault::Depth)]);
        let by = [RevokedBy::Index, RevokedBy::All, RevokedBy::Key, RevokedBy::Subject, RevokedBy::Session];
        let stale = [Staleness::Absent, Staleness::Expired, Staleness::TooOld];
        let all = [Rejection::AlgorithmNotAllowed, Rejection::NoMatchingKey, Rejection::Signature, Rejection::Expired]
            .into_iter()
            .chain([Rejection::StatusMissing, Rejection::Jwt(Fault::Depth), Rejection::Jwt(Fault::Syntax)])
            .chain(claims.map(|reason| Rejection::Claim { claim: "permissions", reason })) // the longest name
            .chain(jws.map(Rejection::Jws))
            .chain(by.into_iter().chain([RevokedBy::Client]).map(Rejection::Revoked))
            .chain(stale.map(Rejection::Stale));
        for rejection in all {
            let mut output = output(REFUSAL_LENGTH);
            let written = output.verdict(Err(rejection.clone()));
            assert!(output.end(written) > HOLDS, "{rejection:?}");
        }
    }

    #[test]
    fn what_finds_no_room_is_no_answer() {
        for room in 0..60 {
            let mut output = output(room);
            let written = output.verdict(Err(Rejection::Expired));
            assert_eq!(output.end(written), 0, "{room}");
        }
    }

    #[test]
    fn pieces_beyond_the_end_are_empty() {
        let pieces: Vec<&[u8]> = split(b"abcdef", &[2, 3, 2, 1]).collect();
        assert_eq!(pieces, [&b"ab"[..], b"cde", b"", b""]);
    }
}
