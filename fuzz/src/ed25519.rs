//! Our Ed25519 against dalek's `verify_strict`: without tables, with them, and where several share an inversion.
//!
//! Inputs are not bytes of signatures but recipes for them: the key and the nonce may have a part of low order, `s` may be
//! another representative, and at last bits are flipped.

use crate::bytes::Bytes;
use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::Signature;
use sha2::{Digest, Sha512};
use std::sync::LazyLock;
use token::ed25519::{Fault, Tables, VerifyingKey, settle};

/// More than a key needs to be busy.
const ACCEPTED_TO_WARM: usize = 200;
/// The order of the base point's group, little endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

struct Key {
    secret: Scalar,
    /// Which of the points of low order is added to the honest key.
    part: usize,
    bytes: [u8; 32],
    /// Has verified often; `None` when it is not fit to be a key.
    busy: Option<VerifyingKey>,
}

/// Two honest keys, and keys with a part of order 2, 4 and 8.
static KEYS: LazyLock<Vec<Key>> =
    LazyLock::new(|| [0, 0, 4, 2, 1].iter().enumerate().map(|(at, part)| key(at, *part)).collect());

/// # Panics
/// When a verdict of ours is not that of `verify_strict`.
pub fn judge(input: &[u8]) {
    let mut recipe = Bytes(input);
    let key = &KEYS[recipe.below(KEYS.len())];
    let (how_r, how_s, flips) = (recipe.byte(), recipe.byte(), recipe.byte() % 4);
    let nonce = recipe.array::<32>();
    let raw_s = recipe.array::<32>();
    let places: [u16; 3] = std::array::from_fn(|_| u16::from_le_bytes(recipe.array()));
    let mut message = recipe.0.to_vec();
    let r = r_of(how_r, &nonce);
    if matches!(how_r % 4, 1 | 2) {
        fit(&mut message, &r, usize::from(how_r >> 2) % 8, key);
    }
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&s_of(how_s, key, &nonce, &r, &message, raw_s));
    let mut bytes = key.bytes;
    for place in places.into_iter().take(flips.into()) {
        flip(place, &mut signature, &mut bytes, &mut message);
    }
    let known = (bytes == key.bytes).then_some(key.busy.as_ref()).flatten();
    let holds = compare(&bytes, known, &message, &signature);
    let is_honest = how_r % 4 == 0 && how_s % 4 == 0 && Scalar::from_bytes_mod_order(nonce) != Scalar::ZERO;
    if is_honest && flips == 0 && key.bytes == KEYS[0].bytes {
        assert!(holds, "an honest signature is refused");
    }
}

/// Compares the verdicts on one signature, and returns dalek's.
fn compare(bytes: &[u8; 32], known: Option<&VerifyingKey>, message: &[u8], signature: &[u8; 64]) -> bool {
    let Some(dalek) = strict_key(bytes) else {
        assert!(VerifyingKey::from_bytes(bytes, Tables::Never).is_err());
        return false;
    };
    let expected = dalek.verify_strict(message, &Signature::from_bytes(signature)).is_ok();
    let cold = VerifyingKey::from_bytes(bytes, Tables::Never);
    if dalek.is_weak() {
        assert_eq!(cold.unwrap_err(), Fault::LowOrder);
        return expected;
    }
    let cold = cold.expect("dalek takes it");
    assert_eq!(cold.as_bytes(), bytes);
    assert_eq!(cold.verifies(message, signature), expected, "without tables");
    let (good, good_signature) = (b"another", sign(&KEYS[1], &Scalar::from(7_u8), b"another"));
    let honest = KEYS[1].busy.as_ref().expect("an honest key");
    for key in [Some(&cold), known].into_iter().flatten() {
        assert_eq!(key.verifies(message, signature), expected, "with tables or without");
        let pending =
            [honest.begin(good, &good_signature), key.begin(message, signature), honest.begin(good, &good_signature)];
        let verdicts = settle(&pending);
        assert_eq!(verdicts.len(), pending.len());
        assert_eq!((verdicts[0], verdicts[1], verdicts[2]), (true, expected, true), "where an inversion is shared");
    }
    expected
}

/// The key, where its encoding is canonical: that is what `from_bytes` of dalek does not ask.
fn strict_key(bytes: &[u8; 32]) -> Option<ed25519_dalek::VerifyingKey> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
    (key.to_edwards().compress().as_bytes() == bytes).then_some(key)
}

fn key(at: usize, low_order_part: usize) -> Key {
    let secret = Scalar::from_bytes_mod_order([at as u8 + 1; 32]);
    let bytes = (ED25519_BASEPOINT_TABLE * &secret + EIGHT_TORSION[low_order_part]).compress().to_bytes();
    let mut key = Key { secret, part: low_order_part, bytes, busy: None };
    let busy = VerifyingKey::from_bytes(&bytes, Tables::WhenBusy).expect("a key");
    // With a part of low order, a signature holds only where the hash is a multiple of that order.
    let nonces = (0_u32..).filter(|nonce| low_order_part == 0 || challenge(&key, *nonce).to_bytes()[0] & 7 == 0);
    for nonce in nonces.take(ACCEPTED_TO_WARM) {
        let nonce = Scalar::from(nonce);
        assert!(busy.verifies(b"warm", &sign(&key, &nonce, b"warm")) || nonce == Scalar::ZERO);
    }
    key.busy = Some(busy);
    key
}

