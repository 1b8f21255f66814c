//! Lanes as arrays. Every operation asserts what it says of its bounds, where debug assertions are on.

/// Four numbers of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quad([u32; 4]);

/// Two numbers of 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair([u64; 2]);

impl Quad {
    pub(crate) const fn new(lanes: [u32; 4]) -> Self {
        Self(lanes)
    }

    pub(crate) fn lanes(self) -> [u32; 4] {
        self.0
    }

    /// The sums; below 2^32.
    pub(crate) fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| kept(a.wrapping_add(b), a.checked_add(b)))
    }

    /// The differences; not below 0.
    pub(crate) fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| kept(a.wrapping_sub(b), a.checked_sub(b)))
    }

    /// The bits of `self` where `chosen` has a one, those of `other` elsewhere.
    pub(crate) fn or_where(self, chosen: Self, other: Self) -> Self {
        self.zip(chosen, |a, mask| a & mask).zip(other.zip(chosen, |b, mask| b & !mask), |a, b| a | b)
    }

    /// The numbers times `factor`; below 2^32.
    pub(crate) fn times(self, factor: u32) -> Self {
        Self(self.0.map(|a| kept(a.wrapping_mul(factor), a.checked_mul(factor))))
    }

    /// The bits that are in `mask`.
    pub(crate) fn and(self, mask: u32) -> Self {
        Self(self.0.map(|a| a & mask))
    }

    /// The numbers without their lowest `bits` bits.
    pub(crate) fn shr(self, bits: u32) -> Self {
        Self(self.0.map(|a| a >> bits))
    }

    /// The products of lanes 0 and 1.
    pub(crate) fn low_products(self, other: Self) -> Pair {
        let ([a, b, ..], [c, d, ..]) = (self.0, other.0);
        Pair([product(a, c), product(b, d)])
    }

    /// The products of lanes 2 and 3.
    pub(crate) fn high_products(self, other: Self) -> Pair {
        let ([.., a, b], [.., c, d]) = (self.0, other.0);
        Pair([product(a, c), product(b, d)])
    }

    fn zip(self, other: Self, of: impl Fn(u32, u32) -> u32) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        Self([of(a0, b0), of(a1, b1), of(a2, b2), of(a3, b3)])
    }
}

impl Pair {
    pub(crate) const ZERO: Self = Self([0, 0]);

    /// The sums; below 2^64.
    pub(crate) fn add(self, other: Self) -> Self {
        let ([a0, a1], [b0, b1]) = (self.0, other.0);
        let sum = |a: u64, b: u64| kept(a.wrapping_add(b), a.checked_add(b));
        Self([sum(a0, b0), sum(a1, b1)])
    }

    /// The bits that are in `mask`.
    pub(crate) fn and(self, mask: u64) -> Self {
        Self(self.0.map(|a| a & mask))
    }

    /// The numbers without their lowest `bits` bits.
    pub(crate) fn shr(self, bits: u32) -> Self {
        Self(self.0.map(|a| a >> bits))
    }

    /// The numbers times 2^`bits`; below 2^64.
    pub(crate) fn shl(self, bits: u32) -> Self {
        Self(self.0.map(|a| kept(a << bits, (a <= u64::MAX >> bits).then_some(a << bits))))
    }

    /// The lower halves: lanes 0 and 1 from `self`, 2 and 3 from `high`.
    pub(crate) fn joined(self, high: Self) -> Quad {
        let ([a, b], [c, d]) = (self.0, high.0);
        Quad([a, b, c, d].map(|lane| u32::try_from(lane & u64::from(u32::MAX)).unwrap_or_default()))
    }
}

/// What the machine makes of it, which must be the exact number.
fn kept<N: PartialEq + std::fmt::Debug>(made: N, exact: Option<N>) -> N {
    debug_assert_eq!(Some(&made), exact.as_ref(), "bits were lost");
    made
}

fn product(a: u32, b: u32) -> u64 {
    u64::from(a).wrapping_mul(u64::from(b)) // below 2^64 always
}
