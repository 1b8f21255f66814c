//! A token that is remembered is never judged otherwise than it would be again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unwrap_in_result)] // the functions beside the tests are tests too

mod world;

use proptest::prelude::*;
use token::claims::AccessClaims;
use token::id::Jti;
use token::jwk::{Algorithm, KeySet, PublicKey, Purpose};
use token::revocation::cut::TagKind;
use token::revocation::{Cut, Head, Tag, codec};
use token::verify::{Policy, Recheck, Remembered, Scope, Scratch, Verifier};
use world::{NOW, at, claims, head, key, keys, list, policy, sign};

const SALT: &[u8] = b"0123456789abcdef";
/// Seeds of keys that sign tokens; that of lists is 2.
const TOKEN_KEYS: [u8; 2] = [1, 3];

#[derive(Debug, Clone)]
enum Step {
    Judge(usize),
    Clock(u64),
    Load { seq: u64, iat: u64, revoked: Vec<u32>, rule: Rule },
    Keys(Vec<u8>, Algorithm),
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    None,
    All(u64),
    Key,
    Subject(u64),
    Session,
    Client(u64),
}

fn public(seed: u8, algorithm: Algorithm) -> PublicKey {
    let purpose = if seed == 2 { Purpose::Revocations } else { Purpose::Token };
    PublicKey::from_bytes(key(seed, purpose).public().as_bytes(), purpose, algorithm).unwrap()
}

fn set(seeds: &[u8], algorithm: Algorithm) -> KeySet {
    let lists = public(2, Algorithm::EdDsa);
    KeySet::from_keys(seeds.iter().map(|seed| public(*seed, algorithm)).chain([lists]).collect()).unwrap()
}

/// What differs between tokens is what checks look at.
fn tokens() -> Vec<String> {
    let index = |index, exp| Jti::new(at(exp), index).to_string();
    let token = |seed: u8, claims: &AccessClaims| key(seed, Purpose::Token).sign_access(claims).unwrap();
    vec![
        token(1, &claims()),
        token(1, &AccessClaims { jti: index(1, NOW + 900), scope: None, sub: "user-2".to_owned(), ..claims() }),
        token(3, &AccessClaims { jti: index(2, NOW + 900), scope: Some("read write".to_owned()), ..claims() }),
        token(1, &AccessClaims { jti: index(3, NOW + 40), exp: at(NOW + 40), nbf: Some(at(NOW + 20)), ..claims() }),
        token(
            3,
            &AccessClaims { iat: at(NOW + 30), client_id: "other".to_owned(), sid: Some("s".to_owned()), ..claims() },
        ),
        token(1, &AccessClaims { iss: "https://other.example".to_owned(), ..claims() }),
    ]
}

fn cut(rule: Rule) -> Cut {
    let tag = |kind, name| Tag::new(SALT, kind, name);
    let salted = Cut { salt: SALT.to_vec(), ..Cut::default() };
    match rule {
        Rule::None => Cut::default(),
        Rule::All(until) => Cut { all: Some(at(until)), ..Cut::default() },
        Rule::Key => Cut { kid: [key(3, Purpose::Token).kid().to_owned()].into(), ..Cut::default() },
        Rule::Subject(until) => Cut { sub: [(tag(TagKind::Subject, "user-2"), at(until))].into(), ..salted },
        Rule::Session => Cut { sid: [tag(TagKind::Session, "session-1")].into(), ..salted },
        Rule::Client(until) => Cut { cid: [(tag(TagKind::Client, "other"), at(until))].into(), ..salted },
    }
}