fn challenge(key: &Key, nonce: u32) -> Scalar {
    hash((ED25519_BASEPOINT_TABLE * &Scalar::from(nonce)).compress().as_bytes(), &key.bytes, b"warm")
}

fn sign(key: &Key, nonce: &Scalar, message: &[u8]) -> [u8; 64] {
    let r = (ED25519_BASEPOINT_TABLE * nonce).compress().to_bytes();
    let s = nonce + hash(&r, &key.bytes, message) * key.secret;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(s.as_bytes());
    signature
}

fn hash(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    Scalar::from_hash(Sha512::new().chain_update(r).chain_update(key).chain_update(message))
}

/// `R`: as it should be, with a part of low order, of low order alone in every encoding that decodes, anything, or almost
/// as it should be.
fn r_of(how: u8, nonce: &[u8; 32]) -> [u8; 32] {
    let point = ED25519_BASEPOINT_TABLE * &Scalar::from_bytes_mod_order(*nonce);
    let part = EIGHT_TORSION[usize::from(how >> 2) % 8];
    match how % 4 {
        0 => point.compress().to_bytes(),
        1 => (point + part).compress().to_bytes(),
        2 => low_order(usize::from(how >> 2)),
        _ if how >> 2 == 0 => *nonce,
        _ => {
            let mut bytes = point.compress().to_bytes();
            bytes[31 - usize::from(how >> 2) % 32] ^= 1 << (nonce[0] % 8);
            bytes
        }
    }
}

/// The eight points of low order and the encodings of theirs that RFC 8032 does not make: y + p, or a sign of zero.
fn low_order(which: usize) -> [u8; 32] {
    let mut encodings: Vec<[u8; 32]> = EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
    for y in [0xed, 0xee, 0xec] {
        for top in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (y, top);
            encodings.push(bytes);
        }
    }
    let mut signed_one = [0; 32];
    (signed_one[0], signed_one[31]) = (1, 0x80);
    encodings.push(signed_one);
    encodings[which % encodings.len()]
}

/// Appends a byte to the message, such that the parts of low order cancel out where they can: then nothing but the rule
/// against them stands between such a signature and acceptance.
fn fit(message: &mut Vec<u8>, r: &[u8; 32], part: usize, key: &Key) {
    let cancels =
        |message: &[u8]| (part + usize::from(hash(r, &key.bytes, message).as_bytes()[0] % 8) * key.part) % 8 == 0;
    message.push(0);
    let last = message.len() - 1;
    for byte in 0..64 {
        message[last] = byte;
        if cancels(message) {
            return;
        }
    }
}

/// `s`: as it should be for that `R`, the same plus multiples of L, as if the nonce were zero, or anything.
fn s_of(how: u8, key: &Key, nonce: &[u8; 32], r: &[u8; 32], message: &[u8], raw: [u8; 32]) -> [u8; 32] {
    let challenge = hash(r, &key.bytes, message);
    let honest = (Scalar::from_bytes_mod_order(*nonce) + challenge * key.secret).to_bytes();
    match how % 4 {
        0 => honest,
        1 => (0..=(how >> 2) % 15).fold(honest, |s, _| plus_l(&s)),
        2 => (challenge * key.secret).to_bytes(),
        _ => raw,
    }
}

/// The sum modulo 2^256.
fn plus_l(s: &[u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    std::array::from_fn(|at| {
        carry += u16::from(s[at]) + u16::from(L[at]);
        let byte = carry as u8;
        carry >>= 8;
        byte
    })
}

/// Flips one bit of the signature, the key or the message.
fn flip(place: u16, signature: &mut [u8; 64], key: &mut [u8; 32], message: &mut [u8]) {
    let (bit, at) = (1 << (place % 8), usize::from(place / 8));
    let all = signature.len() + key.len() + message.len();
    match at % all {
        at if at < 64 => signature[at] ^= bit,
        at if at < 96 => key[at - 64] ^= bit,
        at => message[at - 96] ^= bit,
    }
}

/// Recipes of every kind, with each key, most of them without flipped bits.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for key in 0..5 {
        for how_r in 0..=131 {
            for how_s in 0..4 {
                let mut recipe = vec![key, 0, how_r, how_s, u8::from(how_r % 16 == how_s)];
                recipe.extend([0x87 | how_r; 64]);
                recipe.extend([how_s * 16, how_r / 64, 9, 2, 0, 0]);
                recipe.extend(&b"a message that is signed"[..usize::from(how_r % 25)]);
                seeds.push(recipe);
            }
        }
    }
    seeds
}
