//! Lanes of simd128. What each operation says of its bounds is asserted by its twin in portable.rs.

use core::arch::wasm32::{
    i32x4_shuffle, u32x4, u32x4_add, u32x4_extract_lane, u32x4_mul, u32x4_shr, u32x4_splat, u32x4_sub, u64x2,
    u64x2_add, u64x2_extmul_high_u32x4, u64x2_extmul_low_u32x4, u64x2_shl, u64x2_shr, u64x2_splat, v128, v128_and,
    v128_bitselect,
};

/// Four numbers of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quad(v128);

/// Two numbers of 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair(v128);

impl Quad {
    pub(crate) const fn new([a, b, c, d]: [u32; 4]) -> Self {
        Self(u32x4(a, b, c, d))
    }

    pub(crate) fn lanes(self) -> [u32; 4] {
        let v = self.0;
        [u32x4_extract_lane::<0>(v), u32x4_extract_lane::<1>(v), u32x4_extract_lane::<2>(v), u32x4_extract_lane::<3>(v)]
    }

    /// The sums; below 2^32.
    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(u32x4_add(self.0, other.0))
    }

    /// The differences; not below 0.
    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(u32x4_sub(self.0, other.0))
    }

    /// The bits of `self` where `chosen` has a one, those of `other` elsewhere.
    #[inline(always)]
    pub(crate) fn or_where(self, chosen: Self, other: Self) -> Self {
        Self(v128_bitselect(self.0, other.0, chosen.0))
    }

    /// The numbers times `factor`; below 2^32.
    #[inline(always)]
    pub(crate) fn times(self, factor: u32) -> Self {
        Self(u32x4_mul(self.0, u32x4_splat(factor)))
    }

    /// The bits that are in `mask`.
    #[inline(always)]
    pub(crate) fn and(self, mask: u32) -> Self {
        Self(v128_and(self.0, u32x4_splat(mask)))
    }

    /// The numbers without their lowest `bits` bits.
    #[inline(always)]
    pub(crate) fn shr(self, bits: u32) -> Self {
        Self(u32x4_shr(self.0, bits))
    }

    /// The products of lanes 0 and 1.
    #[inline(always)]
    pub(crate) fn low_products(self, other: Self) -> Pair {
        Pair(u64x2_extmul_low_u32x4(self.0, other.0))
    }

    /// The products of lanes 2 and 3.
    #[inline(always)]
    pub(crate) fn high_products(self, other: Self) -> Pair {
        Pair(u64x2_extmul_high_u32x4(self.0, other.0))
    }
}

impl Pair {
    pub(crate) const ZERO: Self = Self(u64x2(0, 0));

    /// The sums; below 2^64.
    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(u64x2_add(self.0, other.0))
    }

    /// The bits that are in `mask`.
    #[inline(always)]
    pub(crate) fn and(self, mask: u64) -> Self {
        Self(v128_and(self.0, u64x2_splat(mask)))
    }

    /// The numbers without their lowest `bits` bits.
    #[inline(always)]
    pub(crate) fn shr(self, bits: u32) -> Self {
        Self(u64x2_shr(self.0, bits))
    }

    /// The numbers times 2^`bits`; below 2^64.
    #[inline(always)]
    pub(crate) fn shl(self, bits: u32) -> Self {
        Self(u64x2_shl(self.0, bits))
    }

    /// The lower halves: lanes 0 and 1 from `self`, 2 and 3 from `high`.
    #[inline(always)]
    pub(crate) fn joined(self, high: Self) -> Quad {
        Quad(i32x4_shuffle::<0, 2, 4, 6>(self.0, high.0))
    }
}