fn document(seq: u64, iat: u64, revoked: &[u32], rule: Rule) -> Vec<u8> {
    let (early, late) = (Jti::new(at(NOW + 40), 0).epoch, Jti::new(at(NOW + 900), 0).epoch);
    let body = codec::encode([(early, revoked), (late, revoked)]).unwrap();
    let head = Head { cut: cut(rule), ..head(seq, iat, &body) };
    key(2, Purpose::Revocations).sign_list(&head, &body).unwrap()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let time = || NOW - 10..NOW + 60;
    let rule = prop_oneof![
        6 => Just(Rule::None),
        1 => time().prop_map(Rule::All),
        1 => Just(Rule::Key),
        1 => time().prop_map(Rule::Subject),
        1 => Just(Rule::Session),
        1 => time().prop_map(Rule::Client),
    ];
    let algorithm = prop_oneof![5 => Just(Algorithm::EdDsa), 1 => Just(Algorithm::Ed25519)];
    let seeds =
        prop_oneof![3 => Just(TOKEN_KEYS.to_vec()), 1 => Just(vec![1]), 1 => Just(vec![3]), 1 => Just(vec![3, 1, 4])];
    let revoked = prop_oneof![3 => Just(Vec::new()), 1 => proptest::sample::subsequence(vec![1_u32, 2, 3, 7], 0..4)];
    let clock = prop_oneof![8 => NOW - 10..NOW + 60, 1 => Just(NOW + 290), 1 => NOW + 300..NOW + 1_000];
    let step = prop_oneof![
        5 => (0..6_usize).prop_map(Step::Judge),
        4 => clock.prop_map(Step::Clock),
        3 => (1..9_u64, time(), revoked, rule).prop_map(|(seq, iat, revoked, rule)| Step::Load { seq, iat, revoked, rule }),
        2 => (seeds, algorithm).prop_map(|(seeds, algorithm)| Step::Keys(seeds, algorithm)),
    ];
    proptest::collection::vec(step, 1..40)
}

struct Follower {
    verifier: Verifier,
    now: u64,
    remembered: Vec<(usize, Remembered)>,
}

impl Follower {
    fn step(&mut self, tokens: &[String], step: &Step) {
        match step {
            Step::Judge(at_token) => {
                let mut scratch = Scratch::default();
                let token = tokens[*at_token].as_bytes();
                if let Ok(judged) = self.verifier.judge(token, Scope::NONE, at(self.now), &mut scratch) {
                    self.remembered.push((*at_token, judged.remember()));
                }
            }
            Step::Clock(now) => self.now = *now,
            Step::Load { seq, iat, revoked, rule } => {
                let _ = self.verifier.load_revocations(&document(*seq, *iat, revoked, *rule), at(self.now));
            }
            Step::Keys(seeds, algorithm) => self.verifier.replace_keys(set(seeds, *algorithm)),
        }
    }

