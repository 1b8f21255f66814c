//! The field of integers modulo p = 2^255 − 19 in ten limbs, for machines whose products are of 32 bits: wasm.
//!
//! ```text
//! value = Σ limbs[i] · 2^⌈25.5·i⌉        weights 0 26 51 77 102 128 153 179 204 230
//! ```
//!
//! An even limb holds 26 bits and an odd one 25. Bounds are in units of that: "within 1" means limbs below 2^26 + 2^18
//! (even) and 2^25 + 2^18 (odd). What leaves a multiplication is within 1; a multiplication takes what is within 3, so
//! that sums and differences go into it as they are. Every line of sums is checked while tests run, and wraps otherwise.

use super::field::Element;

const MASK_26: u64 = (1 << 26) - 1;
const MASK_25: u64 = (1 << 25) - 1;

/// An element of the field, not reduced: a value has many forms, [`Field::to_bytes`] knows one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field(pub(crate) [u32; 10]);

impl Field {
    /// 0.
    pub(crate) const ZERO: Self = Self([0; 10]);
    /// 1.
    pub(crate) const ONE: Self = Self([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

    /// Returns the element of these little-endian bytes, the top bit ignored, taken modulo p; within 1.
    pub(crate) const fn from_bytes(bytes: &[u8; 32]) -> Self {
        let [a, b, c, d] = [word(bytes, 0), word(bytes, 8), word(bytes, 16), word(bytes, 24)];
        Self([
            low(a & MASK_26),
            low((a >> 26) & MASK_25),
            low(((a >> 51) | (b << 13)) & MASK_26),
            low((b >> 13) & MASK_25),
            low((b >> 38) & MASK_26),
            low(c & MASK_25),
            low((c >> 25) & MASK_26),
            low(((c >> 51) | (d << 13)) & MASK_25),
            low((d >> 12) & MASK_26),
            low((d >> 38) & MASK_25),
        ])
    }

    /// Returns the one encoding that is below p, little endian. Takes limbs of any size.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        // Twice, so that limbs of any size come within their 26 and 25 bits but for limbs 1 and 6, which the passes of
        // `q` and of the words below carry on.
        let Self(limbs) = carry(carry(self.0.map(u64::from)).0.map(u64::from));
        let [h0, h1, h2, h3, h4, h5, h6, h7, h8, h9] = limbs.map(u64::from);
        // The value is below 2p, so it is q·p + r with q = ⌊(value + 19) / 2^255⌋, and r = value + 19q − 2^255·q.
        let mut q = (h0 + 19) >> 26;
        q = (h1 + q) >> 25;
        q = (h2 + q) >> 26;
        q = (h3 + q) >> 25;
        q = (h4 + q) >> 26;
        q = (h5 + q) >> 25;
        q = (h6 + q) >> 26;
        q = (h7 + q) >> 25;
        q = (h8 + q) >> 26;
        q = (h9 + q) >> 25;
        debug_assert!(q <= 1);
        // In steps of two limbs, each of 51 bits and what is carried on.
        let e0 = h0 + 19 * q + (h1 << 26);
        let e1 = (e0 >> 51) + h2 + (h3 << 26);
        let e2 = (e1 >> 51) + h4 + (h5 << 26);
        let e3 = (e2 >> 51) + h6 + (h7 << 26);
        let e4 = (e3 >> 51) + h8 + (h9 << 26);
        words([e0, e1, e2, e3, e4].map(|limb| limb & ((1 << 51) - 1)))
    }

    /// Returns the sum. The limbs are added, so the bounds are: within 1 and within 2 make within 3.
    pub(crate) fn add(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3, a4, a5, a6, a7, a8, a9], [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9]) = (self.0, other.0);
        Self([
            sum32(a0, b0),
            sum32(a1, b1),
            sum32(a2, b2),
            sum32(a3, b3),
            sum32(a4, b4),
            sum32(a5, b5),
            sum32(a6, b6),
            sum32(a7, b7),
            sum32(a8, b8),
            sum32(a9, b9),
        ])
    }

    /// Returns the difference, within 1. Takes what is within 15.
    #[inline(never)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3, a4, a5, a6, a7, a8, a9], [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9]) = (self.0, other.0);
        let even = |a: u32, b: u32| difference(u64::from(a) + (MASK_26 << 4), b);
        let odd = |a: u32, b: u32| difference(u64::from(a) + (MASK_25 << 4), b);
        // 16p in limbs is 2^30 − 304 and then 16 · (2^25 − 1) and 16 · (2^26 − 1) in turn.
        carry([
            difference(u64::from(a0) + ((MASK_26 - 18) << 4), b0),
            odd(a1, b1),
            even(a2, b2),
            odd(a3, b3),
            even(a4, b4),
            odd(a5, b5),
            even(a6, b6),
            odd(a7, b7),
            even(a8, b8),
            odd(a9, b9),
        ])
    }

    /// Returns the negative, within 1. Takes what is within 15.
    #[inline(never)]
    pub(crate) fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// Returns the product, within 1. Takes what is within 3.
    ///
    /// Within 3 and 1/8, a limb times 19 is below 2^32, and a column below 2^62.4:
    /// `3.125² · 2^52 · (1 + 19 · (4 + 5/2))`, an odd limb times an odd one counting twice at half the size each.
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let ([x0, x1, x2, x3, x4, x5, x6, x7, x8, x9], [y0, y1, y2, y3, y4, y5, y6, y7, y8, y9]) = (self.0, other.0);
        // Where both limbs are odd their weights add up to one bit more than that of the column.
        let [d1, d3, d5, d7, d9] = [x1, x3, x5, x7, x9].map(|x| sum32(x, x));
        // 2^255 is 19.
        let [w1, w2, w3, w4, w5, w6, w7, w8, w9] = [y1, y2, y3, y4, y5, y6, y7, y8, y9].map(times_19);
        carry([
            dot([x0, d1, x2, d3, x4, d5, x6, d7, x8, d9], [y0, w9, w8, w7, w6, w5, w4, w3, w2, w1]),
            dot([x0, x1, x2, x3, x4, x5, x6, x7, x8, x9], [y1, y0, w9, w8, w7, w6, w5, w4, w3, w2]),
            dot([x0, d1, x2, d3, x4, d5, x6, d7, x8, d9], [y2, y1, y0, w9, w8, w7, w6, w5, w4, w3]),
            dot([x0, x1, x2, x3, x4, x5, x6, x7, x8, x9], [y3, y2, y1, y0, w9, w8, w7, w6, w5, w4]),
            dot([x0, d1, x2, d3, x4, d5, x6, d7, x8, d9], [y4, y3, y2, y1, y0, w9, w8, w7, w6, w5]),
            dot([x0, x1, x2, x3, x4, x5, x6, x7, x8, x9], [y5, y4, y3, y2, y1, y0, w9, w8, w7, w6]),
            dot([x0, d1, x2, d3, x4, d5, x6, d7, x8, d9], [y6, y5, y4, y3, y2, y1, y0, w9, w8, w7]),
            dot([x0, x1, x2, x3, x4, x5, x6, x7, x8, x9], [y7, y6, y5, y4, y3, y2, y1, y0, w9, w8]),
            dot([x0, d1, x2, d3, x4, d5, x6, d7, x8, d9], [y8, y7, y6, y5, y4, y3, y2, y1, y0, w9]),
            dot([x0, x1, x2, x3, x4, x5, x6, x7, x8, x9], [y9, y8, y7, y6, y5, y4, y3, y2, y1, y0]),
        ])
    }

    /// Returns the square, within 1. Takes what is within 3; the columns are those of [`Field::mul`].
    pub(crate) fn square(&self) -> Self {
        let [x0, x1, x2, x3, x4, x5, x6, x7, x8, x9] = self.0;
        // Each product of two different limbs comes twice, and once more where both are odd.
        let [t0, t1, t2, t3, t4, t5, t6, t7] = [x0, x1, x2, x3, x4, x5, x6, x7].map(|x| sum32(x, x));
        let [q1, q3, q5] = [t1, t3, t5].map(|t| sum32(t, t));
        let [w5, w6, w7, w8, w9] = [x5, x6, x7, x8, x9].map(times_19);
        let d5 = t5;
        let d7 = t7;
        let d9 = sum32(x9, x9);
        carry([
            dot([x0, q1, t2, q3, t4, d5, 0, 0, 0, 0], [x0, w9, w8, w7, w6, w5, 0, 0, 0, 0]),
            dot([t0, t2, t3, t4, t5, 0, 0, 0, 0, 0], [x1, w9, w8, w7, w6, 0, 0, 0, 0, 0]),
            dot([t0, t1, q3, t4, q5, x6, 0, 0, 0, 0], [x2, x1, w9, w8, w7, w6, 0, 0, 0, 0]),
            dot([t0, t1, t4, t5, t6, 0, 0, 0, 0, 0], [x3, x2, w9, w8, w7, 0, 0, 0, 0, 0]),
            dot([t0, q1, x2, q5, t6, d7, 0, 0, 0, 0], [x4, x3, x2, w9, w8, w7, 0, 0, 0, 0]),
            dot([t0, t1, t2, t6, t7, 0, 0, 0, 0, 0], [x5, x4, x3, w9, w8, 0, 0, 0, 0, 0]),
            dot([t0, q1, t2, t3, sum32(d7, d7), x8, 0, 0, 0, 0], [x6, x5, x4, x3, w9, w8, 0, 0, 0, 0]),
            dot([t0, t1, t2, t3, sum32(x8, x8), 0, 0, 0, 0, 0], [x7, x6, x5, x4, w9, 0, 0, 0, 0, 0]),
            dot([t0, q1, t2, q3, x4, d9, 0, 0, 0, 0], [x8, x7, x6, x5, x4, w9, 0, 0, 0, 0]),
            dot([t0, t1, t2, t3, t4, 0, 0, 0, 0, 0], [x9, x8, x7, x6, x5, 0, 0, 0, 0, 0]),
        ])
    }
}

