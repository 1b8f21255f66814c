//! The inverse modulo p = 2^255 − 19 by division steps (Bernstein and Yang, "Fast constant-time gcd computation and
//! modular inversion", 2019), in variable time.
//!
//! Laid out as in libsecp256k1's modinv (Pieter Wuille): many steps at once on the low words alone, gathered in a
//! matrix of small integers, which is then applied to the whole numbers. An integer is Σ limb_i·2^(BITS·i), the last limb
//! signed, the others in 0..2^BITS. With products of i128 a matrix holds 62 steps, with i64 it holds 30.

use super::exact::Exact;
use super::words;

/// The inverse of p modulo 2^62, and so modulo 2^30.
const P_INVERSE: i64 = 0x3943_5e50_d794_35e5;

/// Returns the inverse of `bytes` modulo p, both little endian and below p; zero for zero.
pub(super) fn modulo_p(bytes: &[u8; 32]) -> [u8; 32] {
    #[cfg(target_pointer_width = "64")]
    return inverse::<i128, 5>(bytes);
    #[cfg(not(target_pointer_width = "64"))]
    return inverse::<i64, 9>(bytes);
}

/// What sums of products are made in, and with it how many steps a matrix holds.
pub(super) trait Product: Exact {
    /// Bits of a limb, steps of a matrix.
    const BITS: u32;
    /// The low BITS bits.
    const MASK: i64;
    /// Returns a·b, |a| and |b| at most 2^BITS.
    fn of(a: i64, b: i64) -> Self;
    /// Returns the low BITS bits.
    fn low(self) -> i64;
    /// Returns what is above the low BITS bits, rounded down.
    fn high(self) -> Self;
    /// Returns the value, which is that of a last limb.
    fn last(self) -> i64;
}

impl Product for i64 {
    const BITS: u32 = 30;
    const MASK: i64 = (1 << 30) - 1;

    #[inline(always)]
    fn of(a: i64, b: i64) -> Self {
        a.times(b)
    }
    #[inline(always)]
    fn low(self) -> i64 {
        self & Self::MASK
    }
    #[inline(always)]
    fn high(self) -> Self {
        self >> 30
    }
    #[inline(always)]
    fn last(self) -> i64 {
        self
    }
}

impl Product for i128 {
    const BITS: u32 = 62;
    const MASK: i64 = (1 << 62) - 1;

    #[inline(always)]
    fn of(a: i64, b: i64) -> Self {
        Self::from(a).wrapping_mul(Self::from(b))
    }
    #[inline(always)]
    fn low(self) -> i64 {
        truncated(self) & Self::MASK
    }
    #[inline(always)]
    fn high(self) -> Self {
        self >> 62
    }
    #[inline(always)]
    fn last(self) -> i64 {
        truncated(self)
    }
}

#[inline(always)]
#[allow(clippy::as_conversions, reason = "the low 64 bits are meant")]
fn truncated(wide: i128) -> i64 {
    wide as i64
}

/// Steps taken together: 2^BITS·(f, g) becomes (u·f + v·g, q·f + r·g); |u| + |v| and |q| + |r| are at most 2^BITS.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// Returns the inverse with limbs and matrices of W's width; `N` limbs hold 257 bits and a sign.
///
/// Invariants: f ≡ d·x and g ≡ e·x modulo p, |f| and |g| ≤ p, d and e in −2p..p. When g is zero, f is ±1, or ±p for
/// x = 0, whose d stays zero.
pub(super) fn inverse<W: Product, const N: usize>(bytes: &[u8; 32]) -> [u8; 32] {
    let (mut d, mut e) = ([0; N], one::<N>());
    let (mut f, mut g) = (modulus::<W, N>(), limbs::<W, N>(bytes));
    let mut eta = -1;
    while g != [0; N] {
        let matrix;
        (eta, matrix) = steps::<W>(eta, first(&f), first(&g));
        (d, e) = (modulo::<W, N>(matrix.u, &d, matrix.v, &e), modulo::<W, N>(matrix.q, &d, matrix.r, &e));
        (f, g) = (halved::<W, N>(matrix.u, &f, matrix.v, &g), halved::<W, N>(matrix.q, &f, matrix.r, &g));
    }
    to_bytes::<W, N>(&canonical::<W, N>(d, if last(&f) < 0 { -1 } else { 1 }))
}

/// Takes BITS division steps on the low bits of f and g; η is −δ of the paper.
fn steps<W: Product>(mut eta: i64, mut f: i64, mut g: i64) -> (i64, Matrix) {
    let (mut u, mut v, mut q, mut r) = (1_i64, 0_i64, 0_i64, 1_i64);
    let mut left = W::BITS;
    loop {
        // Even g: as many steps as it has zeros, the end of the batch counted as a one.
        let zeros = (g | (-1 << left)).trailing_zeros();
        g = g.wrapping_shr(zeros);
        (u, v) = (u.wrapping_shl(zeros), v.wrapping_shl(zeros));
        eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            return (eta, Matrix { u, v, q, r });
        }
        if eta < 0 {
            eta = -eta;
            (f, g) = (g, f.wrapping_neg());
            (u, v, q, r) = (q, r, -u, -v);
        }
        // f·w + g is zero in its low bits, as many as there are steps before η turns negative, 6 at most.
        let bits = (eta + 1).min(i64::from(left)).min(6);
        let w = f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)) & ((1 << bits) - 1);
        g = g.wrapping_add(f.wrapping_mul(w));
        q = q.plus(u.times(w));
        r = r.plus(v.times(w));
    }
}

