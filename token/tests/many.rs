//! Many tokens at once are judged as each would be alone, and memory that is lent carries nothing from token to token.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)] // the functions beside the tests are tests too

mod world;

use proptest::prelude::*;
use token::Rejection;
use token::base64url;
use token::claims::AccessClaims;
use token::id::Jti;
use token::jwk::{Algorithm, KeySet, PublicKey, Purpose};
use token::verify::{Policy, Scope, Scratch, Verified, Verifier};
use world::{NOW, at, claims, key, list, policy, sign};

fn set(keys: &[(u8, Algorithm)]) -> KeySet {
    let public = |(seed, algorithm): &(u8, Algorithm)| {
        let purpose = if *seed == 2 { Purpose::Revocations } else { Purpose::Token };
        PublicKey::from_bytes(key(*seed, purpose).public().as_bytes(), purpose, *algorithm).unwrap()
    };
    KeySet::from_keys(keys.iter().map(public).collect()).unwrap()
}

fn verifier() -> Verifier {
    let keys = set(&[(1, Algorithm::EdDsa), (2, Algorithm::EdDsa), (3, Algorithm::EdDsa)]);
    let mut verifier = Verifier::new(policy(), keys).unwrap();
    let revoked = list(1, NOW, &[Jti::new(at(NOW + 900), 8)]);
    verifier.load_revocations(&revoked, at(NOW)).unwrap();
    verifier
}

/// One token or more for each way in which the judgement can end.
fn tokens() -> Vec<Vec<u8>> {
    let good = sign(&claims());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let other = key(3, Purpose::Token).sign_access(&AccessClaims { sub: "user-3".to_owned(), ..claims() }).unwrap();
    let (other_input, other_signature) = other.rsplit_once('.').unwrap();
    let long = AccessClaims { sub: "s".repeat(4_000), ..claims() };
    let payload =
        |text: &str| format!("{}.{}.{signature}", input.split_once('.').unwrap().0, base64url::encode(text.as_bytes()));
    let texts = [
        good.clone(),
        other.clone(),
        sign(&AccessClaims { scope: Some("read write".to_owned()), roles: Vec::new(), ..claims() }),
        sign(&long),
        format!("{input}.{other_signature}"),
        format!("{other_input}.{signature}"),
        format!("{input}.{}", &signature[..84]),
        format!("{input}.{signature}A"),
        format!("{input}.{}.", &signature[..85]),
        format!("{input}..{}", &signature[..85]),
        format!("{good}.{signature}"),
        format!("{}!{}", &good[..200], &good[201..]),
        payload("{}"),
        payload("{\"a\":1,\"a\":2}"),
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{}.{}", ".".repeat(100), "A".repeat(86)),
        "A".repeat(9_000),
        key(4, Purpose::Token).sign_access(&claims()).unwrap(),
        sign(&AccessClaims { exp: at(NOW - 100), jti: Jti::new(at(NOW - 100), 1).to_string(), ..claims() }),
        sign(&AccessClaims { nbf: Some(at(NOW + 100)), ..claims() }),
        sign(&AccessClaims { jti: Jti::new(at(NOW + 900), 8).to_string(), ..claims() }),
        sign(&AccessClaims { aud: vec!["other".to_owned()], ..claims() }),
        sign(&AccessClaims { jti: "7".to_owned(), ..claims() }),
    ];
    texts.into_iter().map(String::into_bytes).chain([b"\xff.\xff.\xff".to_vec()]).collect()
}

fn alone(verifier: &Verifier, token: &[u8], scope: Scope<'_>) -> Result<Verified, Rejection> {
    verifier.judge(token, scope, at(NOW), &mut Scratch::default()).map(|judged| judged.to_verified())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn many_tokens_get_the_verdict_of_each_in_order(
        picks in prop_oneof![
            proptest::collection::vec(0..26_usize, 0..201),
            proptest::collection::vec(0..5_usize, 0..201),
            proptest::collection::vec(3..4_usize, 0..80),
        ],
        scope in proptest::sample::select(vec!["", "read", "write"]),
    ) {
        let (verifier, tokens, scope) = (verifier(), tokens(), Scope::parse(scope).unwrap());
        let expected: Vec<_> = tokens.iter().map(|token| alone(&verifier, token, scope)).collect();
        let mut scratch = Scratch::default();
        for _ in 0..2 {
            let mut verdicts = Vec::new();
            let asked = picks.iter().map(|pick| tokens[*pick].as_slice());
            verifier.judge_many(asked, scope, at(NOW), &mut scratch, |verdict| {
                verdicts.push(verdict.map(|judged| judged.to_verified()));
            });
            prop_assert_eq!(verdicts.len(), picks.len());
            for (pick, verdict) in picks.iter().zip(verdicts) {
                prop_assert_eq!(&verdict, &expected[*pick], "{}", pick);
            }
            for pick in &picks {
                let judged = verifier.judge(&tokens[*pick], scope, at(NOW), &mut scratch);
                prop_assert_eq!(&judged.map(|judged| judged.to_verified()), &expected[*pick], "{} alone", pick);
            }
        }
    }
}

