//! The field modulo p = 2^255 − 19 for machines that multiply 64 bits: four whole words.
//!
//! An element is any integer below 2^256, least significant word first; each has two or three representations. Every
//! function takes and returns any of them, so there are no bounds to keep. What is carried out of 2^256 comes back 38
//! times, as 2^256 = 2p + 38.

use super::field::Element;
use crate::exact::Exact;
use crate::words;

/// All bits of a word but the highest.
const LOW_63: u64 = u64::MAX >> 1;

/// An element of the field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field(pub(crate) [u64; 4]);

impl Field {
    /// Returns the element that 32 little-endian bytes encode, the top bit ignored, modulo p.
    pub(crate) const fn from_bytes(bytes: &[u8; 32]) -> Self {
        let [a, b, c, d] = words::from_bytes(bytes);
        Self([a, b, c, d & LOW_63])
    }

    /// Returns the element Σ words + `small`; `small` is below 2^11.
    #[inline(always)]
    fn of_sum([a, b, c, d]: [u64; 4], small: u64) -> Self {
        let (a, carry) = a.overflowing_add(small);
        let (b, carry) = b.carrying_add(0, carry);
        let (c, carry) = c.carrying_add(0, carry);
        let (d, carry) = d.carrying_add(0, carry);
        // After a carry out of the top nothing is left but less than `small`.
        Self([a.plus(if carry { 38 } else { 0 }), b, c, d])
    }

    /// Returns the element of eight words.
    #[inline(always)]
    fn of_product([a, b, c, d, e, f, g, h]: [u64; 8]) -> Self {
        let (a, carry) = e.carrying_mul(38, a);
        let (b, carry) = f.carrying_mul_add(38, b, carry);
        let (c, carry) = g.carrying_mul_add(38, c, carry);
        let (d, carry) = h.carrying_mul_add(38, d, carry);
        Self::of_sum([a, b, c, d], carry.times(38)) // the carry is 38 at most
    }
}

impl Element for Field {
    const ZERO: Self = Self([0; 4]);
    const ONE: Self = Self([1, 0, 0, 0]);

    #[inline(always)]
    fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self::from_bytes(bytes)
    }

    fn to_bytes(&self) -> [u8; 32] {
        let Self([a, b, c, d]) = *self;
        // Below 2^255 + 19, which is below 2p.
        let Self(value) = Self::of_sum([a, b, c, d & LOW_63], (d >> 63).times(19));
        // From p on, 19 more reach 2^255, and what is left below that is the value less p.
        let Self([a, b, c, d]) = Self::of_sum(value, 19);
        words::to_bytes(if d > LOW_63 { [a, b, c, d & LOW_63] } else { value })
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (*self, *other);
        let (a, carry) = a.overflowing_add(e);
        let (b, carry) = b.carrying_add(f, carry);
        let (c, carry) = c.carrying_add(g, carry);
        let (d, carry) = d.carrying_add(h, carry);
        Self::of_sum([a, b, c, d], if carry { 38 } else { 0 })
    }

    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (*self, *other);
        let (a, borrow) = a.overflowing_sub(e);
        let (b, borrow) = b.borrowing_sub(f, borrow);
        let (c, borrow) = c.borrowing_sub(g, borrow);
        let (d, borrow) = d.borrowing_sub(h, borrow);
        let (a, borrow) = a.overflowing_sub(if borrow { 38 } else { 0 });
        let (b, borrow) = b.borrowing_sub(0, borrow);
        let (c, borrow) = c.borrowing_sub(0, borrow);
        let (d, borrow) = d.borrowing_sub(0, borrow);
        // After a second borrow the value is at least 2^256 − 38.
        Self([a.minus(if borrow { 38 } else { 0 }), b, c, d])
    }

    #[inline(always)]
    fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (*self, *other);
        // Row by row, as on paper: x·y + z + carry always fits two words.
        let (p0, carry) = a.carrying_mul(e, 0);
        let (p1, carry) = a.carrying_mul(f, carry);
        let (p2, carry) = a.carrying_mul(g, carry);
        let (p3, p4) = a.carrying_mul(h, carry);
        let (p1, carry) = b.carrying_mul(e, p1);
        let (p2, carry) = b.carrying_mul_add(f, p2, carry);
        let (p3, carry) = b.carrying_mul_add(g, p3, carry);
        let (p4, p5) = b.carrying_mul_add(h, p4, carry);
        let (p2, carry) = c.carrying_mul(e, p2);
        let (p3, carry) = c.carrying_mul_add(f, p3, carry);
        let (p4, carry) = c.carrying_mul_add(g, p4, carry);
        let (p5, p6) = c.carrying_mul_add(h, p5, carry);
        let (p3, carry) = d.carrying_mul(e, p3);
        let (p4, carry) = d.carrying_mul_add(f, p4, carry);
        let (p5, carry) = d.carrying_mul_add(g, p5, carry);
        let (p6, p7) = d.carrying_mul_add(h, p6, carry);
        Self::of_product([p0, p1, p2, p3, p4, p5, p6, p7])
    }

    #[inline(always)]
    fn square(&self) -> Self {
        let Self([a, b, c, d]) = *self;
        // What is off the diagonal, once,
        let (p1, carry) = a.carrying_mul(b, 0);
        let (p2, carry) = a.carrying_mul(c, carry);
        let (p3, p4) = a.carrying_mul(d, carry);
        let (p3, carry) = b.carrying_mul(c, p3);
        let (p4, p5) = b.carrying_mul_add(d, p4, carry);
        let (p5, p6) = c.carrying_mul(d, p5);
        // twice,
        let (q1, q2, q3) = (p1 << 1, (p2 << 1) | (p1 >> 63), (p3 << 1) | (p2 >> 63));
        let (q4, q5, q6, q7) = ((p4 << 1) | (p3 >> 63), (p5 << 1) | (p4 >> 63), (p6 << 1) | (p5 >> 63), p6 >> 63);
        // and the squares.
        let (p0, high) = a.carrying_mul(a, 0);
        let (p1, carry) = q1.overflowing_add(high);
        let (low, high) = b.carrying_mul(b, 0);
        let (p2, carry) = q2.carrying_add(low, carry);
        let (p3, carry) = q3.carrying_add(high, carry);
        let (low, high) = c.carrying_mul(c, 0);
        let (p4, carry) = q4.carrying_add(low, carry);
        let (p5, carry) = q5.carrying_add(high, carry);
        let (low, high) = d.carrying_mul(d, 0);
        let (p6, carry) = q6.carrying_add(low, carry);
        let (p7, _) = q7.carrying_add(high, carry); // a square of four words fits eight
        Self::of_product([p0, p1, p2, p3, p4, p5, p6, p7])
    }
}
