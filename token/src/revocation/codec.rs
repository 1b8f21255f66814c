//! The body of a revocation list: sorted indices by epoch, gaps in Rice codes or dense runs in an arithmetic code.
//!
//! ```text
//! body    = %x01 *( varint epoch-gap, varint k >= 1, run )
//! run     = u8 r <= 30, k Rice codes, padding to a byte
//!         / u8 128 + p, the arithmetic code of codec/dense.rs
//! varint  = unsigned LEB128 of at most 32 bits, in its shortest form
//! epochs    ascending: the first absolute, then minus the one before minus 1
//! indices   ascending: each minus the one before minus 1 (the first: itself); below 2^31
//! Rice    = q zeros, a one, then the r low bits, where gap = q << r | low; least significant bit of each byte first
//! ```
//!
//! One set has one body: [`encode`] chooses by size alone, Rice codes and the smaller `r` on a tie. [`decode`] takes any
//! `r` and `p`, since only the issuer decides them, and refuses everything else that [`encode`] would not write.
//!
//! Memory: a decoded list takes at most 13 bytes for each byte of its body, and 64 for each epoch, whatever the body says.

mod dense;

use super::revoked::{Indices, Revoked};
use crate::id::MAX_INDEX;

/// Epochs that a body may list: 194 days of them, where tokens live for a day at most.
pub const MAX_EPOCHS: usize = 1 << 16;

/// The first byte of every body, and the only one of a body that lists nothing.
pub(super) const VERSION: u8 = 1;
const MAX_R: u8 = 30;
/// Set in the first byte of a dense run.
const DENSE: u8 = 0x80;
/// Up to this `r` a run becomes a bitmap: each bit of body stands for at most 8 indices, so 8 bitmap bits.
const MAX_BITMAP_R: u8 = 3;

/// The body is signed and yet not one that [`encode`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Returns the one body that lists these indices, given for each epoch in ascending order without repetition.
///
/// Epochs without indices are left out.
///
/// # Errors
/// [`Malformed`] when indices or epochs are not strictly ascending, an index is 2^31 or more, or there are more than
/// [`MAX_EPOCHS`].
pub fn encode<'a>(epochs: impl IntoIterator<Item = (u32, &'a [u32])>) -> Result<Vec<u8>, Malformed> {
    let mut body = vec![VERSION];
    let mut next_epoch = 0_u64;
    let listed = epochs.into_iter().filter(|(_, indices)| !indices.is_empty());
    for (count, (epoch, indices)) in listed.enumerate() {
        if count == MAX_EPOCHS {
            return Err(Malformed);
        }
        let gap = u64::from(epoch).checked_sub(next_epoch).ok_or(Malformed)?;
        next_epoch = u64::from(epoch) + 1;
        let gaps = gaps(indices)?;
        push_varint(&mut body, u32::try_from(gap).map_err(|_| Malformed)?);
        push_varint(&mut body, u32::try_from(indices.len()).map_err(|_| Malformed)?);
        push_run(&mut body, indices, &gaps);
    }
    Ok(body)
}

fn push_run(body: &mut Vec<u8>, indices: &[u32], gaps: &[u32]) {
    let start = body.len();
    let r = best_r(gaps);
    body.push(r);
    push_codes(body, gaps, r);
    if let Some(share) = dense::share(indices) {
        let mut run = vec![DENSE | share];
        dense::push(&mut run, indices, share);
        if run.len() < body.len() - start {
            body.truncate(start);
            body.append(&mut run);
        }
    }
}

fn gaps(indices: &[u32]) -> Result<Vec<u32>, Malformed> {
    let mut next = 0_u32;
    let mut gaps = Vec::with_capacity(indices.len());
    for index in indices {
        if *index > MAX_INDEX {
            return Err(Malformed);
        }
        gaps.push(index.checked_sub(next).ok_or(Malformed)?);
        next = index + 1;
    }
    Ok(gaps)
}

