//! JSONTestSuite: each file as a JSON text, as a header and its member, and as a payload and a claim of a signed token.

use super::{folder, ran};
use crate::forge::{Draft, NOW, TOKEN_KEY, thumbprint};
use std::collections::BTreeMap;
use std::path::Path;
use token::json::{self, Fault};
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify::{Policy, Verifier};

/// Valid JSON (RFC 8259 §4 only says that names SHOULD be unique) that is refused here by a rule of our own.
const REFUSED_BY_OUR_RULES: [(&str, Fault); 2] =
    [("y_object_duplicated_key.json", Fault::Duplicate), ("y_object_duplicated_key_and_value.json", Fault::Duplicate)];

struct Places {
    verifier: Verifier,
}

impl Places {
    fn new() -> Self {
        let keys = KeySet::parse(crate::world::key_sets()[0].1.as_bytes()).unwrap();
        let policy = Policy {
            issuer: None,
            audience: None,
            leeway_secs: 0,
            scope: Vec::new(),
            revocations: false,
            max_staleness_secs: None,
        };
        Self { verifier: Verifier::new(policy, keys).unwrap() }
    }

    fn code(&self, token: &str) -> Result<(), &'static str> {
        self.verifier.verify(token, UnixTime::from_secs(NOW).unwrap()).map(drop).map_err(|rejection| rejection.code())
    }

    /// As the value of a header member and of a claim, in a token that is good otherwise.
    fn inside(&self, text: &[u8]) -> [Result<(), &'static str>; 2] {
        let with = |members: &str| [b"{", members.as_bytes(), b",\"x\":", text, b"}"].concat();
        let header = with(&format!(r#""alg":"EdDSA","typ":"at+jwt","kid":"{}""#, thumbprint(TOKEN_KEY)));
        let claims = String::from_utf8(Draft::new().claims_text()).unwrap();
        let claims = with(&claims[1..claims.len() - 1]);
        [Draft::new().header_bytes(header), Draft::new().claims_bytes(claims)].map(|draft| self.code(&draft.token()))
    }

    /// As the whole header and as the whole payload.
    fn whole(&self, text: &[u8]) -> [Result<(), &'static str>; 2] {
        [Draft::new().header_bytes(text), Draft::new().claims_bytes(text)].map(|draft| self.code(&draft.token()))
    }
}

fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn every_text_of_json_test_suite_is_judged_as_there_wherever_it_stands() {
    let Some(path) = folder("JSONTestSuite", "jsontestsuite/test_parsing") else { return };
    let places = Places::new();
    let (mut accepted, mut ours, mut refused, mut free) = (0, 0, 0, [0, 0]);
    for (name, text) in files(&path) {
        let parsed = json::parse(&text);
        match name.split_once('_').unwrap().0 {
            "y" => match REFUSED_BY_OUR_RULES.iter().find(|(exception, _)| *exception == name) {
                Some((_, fault)) => {
                    assert_eq!(parsed, Err(*fault), "{name}");
                    assert_eq!(places.inside(&text), [Err("ERR_JWS_INVALID"), Err("ERR_JWT_INVALID")], "{name}");
                    ours += 1;
                }
                None => {
                    assert!(parsed.is_ok(), "{name}");
                    assert_eq!(places.inside(&text), [Ok(()), Ok(())], "{name}");
                    accepted += 1;
                }
            },
            "n" => {
                assert!(parsed.is_err(), "{name}");
                let payload = if text.len() > 5_000 { "ERR_JWS_INVALID" } else { "ERR_JWT_INVALID" }; // too long for a token
                assert_eq!(places.inside(&text), [Err("ERR_JWS_INVALID"), Err(payload)], "{name}");
                assert_eq!(places.whole(&text), [Err("ERR_JWS_INVALID"), Err(payload)], "{name}");
                refused += 1;
            }
            "i" => {
                let places = places.inside(&text);
                assert!(places.iter().all(|verdict| verdict.is_ok() == parsed.is_ok()), "{name}: {places:?}");
                free[usize::from(parsed.is_ok())] += 1;
            }
            _ => panic!("{name}"),
        }
    }
    ran(&format!(
        "JSONTestSuite: {accepted} accepted, {ours} valid refused by our rules, {refused} invalid refused; \
         of those left open {} refused, {} accepted",
        free[0], free[1]
    ));
    assert_eq!((accepted, ours, refused, free[0] + free[1]), (93, 2, 188, 35));
}

/// Transformations: texts on which parsers disagree. One verdict, whatever it is, and no panic.
#[test]
fn the_transformations_of_json_test_suite_get_one_verdict_everywhere() {
    let Some(path) = folder("JSONTestSuite transformations", "jsontestsuite/test_transform") else { return };
    let places = Places::new();
    let mut accepted = Vec::new();
    let files = files(&path);
    for (name, text) in &files {
        let verdicts = places.inside(text);
        assert!(verdicts.iter().all(|verdict| verdict.is_ok() == json::parse(text).is_ok()), "{name}: {verdicts:?}");
        accepted.extend(verdicts[0].is_ok().then_some(name.as_str()));
    }
    assert!(accepted.iter().all(|name| !name.contains("same_key") && !name.contains("surrogate")), "{accepted:?}");
    ran(&format!("JSONTestSuite transformations: {} texts, {} accepted", files.len(), accepted.len()));
}
