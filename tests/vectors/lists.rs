//! lists.json: revocation lists and deltas, what becomes of each, and that what was held before goes on speaking.

use crate::committed::{array, committed, object};
use crate::forge::{Draft, EXP, ISSUER, NOW};
use crate::list_cases::{self, Given};
use crate::rice::{self, Indices};
use crate::verdict::{Case as TokenCase, accepted};
use crate::world::{self, List};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use token::base64url;
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify::{LoadError, Policy, Verifier};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keys: BTreeMap<String, Value>,
    documents: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    issuer: Option<String>,
    keys: String,
    held: Vec<(String, String)>,
    document: String,
    now: u64,
    expect: Expect,
}

/// What becomes of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub(crate) enum Expect {
    Loaded { loaded: String },
    Refused { code: String, reason: String },
}

pub(crate) fn loaded(what: &str) -> Expect {
    Expect::Loaded { loaded: what.to_owned() }
}

pub(crate) fn refused(reason: &str) -> Expect {
    let code = match reason {
        "future" => "ERR_REVLIST_FUTURE",
        "equivocation" => "ERR_REVLIST_EQUIVOCATION",
        _ => "ERR_REVLIST_INVALID",
    };
    Expect::Refused { code: code.to_owned(), reason: reason.to_owned() }
}

/// Documents are named by the case that offers or holds them; equal ones by the first.
fn made() -> String {
    let mut documents: Vec<(String, Vec<u8>)> = Vec::new();
    let mut name_of = |name: String, document: &[u8]| match documents.iter().find(|(_, held)| held == document) {
        Some((held, _)) => held.clone(),
        None => {
            documents.push((name.clone(), document.to_vec()));
            name
        }
    };
    let mut cases = Vec::new();
    for Given { name, issuer, keys, held, document, now, expect } in list_cases::all() {
        let first = held.into_iter().enumerate().map(|(at, (held, became))| {
            let name = if at == 0 { format!("held: {name}") } else { format!("held, {}: {name}", at + 1) };
            (name_of(name, &held), became.to_owned())
        });
        let held = first.collect();
        let document = name_of(name.clone(), &document);
        cases.push(Case { name, issuer, keys: keys.to_owned(), held, document, now, expect });
    }
    let documents = documents.into_iter().map(|(name, bytes)| (name, format!("\"{}\"", base64url::encode(&bytes))));
    let keys = world::key_sets().into_iter().filter(|(name, _)| cases.iter().any(|case| case.keys == *name));
    let keys = object(keys.map(|(name, set)| (name.to_owned(), set)));
    object([
        ("keys".to_owned(), keys),
        ("documents".to_owned(), object(documents)),
        ("cases".to_owned(), array(&cases)),
    ]) + "\n"
}

fn verifier(issuer: Option<&str>, keys: &str) -> Verifier {
    let policy = Policy {
        issuer: issuer.map(str::to_owned),
        audience: None,
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    };
    Verifier::new(policy, KeySet::parse(keys.as_bytes()).unwrap()).unwrap()
}

fn our_verifier() -> Verifier {
    verifier(Some(ISSUER), &world::key_sets()[0].1)
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds).unwrap()
}

fn judge(verifier: &mut Verifier, document: &[u8], now: u64) -> Expect {
    match verifier.load_revocations(document, at(now)) {
        Ok(became) => loaded(became.name()),
        Err(LoadError::Rejected(rejection)) => {
            Expect::Refused { code: rejection.code().to_owned(), reason: rejection.reason().to_owned() }
        }
        Err(LoadError::Misuse(misuse)) => panic!("{misuse}"),
    }
}

#[test]
fn every_list_gets_the_verdict_that_is_written_down_and_the_held_one_stays() {
    let file: File = serde_json::from_str(&committed("lists.json", &made())).unwrap();
    let document = |name: &String| base64url::decode(file.documents[name].as_bytes()).unwrap();
    let names: BTreeSet<&str> = file.cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), file.cases.len());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for case in &file.cases {
        let mut verifier = verifier(case.issuer.as_deref(), &file.keys[&case.keys].to_string());
        for (held, became) in &case.held {
            assert_eq!(judge(&mut verifier, &document(held), case.now), loaded(became), "{}: {held}", case.name);
        }
        let before = verifier.list().cloned();
        let verdict = judge(&mut verifier, &document(&case.document), case.now);
        assert_eq!(verdict, case.expect, "{}", case.name);
        assert_eq!(verifier.list() == before.as_ref(), verdict != loaded("newer"), "{}", case.name);
        let reason = match verdict {
            Expect::Loaded { loaded } => loaded,
            Expect::Refused { reason, .. } => reason,
        };
        *reasons.entry(reason).or_default() += 1;
    }
    println!("lists.json: {} cases: {reasons:?}", file.cases.len());
    assert_eq!(reasons.len(), 12, "four ways to be taken, eight to be refused: {reasons:?}");
}