/// Returns (x·a + y·b) / 2^BITS modulo p, in −2p..p as a and b are.
///
/// Each sum is below 2^BITS·(|x| + |y| + |m|·…) < 2^(2·BITS + 2), which a product holds.
#[inline(always)]
fn modulo<W: Product, const N: usize>(x: i64, a: &[i64; N], y: i64, b: &[i64; N]) -> [i64; N] {
    // A negative a or b counts as that plus p; then the multiple of p that makes the low bits zero is added.
    let lift = (x & (last(a) >> 63)).plus(y & (last(b) >> 63));
    let low = W::of(x, first(a)).plus(W::of(y, first(b)));
    let times = lift.minus(low.low().wrapping_mul(P_INVERSE).wrapping_add(lift) & W::MASK);
    combined::<W, N>(x, a, y, b, times)
}

/// Returns (x·a + y·b) / 2^BITS, which is whole.
#[inline(always)]
fn halved<W: Product, const N: usize>(x: i64, a: &[i64; N], y: i64, b: &[i64; N]) -> [i64; N] {
    combined::<W, N>(x, a, y, b, 0)
}

/// Returns (x·a + y·b + times·p) / 2^BITS, which is whole.
#[inline(always)]
fn combined<W: Product, const N: usize>(x: i64, a: &[i64; N], y: i64, b: &[i64; N], times: i64) -> [i64; N] {
    let mut out = [0; N];
    let mut sum = W::of(0, 0);
    let modulus = modulus::<W, N>();
    let mut at = out.iter_mut();
    for (n, ((a, b), p)) in a.iter().zip(b).zip(&modulus).enumerate() {
        sum = sum.plus(W::of(x, *a).plus(W::of(y, *b)));
        if *p != 0 {
            sum = sum.plus(W::of(times, *p));
        }
        if n > 0
            && let Some(limb) = at.next()
        {
            *limb = sum.low();
        }
        sum = sum.high();
    }
    if let Some(limb) = at.next() {
        *limb = sum.last();
    }
    out
}

/// Returns sign·d modulo p, below p; d is in −2p..p.
fn canonical<W: Product, const N: usize>(d: [i64; N], sign: i64) -> [i64; N] {
    let d = if last(&d) < 0 { scaled::<W, N>(1, &d, 1) } else { d };
    let d = scaled::<W, N>(sign, &d, 0);
    if last(&d) < 0 { scaled::<W, N>(1, &d, 1) } else { d }
}

/// Returns sign·d + times·p.
fn scaled<W: Product, const N: usize>(sign: i64, d: &[i64; N], times: i64) -> [i64; N] {
    let mut out = [0; N];
    let mut carry = 0;
    for (limb, (d, p)) in out.iter_mut().zip(d.iter().zip(&modulus::<W, N>())) {
        let sum = d.times(sign).plus(p.times(times)).plus(carry);
        *limb = sum & W::MASK;
        carry = sum >> W::BITS;
    }
    // The last limb keeps its sign.
    if let Some(limb) = out.last_mut() {
        *limb = limb.plus(carry.wrapping_shl(W::BITS));
    }
    out
}

/// p, its limbs not carried: −19 and a power of two.
#[inline(always)]
fn modulus<W: Product, const N: usize>() -> [i64; N] {
    let mut limbs = [0; N];
    if let [first, .., last] = limbs.as_mut_slice() {
        *first = -19;
        *last = 1 << (255 % W::BITS);
    }
    limbs
}

fn one<const N: usize>() -> [i64; N] {
    let mut limbs = [0; N];
    if let Some(first) = limbs.first_mut() {
        *first = 1;
    }
    limbs
}

#[inline(always)]
fn first<const N: usize>(limbs: &[i64; N]) -> i64 {
    limbs.first().copied().unwrap_or_default()
}

#[inline(always)]
fn last<const N: usize>(limbs: &[i64; N]) -> i64 {
    limbs.last().copied().unwrap_or_default()
}

/// Returns the limbs of an integer of 32 little-endian bytes.
fn limbs<W: Product, const N: usize>(bytes: &[u8; 32]) -> [i64; N] {
    let mut words = words::from_bytes(bytes).into_iter();
    let (mut held, mut bits) = (0_u128, 0);
    [0; N].map(|_: i64| {
        if bits < W::BITS {
            held |= u128::from(words.next().unwrap_or_default()) << bits;
            bits += 64;
        }
        let limb = held & u128::from(W::MASK.cast_unsigned());
        held >>= W::BITS;
        bits -= W::BITS;
        truncated(limb.cast_signed())
    })
}

/// Returns the 32 little-endian bytes of an integer that is not negative and below 2^256.
fn to_bytes<W: Product, const N: usize>(limbs: &[i64; N]) -> [u8; 32] {
    let mut limbs = limbs.iter();
    let (mut held, mut bits) = (0_u128, 0);
    words::to_bytes([0; 4].map(|_: u64| {
        while bits < 64 {
            held |= u128::from(limbs.next().copied().unwrap_or_default().cast_unsigned()) << bits;
            bits += W::BITS;
        }
        let word = truncated(held.cast_signed()).cast_unsigned();
        held >>= 64;
        bits -= 64;
        word
    }))
}