/// The `r` of the shortest run. Its length is convex in `r`, so walking up from 0 stops at the first that is no better.
fn best_r(gaps: &[u32]) -> u8 {
    let bits = |r: u8| gaps.iter().map(|gap| u64::from(gap >> r) + 1 + u64::from(r)).sum::<u64>();
    let total: u64 = gaps.iter().map(|gap| u64::from(*gap)).sum();
    let mean = total / u64::try_from(gaps.len()).unwrap_or(u64::MAX).max(1);
    // The best r is within 2 of log2 of the mean gap: start below it and walk up.
    let start = u8::try_from(mean.checked_ilog2().unwrap_or(0)).unwrap_or(MAX_R).min(MAX_R).saturating_sub(2);
    let candidates = start..=(start + 4).min(MAX_R);
    candidates.min_by_key(|r| bits(*r)).unwrap_or(0)
}

fn push_varint(out: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

fn low_byte(value: u32) -> u8 {
    let [byte, ..] = value.to_le_bytes();
    byte
}

fn push_codes(out: &mut Vec<u8>, gaps: &[u32], r: u8) {
    let mut pending = 0_u64;
    let mut bits = 0_u32;
    let mut drain = |pending: &mut u64, bits: &mut u32, least: u32| {
        while *bits >= least && *bits > 0 {
            let [byte, ..] = pending.to_le_bytes();
            out.push(byte);
            *pending >>= 8;
            *bits = bits.saturating_sub(8);
        }
    };
    for gap in gaps {
        let mut zeros = gap >> r;
        while zeros >= 8 {
            bits += 8;
            zeros -= 8;
            drain(&mut pending, &mut bits, 8);
        }
        let low = u64::from(gap & ((1 << r) - 1));
        pending |= (low << 1 | 1) << (bits + zeros);
        bits += zeros + 1 + u32::from(r);
        drain(&mut pending, &mut bits, 8);
    }
    drain(&mut pending, &mut bits, 1);
}

/// Returns what `body` lists.
///
/// # Errors
/// [`Malformed`] for everything that the grammar above does not allow: another version, a varint that is not the
/// shortest, `k = 0`, an `r` or `p` out of range, an index of 2^31 or more, an epoch past 2^32,
/// more than [`MAX_EPOCHS`] of them, padding that is not zero, a code cut short.
pub fn decode(body: &[u8]) -> Result<Revoked, Malformed> {
    let (version, mut rest) = body.split_first().ok_or(Malformed)?;
    if *version != VERSION {
        return Err(Malformed);
    }
    let mut revoked = Revoked::default();
    let mut next_epoch = 0_u64;
    while !rest.is_empty() {
        let epoch = next_epoch + u64::from(take_varint(&mut rest)?);
        next_epoch = epoch + 1;
        let k = usize::try_from(take_varint(&mut rest)?).map_err(|_| Malformed)?;
        let (method, codes) = rest.split_first().ok_or(Malformed)?;
        if revoked.epochs() == MAX_EPOCHS || k == 0 {
            return Err(Malformed);
        }
        let (indices, length) = match method ^ DENSE {
            share if dense::is_share(share) => dense::take(codes, k, share)?,
            _ => decode_run(codes, k, *method)?,
        };
        rest = codes.get(length..).ok_or(Malformed)?;
        revoked.push(u32::try_from(epoch).map_err(|_| Malformed)?, indices);
    }
    Ok(revoked)
}

fn take_varint(rest: &mut &[u8]) -> Result<u32, Malformed> {
    let mut value = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, after) = rest.split_first().ok_or(Malformed)?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let shortest = shift == 0 || *byte != 0;
            return if shortest { u32::try_from(value).map_err(|_| Malformed) } else { Err(Malformed) };
        }
    }
    Err(Malformed)
}

/// Returns the indices of one run of Rice codes and the bytes it takes.
fn decode_run(codes: &[u8], k: usize, r: u8) -> Result<(Indices, usize), Malformed> {
    // Each code takes at least r + 1 bits: what cannot be there is never allocated.
    let least_bits = k.checked_mul(usize::from(r) + 1).ok_or(Malformed)?;
    if r > MAX_R || least_bits > codes.len().saturating_mul(8) {
        return Err(Malformed);
    }
    let mut run = Run { bits: Bits { bytes: codes, window: 0, held: 0, taken: 0 }, r, next: 0 };
    let indices = if r <= MAX_BITMAP_R {
        let mut bitmap = Indices::bitmap();
        for _ in 0..k {
            bitmap.push(run.index()?);
        }
        bitmap
    } else {
        let mut sorted = vec![0; k];
        for index in &mut sorted {
            *index = run.index()?;
        }
        Indices::Sorted(sorted)
    };
    Ok((indices, run.bits.finish()?))
}

