//! Arithmetic whose bounds are written down where it is used, so that it never overflows.
//!
//! Where debug assertions are on, as in tests, each operation checks that; elsewhere it wraps, which costs no branch in
//! the innermost loops of this crate.

/// Sums, differences and products that fit.
pub(super) trait Exact: Copy {
    /// Returns `self + other`.
    fn plus(self, other: Self) -> Self;
    /// Returns `self − other`.
    fn minus(self, other: Self) -> Self;
    /// Returns `self · other`.
    fn times(self, other: Self) -> Self;
}

macro_rules! exact {
    ($($integer:ty)*) => { $(impl Exact for $integer {
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            debug_assert!(self.checked_add(other).is_some(), "a sum overflows");
            self.wrapping_add(other)
        }

        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            debug_assert!(self.checked_sub(other).is_some(), "a difference overflows");
            self.wrapping_sub(other)
        }

        #[inline(always)]
        fn times(self, other: Self) -> Self {
            debug_assert!(self.checked_mul(other).is_some(), "a product overflows");
            self.wrapping_mul(other)
        }
    })* };
}

exact!(u64 u128 i64 i128);
