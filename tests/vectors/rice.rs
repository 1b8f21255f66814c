//! The body of a revocation list, written and read bit by bit from its grammar, for want of speed and of common mistakes.

use std::collections::BTreeMap;

/// Indices by epoch.
pub(crate) type Indices = BTreeMap<u32, Vec<u32>>;

/// The body that lists these, each epoch's gaps under the `r` given for all.
pub(crate) fn body(indices: &Indices, r: u8) -> Vec<u8> {
    let mut out = vec![1];
    let mut before: Option<u32> = None;
    for (epoch, run) in indices {
        out.extend(varint(u64::from(before.map_or(*epoch, |before| epoch - before - 1))));
        before = Some(*epoch);
        out.extend(varint(u64::try_from(run.len()).unwrap()));
        out.push(r);
        out.extend(packed(&codes(run, r)));
    }
    out
}

/// The bits of the Rice codes of one run.
pub(crate) fn codes(run: &[u32], r: u8) -> Vec<bool> {
    let mut bits = Vec::new();
    let mut next = 0;
    for index in run {
        let gap = index - next;
        next = index + 1;
        bits.extend((0..gap >> r).map(|_| false));
        bits.push(true);
        bits.extend((0..r).map(|bit| gap >> bit & 1 == 1));
    }
    bits
}

/// Bits as bytes, the first in the least significant place, the last byte filled up with zeros.
pub(crate) fn packed(bits: &[bool]) -> Vec<u8> {
    bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}

/// The shortest unsigned LEB128 of `value`.
pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}