    /// Asks about everything remembered, in two scopes.
    fn ask(&self, tokens: &[String]) -> Result<(), TestCaseError> {
        for (token, remembered) in &self.remembered {
            for scope in ["", "write"] {
                let scope = Scope::parse(scope).unwrap();
                let mut scratch = Scratch::default();
                let judged = self.verifier.judge(tokens[*token].as_bytes(), scope, at(self.now), &mut scratch);
                match self.verifier.recheck(remembered, scope, at(self.now)) {
                    Recheck::Holds => prop_assert_eq!(judged.map(drop), Ok(())),
                    Recheck::Refused(rejection) => prop_assert_eq!(judged.map(drop), Err(rejection)),
                    Recheck::Unknown => {}
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_remembered_is_judged_as_the_token_would_be(
        steps in steps(),
        any_issuer in any::<bool>(),
        revocations in any::<bool>(),
        max_staleness_secs in proptest::option::of(Just(200_u64)),
    ) {
        let issuer = policy().issuer.filter(|_| !any_issuer);
        let policy = Policy { issuer, revocations, max_staleness_secs, ..policy() };
        let verifier = Verifier::new(policy, set(&TOKEN_KEYS, Algorithm::EdDsa)).unwrap();
        let tokens = tokens();
        let mut follower = Follower { verifier, now: NOW, remembered: Vec::new() };
        follower.step(&tokens, &Step::Load { seq: 1, iat: NOW, revoked: Vec::new(), rule: Rule::None });
        for step in &steps {
            follower.step(&tokens, step);
            follower.ask(&tokens)?;
        }
    }
}

/// A verifier with a list, and the first of [`tokens`] as it is remembered there.
fn accepted() -> (Verifier, Remembered) {
    let mut verifier = Verifier::new(policy(), keys()).unwrap();
    verifier.load_revocations(&list(1, NOW, &[]), at(NOW)).unwrap();
    let remembered =
        verifier.judge(sign(&claims()).as_bytes(), Scope::NONE, at(NOW), &mut Scratch::default()).unwrap().remember();
    (verifier, remembered)
}

fn ask(verifier: &Verifier, remembered: &Remembered) -> Recheck {
    verifier.recheck(remembered, Scope::NONE, at(NOW))
}

#[test]
fn keys_that_come_leave_what_is_remembered_and_keys_that_go_or_change_do_not() {
    let with = |keys: &[PublicKey]| {
        let (mut verifier, remembered) = accepted();
        verifier.replace_keys(KeySet::from_keys(keys.to_vec()).unwrap());
        ask(&verifier, &remembered)
    };
    let [token, lists, more] = [1, 2, 3].map(|seed| public(seed, Algorithm::EdDsa));
    assert_eq!(with(&[token.clone(), lists.clone()]), Recheck::Holds);
    assert_eq!(with(&[more.clone(), lists.clone(), token.clone()]), Recheck::Holds);
    assert_eq!(with(std::slice::from_ref(&token)), Recheck::Unknown, "the key of lists is gone");
    assert_eq!(with(&[more.clone(), lists.clone()]), Recheck::Unknown);
    assert_eq!(with(&[public(1, Algorithm::Ed25519), lists.clone()]), Recheck::Unknown);
    let text = KeySet::from_keys(vec![token, lists]).unwrap().to_json();
    let renamed = text.replacen(key(1, Purpose::Token).kid(), "renamed", 1);
    let other_bytes = text.replacen(r#""x":""#, r#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","y":""#, 1);
    let for_lists = text.replacen(r#""purpose":"token""#, r#""purpose":"revocations""#, 1).replacen(
        '[',
        &format!("[{},", more.to_jwk()),
        1,
    );
    for text in [renamed, other_bytes, for_lists] {
        assert_eq!(with(KeySet::parse(text.as_bytes()).unwrap().keys()), Recheck::Unknown, "{text}");
    }
}

#[test]
fn keys_that_come_back_do_not_bring_back_what_was_remembered() {
    let (mut verifier, remembered) = accepted();
    verifier.replace_keys(set(&[3], Algorithm::EdDsa));
    verifier.replace_keys(keys());
    assert_eq!(ask(&verifier, &remembered), Recheck::Unknown);
}

#[test]
fn what_another_verifier_remembers_is_unknown() {
    let (verifier, remembered) = accepted();
    assert_eq!(ask(&verifier, &remembered), Recheck::Holds);
    assert_eq!(ask(&verifier.clone(), &remembered), Recheck::Unknown, "a clone may be given other keys");
    assert_eq!(ask(&accepted().0, &remembered), Recheck::Unknown);
}

#[test]
fn keys_that_stay_keep_what_was_computed_for_them() {
    let (mut verifier, _) = accepted();
    verifier.replace_keys(set(&TOKEN_KEYS, Algorithm::EdDsa));
    let before = verifier.keys().clone();
    verifier.replace_keys(set(&[4, 3], Algorithm::Ed25519));
    // Where the bytes of a key are, there is all that belongs to it.
    let bytes = |keys: &KeySet, seed: u8, algorithm| {
        let key = public(seed, algorithm);
        std::ptr::from_ref(keys.find(key.kid(), key.purpose(), algorithm).unwrap().as_bytes())
    };
    assert_eq!(bytes(verifier.keys(), 3, Algorithm::Ed25519), bytes(&before, 3, Algorithm::EdDsa));
    assert_eq!(bytes(verifier.keys(), 2, Algorithm::EdDsa), bytes(&before, 2, Algorithm::EdDsa));
    let as_token_key = set(&[4], Algorithm::EdDsa).to_json().replace("revocations", "token");
    verifier.replace_keys(KeySet::parse(as_token_key.as_bytes()).unwrap());
    let kid = public(2, Algorithm::EdDsa).kid().to_owned();
    let now = verifier.keys().find(&kid, Purpose::Token, Algorithm::EdDsa).unwrap().as_bytes();
    assert_ne!(
        std::ptr::from_ref(now),
        bytes(&before, 2, Algorithm::EdDsa),
        "a key of lists has no tables, and would get none"
    );
}