/// A run of Rice codes that is being read.
struct Run<'a> {
    bits: Bits<'a>,
    r: u8,
    /// The least index that may come.
    next: u64,
}

impl Run<'_> {
    fn index(&mut self) -> Result<u32, Malformed> {
        let gap = match self.bits.short_code(self.r) {
            Some(gap) => gap,
            None => self.bits.code(self.r)?,
        };
        let index = self.next + gap;
        if index > u64::from(MAX_INDEX) {
            return Err(Malformed);
        }
        self.next = index + 1;
        u32::try_from(index).map_err(|_| Malformed)
    }
}

/// Bits of a run, least significant first, up to 63 of them in `window`: any code that is held can be shifted out of it.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Above those that are held there may be some of the bits that follow, never others.
    window: u64,
    held: u32,
    taken: usize,
}

impl Bits<'_> {
    /// Takes the next code if all of it is held. Nearly all are, and a fresh process reads its list in code that an engine
    /// has compiled in haste: this decides how long that takes.
    #[inline(always)]
    fn short_code(&mut self, r: u8) -> Option<u64> {
        let zeros = self.window.trailing_zeros();
        let length = zeros + 1 + u32::from(r); // 64 zeros at most
        if length > self.held {
            return None;
        }
        let low = self.window.wrapping_shr(zeros + 1) & !(u64::MAX << (r & 63));
        self.window = self.window.wrapping_shr(length);
        self.held -= length;
        Some(u64::from(zeros) << (r & 63) | low)
    }

    /// Takes the next code, whose zeros may stand for no more than [`MAX_INDEX`].
    #[inline(never)]
    fn code(&mut self, r: u8) -> Result<u64, Malformed> {
        self.fill();
        if let Some(code) = self.short_code(r) {
            return Ok(code);
        }
        let zeros = self.zeros(u64::from(MAX_INDEX) >> r)?;
        Ok(zeros << r | self.take(r)?)
    }

    /// Holds 56 bits or more, or all that are left.
    fn fill(&mut self) {
        if let Some(eight) = self.bytes.first_chunk::<8>() {
            // Those that there is no room for are left where they are, and come again.
            self.window |= u64::from_le_bytes(*eight) << self.held; // 63 at most
            let room = (63 - self.held) / 8;
            self.held += 8 * room;
            let whole = usize::try_from(room).unwrap_or(0);
            self.taken += whole;
            self.bytes = self.bytes.get(whole..).unwrap_or_default();
            return;
        }
        while self.held < 56 {
            let Some((byte, rest)) = self.bytes.split_first() else { return };
            self.window |= u64::from(*byte) << self.held;
            self.held += 8;
            self.bytes = rest;
            self.taken += 1;
        }
    }

    fn drop_bits(&mut self, count: u32) {
        self.window = self.window.checked_shr(count).unwrap_or(0);
        self.held -= count;
    }

    /// Takes zeros up to and with the next one, and returns how many there were.
    fn zeros(&mut self, most: u64) -> Result<u64, Malformed> {
        let mut zeros = 0_u64;
        loop {
            self.fill();
            let run = self.window.trailing_zeros().min(self.held);
            zeros += u64::from(run);
            if self.held == 0 || zeros > most {
                return Err(Malformed);
            }
            if run < self.held {
                self.drop_bits(run + 1);
                return Ok(zeros);
            }
            self.drop_bits(run);
        }
    }

    fn take(&mut self, count: u8) -> Result<u64, Malformed> {
        self.fill();
        let count = u32::from(count);
        if self.held < count {
            return Err(Malformed);
        }
        let value = self.window & ((1 << count) - 1);
        self.drop_bits(count);
        Ok(value)
    }

    /// Returns the bytes that were used; the bits left of the last one must be zero.
    fn finish(self) -> Result<usize, Malformed> {
        let padding = self.held % 8;
        if self.window & ((1 << padding) - 1) != 0 {
            return Err(Malformed);
        }
        Ok(self.taken - usize::try_from(self.held / 8).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