impl Element for Field {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self::from_bytes(bytes)
    }

    fn to_bytes(&self) -> [u8; 32] {
        Self::to_bytes(*self)
    }

    fn add(&self, other: &Self) -> Self {
        self.add(other)
    }

    fn sub(&self, other: &Self) -> Self {
        self.sub(other)
    }

    fn neg(&self) -> Self {
        self.neg()
    }

    fn mul(&self, other: &Self) -> Self {
        self.mul(other)
    }

    fn square(&self) -> Self {
        self.square()
    }
}

/// Returns the same value within 1: two chains of carries at once, 0 to 5 and 4 to 1, over columns of any size below
/// 2^64 − 2^44. What is carried into limb 0 comes back 19 times.
#[inline(always)]
fn carry(columns: [u64; 10]) -> Field {
    let [mut z0, mut z1, mut z2, mut z3, mut z4, mut z5, mut z6, mut z7, mut z8, mut z9] = columns;
    z1 = sum(z1, z0 >> 26);
    z5 = sum(z5, z4 >> 26);
    z2 = sum(z2, z1 >> 25);
    z6 = sum(z6, z5 >> 25);
    z3 = sum(z3, z2 >> 26);
    z7 = sum(z7, z6 >> 26);
    z4 = sum(z4 & MASK_26, z3 >> 25);
    z8 = sum(z8, z7 >> 25);
    z9 = sum(z9, z8 >> 26);
    // Below 2^26 + 2^39, so limb 5 stays below 2^25 + 2^14.
    z5 = sum(z5 & MASK_25, z4 >> 26);
    // Below 2^26 + 19 · 2^39, so limb 1 stays below 2^25 + 2^18.
    z0 = sum(z0 & MASK_26, (z9 >> 25).wrapping_mul(19));
    z1 = sum(z1 & MASK_25, z0 >> 26);
    Field([
        low(z0 & MASK_26),
        low(z1),
        low(z2 & MASK_26),
        low(z3 & MASK_25),
        low(z4 & MASK_26),
        low(z5),
        low(z6 & MASK_26),
        low(z7 & MASK_25),
        low(z8 & MASK_26),
        low(z9 & MASK_25),
    ])
}

