//! verdicts.json through jwt-compact: it accepts all that is accepted here, and where it accepts more, why.

use crate::jwt_compact;
use crate::verdict::Case;
use crate::verdicts::file;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use token::base64url;

/// Codes and claims or reasons under which jwt-compact accepts some of what is refused here.
const ACCEPTED_THERE: [(&str, &[&str]); 8] = [
    // It has no limits of length and depth (serde_json's 128 levels aside), takes the last of two equal members that it
    // does not know, and reads none of the members that are refused here, `crit` and `b64` among them.
    ("ERR_JWS_INVALID", &["depth", "duplicate_member", "refused_member", "too_long"]),
    ("ERR_JWT_INVALID", &["depth", "duplicate_member"]),
    // It knows no purposes of keys.
    ("ERR_JWKS_NO_MATCHING_KEY", &[""]),
    // Claims are their user's to check, `typ` too; times may have fractions, exponents and signs.
    (
        "ERR_JWT_CLAIM_VALIDATION_FAILED",
        &[
            "aud",
            "auth_time",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "nbf",
            "permissions",
            "roles",
            "scope",
            "sid",
            "sub",
            "typ",
        ],
    ),
    // It accepts in the very second of `exp` and leeway, and in no later one; see below.
    ("ERR_JWT_EXPIRED", &["exp"]),
    // It knows no revocation.
    ("ERR_STATUS_MISSING", &["jti"]),
    ("ERR_STATUS_STALE", &["expired", "too_old"]),
    ("ERR_TOKEN_REVOKED", &["all", "client", "index", "key", "session", "subject"]),
];

#[test]
fn jwt_compact_accepts_all_that_is_accepted_here_and_more_only_for_known_reasons() {
    let file = file();
    let mut more: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut both, mut neither, mut there) = (0, 0, 0);
    for case in &file.cases {
        let verifier = case.verifier(&file);
        let now = verifier.list().map_or(case.now, |list| case.now.max(list.head().iat.as_secs()));
        let theirs = jwt_compact::accepts(&case.token, verifier.keys(), case.options.leeway, now).is_some();
        match (case.expect.code.clone(), theirs) {
            (None, true) => both += 1,
            (Some(_), false) => neither += 1,
            (None, false) => panic!("{}: accepted here alone", case.name),
            (Some(code), true) => {
                there += 1;
                if code == "ERR_JWT_EXPIRED" {
                    assert_eq!(now, exp(case) + case.options.leeway, "{}", case.name);
                }
                let narrowed = case.expect.claim.clone().or(case.expect.reason.clone()).unwrap_or_default();
                more.entry(code).or_default().insert(narrowed);
            }
        }
    }
    println!("jwt-compact: {both} accepted by both, {neither} refused by both, {there} accepted there alone");
    let known =
        |(code, narrowed): (&str, &[&str])| (code.to_owned(), narrowed.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(more, ACCEPTED_THERE.into_iter().map(known).collect());
}

/// `exp` of a token whose payload is good JSON.
fn exp(case: &Case) -> u64 {
    let payload = base64url::decode(case.token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()["exp"].as_u64().unwrap()
}

/// The reason why it does not judge in the verifier: [`jwt_compact::accepts`] turns this panic into a refusal.
#[test]
fn jwt_compact_panics_where_nbf_is_the_smallest_time_of_chrono() {
    let file = file();
    let case = file.cases.iter().find(|case| case.name.starts_with("nbf as chrono's smallest time")).unwrap();
    let keys = case.verifier(&file).keys().clone();
    assert!(jwt_compact::panics(&case.token, &keys, 60, case.now));
    let rejection = case.verifier(&file).verify(&case.token, case.time()).unwrap_err();
    assert_eq!(rejection.claim(), Some("nbf"));
}
