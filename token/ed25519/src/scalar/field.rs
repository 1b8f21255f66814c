//! What both fields share: the operations they offer, the constants of the curve, roots and inverses.

use crate::{invert, words};

/// d = −121665/121666, of the curve −x² + y² = 1 + d·x²·y² (RFC 8032 §5.1).
const D: [u8; 32] = words::from_hex("a3785913ca4deb75abd841414d0a700098e879777940c78c73fe6f2bee6c0352");
/// 2d.
const D2: [u8; 32] = words::from_hex("59f1b226949bd6eb56b183829a14e00030d1f3eef2808e19e7fcdf56dcd90624");
/// The even one of the two roots of −1.
const SQRT_MINUS_1: [u8; 32] = words::from_hex("b0a00e4a271beec478e42fad0618432fa7d7fb3d99004d2b0bdfc14f8024832b");

/// The base point's coordinates (RFC 8032 §5.1).
const BASE_X: [u8; 32] = words::from_hex("1ad5258f602d56c9b2a7259560c72c695cdcd6fd31e2a4c0fe536ecdd3366921");
const BASE_Y: [u8; 32] = words::from_hex("5866666666666666666666666666666666666666666666666666666666666666");

/// An element of the field modulo p = 2^255 − 19.
///
/// A result of `mul`, `square`, `neg` or `from_bytes` is *carried*. Every function also takes the sum of up to three
/// elements of which one may be a difference; only what `sub` takes away is carried or the sum of two carried.
pub(crate) trait Element: Copy {
    const ZERO: Self;
    const ONE: Self;

    /// Returns the element that 32 little-endian bytes encode, the top bit ignored, modulo p.
    fn from_bytes(bytes: &[u8; 32]) -> Self;

    /// Returns the one encoding below p, little endian.
    fn to_bytes(&self) -> [u8; 32];

    fn add(&self, other: &Self) -> Self;
    fn sub(&self, other: &Self) -> Self;
    fn neg(&self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    fn square(&self) -> Self;

    fn d() -> Self {
        Self::from_bytes(&D)
    }

    fn d2() -> Self {
        Self::from_bytes(&D2)
    }

    /// Returns x and y of the base point.
    fn base() -> (Self, Self) {
        (Self::from_bytes(&BASE_X), Self::from_bytes(&BASE_Y))
    }

    fn is_zero(&self) -> bool {
        self.to_bytes() == [0; 32]
    }

    /// Returns whether the canonical encoding is odd: the sign of RFC 8032 §5.1.2.
    fn is_negative(&self) -> bool {
        let [first, ..] = self.to_bytes();
        first & 1 == 1
    }

    /// Returns the inverse; zero for zero.
    fn invert(&self) -> Self {
        Self::from_bytes(&invert::modulo_p(&self.to_bytes()))
    }

    /// Returns self^(2^n), n ≥ 1.
    fn square_n(&self, n: u32) -> Self {
        (1..n).fold(self.square(), |power, _| power.square())
    }

    /// Returns self^((p − 5)/8), which is 2^252 − 3.
    fn power_p58(&self) -> Self {
        let two = self.square().mul(self); // 2^2 − 1
        let four = two.square_n(2).mul(&two); // 2^4 − 1
        let five = four.square().mul(self); // 2^5 − 1
        let ten = five.square_n(5).mul(&five);
        let twenty = ten.square_n(10).mul(&ten);
        let forty = twenty.square_n(20).mul(&twenty);
        let fifty = forty.square_n(10).mul(&ten);
        let hundred = fifty.square_n(50).mul(&fifty);
        let two_hundred = hundred.square_n(100).mul(&hundred);
        let most = two_hundred.square_n(50).mul(&fifty); // 2^250 − 1
        most.square_n(2).mul(self)
    }

    /// Returns one of the roots of `self` / `below`, if it is a square (RFC 8032 §5.1.3).
    fn square_root_of_ratio(&self, below: &Self) -> Option<Self> {
        let cubed = below.square().mul(below);
        let seventh = cubed.square().mul(below);
        let root = self.mul(&cubed).mul(&self.mul(&seventh).power_p58());
        let square = below.mul(&root.square());
        if self.sub(&square).is_zero() {
            Some(root)
        } else if self.add(&square).is_zero() {
            Some(root.mul(&Self::from_bytes(&SQRT_MINUS_1)))
        } else {
            None
        }
    }
}

/// Returns the inverse of each, with one inversion for all (Montgomery's trick); zeros throughout if one is zero.
pub(crate) fn invert_all<F: Element>(elements: &[F]) -> Vec<F> {
    let mut product = F::ONE;
    let mut inverses = Vec::with_capacity(elements.len());
    for element in elements {
        inverses.push(product); // of those before it
        product = product.mul(element);
    }
    let mut inverse = product.invert(); // of those up to here
    for (before, element) in inverses.iter_mut().zip(elements).rev() {
        *before = before.mul(&inverse);
        inverse = inverse.mul(element);
    }
    inverses
}