/// Index 7 of the usual epoch, with a neighbour and a rule: what is damaged below.
fn revoking() -> List {
    let epoch = u32::try_from(EXP >> 8).unwrap();
    let body = rice::body(&Indices::from([(epoch, vec![7, 300]), (epoch + 1, vec![1])]), 5);
    List::new(7, NOW, 300, body).claim("cut", &format!(r#"{{"all":{}}}"#, NOW - 1000))
}

fn offers_nothing(verifier: &mut Verifier, document: &[u8], what: &str) {
    let result = verifier.load_revocations(document, at(NOW));
    assert!(matches!(result, Err(LoadError::Rejected(_))), "{what}: {result:?}");
}

/// The verifier refuses the token of index 7 for the list it holds, and takes that of index 8.
fn still_speaks(verifier: &Verifier) {
    let token = Draft::new().token();
    assert_eq!(verifier.verify(&token, at(NOW)).unwrap_err().code(), "ERR_TOKEN_REVOKED");
    assert!(verifier.verify(&Draft::new().expiring(EXP, 8).token(), at(NOW)).is_ok());
}

#[test]
fn a_list_cut_short_anywhere_is_refused_and_the_held_one_stays() {
    let mut verifier = our_verifier();
    let held = revoking().document();
    let next = List { claims: revoking().claim("seq", "8").claims, ..revoking() }.document();
    assert_eq!(judge(&mut verifier, &held, NOW), loaded("newer"));
    for length in 0..next.len() {
        offers_nothing(&mut verifier, &next[..length], &format!("{length} bytes"));
    }
    for more in [&b"\0"[..], b"\n", b"\x01", &next] {
        offers_nothing(&mut verifier, &[&next, more].concat(), "more bytes");
    }
    still_speaks(&verifier);
    assert_eq!(judge(&mut verifier, &next, NOW), loaded("newer"));
    println!("{} truncations refused", next.len());
}

#[test]
fn a_list_with_any_one_bit_flipped_is_refused_and_the_held_one_stays() {
    let mut verifier = our_verifier();
    let held = revoking().document();
    let next = List { claims: revoking().claim("seq", "8").claims, ..revoking() }.document();
    assert_eq!(judge(&mut verifier, &held, NOW), loaded("newer"));
    for bit in 0..next.len() * 8 {
        let mut flipped = next.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        offers_nothing(&mut verifier, &flipped, &format!("bit {bit}"));
    }
    still_speaks(&verifier);
    assert_eq!(judge(&mut verifier, &next, NOW), loaded("newer"));
    println!("{} bit flips refused", next.len() * 8);
}

#[test]
fn every_signature_with_any_one_bit_flipped_is_refused() {
    let file = world::lists();
    let empty = &file.iter().find(|(name, _)| *name == "empty").unwrap().1;
    let mut verifier = our_verifier();
    assert_eq!(judge(&mut verifier, empty, NOW), loaded("newer"));
    let draft = Draft::new();
    for bit in 0..512 {
        let mut signature = draft.signature();
        signature[bit / 8] ^= 1 << (bit % 8);
        let rejection = verifier.verify(&draft.with_signature(&signature), at(NOW)).unwrap_err();
        assert_eq!(rejection.code(), "ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "bit {bit}");
    }
    let good = TokenCase::new("", draft.token(), accepted());
    assert!(verifier.verify(&good.token, at(NOW)).is_ok());
}

#[test]
fn what_the_naive_encoder_writes_is_read_under_every_r() {
    let epoch = u32::try_from(EXP >> 8).unwrap();
    for r in 0..=30 {
        let top = if r < 12 { 4000 } else { (1 << 31) - 1 };
        let indices = Indices::from([(0, vec![0]), (epoch, vec![0, 1, 7, 300, top]), (u32::MAX, vec![top])]);
        let decoded = token::revocation::codec::decode(&rice::body(&indices, r)).unwrap();
        assert_eq!(decoded.to_map(), indices, "r = {r}");
    }
}

#[test]
fn a_list_of_two_million_tokens_is_read_and_answers_for_each() {
    let epoch = u32::try_from(EXP >> 8).unwrap();
    let even: Vec<u32> = (0..2_000_000).map(|index| index * 2).collect();
    let body = token::revocation::codec::encode([(epoch, even.as_slice())]).unwrap();
    let document = List::new(1, NOW, 300, body).document();
    let mut verifier = our_verifier();
    assert_eq!(judge(&mut verifier, &document, NOW), loaded("newer"));
    let revoked = verifier.list().unwrap().revoked();
    assert_eq!(revoked.entries(), even.len());
    assert!(
        (0..4_000_002)
            .step_by(997)
            .all(|index| revoked.contains(epoch, index) == (index % 2 == 0 && index < 4_000_000))
    );
    let token = Draft::new().expiring(EXP, 3_999_998).token();
    assert_eq!(verifier.verify(&token, at(NOW)).unwrap_err().code(), "ERR_TOKEN_REVOKED");
    println!("2,000,000 entries in {} bytes", document.len());
}
