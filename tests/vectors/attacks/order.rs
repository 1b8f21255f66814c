//! Two faults in one token: the check that comes earlier in docs/protocol.md §6 speaks.

use crate::forge::{ATTACKER_KEY, Draft, EXP, NOW, TOKEN_KEY, sealed};
use crate::verdict::{
    Case, Expect, algorithm, bad_signature, claim, expired, jws, jwt, no_index, no_key, revoked, stale,
};

/// A fault that can be given to a token, or to what is asked of it.
pub(crate) struct Fault {
    name: &'static str,
    draft: fn(Draft) -> Draft,
    /// Done to the finished token.
    token: fn(String) -> String,
    case: fn(Case) -> Case,
    expect: Expect,
}

fn fault(name: &'static str, expect: Expect) -> Fault {
    Fault { name, draft: |draft| draft, token: |token| token, case: |case| case, expect }
}

/// In the order of the checks. Faults of the payload as a text are left out here: they leave no claims to be wrong.
pub(crate) fn faults() -> Vec<Fault> {
    vec![
        Fault { token: |token| token + &"A".repeat(8192), ..fault("too long", jws("too_long")) },
        Fault { token: |token| token + ".A", ..fault("four parts", jws("parts")) },
        Fault { token: |token| token + "=", ..fault("padding", jws("base64url")) },
        Fault { draft: |draft| draft.header("x", "tru"), ..fault("a header that is not JSON", jws("json")) },
        Fault { draft: |draft| draft.header("alg", "\"none\""), ..fault("alg none", algorithm()) },
        Fault { draft: |draft| draft.header("typ", "\"JWT\""), ..fault("typ JWT", claim("typ", "check_failed")) },
        Fault { draft: |draft| draft.header("crit", "[]"), ..fault("crit", jws("refused_member")) },
        Fault { draft: |draft| draft.header("kid", "\"x\""), ..fault("an unknown kid", no_key()) },
        Fault { draft: |draft| draft.signed_by(ATTACKER_KEY), ..fault("a bad signature", bad_signature()) },
        Fault {
            draft: |draft| draft.claim("client_id", "1"),
            ..fault("a claim of another type", claim("client_id", "invalid"))
        },
        Fault { draft: |draft| draft.claim("iss", "\"x\""), ..fault("another issuer", claim("iss", "check_failed")) },
        Fault { draft: |draft| draft.claim("aud", "\"x\""), ..fault("another audience", claim("aud", "check_failed")) },
        Fault {
            draft: |draft| draft.claim("nbf", &(EXP + 1000).to_string()),
            ..fault("nbf to come", claim("nbf", "check_failed"))
        },
        Fault { case: |case| case.at(EXP + 5), ..fault("exp gone by", expired()) },
        Fault { draft: |draft| draft.claim("jti", "\"7\""), ..fault("no index", no_index()) },
        Fault {
            draft: |draft| draft.claim("scope", "\"none\""),
            case: needs_read,
            ..fault("too little scope", claim("scope", "check_failed"))
        },
        Fault { case: |case| with_list(case, "five minutes", 600), ..fault("a stale list", stale("expired")) },
        Fault { case: |case| with_list(case, "7 and 1000", 0), ..fault("revoked", revoked("index")) },
    ]
}

fn needs_read(case: Case) -> Case {
    case.with(|options| options.scope = Some("read".to_owned()))
}

/// Under this list, and so late unless it is later already; a stale list stays.
fn with_list(case: Case, list: &str, after: u64) -> Case {
    let now = case.now.max(NOW + after);
    if case.options.revocations.as_deref() == Some("five minutes") { case } else { case.list(list).at(now) }
}

/// The case of a token with all these faults, given in the order of the checks: the first is told.
pub(crate) fn faulty(faults: &[&Fault]) -> Case {
    let draft = faults.iter().fold(Draft::new(), |draft, fault| (fault.draft)(draft));
    // Done from the outside in: what comes later in the order is done first.
    let token = faults.iter().rev().fold(draft.token(), |token, fault| (fault.token)(token));
    let names: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
    let case = Case::new(names.join(" is told before "), token, faults[0].expect.clone());
    faults.iter().fold(case, |case, fault| (fault.case)(case))
}

pub(crate) fn cases() -> Vec<Case> {
    let faults = faults();
    let mut cases = Vec::new();
    for (at, first) in faults.iter().enumerate() {
        cases.extend(faults[at + 1..].iter().map(|second| faulty(&[first, second])));
    }
    cases.extend(payload_texts());
    cases.extend(claims_in_order());
    cases
}

fn payload_texts() -> Vec<Case> {
    let broken = Draft::new().claims_bytes("{");
    vec![
        Case::new(
            "a bad signature is told before a payload that is not JSON",
            broken.clone().signed_by(ATTACKER_KEY).token(),
            bad_signature(),
        ),
        Case::new(
            "an unknown kid is told before a payload that is not JSON",
            broken.clone().header("kid", "\"x\"").token(),
            no_key(),
        ),
        Case::new("a payload that is not JSON is told whatever the time", broken.token(), jwt("json")).at(EXP + 5000),
        Case::new(
            "a payload's duplicate member is told before a claim of another type",
            Draft::new().claims_bytes(r#"{"iss":1,"iss":2}"#).token(),
            jwt("duplicate_member"),
        ),
        Case::new(
            "a header's duplicate member is told before alg none",
            sealed(TOKEN_KEY, &format!("{}.e30", token::base64url::encode(br#"{"alg":"none","alg":"none"}"#))),
            jws("duplicate_member"),
        ),
    ]
}

/// RFC 9068 §2.2 claims are asked for in one order, so that every runtime names the same one.
fn claims_in_order() -> Vec<Case> {
    let order = [
        "iss",
        "sub",
        "aud",
        "client_id",
        "iat",
        "exp",
        "jti",
        "nbf",
        "sid",
        "scope",
        "roles",
        "permissions",
        "auth_time",
    ];
    order
        .windows(2)
        .map(|pair| {
            let token = Draft::new().claim(pair[0], "true").claim(pair[1], "true").token();
            Case::new(format!("{} is named before {}", pair[0], pair[1]), token, claim(pair[0], "invalid"))
        })
        .collect()
}