#[test]
fn the_tokens_of_these_tests_end_in_every_way() {
    let verifier = verifier();
    let codes: std::collections::BTreeSet<_> = tokens()
        .iter()
        .map(|token| {
            alone(&verifier, token, Scope::NONE)
                .map_or_else(|rejection| (rejection.code(), rejection.reason()), |_| ("", None))
        })
        .collect();
    let expected = [
        ("", None),
        ("ERR_JWKS_NO_MATCHING_KEY", None),
        ("ERR_JWS_INVALID", Some("base64url")),
        ("ERR_JWS_INVALID", Some("json")),
        ("ERR_JWS_INVALID", Some("parts")),
        ("ERR_JWS_INVALID", Some("too_long")),
        ("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", None),
        ("ERR_JWT_CLAIM_VALIDATION_FAILED", Some("check_failed")),
        ("ERR_JWT_EXPIRED", Some("check_failed")),
        ("ERR_STATUS_MISSING", Some("invalid")),
        ("ERR_TOKEN_REVOKED", Some("index")),
    ];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_header_that_was_seen_before_selects_a_key_of_the_set_in_use() {
    let token = sign(&claims());
    let verifier =
        |keys: &[(u8, Algorithm)]| Verifier::new(Policy { revocations: false, ..policy() }, set(keys)).unwrap();
    let mut scratch = Scratch::default();
    let mut judge =
        |verifier: &Verifier| verifier.judge(token.as_bytes(), Scope::NONE, at(NOW), &mut scratch).map(drop);
    let with = verifier(&[(3, Algorithm::EdDsa), (1, Algorithm::EdDsa)]);
    assert_eq!(judge(&with), Ok(()));
    assert_eq!(judge(&with), Ok(()));
    assert_eq!(judge(&verifier(&[(1, Algorithm::EdDsa)])), Ok(()), "in another place of another set");
    assert_eq!(judge(&verifier(&[(3, Algorithm::EdDsa)])), Err(Rejection::NoMatchingKey));
    assert_eq!(judge(&verifier(&[(1, Algorithm::Ed25519)])), Err(Rejection::NoMatchingKey));
    let mut replaced = with.clone();
    replaced.replace_keys(set(&[(3, Algorithm::EdDsa)]));
    assert_eq!(judge(&replaced), Err(Rejection::NoMatchingKey));
    let kid = key(1, Purpose::Token).kid().to_owned();
    let text = set(&[(3, Algorithm::EdDsa)]).to_json().replace(key(3, Purpose::Token).kid(), &kid);
    replaced.replace_keys(KeySet::parse(text.as_bytes()).unwrap());
    assert_eq!(judge(&replaced), Err(Rejection::Signature), "another key of the same name");
    assert_eq!(judge(&with), Ok(()));
}

#[test]
fn a_header_that_begins_like_the_one_before_is_another() {
    let verifier = verifier();
    let token = sign(&claims());
    let (header, rest) = token.split_once('.').unwrap();
    let mut scratch = Scratch::default();
    assert!(verifier.judge(token.as_bytes(), Scope::NONE, at(NOW), &mut scratch).is_ok());
    let text = String::from_utf8(base64url::decode(header.as_bytes()).unwrap()).unwrap();
    let encoded = |text: String| base64url::encode(text.as_bytes());
    for (other, code) in [
        (encoded(text.replace("EdDSA", "ES256")), "ERR_JOSE_ALG_NOT_ALLOWED"),
        (encoded(format!("{text}   ")), "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"),
        (encoded(text.replacen('{', r#"{"crit":[],"#, 1)), "ERR_JWS_INVALID"),
        (format!("{header}AAAA"), "ERR_JWS_INVALID"),
        (header.chars().take(header.len() - 4).collect(), "ERR_JWS_INVALID"),
    ] {
        let forged = format!("{other}.{rest}");
        let refused = verifier.judge(forged.as_bytes(), Scope::NONE, at(NOW), &mut scratch).unwrap_err();
        assert_eq!(refused.code(), code, "{other}");
    }
}

#[test]
fn memory_that_is_lent_is_used_again() {
    let (verifier, tokens) = (verifier(), tokens());
    let mut scratch = Scratch::default();
    let mut place = |token: &[u8]| {
        let judged = verifier.judge(token, Scope::NONE, at(NOW), &mut scratch).unwrap();
        (judged.json().as_ptr(), judged.claims().sub.len())
    };
    let (first, _) = place(&tokens[3]);
    for token in [&tokens[0], &tokens[1], &tokens[3]] {
        assert_eq!(place(token).0, first);
    }
}
