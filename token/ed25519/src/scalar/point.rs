//! Points of the curve −x² + y² = 1 + d·x²·y² (RFC 8032 §5.1) in the coordinates of Hisil, Wong, Carter and Dawson
//! ("Twisted Edwards Curves Revisited", 2008), over either field.
//!
//! The formulas are complete on this curve (d is not a square, −1 is): they hold for every pair of points, and no Z is
//! ever zero.

use super::field::Element;
use std::hint::select_unpredictable;

/// A point in extended coordinates: x = X/Z, y = Y/Z, T = XY/Z, all carried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point<F> {
    pub(crate) x: F,
    pub(crate) y: F,
    pub(crate) z: F,
    pub(crate) t: F,
}

/// A point without its T, which neither doubling nor encoding needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Projective<F> {
    pub(crate) x: F,
    pub(crate) y: F,
    pub(crate) z: F,
}

/// What an addition or a doubling ends in: X = EF, Y = GH, Z = FG, T = EH.
pub(crate) struct Sum<F> {
    e: F,
    f: F,
    g: F,
    h: F,
}

/// A point ready to be added: Y + X, Y − X, 2Z, 2dT; sums of two carried, a difference, a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addend<F> {
    plus: F,
    minus: F,
    z2: F,
    td2: F,
}

/// A point with Z = 1 ready to be added: y + x, y − x, 2dxy, all carried; three field elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<F> {
    pub(crate) plus: F,
    pub(crate) minus: F,
    pub(crate) xyd2: F,
}

impl<F: Element> Point<F> {
    pub(crate) const IDENTITY: Self = Self { x: F::ZERO, y: F::ONE, z: F::ONE, t: F::ZERO };

    /// Returns the point with this encoding (RFC 8032 §5.1.3): y below p, and no sign on x = 0.
    pub(crate) fn decompress(bytes: &[u8; 32]) -> Option<Self> {
        let y = F::from_bytes(bytes);
        let square = y.square();
        let x = square.sub(&F::ONE).square_root_of_ratio(&square.mul(&F::d()).add(&F::ONE))?;
        let [.., last] = *bytes;
        let x = if x.is_negative() == (last > 127) { x } else { x.neg() };
        let point = Self { x, y, z: F::ONE, t: x.mul(&y) };
        // The one encoding there is: neither y + p nor the other sign of zero.
        (point.projective().encode(&F::ONE) == *bytes).then_some(point)
    }

    /// Returns the base point (RFC 8032 §5.1).
    pub(crate) fn base() -> Self {
        let (x, y) = F::base();
        Self { x, y, z: F::ONE, t: x.mul(&y) }
    }

    pub(crate) fn neg(&self) -> Self {
        Self { x: self.x.neg(), y: self.y, z: self.z, t: self.t.neg() }
    }

    /// Returns whether eight times the point is the identity.
    pub(crate) fn is_low_order(&self) -> bool {
        let Projective { x, y, z } = self.times_power_of_two(3).projective();
        x.is_zero() && y.sub(&z).is_zero()
    }

    /// Returns 2^n times the point, n ≥ 1.
    pub(crate) fn times_power_of_two(&self, n: u32) -> Self {
        (1..n).fold(self.projective().double(), |sum, _| sum.projective().double()).point()
    }

    pub(crate) fn projective(&self) -> Projective<F> {
        Projective { x: self.x, y: self.y, z: self.z }
    }

    pub(crate) fn addend(&self) -> Addend<F> {
        Addend {
            plus: self.y.add(&self.x),
            minus: self.y.sub(&self.x),
            z2: self.z.add(&self.z),
            td2: self.t.mul(&F::d2()),
        }
    }

    /// Returns the sum with `other`, or the difference.
    #[inline(always)]
    pub(crate) fn plus(&self, other: &Addend<F>, negative: bool) -> Sum<F> {
        self.plus_scaled(self.z.mul(&other.z2), (&other.plus, &other.minus, &other.td2), negative)
    }

    /// Returns the sum with `entry`, or the difference: seven multiplications until it is a point again.
    #[inline(always)]
    pub(super) fn plus_entry(&self, entry: &Entry<F>, negative: bool) -> Sum<F> {
        self.plus_scaled(self.z.add(&self.z), (&entry.plus, &entry.minus, &entry.xyd2), negative)
    }

    /// The unified addition with k = 2d (add-2008-hwcd-3); −P is P with y + x and y − x exchanged and T negated.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn plus_scaled(&self, d: F, (plus, minus, td2): (&F, &F, &F), negative: bool) -> Sum<F> {
        // A sign is as good as random: chosen by address, not by a branch.
        let a = self.y.sub(&self.x).mul(select_unpredictable(negative, plus, minus));
        let b = self.y.add(&self.x).mul(select_unpredictable(negative, minus, plus));
        let c = self.t.mul(td2);
        let (f, g) = (d.sub(&c), d.add(&c));
        let (f, g) = (*select_unpredictable(negative, &g, &f), *select_unpredictable(negative, &f, &g));
        Sum { e: b.sub(&a), f, g, h: b.add(&a) }
    }
}

impl<F: Element> Projective<F> {
    /// Returns twice the point (dbl-2008-hwcd for a = −1, all four negated, as in RFC 8032 §5.1.4).
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) fn double(&self) -> Sum<F> {
        let (a, b, c) = (self.x.square(), self.y.square(), self.z.square());
        let (g, h) = (a.sub(&b), a.add(&b));
        Sum { e: h.sub(&self.x.add(&self.y).square()), f: g.add(&c.add(&c)), g, h }
    }

    /// Returns Z, never zero.
    pub(crate) fn z(&self) -> F {
        self.z
    }

    /// Returns the RFC 8032 §5.1.2 encoding, given the inverse of Z.
    pub(crate) fn encode(&self, z_inverse: &F) -> [u8; 32] {
        let mut bytes = self.y.mul(z_inverse).to_bytes();
        let [.., last] = &mut bytes;
        *last |= u8::from(self.x.mul(z_inverse).is_negative()) << 7;
        bytes
    }
}

impl<F: Element> Sum<F> {
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn projective(&self) -> Projective<F> {
        Projective { x: self.e.mul(&self.f), y: self.g.mul(&self.h), z: self.f.mul(&self.g) }
    }

    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn point(&self) -> Point<F> {
        let Projective { x, y, z } = self.projective();
        Point { x, y, z, t: self.e.mul(&self.h) }
    }
}
