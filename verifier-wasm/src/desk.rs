//! Where JavaScript lays down what is to be judged and finds the answers: fixed places in the module's memory, so that a
//! judgement is one call with numbers only and nothing is allocated for it.

use crate::answer::{self, Refusal};
use crate::output::Output;
use crate::seconds;
use crate::slots::Slots;
use std::sync::{Mutex, MutexGuard, PoisonError};
use token::Rejection;
use token::jws;
use token::time::UnixTime;
use token::verify::{Judged, Misuse, Recheck, Scope, Scratch, Verifier};

// pkg/src/desk.js knows these lengths.
/// Bytes of all tokens that are judged together: room for a few of the longest.
const TOKENS_LENGTH: usize = 32 * 1024;
/// Tokens that are judged together.
const TOKENS: usize = 64;
/// Bytes of the scope that one call asks for: no token holds more.
const SCOPE_LENGTH: usize = jws::MAX_LENGTH;
/// Base64url makes four bytes of three, so claims are shorter than their token. Between answers there are commas.
const OUTPUT_LENGTH: usize = TOKENS_LENGTH + TOKENS * (answer::MAX_LENGTH + 1) + 2;

/// Places for judging, one set for all verifiers.
#[derive(Debug)]
pub(crate) struct Desk {
    tokens: [u8; TOKENS_LENGTH],
    lengths: [u32; TOKENS],
    scope: [u8; SCOPE_LENGTH],
    output: [u8; OUTPUT_LENGTH],
    refused: usize,
}

static DESK: Mutex<Desk> = Mutex::new(Desk::empty());
/// Apart from the desk: what begins as nothing but zeros takes no room in the module.
static SCRATCH: Mutex<Scratch> = Mutex::new(Scratch::new());

/// Returns the desk.
pub(crate) fn desk() -> MutexGuard<'static, Desk> {
    DESK.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    const fn empty() -> Self {
        let (lengths, scope) = ([0; TOKENS], [0; SCOPE_LENGTH]);
        Self { tokens: [0; TOKENS_LENGTH], lengths, scope, output: [0; OUTPUT_LENGTH], refused: 0 }
    }

    /// Returns the address of a place.
    ///
    /// ```text
    /// 0   tokens, one behind the other
    /// 1   the length of each in bytes when several are judged, as u32
    /// 2   a required scope
    /// 3   answers
    /// ```
    pub(crate) fn place(&self, number: u32) -> usize {
        match number {
            0 => self.tokens.as_ptr().expose_provenance(),
            1 => self.lengths.as_ptr().expose_provenance(),
            2 => self.scope.as_ptr().expose_provenance(),
            _ => self.output.as_ptr().expose_provenance(),
        }
    }

    /// Judges the token of `length` bytes, keeps in `slot` what is asked again, and returns the length of the answer.
    pub(crate) fn judge(
        &mut self,
        verifier: &Verifier,
        call: Call,
        length: usize,
        slots: &mut Slots,
        slot: usize,
    ) -> usize {
        let Self { tokens, scope, output, .. } = self;
        let token = tokens.get(..length).unwrap_or(tokens);
        let mut output = Output::over(output);
        match call.asked(scope) {
            Ok((required, now)) => {
                let mut scratch = scratch();
                let verdict = verifier.judge(token, required, now, &mut scratch);
                if let Ok(judged) = &verdict {
                    slots.keep(slot, judged);
                }
                write_verdict(verdict, &mut output);
            }
            Err(message) => Refusal::usage(message).write(&mut output),
        }
        output.end()
    }

    /// Judges the first `count` tokens, and returns the length of the array of answers.
    pub(crate) fn judge_many(&mut self, verifier: &Verifier, call: Call, count: usize) -> usize {
        let Self { tokens, lengths, scope, output, .. } = self;
        let mut output = Output::over(output);
        match call.asked(scope) {
            Ok((required, now)) => {
                let tokens = split(tokens, lengths.get(..count).unwrap_or(lengths));
                verifier.judge_many(tokens, required, now, &mut scratch(), |verdict| {
                    output.push(if output.is_empty() { "[" } else { "," });
                    write_verdict(verdict, &mut output);
                });
                output.push("]");
            }
            Err(message) => Refusal::usage(message).write(&mut output),
        }
        output.end()
    }

    /// Lays a refusal down as the answer, and returns its length.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) -> usize {
        let mut output = Output::over(&mut self.output);
        refusal.write(&mut output);
        self.refused = output.end();
        self.refused
    }

    /// Returns the length of what was laid down last by [`Desk::refuse`].
    pub(crate) fn refused(&self) -> usize {
        self.refused
    }

    /// Lays this text down as the answer, and returns its length.
    pub(crate) fn answer(&mut self, text: &str) -> usize {
        let mut output = Output::over(&mut self.output);
        output.push(text);
        output.end()
    }

    /// Returns [`HOLDS`], [`UNKNOWN`], or the length of the refusal.
    pub(crate) fn recheck(&mut self, verifier: &Verifier, call: Call, slots: &Slots, slot: usize) -> usize {
        let Self { scope, output, .. } = self;
        let (Some(remembered), Ok((required, now))) = (slots.get(slot), call.asked(scope)) else { return UNKNOWN };
        match verifier.recheck(remembered, required, now) {
            Recheck::Holds => HOLDS,
            Recheck::Unknown => UNKNOWN,
            Recheck::Refused(rejection) => {
                let mut output = Output::over(output);
                write_verdict(Err(rejection), &mut output);
                output.end()
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
    fn asked(self, scope: &[u8]) -> Result<(Scope<'_>, UnixTime), &'static str> {
        let scope = scope.get(..self.scope).and_then(|scope| std::str::from_utf8(scope).ok());
        let scope = scope.ok_or("the required scope is too long")?;
        Ok((Scope::parse(scope).map_err(Misuse::message)?, seconds::time(self.now)?))
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

fn scratch() -> MutexGuard<'static, Scratch> {
    SCRATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_verdict(verdict: Result<Judged<'_>, Rejection>, output: &mut Output<'_>) {
    match verdict {
        Ok(judged) => output.push(judged.json()),
        Err(rejection) => Refusal::from(rejection).write(output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use token::error::{ClaimFault, JwsFault, RevokedBy, Staleness};
    use token::json::Fault;

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
            let mut bytes = [0; answer::MAX_LENGTH];
            let mut output = Output::over(&mut bytes);
            write_verdict(Err(rejection.clone()), &mut output);
            assert!(output.end() > 4, "{rejection:?}: that is an outcome, not a length");
            let message = rejection.message().concat();
            assert!(message.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{rejection:?}: what is not escaped");
        }
    }

    #[test]
    fn pieces_beyond_the_end_are_empty() {
        let pieces: Vec<&[u8]> = split(b"abcdef", &[2, 3, 2, 1]).collect();
        assert_eq!(pieces, [&b"ab"[..], b"cde", b"", b""]);
    }
}
