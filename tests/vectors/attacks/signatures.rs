//! Ed25519 signatures (RFC 8032 §5.1.7, as `verify_strict`): one for each key and message, and that of nobody else.

use crate::forge::{ATTACKER_KEY, Draft, TOKEN_KEY, public, secret};
use crate::verdict::{Case, bad_signature};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest, Sha512};
use token::base64url;

/// The order of the base point, 2^252 + 27742317777372353535851937790883648493, least significant byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = malleable();
    cases.extend(small_order());
    cases.extend(moved());
    cases.extend(shapes());
    cases.extend(altered());
    cases
}

fn refused(name: impl Into<String>, signature: &[u8]) -> Case {
    Case::new(name, Draft::new().with_signature(signature), bad_signature())
}

fn halves() -> ([u8; 32], [u8; 32]) {
    let signature = Draft::new().signature();
    (signature[..32].try_into().unwrap(), signature[32..].try_into().unwrap())
}

/// `s + times * order`, if it fits 256 bits.
fn plus_order(s: [u8; 32], times: u32) -> Option<[u8; 32]> {
    (0..times).try_fold(s, |mut sum, _| {
        let mut carry = 0_u16;
        for (byte, order) in sum.iter_mut().zip(ORDER) {
            carry += u16::from(*byte) + u16::from(order);
            *byte = u8::try_from(carry & 0xff).unwrap();
            carry >>= 8;
        }
        (carry == 0).then_some(sum)
    })
}

/// The same point and another S of the same residue: a second signature for those who do not check its range.
fn malleable() -> Vec<Case> {
    let (r, s) = halves();
    let mut cases: Vec<Case> = (1..=15)
        .filter_map(|times| Some((times, plus_order(s, times)?)))
        .map(|(times, s)| refused(format!("S plus {times} times the order is refused"), &[r, s].concat()))
        .collect();
    for bit in [5, 6, 7] {
        let mut high = s;
        high[31] |= 1 << bit;
        cases.push(refused(format!("S with bit {} set is refused", 248 + bit), &[r, high].concat()));
    }
    let order_minus = |subtract: u8| {
        let mut bytes = ORDER;
        bytes[0] -= subtract;
        bytes
    };
    for (name, s) in [
        ("zero", [0; 32]),
        ("one", Scalar::ONE.to_bytes()),
        ("the order", ORDER),
        ("the order minus one", order_minus(1)),
        ("2^256 - 1", [0xff; 32]),
        ("its negative", (-Scalar::from_bytes_mod_order(s)).to_bytes()),
        ("itself plus one", (Scalar::from_bytes_mod_order(s) + Scalar::ONE).to_bytes()),
    ] {
        cases.push(refused(format!("S for which {name} stands is refused"), &[r, s].concat()));
    }
    cases
}

/// Signatures made with our private key and yet not by the rules: R of small order, R with a small-order part.
fn small_order() -> Vec<Case> {
    let message = Draft::new().signing_input();
    let a = secret(TOKEN_KEY).to_scalar();
    let challenge = |r: &[u8; 32]| {
        let hash = Sha512::new().chain_update(r).chain_update(public(TOKEN_KEY)).chain_update(&message).finalize();
        Scalar::from_bytes_mod_order_wide(&hash.into())
    };
    let mut cases = Vec::new();
    for (at, torsion) in EIGHT_TORSION.iter().enumerate() {
        let r = torsion.compress().to_bytes();
        let s = (challenge(&r) * a).to_bytes();
        cases.push(refused(format!("an R of small order, number {at}, is refused"), &[r, s].concat()));
    }
    // Encodings of the identity that are not canonical: y + p, and a sign for x = 0.
    let plus_p = |low: u8| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, 0x7f);
        bytes
    };
    let mut signed_identity = [0; 32];
    (signed_identity[0], signed_identity[31]) = (1, 0x80);
    for (name, r) in
        [("p + 1", plus_p(0xee)), ("p", plus_p(0xed)), ("1 and a sign", signed_identity), ("2^255 - 1", plus_p(0xff))]
    {
        let s = (challenge(&r) * a).to_bytes();
        cases.push(refused(format!("an R that is not canonical, {name}, is refused"), &[r, s].concat()));
    }
    let nonce = Scalar::from_bytes_mod_order([7; 32]);
    for (at, torsion) in EIGHT_TORSION.iter().enumerate().skip(1) {
        let r = (EdwardsPoint::mul_base(&nonce) + torsion).compress().to_bytes();
        let s = (nonce + challenge(&r) * a).to_bytes();
        cases.push(refused(format!("an R with a part of small order, number {at}, is refused"), &[r, s].concat()));
    }
    let r = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
    let s = (nonce + challenge(&r) * a).to_bytes();
    let token = Draft::new().with_signature(&[r, s].concat());
    cases.push(Case::new(
        "an R that is chosen freely by who holds the key is accepted",
        token,
        crate::verdict::accepted(),
    ));
    cases
}

