//! The field in the plainest arithmetic there is, digit by digit in base 2^16, for tests to judge the fast ones by.

use proptest::prelude::*;

/// An integer modulo p = 2^255 − 19, below p: sixteen digits in base 2^16, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Residue([u64; 16]);

impl Residue {
    /// Returns Σ limbs[i] · 2^weights[i] modulo p.
    pub(crate) fn of(limbs: impl IntoIterator<Item = (u64, usize)>) -> Self {
        let mut digits = [0u64; 40];
        for (limb, weight) in limbs {
            let shifted = u128::from(limb) << (weight % 16);
            for step in 0..6 {
                digits[weight / 16 + step] += u64::from(low16(shifted >> (16 * step)));
            }
        }
        Self::reduced(digits)
    }

    /// Returns the integer of these little-endian bytes, all 256 bits of it, modulo p.
    pub(crate) fn of_bytes(bytes: &[u8; 32]) -> Self {
        Self::of(bytes.iter().enumerate().map(|(at, byte)| (u64::from(*byte), 8 * at)))
    }

    /// Returns the bytes, little endian.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        std::array::from_fn(|at| low16(u128::from(self.0[at / 2])).to_le_bytes()[at % 2])
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let mut digits = [0; 40];
        for (digit, (a, b)) in digits.iter_mut().zip(self.0.iter().zip(other.0)) {
            *digit = a + b;
        }
        Self::reduced(digits)
    }

    pub(crate) fn neg(&self) -> Self {
        // p − self, digit by digit: p is 0xffed, then 0xffff, then 0x7fff at the top. Multiplied by p − 1 it is the same.
        let mut minus_one = [0xffff; 16];
        minus_one[0] = 0xffec;
        minus_one[15] = 0x7fff;
        self.mul(&Self(minus_one))
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        self.add(&other.neg())
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut digits = [0; 40];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                digits[i + j] += a * b;
            }
        }
        Self::reduced(digits)
    }

    fn reduced(mut digits: [u64; 40]) -> Self {
        for _ in 0..3 {
            carry(&mut digits);
            for at in 16..40 {
                digits[at - 16] += 38 * std::mem::take(&mut digits[at]); // 2^256 is 38
            }
        }
        for _ in 0..2 {
            carry(&mut digits);
            digits[0] += 19 * (digits[15] >> 15); // 2^255 is 19
            digits[15] &= 0x7fff;
        }
        carry(&mut digits);
        if digits[0] >= 0xffed && digits[1..15].iter().all(|digit| *digit == 0xffff) && digits[15] == 0x7fff {
            let low = digits[0] - 0xffed;
            digits = [0; 40];
            digits[0] = low;
        }
        Self(std::array::from_fn(|at| digits[at]))
    }
}

fn low16(number: u128) -> u16 {
    u16::try_from(number & 0xffff).expect("sixteen bits")
}

fn carry(digits: &mut [u64; 40]) {
    for at in 0..39 {
        digits[at + 1] += digits[at] >> 16;
        digits[at] &= 0xffff;
    }
}

/// Encodings about which implementations of the field err: 0, 1, 2, p − 2 to p + 2, 2^255 − 1, powers of two and their
/// neighbours, long runs of ones.
pub(crate) fn edges() -> Vec<[u8; 32]> {
    let mut edges = Vec::new();
    for low in 0..=38 {
        let mut near_p = [0xff; 32];
        (near_p[0], near_p[31]) = (0xd9 + low, 0x7f); // p − 20 to 2^255 − 1
        let mut small = [0; 32];
        small[0] = low;
        edges.extend([near_p, small]);
    }
    for bit in 0..255 {
        let mut power = [0; 32];
        power[bit / 8] = 1 << (bit % 8);
        let mut ones = [0; 32];
        ones[..bit / 8].fill(0xff);
        ones[bit / 8] = (1 << (bit % 8)) - 1;
        edges.extend([power, ones]);
    }
    edges
}

/// Encodings, random ones and edges alike.
pub(crate) fn encodings() -> impl Strategy<Value = [u8; 32]> {
    prop_oneof![3 => any::<[u8; 32]>(), 1 => proptest::sample::select(edges())]
}

#[test]
fn the_reference_agrees_with_itself_where_every_carry_is_known() {
    let of = |number: u64| Residue::of([(number, 0)]);
    assert_eq!(of(7).mul(&of(9)), of(63));
    assert_eq!(of(7).sub(&of(9)).add(&of(2)), of(0));
    assert_eq!(Residue::of([(1, 255)]), of(19));
    assert_eq!(Residue::of([(1, 510)]), of(361));
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    assert_eq!(Residue::of_bytes(&p), of(0));
    assert_eq!(of(1).neg().add(&of(1)), of(0));
    assert_eq!(Residue::of_bytes(&of(1).neg().to_bytes()), of(1).neg());
}
