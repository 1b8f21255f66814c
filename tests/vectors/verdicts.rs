//! verdicts.json: made, held against what is committed, and each case judged as it stands there.

use crate::attacks;
use crate::committed::{array, committed, object};
use crate::verdict::{Case, Expect, File, accepted};
use crate::world;
use std::collections::{BTreeMap, BTreeSet};
use token::base64url;
use token::verify::{Policy, Verifier};

fn made() -> String {
    let keys = object(world::key_sets().into_iter().map(|(name, set)| (name.to_owned(), set)));
    let lists = object(
        world::lists().into_iter().map(|(name, list)| (name.to_owned(), format!("\"{}\"", base64url::encode(&list)))),
    );
    let cases = array(&attacks::all());
    object([("keys".to_owned(), keys), ("lists".to_owned(), lists), ("cases".to_owned(), cases)]) + "\n"
}

pub(crate) fn file() -> File {
    serde_json::from_str(&committed("verdicts.json", &made())).unwrap()
}

#[test]
fn every_token_gets_the_verdict_that_is_written_down() {
    let file = file();
    let wrong: Vec<String> = file
        .cases
        .iter()
        .filter_map(|case| {
            let verdict = case.judge(&file);
            (verdict != case.expect)
                .then(|| format!("{}\n  expected {:?}\n  got      {verdict:?}", case.name, case.expect))
        })
        .collect();
    let accepted = file.cases.iter().filter(|case| case.expect.ok).count();
    println!("verdicts.json: {} tokens, {accepted} to be accepted, {} wrong", file.cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_case_has_a_name_of_its_own_and_no_list_or_key_set_is_idle() {
    let file = file();
    let names: BTreeSet<&str> = file.cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), file.cases.len());
    for name in file.keys.keys() {
        assert!(file.cases.iter().any(|case| case.options.keys == *name), "{name}");
    }
    for name in file.lists.keys() {
        assert!(file.cases.iter().any(|case| case.options.revocations.as_ref() == Some(name)), "{name}");
    }
}

#[test]
fn every_code_is_asked_for_and_many_tokens_are_accepted() {
    let file = file();
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &file.cases {
        *codes.entry(case.expect.code.as_deref().unwrap_or("ok")).or_default() += 1;
    }
    let expected = [
        "ERR_JOSE_ALG_NOT_ALLOWED",
        "ERR_JWKS_NO_MATCHING_KEY",
        "ERR_JWS_INVALID",
        "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        "ERR_JWT_CLAIM_VALIDATION_FAILED",
        "ERR_JWT_EXPIRED",
        "ERR_JWT_INVALID",
        "ERR_STATUS_MISSING",
        "ERR_STATUS_STALE",
        "ERR_TOKEN_REVOKED",
        "ok",
    ];
    println!("verdicts.json by code: {codes:?}");
    assert_eq!(codes.keys().copied().collect::<Vec<_>>(), expected);
    assert!(file.cases.len() >= 600 && codes["ok"] >= 30, "{codes:?}");
}

/// Two cases may ask the same thing only of different verifiers or at different times.
#[test]
fn no_case_is_asked_twice() {
    let file = file();
    let mut asked: BTreeMap<String, &str> = BTreeMap::new();
    let mut twice = Vec::new();
    for case in &file.cases {
        let key = serde_json::to_string(&Case { name: String::new(), ..case.clone() }).unwrap();
        twice.extend(asked.insert(key, &case.name).map(|other| (other, &case.name)));
    }
    assert!(twice.is_empty(), "{twice:#?}");
}

#[test]
fn a_verifier_that_has_no_list_yet_calls_every_good_token_stale() {
    let file = file();
    let good = file.cases.iter().find(|case| case.expect.ok).unwrap();
    let policy = Policy {
        issuer: None,
        audience: None,
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    };
    let verifier = Verifier::new(policy, good.verifier(&file).keys().clone()).unwrap();
    let rejection = verifier.verify(&good.token, good.time()).unwrap_err();
    assert_eq!((rejection.code(), rejection.reason()), ("ERR_STATUS_STALE", Some("absent")));
}

#[test]
fn a_verifier_judges_well_again_after_every_token_it_refused() {
    let file = file();
    let good = file.cases.iter().find(|case| case.expect.ok).unwrap();
    let verifier = good.verifier(&file);
    for case in &file.cases {
        drop(verifier.verify(&case.token, case.time()));
    }
    assert!(verifier.verify(&good.token, good.time()).is_ok());
}

#[test]
fn a_verdict_that_differs_in_any_member_is_noticed() {
    let file = file();
    let case = file.cases.iter().find(|case| case.expect.claim.is_some()).unwrap();
    let verdict = case.judge(&file);
    assert_ne!(verdict, accepted());
    for other in [
        Expect { code: Some("ERR_JWT_INVALID".to_owned()), ..verdict.clone() },
        Expect { claim: None, ..verdict.clone() },
        Expect { reason: Some("missing".to_owned()), ..verdict.clone() },
    ] {
        assert_ne!(verdict, other);
    }
}