/// Σ a[i] · b[i].
#[inline(always)]
fn dot(a: [u32; 10], b: [u32; 10]) -> u64 {
    let ([a0, a1, a2, a3, a4, a5, a6, a7, a8, a9], [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9]) = (a, b);
    let product = |a: u32, b: u32| u64::from(a).wrapping_mul(u64::from(b)); // below 2^64 always
    let low = sum(sum(sum(sum(product(a0, b0), product(a1, b1)), product(a2, b2)), product(a3, b3)), product(a4, b4));
    sum(sum(sum(sum(sum(low, product(a5, b5)), product(a6, b6)), product(a7, b7)), product(a8, b8)), product(a9, b9))
}

/// The bounds say that nothing is lost; tests look.
#[inline(always)]
fn sum(a: u64, b: u64) -> u64 {
    debug_assert!(a.checked_add(b).is_some(), "{a} + {b}");
    a.wrapping_add(b)
}

/// As [`sum`].
#[inline(always)]
fn difference(a: u64, b: u32) -> u64 {
    debug_assert!(a >= u64::from(b), "{a} - {b}");
    a.wrapping_sub(u64::from(b))
}

/// As [`sum`].
#[inline(always)]
fn sum32(a: u32, b: u32) -> u32 {
    debug_assert!(a.checked_add(b).is_some(), "{a} + {b}");
    a.wrapping_add(b)
}

/// As [`sum`].
#[inline(always)]
fn times_19(a: u32) -> u32 {
    debug_assert!(a.checked_mul(19).is_some(), "19 · {a}");
    a.wrapping_mul(19)
}

/// The number itself, where it is below 2^32.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // checked in tests; `try_from` is no const fn
#[inline(always)]
const fn low(value: u64) -> u32 {
    debug_assert!(value >> 32 == 0);
    value as u32
}

/// The eight bytes from `at` on, little endian.
#[allow(clippy::indexing_slicing)] // const fn; at most 24
const fn word(bytes: &[u8; 32], at: usize) -> u64 {
    let [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    let [e, f, g, h] = [bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]];
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Five numbers of 51 bits in a row, little endian.
fn words(limbs: [u64; 5]) -> [u8; 32] {
    let [a, b, c, d, e] = limbs;
    let words = [a | (b << 51), (b >> 13) | (c << 38), (c >> 26) | (d << 25), (d >> 39) | (e << 12)];
    let mut bytes = [0; 32];
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests;
