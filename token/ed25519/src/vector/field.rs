//! Four elements of the field at once, in the limbs of [`Field`]: limb i of all four in one vector.
//!
//! Bounds are in the units of scalar/narrow.rs: "within 1" is below 2^26 + 2^18 in even limbs and 2^25 + 2^18 in odd
//! ones.

use super::lanes::{Pair, Quad};
use crate::scalar::narrow::Field;

const MASK_26: u32 = (1 << 26) - 1;
const MASK_25: u32 = (1 << 25) - 1;

/// 2p in limbs, so that what is within 1 can be subtracted: 2^27 − 38, then 2^26 − 2 and 2^27 − 2 in turn.
const TWICE_P: Four = {
    let (even, odd) = (MASK_26 * 2, MASK_25 * 2);
    let twice_p = Field([even - 36, odd, even, odd, even, odd, even, odd, even, odd]);
    Four::new([&twice_p; 4])
};

/// Four elements: lane l of vector i is limb i of element l.
#[derive(Clone, Copy, Debug)]
pub(super) struct Four([Quad; 10]);

impl Four {
    /// Returns these elements, with their limbs as they are.
    #[inline]
    pub(super) const fn new([a, b, c, d]: [&Field; 4]) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] = a.0;
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9] = b.0;
        let [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9] = c.0;
        let [d0, d1, d2, d3, d4, d5, d6, d7, d8, d9] = d.0;
        Self([
            Quad::new([a0, b0, c0, d0]),
            Quad::new([a1, b1, c1, d1]),
            Quad::new([a2, b2, c2, d2]),
            Quad::new([a3, b3, c3, d3]),
            Quad::new([a4, b4, c4, d4]),
            Quad::new([a5, b5, c5, d5]),
            Quad::new([a6, b6, c6, d6]),
            Quad::new([a7, b7, c7, d7]),
            Quad::new([a8, b8, c8, d8]),
            Quad::new([a9, b9, c9, d9]),
        ])
    }

    /// Returns the four elements, with their limbs as they are.
    #[inline(never)] // four copies of it would weigh 4 KB
    pub(super) fn elements(&self) -> [Field; 4] {
        let limbs = self.0.map(Quad::lanes);
        [
            Field(limbs.map(|[a, _, _, _]| a)),
            Field(limbs.map(|[_, b, _, _]| b)),
            Field(limbs.map(|[_, _, c, _]| c)),
            Field(limbs.map(|[_, _, _, d]| d)),
        ]
    }

    /// Returns the sums. The limbs are added, so the bounds are: within 1 and within 2 make within 3.
    #[inline(always)]
    pub(super) fn add(&self, other: &Self) -> Self {
        self.zip(other, Quad::add)
    }

    /// Returns the differences, within 2 more than `self`. Takes an `other` within 1.
    #[inline(always)]
    pub(super) fn sub(&self, other: &Self) -> Self {
        self.add(&TWICE_P).zip(other, Quad::sub)
    }

    /// Returns both, exchanged in the lanes that are `chosen`.
    #[inline(always)]
    pub(super) fn exchanged_where(chosen: [bool; 4], a: Self, b: Self) -> (Self, Self) {
        let chosen = Quad::new(chosen.map(|lane| if lane { u32::MAX } else { 0 }));
        (b.zip(&a, |b, a| b.or_where(chosen, a)), a.zip(&b, |a, b| a.or_where(chosen, b)))
    }

    /// Returns the same elements within 1. Takes limbs of any size: what each carries is below 2^7, and 19 times that
    /// below 2^12.
    #[inline(always)]
    pub(super) fn reduced(&self) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] = self.0;
        let even = |limb: Quad, below: Quad| limb.and(MASK_26).add(below.shr(25));
        let odd = |limb: Quad, below: Quad| limb.and(MASK_25).add(below.shr(26));
        Self([
            a0.and(MASK_26).add(a9.shr(25).times(19)),
            odd(a1, a0),
            even(a2, a1),
            odd(a3, a2),
            even(a4, a3),
            odd(a5, a4),
            even(a6, a5),
            odd(a7, a6),
            even(a8, a7),
            odd(a9, a8),
        ])
    }

    /// Returns the products, within 1. Takes a `self` within 4 and an `other` within 3.
    ///
    /// Within 3 and 1/8, a limb times 19 is below 2^32. A column is below 2^62.8, where what enters is within 4 and 3:
    /// `4.02 · 3.02 · 2^52 · (1 + 19 · (4 + 5/2))`, an odd limb times an odd one counting twice at half the size each.
    #[inline(never)]
    pub(super) fn mul(&self, other: &Self) -> Self {
        let [x0, x1, x2, x3, x4, x5, x6, x7, x8, x9] = self.0;
        let [y0, y1, y2, y3, y4, y5, y6, y7, y8, y9] = other.0;
        // Where both limbs are odd their weights add up to one bit more than that of the column.
        let [d1, d3, d5, d7, d9] = [x1, x3, x5, x7, x9].map(|x| x.add(x));
        let doubled = [x0, d1, x2, d3, x4, d5, x6, d7, x8, d9];
        // 2^255 is 19: column k is Σ x[i] · y[k − i], and 19 times that where k − i is below 0.
        let [w1, w2, w3, w4, w5, w6, w7, w8, w9] = [y1, y2, y3, y4, y5, y6, y7, y8, y9].map(|y| y.times(19));
        let y = [y9, y8, y7, y6, y5, y4, y3, y2, y1, y0, w9, w8, w7, w6, w5, w4, w3, w2, w1];
        let mut columns = [Column::ZERO; 10];
        let (mut x, mut next) = (&doubled, &self.0);
        // A loop, so that engines compute one column after the other: written out, V8 begins all of them at once and
        // spends as long again on keeping the sums in memory.
        for (column, y) in columns.iter_mut().zip(y.windows(10).rev()) {
            *column = x.iter().zip(y).fold(Column::ZERO, |sum, (x, y)| sum.add(Column::product(*x, *y)));
            std::mem::swap(&mut x, &mut next);
        }
        Self::carried(columns)
    }

    /// Returns the element of these columns within 1, as `carry` of scalar/narrow.rs does and with its bounds.
    #[inline(always)]
    fn carried(columns: [Column; 10]) -> Self {
        let [mut z0, mut z1, mut z2, mut z3, mut z4, mut z5, mut z6, mut z7, mut z8, mut z9] = columns;
        z1 = z1.add(z0.shr(26));
        z5 = z5.add(z4.shr(26));
        z2 = z2.add(z1.shr(25));
        z6 = z6.add(z5.shr(25));
        z3 = z3.add(z2.shr(26));
        z7 = z7.add(z6.shr(26));
        z4 = z4.and(MASK_26).add(z3.shr(25));
        z8 = z8.add(z7.shr(25));
        z9 = z9.add(z8.shr(26));
        z5 = z5.and(MASK_25).add(z4.shr(26));
        let over = z9.shr(25);
        z0 = z0.and(MASK_26).add(over).add(over.shl(1)).add(over.shl(4)); // 19 of them
        z1 = z1.and(MASK_25).add(z0.shr(26));
        Self([
            z0.limbs().and(MASK_26),
            z1.limbs(),
            z2.limbs().and(MASK_26),
            z3.limbs().and(MASK_25),
            z4.limbs().and(MASK_26),
            z5.limbs(),
            z6.limbs().and(MASK_26),
            z7.limbs().and(MASK_25),
            z8.limbs().and(MASK_26),
            z9.limbs().and(MASK_25),
        ])
    }

    #[inline(always)]
    fn zip(&self, other: &Self, of: impl Fn(Quad, Quad) -> Quad) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] = self.0;
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9] = other.0;
        Self([
            of(a0, b0),
            of(a1, b1),
            of(a2, b2),
            of(a3, b3),
            of(a4, b4),
            of(a5, b5),
            of(a6, b6),
            of(a7, b7),
            of(a8, b8),
            of(a9, b9),
        ])
    }
}

/// A column of a product: one number of 64 bits for each of the four.
#[derive(Clone, Copy)]
struct Column {
    low: Pair,
    high: Pair,
}

impl Column {
    const ZERO: Self = Self { low: Pair::ZERO, high: Pair::ZERO };

    #[inline(always)]
    fn product(a: Quad, b: Quad) -> Self {
        Self { low: a.low_products(b), high: a.high_products(b) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { low: self.low.add(other.low), high: self.high.add(other.high) }
    }

    #[inline(always)]
    fn and(self, mask: u32) -> Self {
        Self { low: self.low.and(u64::from(mask)), high: self.high.and(u64::from(mask)) }
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        Self { low: self.low.shr(bits), high: self.high.shr(bits) }
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        Self { low: self.low.shl(bits), high: self.high.shl(bits) }
    }

    /// The lower 32 bits of each.
    #[inline(always)]
    fn limbs(self) -> Quad {
        self.low.joined(self.high)
    }
}

#[cfg(test)]
mod tests;
