//! What a verifier says of tokens and lists that an issuer signed.

#![allow(clippy::unwrap_used)] // the functions beside the tests are tests too

mod world;

use serde_json::{Map, json};
use token::claims::AccessClaims;
use token::id::Jti;
use token::issue::IssueError;
use token::jwk::Purpose;
use token::refresh::RefreshClaims;
use token::revocation::{Head, codec};
use token::verify::{LoadError, Loaded, Misuse, Policy, Verifier};
use token::{ListRejection, Rejection};
use world::{ISSUER, NOW, at, claims, head, key, keys, list, policy, sign};

fn verifier() -> Verifier {
    let mut verifier = Verifier::new(policy(), keys()).unwrap();
    assert_eq!(verifier.load_revocations(&list(1, NOW, &[]), at(NOW)), Ok(Loaded::Newer));
    verifier
}

#[test]
fn a_signed_token_gives_its_claims_back() {
    let verified = verifier().verify(&sign(&claims()), at(NOW)).unwrap();
    assert_eq!(verified.claims, claims());
    assert_eq!(verified.kid, key(1, Purpose::Token).kid());
    assert_eq!(serde_json::from_str::<serde_json::Value>(&verified.json).unwrap()["aud"], json!("api"));
}

#[test]
fn the_same_claims_and_key_give_the_same_bytes() {
    assert_eq!(sign(&claims()), sign(&claims()));
}

#[test]
fn a_token_is_valid_until_exp_and_leeway_and_not_a_second_longer() {
    let token = sign(&claims());
    for (leeway_secs, offset, valid) in
        [(0, 899, true), (0, 900, false), (5, 904, true), (5, 905, false), (60, 959, true), (60, 960, false)]
    {
        let mut verifier = Verifier::new(Policy { leeway_secs, ..policy() }, keys()).unwrap();
        verifier.load_revocations(&list(1, NOW + offset, &[]), at(NOW + offset)).unwrap();
        assert_eq!(verifier.verify(&token, at(NOW + offset)).is_ok(), valid, "{leeway_secs} {offset}");
    }
}

#[test]
fn a_clock_that_runs_behind_the_list_revives_nothing() {
    let mut verifier = verifier();
    verifier.load_revocations(&list(2, NOW + 1000, &[]), at(NOW)).unwrap();
    assert_eq!(verifier.verify(&sign(&claims()), at(NOW)), Err(Rejection::Expired));
}

#[test]
fn a_newer_list_that_was_signed_earlier_does_not_turn_the_clock_back() {
    let mut verifier = verifier();
    verifier.load_revocations(&list(2, NOW + 1000, &[]), at(NOW)).unwrap();
    assert_eq!(verifier.load_revocations(&list(3, NOW, &[]), at(NOW)), Ok(Loaded::Newer));
    assert_eq!(verifier.verify(&sign(&claims()), at(NOW)), Err(Rejection::Expired));
}

#[test]
fn a_listed_index_revokes_its_token_alone() {
    let mut verifier = verifier();
    let jti = Jti::new(at(NOW + 900), 7);
    verifier.load_revocations(&list(2, NOW, &[jti]), at(NOW)).unwrap();
    assert_eq!(verifier.verify(&sign(&claims()), at(NOW)).unwrap_err().code(), "ERR_TOKEN_REVOKED");
    let other = AccessClaims { jti: Jti::new(at(NOW + 900), 8).to_string(), ..claims() };
    assert!(verifier.verify(&sign(&other), at(NOW)).is_ok());
}

#[test]
fn without_a_usable_list_a_token_is_stale_and_not_revoked() {
    let none = Verifier::new(policy(), keys()).unwrap();
    let token = sign(&claims());
    assert_eq!(none.verify(&token, at(NOW)).unwrap_err().reason(), Some("absent"));
    assert!(verifier().verify(&token, at(NOW + 299)).is_ok());
    assert_eq!(verifier().verify(&token, at(NOW + 300)).unwrap_err().reason(), Some("expired"));
    let mut strict = Verifier::new(Policy { max_staleness_secs: Some(10), ..policy() }, keys()).unwrap();
    strict.load_revocations(&list(1, NOW, &[]), at(NOW)).unwrap();
    assert!(strict.verify(&token, at(NOW + 10)).is_ok());
    assert_eq!(strict.verify(&token, at(NOW + 11)).unwrap_err().reason(), Some("too_old"));
}

#[test]
fn a_verifier_is_stale_when_it_refuses_every_token_for_want_of_a_list() {
    assert!(Verifier::new(policy(), keys()).unwrap().is_stale(at(NOW)));
    assert!(!Verifier::new(Policy { revocations: false, ..policy() }, keys()).unwrap().is_stale(at(NOW)));
    assert_eq!([299, 300].map(|later| verifier().is_stale(at(NOW + later))), [false, true]);
    let mut strict = Verifier::new(Policy { max_staleness_secs: Some(10), ..policy() }, keys()).unwrap();
    strict.load_revocations(&list(2, NOW, &[]), at(NOW)).unwrap();
    assert_eq!([10, 11].map(|later| strict.is_stale(at(NOW + later))), [false, true]);
    assert_eq!(strict.load_revocations(&list(1, NOW + 60, &[]), at(NOW)), Ok(Loaded::Older));
    assert!(strict.is_stale(at(NOW)), "a clock that runs behind what was signed revives nothing");
}

