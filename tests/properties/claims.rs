//! What is signed is what is read, for any claims.

use crate::forge::{LIST_KEY, NOW, TOKEN_KEY};
use crate::trial::{Shown, breaks, holds, wrong};
use proptest::prelude::*;
use serde_json::{Map, Value};
use std::sync::LazyLock;
use token::claims::{AccessClaims, REGISTERED};
use token::id::{Jti, MAX_INDEX};
use token::issue::SigningKey;
use token::jwk::{Algorithm, KeySet, Purpose};
use token::time::UnixTime;
use token::verify::{Policy, Verifier};
use zeroize::Zeroizing;

fn key(seed: u8, purpose: Purpose) -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([seed; 32]), purpose, Algorithm::EdDsa).unwrap()
}

/// The issuer's key for tokens.
pub(crate) static TOKENS: LazyLock<SigningKey> = LazyLock::new(|| key(TOKEN_KEY, Purpose::Token));
/// The issuer's key for lists.
pub(crate) static LISTS: LazyLock<SigningKey> = LazyLock::new(|| key(LIST_KEY, Purpose::Revocations));
static KEYS: LazyLock<KeySet> = LazyLock::new(|| KeySet::parse(crate::world::key_sets()[0].1.as_bytes()).unwrap());

/// The issuer's public keys.
pub(crate) fn keys() -> KeySet {
    KEYS.clone()
}

/// A policy that asks for nothing but a good token.
pub(crate) fn open_policy(revocations: bool) -> Policy {
    Policy { issuer: None, audience: None, leeway_secs: 5, scope: Vec::new(), revocations, max_staleness_secs: None }
}

/// A time as seconds.
pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9:/._-]{1,20}",
        proptest::collection::vec(any::<char>(), 1..12).prop_map(|chars| chars.into_iter().collect()),
        Just("\"\\\u{0}\u{2028}".to_owned()),
    ]
}

/// JSON of any form, at most four levels deep.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1_000_000..1_000_000_i32).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(text(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn own() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![text(), Just("__proto__".to_owned()), Just("constructor".to_owned()), Just(String::new())];
    proptest::collection::hash_map(name, json(), 0..4)
        .prop_map(|members| members.into_iter().filter(|(name, _)| !REGISTERED.contains(&name.as_str())).collect())
}

/// Claims that an issuer may sign; valid from the beginning to `exp`.
pub(crate) fn claims() -> impl Strategy<Value = AccessClaims> {
    let times =
        (0..NOW * 2, NOW..NOW + 100_000, proptest::option::of(0..NOW), proptest::option::of(0..NOW * 2), 0..=MAX_INDEX);
    let list = || proptest::collection::vec(text(), 0..4);
    let texts = (text(), text(), text(), text(), proptest::option::of("[a-z]{1,5}( [a-z]{1,5}){0,3}"));
    (texts, times, proptest::collection::vec(text(), 1..4), list(), list(), own()).prop_map(
        |((iss, sub, client_id, sid, scope), (iat, exp, nbf, auth_time, index), aud, roles, permissions, other)| {
            let exp = at(exp);
            AccessClaims {
                iss,
                sub,
                aud,
                client_id,
                iat: at(iat),
                exp,
                nbf: nbf.map(at),
                jti: Jti::new(exp, index).to_string(),
                sid: Some(sid),
                scope,
                roles,
                permissions,
                auth_time: auth_time.map(at),
                other,
            }
        },
    )
}

fn verifier() -> Verifier {
    Verifier::new(open_policy(false), keys()).unwrap()
}

/// Signing and reading give the claims back, by type and as JSON; `read` stands between, for planted faults.
fn survives(claims: &AccessClaims, read: impl Fn(AccessClaims) -> AccessClaims) -> Shown {
    let token = TOKENS.sign_access(claims).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let again = TOKENS.sign_access(claims);
    prop_assert_eq!(Ok(&token), again.as_ref(), "signed twice, two texts");
    let verified =
        verifier().verify(&token, at(NOW)).map_err(|rejection| TestCaseError::fail(rejection.to_string()))?;
    let object: Value = serde_json::from_str(&verified.json).unwrap(); // read by somebody else's code
    prop_assert_eq!(
        &AccessClaims::parse(object.to_string().as_bytes()).unwrap(),
        claims,
        "the JSON text says something else"
    );
    let read = read(verified.claims);
    if read == *claims { Ok(()) } else { wrong(format!("read {read:?}")) }
}

#[test]
fn what_is_signed_is_what_is_read() {
    holds(400, &claims(), |claims| survives(&claims, |read| read));
}

#[test]
fn a_reader_that_loses_a_role_is_noticed() {
    breaks(400, &claims(), |claims| {
        survives(&claims, |mut read| {
            read.roles.pop();
            read
        })
    });
}

#[test]
fn a_reader_that_is_a_second_off_is_noticed() {
    breaks(400, &claims(), |claims| {
        survives(&claims, |read| AccessClaims { nbf: read.nbf.map(|nbf| nbf.plus_secs(1)), ..read })
    });
}

/// A token that verifiers refuse whatever they ask for must not be released: nobody would know until it is used.
#[test]
fn what_is_released_is_read_and_what_breaks_a_rule_is_not_released() {
    let damage = prop_oneof![
        Just(("iss", "")),
        Just(("sub", "")),
        Just(("client_id", "")),
        Just(("aud", "")),
        Just(("aud", "none")),
        Just(("sid", "")),
        Just(("roles", "")),
        Just(("other", "iss")),
        Just(("other", "exp")),
        Just(("other", "roles")),
        Just(("other", "nbf")),
        Just(("other", "deep")),
        Just(("nothing", "")),
    ];
    holds(400, &(claims(), damage), |(mut claims, (claim, how))| {
        damaged(&mut claims, claim, how);
        let released = TOKENS.sign_access(&claims);
        match released {
            Ok(token) => match verifier().verify(&token, at(NOW)) {
                Ok(verified) if verified.claims == claims => Ok(()),
                Ok(verified) => wrong(format!("read {:?}", verified.claims)),
                Err(rejection) => wrong(format!("released, and then {rejection}")),
            },
            Err(_) if claim == "nothing" => wrong("good claims were not signed"),
            Err(_) => Ok(()),
        }
    });
}

fn damaged(claims: &mut AccessClaims, claim: &str, how: &str) {
    let deep = (0..40).fold(Value::Null, |inner, _| Value::from(vec![inner]));
    match (claim, how) {
        ("iss", _) => claims.iss.clear(),
        ("sub", _) => claims.sub.clear(),
        ("client_id", _) => claims.client_id.clear(),
        ("aud", "none") => claims.aud.clear(),
        ("aud", _) => claims.aud.push(String::new()),
        ("sid", _) => claims.sid = Some(String::new()),
        ("roles", _) => claims.roles.push(String::new()),
        ("other", "deep") => drop(claims.other.insert("deep".to_owned(), deep)),
        ("other", name) => drop(claims.other.insert(name.to_owned(), Value::from(1))),
        _ => {}
    }
}
