//! The order of the base point, L = 2^252 + c: which scalars are canonical, and hashes modulo L.

use super::words;

/// L, least significant word first.
const ORDER: [u64; 4] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];
/// c = L − 2^252, below 2^125.
const EXCESS: [u64; 2] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6];

/// Returns whether `scalar`, little endian, is below L (RFC 8032 §5.1.7 step 1).
pub(super) fn is_canonical(scalar: &[u8; 32]) -> bool {
    minus(words::from_bytes(scalar), ORDER).1
}

/// Returns the 64 little-endian bytes of `hash` modulo L.
pub(super) fn reduce(hash: &[u8; 64]) -> [u8; 32] {
    let (halves, _) = hash.as_chunks::<32>();
    let [low, high] = [halves.first(), halves.last()].map(|half| half.map_or([0; 4], words::from_bytes));
    // 2^252 ≡ −c: what is above 2^252 comes back times c, its sign changing each time.
    let (x0, x1) = split(low, high); // 252 and 260 bits
    let (y0, y1) = split_product(x1); // c·x1 < 2^385: 252 and 133 bits
    let (z0, z1) = split_product(y1); // c·y1 < 2^258: 252 and 6 bits
    let (t, _) = split_product(z1); // c·z1 < 2^131
    // x0 − y0 + z0 − t is above −2^253 and below 2^253: with 2L added it is positive and below 2^254 + 2^253.
    let sum = plus(plus(x0, z0), plus(ORDER, ORDER));
    let mut reduced = minus(minus(sum, y0).0, t).0;
    while let (less, false) = minus(reduced, ORDER) {
        reduced = less;
    }
    words::to_bytes(reduced)
}

/// Returns the low 252 bits of low + 2^256·high and what is above them: below 2^260 when `high` is.
fn split(low: [u64; 4], high: [u64; 4]) -> ([u64; 4], [u64; 5]) {
    let ([a, b, c, d], [e, f, g, h]) = (low, high);
    let above = [d >> 60 | e << 4, e >> 60 | f << 4, f >> 60 | g << 4, g >> 60 | h << 4, h >> 60];
    ([a, b, c, d & (u64::MAX >> 4)], above)
}

/// Returns c·x split at 2^252.
fn split_product(x: [u64; 5]) -> ([u64; 4], [u64; 5]) {
    let [c0, c1] = EXCESS;
    let (mut carry0, mut carry1, mut before) = (0, 0, 0);
    let mut product = [0; 8];
    // One word of c·x from c0·x[i] + c1·x[i − 1] and what both leave over.
    for (word, x) in product.iter_mut().zip(x.into_iter().chain([0; 3])) {
        let (low, high) = c0.carrying_mul(x, carry0);
        carry0 = high;
        (*word, carry1) = c1.carrying_mul_add(before, low, carry1);
        before = x;
    }
    let [a, b, c, d, e, f, g, h] = product;
    split([a, b, c, d], [e, f, g, h])
}

fn plus(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let (mut out, mut carry) = ([0; 4], false);
    for (word, (a, b)) in out.iter_mut().zip(a.into_iter().zip(b)) {
        (*word, carry) = a.carrying_add(b, carry);
    }
    out
}

/// Returns a − b modulo 2^256, and whether b is the larger.
fn minus(a: [u64; 4], b: [u64; 4]) -> ([u64; 4], bool) {
    let (mut out, mut borrow) = ([0; 4], false);
    for (word, (a, b)) in out.iter_mut().zip(a.into_iter().zip(b)) {
        (*word, borrow) = a.borrowing_sub(b, borrow);
    }
    (out, borrow)
}
