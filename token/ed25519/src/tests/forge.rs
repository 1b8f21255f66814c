//! Signatures, honest and not, in the ways in which verifiers are known to differ.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::traits::IsIdentity;
use curve25519_dalek::{EdwardsPoint, Scalar};
use proptest::prelude::*;
use sha2::{Digest, Sha512};

/// A key and what is presented under it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) key: [u8; 32],
    pub(crate) signed: Vec<(Vec<u8>, [u8; 64])>,
}

/// What is done to a signature that a holder of the key makes.
#[derive(Debug, Clone)]
enum Act {
    Honest,
    /// R off by a point of low order, s as it was: without the cofactor this is another R.
    Torsion(usize),
    /// R such that the low-order parts of both sides cancel, found by trying.
    Cancelling,
    /// R of low order, in this encoding, with the s that would fit.
    LowOrder(usize),
    /// s larger by 2^n·L.
    LargerS(u32),
    /// This s.
    S([u8; 32]),
    /// R negated by its sign.
    Sign,
    /// One bit of the signature changed.
    Flip(usize),
    /// One more byte in the message.
    Longer,
    /// These bytes.
    Bytes([u8; 32], [u8; 32]),
}

/// 8 canonical encodings of points of low order and others of the same points: with a sign on x = 0, and y + p.
pub(crate) fn low_order_encodings() -> Vec<[u8; 32]> {
    let mut all: Vec<_> = EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
    for low in [0xec, 0xed, 0xee] {
        for top in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, top);
            all.push(bytes);
        }
    }
    for low in [0, 1] {
        let mut bytes = [0; 32];
        (bytes[0], bytes[31]) = (low, 0x80);
        all.push(bytes);
    }
    all
}

fn act() -> impl Strategy<Value = Act> {
    let edge_s = prop_oneof![
        Just([0; 32]),
        Just(Scalar::ONE.to_bytes()),
        Just((-Scalar::ONE).to_bytes()),
        Just((-Scalar::ONE - Scalar::ONE).to_bytes()),
        Just(times_order(1)),
        Just([0x80; 32]),
        Just([0x7f; 32]),
        Just([0xff; 32]),
        any::<[u8; 32]>(),
    ];
    prop_oneof![
        4 => Just(Act::Honest),
        1 => (1..8_usize).prop_map(Act::Torsion),
        2 => Just(Act::Cancelling),
        2 => (0..low_order_encodings().len()).prop_map(Act::LowOrder),
        1 => (0..4_u32).prop_map(Act::LargerS),
        1 => edge_s.prop_map(Act::S),
        1 => Just(Act::Sign),
        2 => (0..512_usize).prop_map(Act::Flip),
        1 => Just(Act::Longer),
        1 => any::<([u8; 32], [u8; 32])>().prop_map(|(r, s)| Act::Bytes(r, s)),
    ]
}

/// Returns 2^n·L for n below 4, little endian.
fn times_order(times: u8) -> [u8; 32] {
    let order = (-Scalar::ONE).to_bytes();
    plus([0; 32], order, times, times)
}

/// Returns a + times·b + small modulo 2^256.
fn plus(a: [u8; 32], b: [u8; 32], times: u8, small: u8) -> [u8; 32] {
    let mut carry = u16::from(small);
    std::array::from_fn(|at| {
        let sum = u16::from(a[at]) + u16::from(times) * u16::from(b[at]) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    })
}

/// The secret side of a key that may have a part of low order.
struct Signer {
    secret: Scalar,
    key: [u8; 32],
    torsion: EdwardsPoint,
}

impl Signer {
    fn hash(&self, r: &[u8; 32], message: &[u8]) -> Scalar {
        let hash = Sha512::new().chain_update(r).chain_update(self.key).chain_update(message).finalize();
        Scalar::from_bytes_mod_order_wide(&hash.into())
    }

    /// Returns R = r·B + `torsion` and the s that fits but for parts of low order.
    fn sign(&self, r: Scalar, torsion: &EdwardsPoint, message: &[u8]) -> ([u8; 32], [u8; 32]) {
        let commitment = (ED25519_BASEPOINT_POINT * r + torsion).compress().to_bytes();
        (commitment, (r + self.hash(&commitment, message) * self.secret).to_bytes())
    }

    /// Returns a signature whose R has just the part of low order that k·A has not.
    fn cancelling(&self, r: Scalar, message: &[u8]) -> ([u8; 32], [u8; 32]) {
        let mut r = r;
        loop {
            for torsion in &EIGHT_TORSION {
                let (commitment, s) = self.sign(r, torsion, message);
                if (torsion + self.torsion * self.hash(&commitment, message)).is_identity() {
                    return (commitment, s);
                }
            }
            r += Scalar::ONE;
        }
    }

    fn act(&self, act: &Act, r: Scalar, message: &mut Vec<u8>) -> [u8; 64] {
        let (mut commitment, mut s) = self.sign(r, &EIGHT_TORSION[0], message);
        match act {
            Act::Honest => {}
            Act::Torsion(n) => commitment = self.sign(r, &EIGHT_TORSION[*n], message).0,
            Act::Cancelling => (commitment, s) = self.cancelling(r, message),
            Act::LowOrder(n) => {
                commitment = low_order_encodings()[*n];
                s = (self.hash(&commitment, message) * self.secret).to_bytes();
            }
            Act::LargerS(n) => s = plus(s, times_order(1), 1 << n, 0),
            Act::S(other) => s = *other,
            Act::Sign => commitment[31] ^= 0x80,
            Act::Flip(_) => {}
            Act::Longer => message.push(0),
            Act::Bytes(a, b) => (commitment, s) = (*a, *b),
        }
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&commitment);
        signature[32..].copy_from_slice(&s);
        if let Act::Flip(bit) = act {
            signature[bit / 8] ^= 1 << (bit % 8);
        }
        signature
    }
}

fn scalar() -> impl Strategy<Value = Scalar> {
    any::<[u8; 64]>().prop_map(|bytes| Scalar::from_bytes_mod_order_wide(&bytes))
}

/// A key, often with a part of low order, seldom nothing but that or no point, and `signatures` presented under it.
pub(crate) fn cases(signatures: usize) -> impl Strategy<Value = Case> {
    let secret = prop_oneof![12 => scalar(), 1 => Just(Scalar::ZERO)];
    let presented = prop::collection::vec((act(), scalar(), prop::collection::vec(any::<u8>(), 0..300)), signatures);
    let key = prop_oneof![12 => Just(None), 1 => prop::sample::select(low_order_encodings()).prop_map(Some), 1 => any::<[u8; 32]>().prop_map(Some)];
    (secret, prop_oneof![Just(0), 0..8_usize], key, presented).prop_map(|(secret, torsion, other, presented)| {
        let torsion = EIGHT_TORSION[torsion];
        let key = other.unwrap_or((ED25519_BASEPOINT_POINT * secret + torsion).compress().to_bytes());
        let signer = Signer { secret, key, torsion };
        let presented = presented.into_iter();
        let signed = presented.map(|(act, r, mut message)| {
            let signature = signer.act(&act, r, &mut message);
            (message, signature)
        });
        Case { key, signed: signed.collect() }
    })
}