#[test]
fn revocations_given_up_on_purpose_ask_for_neither_index_nor_session() {
    let mut foreign = Verifier::new(Policy { revocations: false, ..policy() }, keys()).unwrap();
    let token = sign(&AccessClaims { jti: "anything".to_owned(), sid: None, ..claims() });
    assert!(foreign.verify(&token, at(NOW)).is_ok());
    assert_eq!(verifier().verify(&token, at(NOW)), Err(Rejection::StatusMissing));
    assert_eq!(foreign.load_revocations(&list(1, NOW, &[]), at(NOW)), Err(LoadError::Misuse(Misuse::RevocationsOff)));
}

#[test]
fn a_list_counts_only_if_it_is_newer() {
    let mut verifier = verifier();
    let jti = Jti::new(at(NOW + 900), 7);
    let newer = list(5, NOW + 10, &[jti]);
    assert_eq!(verifier.load_revocations(&newer, at(NOW)), Ok(Loaded::Newer));
    assert_eq!(verifier.load_revocations(&newer, at(NOW)), Ok(Loaded::Same));
    assert_eq!(verifier.load_revocations(&list(4, NOW + 20, &[]), at(NOW)), Ok(Loaded::Older));
    let rejected = |rejection| Err(LoadError::Rejected(rejection));
    assert_eq!(verifier.load_revocations(&list(5, NOW + 10, &[]), at(NOW)), rejected(ListRejection::Equivocation));
    assert_eq!(verifier.load_revocations(&list(6, NOW + 86_401, &[]), at(NOW)), rejected(ListRejection::Future));
    assert_eq!(verifier.list().unwrap().head().seq, 5);
}

#[test]
fn keys_do_not_serve_each_others_purpose() {
    let token_key = key(1, Purpose::Token);
    let body = codec::encode([]).unwrap();
    assert!(matches!(token_key.sign_list(&head(1, NOW, &body), &body), Err(IssueError::Form(_))));
    // the same secret, published for tokens, signs a list all the same
    let forged = key(1, Purpose::Revocations).sign_list(&head(9, NOW, &body), &body).unwrap();
    assert_eq!(verifier().load_revocations(&forged, at(NOW)), Err(LoadError::Rejected(ListRejection::Signature)));
    let refresh = RefreshClaims {
        issuer: ISSUER.to_owned(),
        sid: "s".to_owned(),
        generation: 1,
        iat: at(NOW),
        exp: at(NOW + 900),
    };
    let refresh = token_key.sign_refresh(&refresh).unwrap();
    assert_eq!(verifier().verify(&refresh, at(NOW)).unwrap_err().claim(), Some("typ"));
    assert_eq!(RefreshClaims::parse(&refresh, &keys(), ISSUER).unwrap().generation, 1);
    assert!(RefreshClaims::parse(&refresh, &keys(), "https://other.example").is_err());
    assert!(RefreshClaims::parse(&sign(&claims()), &keys(), ISSUER).is_err());
}

#[test]
fn what_verifiers_would_refuse_is_not_signed() {
    let long = AccessClaims { sub: "s".repeat(8192), ..claims() };
    assert_eq!(key(1, Purpose::Token).sign_access(&long), Err(IssueError::TooLong));
    let other = |name: &str, value| AccessClaims { other: Map::from_iter([(name.to_owned(), value)]), ..claims() };
    for broken in [
        AccessClaims { sub: String::new(), ..claims() },
        AccessClaims { aud: Vec::new(), ..claims() },
        AccessClaims { roles: vec![String::new()], ..claims() },
        other("iss", json!("https://attacker.example")), // a member twice
        AccessClaims { roles: Vec::new(), ..other("roles", json!(["admin"])) }, // a claim that would be taken from `other`
    ] {
        assert_eq!(key(1, Purpose::Token).sign_access(&broken), Err(IssueError::Form("claims")), "{broken:?}");
    }
    let body = codec::encode([]).unwrap();
    let signer = key(2, Purpose::Revocations);
    assert!(signer.sign_list(&head(0, NOW, &body), &body).is_err());
    assert!(signer.sign_list(&head(1 << 53, NOW, &body), &body).is_err());
    assert!(signer.sign_list(&head(1, NOW, &body), b"another body").is_err());
    assert!(signer.sign_list(&Head { exp: at(NOW), ..head(1, NOW, &body) }, &body).is_err());
}

#[test]
fn options_that_make_no_sense_are_the_callers_fault() {
    let cases = [
        (Policy { leeway_secs: 61, ..policy() }, Misuse::Leeway),
        (Policy { issuer: Some(String::new()), ..policy() }, Misuse::Issuer),
        (Policy { audience: Some(Vec::new()), ..policy() }, Misuse::Audience),
        (Policy { audience: Some(vec![String::new()]), ..policy() }, Misuse::Audience),
        (Policy { scope: vec!["read write".to_owned()], ..policy() }, Misuse::Scope),
    ];
    for (policy, misuse) in cases {
        assert_eq!(Verifier::new(policy, keys()).unwrap_err(), misuse);
    }
}
