//! SHA-256 (FIPS 180-4) of a list's body, for wasm alone; everywhere else it is the crate sha2's.
//!
//! A list is hashed once, and in a fresh process by code that an engine has compiled in haste. V8's Liftoff makes a call of
//! C out of every rotation, 576 of them for 64 bytes. Here a word is doubled instead, and the rotations of it are shifts:
//! 10 KB take 0.13 ms instead of 0.58. There is no secret.

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2).
const K: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// The same of the square roots of the first eight (§5.3.3).
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Four words.
type Four = [u32; 4];
/// Eight words.
type Eight = [u32; 8];

/// Returns the hash of `message`.
pub(super) fn digest(message: &[u8]) -> [u8; 32] {
    let (blocks, rest) = message.as_chunks::<64>();
    let mut state = blocks.iter().fold(START, compressed);
    // A one, zeros, and the length in bits, in one more block or two (§5.1.1).
    let mut end = [[0; 64]; 2];
    let bits = u64::try_from(message.len()).unwrap_or(u64::MAX).saturating_mul(8).to_be_bytes();
    let length = if rest.len() < 56 { 64 } else { 128 };
    let bytes = end.as_flattened_mut();
    bytes.iter_mut().zip(rest.iter().chain(&[0x80])).for_each(|(to, from)| *to = *from);
    bytes.iter_mut().take(length).rev().zip(bits.iter().rev()).for_each(|(to, from)| *to = *from);
    for block in end.iter().take(length / 64) {
        state = compressed(state, block);
    }
    let mut hash = [0; 32];
    hash.as_chunks_mut().0.iter_mut().zip(state).for_each(|(to, word)| *to = word.to_be_bytes());
    hash
}

/// Returns the state after one more block (§6.2.2).
fn compressed(before: Eight, block: &[u8; 64]) -> Eight {
    let mut words = [[0; 4]; 4];
    let from = block.as_chunks::<4>().0;
    words.as_flattened_mut().iter_mut().zip(from).for_each(|(word, bytes)| *word = u32::from_be_bytes(*bytes));
    let [mut first, mut second, mut third, mut fourth] = words;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = before;
    // Four rounds, after which the halves have changed places: less is moved than after each.
    for [k0, k1, k2, k3] in K.as_chunks().0 {
        let [w0, w1, w2, w3] = first;
        (d, h) = round([a, b, c, d, e, f, g, h], w0.wrapping_add(*k0));
        (c, g) = round([h, a, b, c, d, e, f, g], w1.wrapping_add(*k1));
        (b, f) = round([g, h, a, b, c, d, e, f], w2.wrapping_add(*k2));
        (a, e) = round([f, g, h, a, b, c, d, e], w3.wrapping_add(*k3));
        (a, b, c, d, e, f, g, h) = (e, f, g, h, a, b, c, d);
        (first, second, third, fourth) = (second, third, fourth, following(first, second, third, fourth));
    }
    let mut after = before;
    after.iter_mut().zip([a, b, c, d, e, f, g, h]).for_each(|(word, more)| *word = word.wrapping_add(more));
    after
}

/// Returns what d and h become; all else stays, under the next letter.
#[inline(always)]
fn round([a, b, c, d, e, f, g, h]: Eight, input: u32) -> (u32, u32) {
    let choice = g ^ (e & (f ^ g));
    let majority = (a & b) | (c & (a | b));
    let t = h.wrapping_add(input).wrapping_add(rotated(e, [6, 11, 25])).wrapping_add(choice);
    (d.wrapping_add(t), t.wrapping_add(rotated(a, [2, 13, 22])).wrapping_add(majority))
}

/// Returns the four words behind these sixteen.
fn following([a, b, c, d]: Four, [e, _, _, _]: Four, [_, j, k, l]: Four, [m, _, o, p]: Four) -> Four {
    let q = mixed(a, b, j, o);
    let r = mixed(b, c, k, p);
    [q, r, mixed(c, d, l, q), mixed(d, e, m, r)]
}

/// Returns a word from those 16, 15, 7 and 2 before it.
#[inline(always)]
fn mixed(w16: u32, w15: u32, w7: u32, w2: u32) -> u32 {
    let s0 = low(twice(w15) >> 7 ^ twice(w15) >> 18) ^ (w15 >> 3);
    let s1 = low(twice(w2) >> 17 ^ twice(w2) >> 19) ^ (w2 >> 10);
    w16.wrapping_add(s0).wrapping_add(w7).wrapping_add(s1)
}

/// Returns the exclusive or of three rotations to the right.
#[inline(always)]
fn rotated(word: u32, [x, y, z]: [u32; 3]) -> u32 {
    let twice = twice(word);
    low(twice >> x ^ twice >> y ^ twice >> z)
}

/// Returns the word behind itself: shifted to the right by less than 32, its lower half is the word rotated. Multiplied, for
/// a shift and an or would be seen to be a rotation.
#[inline(always)]
fn twice(word: u32) -> u64 {
    u64::from(word).wrapping_mul(0x1_0000_0001)
}

#[allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "the low 32 bits are meant")]
#[inline(always)]
fn low(word: u64) -> u32 {
    word as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn hashes_of_every_length_are_those_of_sha2() {
        let bytes: Vec<u8> =
            (0..1_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(1_001).collect();
        for length in 0..=1_000 {
            let message = bytes.get(..length).unwrap();
            assert_eq!(digest(message), <[u8; 32]>::from(Sha256::digest(message)), "{length}");
        }
    }

    proptest! {
        #[test]
        fn hashes_are_those_of_sha2(message in proptest::collection::vec(any::<u8>(), 0..5_000)) {
            prop_assert_eq!(digest(&message), <[u8; 32]>::from(Sha256::digest(&message)));
        }
    }
}
