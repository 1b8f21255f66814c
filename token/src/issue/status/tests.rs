//! What is signed reads as the draft says, byte for byte where it can be foretold.

use super::*;
use crate::jwk::KeySet;
use crate::jws::Untrusted;
use serde_json::json;
use zeroize::Zeroizing;

/// `lst` of the draft's first example.
const LST: [u8; 10] = [0x78, 0xda, 0xdb, 0xb9, 0x18, 0x00, 0x02, 0x17, 0x01, 0x5d];

fn key(purpose: Purpose, algorithm: Algorithm) -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([7; 32]), purpose, algorithm).unwrap()
}

fn claims() -> StatusClaims<'static> {
    StatusClaims {
        iss: "https://issuer.example",
        sub: "https://issuer.example/status/6640628",
        iat: UnixTime::from_secs(1_686_920_170).unwrap(),
        exp: UnixTime::from_secs(1_686_920_470).unwrap(),
        ttl: 15,
        lst: &LST,
        aggregation_uri: "https://issuer.example/status",
    }
}

#[test]
fn a_jwt_says_what_the_draft_asks_for() {
    let key = key(Purpose::Revocations, Algorithm::EdDsa);
    let text = key.sign_status_list_jwt(&claims()).unwrap();
    let keys = KeySet::single(key.public().clone());
    let untrusted = Untrusted::parse(text.as_bytes(), "statuslist+jwt", MAX_LENGTH).unwrap();
    let payload = untrusted.verify(&keys, Purpose::Revocations).unwrap().payload;
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&payload).unwrap(),
        json!({
            "iss": "https://issuer.example", "sub": "https://issuer.example/status/6640628", "iat": 1_686_920_170,
            "exp": 1_686_920_470, "ttl": 15,
            "status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ", "aggregation_uri": "https://issuer.example/status"},
        })
    );
}

/// Written by hand from RFC 9052 §4.2, RFC 8392 §4 and the draft's example; only the signature is not.
#[test]
fn a_cwt_is_the_bytes_that_the_draft_describes() {
    for (algorithm, alg) in [(Algorithm::EdDsa, vec![0x27]), (Algorithm::Ed25519, vec![0x32])] {
        let key = key(Purpose::Revocations, algorithm);
        let kid = [&[0x04, 0x58, 0x2b], key.kid().as_bytes()].concat();
        let typ = [&[0x10, 0x78, 0x1a], &b"application/statuslist+cwt"[..]].concat();
        let protected = [vec![0xa3, 0x01], alg, kid, typ].concat();
        let payload = [
            &[0xa6, 0x01, 0x76],
            &b"https://issuer.example"[..],
            &[0x02, 0x78, 0x25],
            b"https://issuer.example/status/6640628",
            &[0x04, 0x1a, 0x64, 0x8c, 0x5d, 0x16],
            &[0x06, 0x1a, 0x64, 0x8c, 0x5b, 0xea],
            &[0x19, 0xff, 0xfd, 0xa3],
            &[0x63],
            b"lst",
            &[0x4a],
            &LST,
            &[0x64],
            b"bits",
            &[0x01, 0x6f],
            b"aggregation_uri",
            &[0x78, 0x1d],
            b"https://issuer.example/status",
            &[0x19, 0xff, 0xfe, 0x0f],
        ]
        .concat();
        let header_length = u8::try_from(protected.len()).unwrap();
        let payload_length = u8::try_from(payload.len()).unwrap();
        let before_signature = [
            vec![0xd2, 0x84, 0x58, header_length],
            protected,
            vec![0xa0, 0x58, payload_length],
            payload,
            vec![0x58, 0x40],
        ]
        .concat();
        let document = key.sign_status_list_cwt(&claims()).unwrap();
        let (front, signature) = document.split_at(document.len() - 64);
        assert_eq!(front, before_signature);
        assert!(key.has_signed(&document));
        let mut changed = signature.to_vec();
        changed[3] ^= 1;
        assert!(!key.has_signed(&[front, &changed].concat()));
    }
}

#[test]
fn a_key_for_tokens_signs_no_status_list() {
    let token_key = key(Purpose::Token, Algorithm::EdDsa);
    let refused = IssueError::Form("the key is for another purpose");
    assert_eq!(token_key.sign_status_list_jwt(&claims()), Err(refused.clone()));
    assert_eq!(token_key.sign_status_list_cwt(&claims()), Err(refused));
}

#[test]
fn the_largest_list_there_can_be_may_be_signed() {
    // Deflate stores what it cannot compress with 5 bytes for each 16 KiB or more (RFC 1951 §3.2.4); text takes 4/3, twice.
    let lst = (1 << 24) + 5 * (1 << 10) + 64;
    let claims = 1024;
    assert!((lst * 4 / 3 + claims) * 4 / 3 + claims < MAX_LENGTH);
}
