//! The field modulo p = 2^255 − 19 for machines that multiply 64 bits: five limbs of 51 bits.
//!
//! An element is Σ limb_i·2^(51·i) modulo p; each has many representations. Two bounds are kept:
//!
//! ```text
//! carried   every limb < 2^51 + 2^18    what `mul`, `square`, `neg` and `from_bytes` return
//! loose     every limb < 2^54           what every function takes, unless it says more
//! ```
//!
//! A sum or difference is not carried: its bound is at the function. Every operation is checked against
//! overflow in tests (see [`Exact`]).

use super::field::Element;
use crate::ed25519::exact::Exact;
use crate::ed25519::words;

/// The low 51 bits.
const MASK: u64 = (1 << 51) - 1;

/// 4p in limbs just below 2^53: more than any limb of a carried element or of the sum of two.
const FOUR_P: [u64; 5] = [4 * (MASK - 18), 4 * MASK, 4 * MASK, 4 * MASK, 4 * MASK];

/// An element, each limb below 2^54, least significant limb first.
#[derive(Debug, Clone, Copy)]
pub(in crate::ed25519) struct Field(pub(in crate::ed25519) [u64; 5]);

impl Field {
    /// Returns the element that 32 little-endian bytes encode, the top bit ignored, modulo p; every limb below 2^51.
    pub(in crate::ed25519) const fn from_bytes(bytes: &[u8; 32]) -> Self {
        let [a, b, c, d] = words::from_bytes(bytes);
        Self([
            a & MASK,
            ((a >> 51) | (b << 13)) & MASK,
            ((b >> 38) | (c << 26)) & MASK,
            ((c >> 25) | (d << 39)) & MASK,
            (d >> 12) & MASK,
        ])
    }

    /// Returns the same element carried; the limbs may be any: a carry is below 2^13, nineteen of them below 2^18.
    #[inline(always)]
    fn carried(self) -> Self {
        let Self([a, b, c, d, e]) = self;
        Self([
            (a & MASK).plus((e >> 51).times(19)),
            (b & MASK).plus(a >> 51),
            (c & MASK).plus(b >> 51),
            (d & MASK).plus(c >> 51),
            (e & MASK).plus(d >> 51),
        ])
    }

    /// Returns the carried element of five sums of products, each below 77·2^108, the last below 5·2^108.
    #[inline(always)]
    fn of_products([a, b, c, d, e]: [u128; 5]) -> Self {
        // 77·2^108 + 2^64 leaves a carry below 2^64; 5·2^108 + 2^64 one below 2^59.4, nineteen of which are below 2^63.7.
        let b = b.plus(u128::from(high(a)));
        let c = c.plus(u128::from(high(b)));
        let d = d.plus(u128::from(high(c)));
        let e = e.plus(u128::from(high(d)));
        let first = low(a).plus(high(e).times(19));
        Self([first & MASK, low(b).plus(first >> 51), low(c), low(d), low(e)])
    }
}

impl Element for Field {
    const ZERO: Self = Self([0; 5]);
    const ONE: Self = Self([1, 0, 0, 0, 0]);

    #[inline(always)]
    fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self::from_bytes(bytes)
    }

    fn to_bytes(&self) -> [u8; 32] {
        // Twice carried, the value is below 2^255 + 2^18, so its quotient by p is 0 or 1, and is what value + 19 has above 2^255.
        let Self([a, b, c, d, e]) = self.carried().carried();
        let mut quotient = a.plus(19) >> 51;
        for limb in [b, c, d, e] {
            quotient = limb.plus(quotient) >> 51;
        }
        let a = a.plus(quotient.times(19));
        let b = b.plus(a >> 51);
        let c = c.plus(b >> 51);
        let d = d.plus(c >> 51);
        let e = e.plus(d >> 51);
        let [a, b, c, d, e] = [a, b, c, d, e].map(|limb| limb & MASK);
        words::to_bytes([a | (b << 51), (b >> 13) | (c << 38), (c >> 26) | (d << 25), (d >> 39) | (e << 12)])
    }

    /// Limb by limb the bounds add up: of two carried elements, below 2^52 + 2^19.
    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        let (Self([a, b, c, d, e]), Self([f, g, h, i, j])) = (*self, *other);
        Self([a.plus(f), b.plus(g), c.plus(h), d.plus(i), e.plus(j)])
    }

    /// `other` is carried or the sum of two carried elements; each limb grows by less than 2^53.
    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        let Self([a, b, c, d, e]) = self.add(&Self(FOUR_P));
        let Self([f, g, h, i, j]) = *other;
        Self([a.minus(f), b.minus(g), c.minus(h), d.minus(i), e.minus(j)])
    }

    #[inline(always)]
    fn neg(&self) -> Self {
        Self::ZERO.sub(self).carried()
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        let (Self([a0, a1, a2, a3, a4]), Self([b0, b1, b2, b3, b4])) = (*self, *other);
        // What lands above 2^255 comes back times 19: 19·2^54 < 2^59.
        let [n1, n2, n3, n4] = [b1.times(19), b2.times(19), b3.times(19), b4.times(19)];
        Self::of_products([
            product(a0, b0).plus(product(a4, n1)).plus(product(a3, n2)).plus(product(a2, n3)).plus(product(a1, n4)),
            product(a1, b0).plus(product(a0, b1)).plus(product(a4, n2)).plus(product(a3, n3)).plus(product(a2, n4)),
            product(a2, b0).plus(product(a1, b1)).plus(product(a0, b2)).plus(product(a4, n3)).plus(product(a3, n4)),
            product(a3, b0).plus(product(a2, b1)).plus(product(a1, b2)).plus(product(a0, b3)).plus(product(a4, n4)),
            product(a4, b0).plus(product(a3, b1)).plus(product(a2, b2)).plus(product(a1, b3)).plus(product(a0, b4)),
        ])
    }

    #[inline(always)]
    fn square(&self) -> Self {
        let Self([a0, a1, a2, a3, a4]) = *self;
        let [d0, d1, d2] = [a0.times(2), a1.times(2), a2.times(2)]; // each off the diagonal is there twice
        let [n3, n4] = [a3.times(19), a4.times(19)];
        Self::of_products([
            product(a0, a0).plus(product(d1, n4)).plus(product(d2, n3)),
            product(d0, a1).plus(product(d2, n4)).plus(product(a3, n3)),
            product(d0, a2).plus(product(a1, a1)).plus(product(a3.times(2), n4)),
            product(d0, a3).plus(product(d1, a2)).plus(product(a4, n4)),
            product(d0, a4).plus(product(d1, a3)).plus(product(a2, a2)),
        ])
    }
}

/// Returns the product, which two factors of 64 bits never overflow.
#[inline(always)]
fn product(a: u64, b: u64) -> u128 {
    u128::from(a).wrapping_mul(u128::from(b))
}

/// The low 51 bits.
#[inline(always)]
fn low(a: u128) -> u64 {
    truncated(a) & MASK
}

/// What is above the low 51 bits.
#[inline(always)]
fn high(a: u128) -> u64 {
    debug_assert!(a >> 51 <= u128::from(u64::MAX), "a carry overflows");
    truncated(a >> 51)
}

#[inline(always)]
#[allow(clippy::as_conversions, reason = "the low 64 bits are meant, and try_from costs a comparison each time")]
fn truncated(a: u128) -> u64 {
    a as u64
}