/// Good signatures in a place that is not theirs.
fn moved() -> Vec<Case> {
    let draft = Draft::new();
    let [header, payload, _] = draft.parts();
    let signed = |message: &[u8]| crate::forge::signature(TOKEN_KEY, message).to_vec();
    let over = |name: &str, message: &[u8]| refused(format!("a signature over {name} is refused"), &signed(message));
    let other = Draft::new().claim("sub", "\"admin\"");
    let other_header = Draft::new().header("x", "1");
    let input = draft.signing_input();
    vec![
        over("the header alone", header.as_bytes()),
        over("the payload alone", payload.as_bytes()),
        over("the header and a dot", format!("{header}.").as_bytes()),
        over("payload and header in the wrong order", format!("{payload}.{header}").as_bytes()),
        over("the decoded parts", &[draft.header_text(), b".".to_vec(), draft.claims_text()].concat()),
        over("the claims as they are", &draft.claims_text()),
        over("header and payload without the dot", format!("{header}{payload}").as_bytes()),
        over("the whole token", draft.token().as_bytes()),
        over("what is signed and a line feed", format!("{input}\n").as_bytes()),
        over("what is signed in lower case", input.to_lowercase().as_bytes()),
        over("the SHA-512 of what is signed", &Sha512::digest(&input)),
        over("nothing", b""),
        refused("the signature of another token of ours is refused", &other.signature()),
        refused("the signature of our payload under another header is refused", &other_header.signature()),
        refused("the signature of the attacker is refused", &draft.clone().signed_by(ATTACKER_KEY).signature()),
        Case::new(
            "another payload under our signature is refused",
            other.with_signature(&draft.signature()),
            bad_signature(),
        ),
        Case::new(
            "another header under our signature is refused",
            other_header.with_signature(&draft.signature()),
            bad_signature(),
        ),
    ]
}

fn shapes() -> Vec<Case> {
    let signature = Draft::new().signature();
    let (r, s) = halves();
    let reversed: Vec<u8> = signature.iter().rev().copied().collect();
    let mut cases: Vec<Case> = [1, 31, 32, 33, 62, 63]
        .into_iter()
        .map(|length| refused(format!("a signature cut to {length} bytes is refused"), &signature[..length]))
        .collect();
    for (name, bytes) in [
        ("64 zeros", vec![0; 64]),
        ("64 ones", vec![0xff; 64]),
        ("one byte more, zero", [&signature[..], &[0]].concat()),
        ("one byte before, zero", [&[0], &signature[..]].concat()),
        ("itself twice", [signature, signature].concat()),
        ("its halves changed about", [s, r].concat()),
        ("its bytes in the other order", reversed),
        ("our public key twice", [public(TOKEN_KEY), public(TOKEN_KEY)].concat()),
        ("zeros and S", [[0; 32], s].concat()),
        ("the base point and zero", [EdwardsPoint::mul_base(&Scalar::ONE).compress().to_bytes(), [0; 32]].concat()),
        ("a DER sequence as ECDSA has", [&[0x30, 0x3e, 0x02, 0x1d][..], &signature[..60]].concat()),
        ("the base64url text of itself", base64url::encode(&signature).into_bytes()),
        ("32 bytes of HMAC", crate::forge::hmac_sha256(b"", Draft::new().signing_input().as_bytes())),
        ("114 bytes, as Ed448 has", vec![1; 114]),
        ("1000 bytes", vec![1; 1000]),
    ] {
        cases.push(refused(format!("a signature that is {name} is refused"), &bytes));
    }
    cases
}

/// One bit, in a few places of each half; all of them are tried in Rust.
fn altered() -> Vec<Case> {
    [0, 7, 100, 255, 256, 263, 400, 506]
        .into_iter()
        .map(|bit: usize| {
            let mut signature = Draft::new().signature();
            signature[bit / 8] ^= 1 << (bit % 8);
            refused(format!("a signature with bit {bit} flipped is refused"), &signature)
        })
        .collect()
}
