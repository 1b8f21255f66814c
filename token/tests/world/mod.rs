//! One issuer for the tests beside this folder: its keys, its claims, its lists.

#![allow(clippy::unwrap_used, dead_code)] // tests, of which not every one needs all

use serde_json::{Map, json};
use token::claims::AccessClaims;
use token::id::Jti;
use token::issue::SigningKey;
use token::jwk::{Algorithm, KeySet, Purpose};
use token::revocation::{Cut, Head, ListId, codec};
use token::time::UnixTime;
use token::verify::Policy;
use zeroize::Zeroizing;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds).unwrap()
}

pub(crate) fn key(seed: u8, purpose: Purpose) -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([seed; 32]), purpose, Algorithm::EdDsa).unwrap()
}

pub(crate) fn keys() -> KeySet {
    let public = |seed, purpose| key(seed, purpose).public().clone();
    KeySet::from_keys(vec![public(1, Purpose::Token), public(2, Purpose::Revocations)]).unwrap()
}

pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: "user-1".to_owned(),
        aud: vec!["api".to_owned()],
        client_id: "backend".to_owned(),
        iat: at(NOW),
        exp: at(NOW + 900),
        nbf: None,
        jti: Jti::new(at(NOW + 900), 7).to_string(),
        sid: Some("session-1".to_owned()),
        scope: Some("read".to_owned()),
        roles: vec!["admin".to_owned()],
        permissions: Vec::new(),
        auth_time: None,
        other: Map::from_iter([("tenant".to_owned(), json!({"id": 7}))]),
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(vec!["api".to_owned()]),
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    }
}

pub(crate) fn head(seq: u64, iat: u64, body: &[u8]) -> Head {
    Head { iss: ISSUER.to_owned(), iat: at(iat), exp: at(iat + 300), seq, id: ListId::of(body), cut: Cut::default() }
}

pub(crate) fn list(seq: u64, iat: u64, revoked: &[Jti]) -> Vec<u8> {
    let body = codec::encode(revoked.iter().map(|jti| (jti.epoch, std::slice::from_ref(&jti.index)))).unwrap();
    key(2, Purpose::Revocations).sign_list(&head(seq, iat, &body), &body).unwrap()
}

pub(crate) fn sign(claims: &AccessClaims) -> String {
    key(1, Purpose::Token).sign_access(claims).unwrap()
}
