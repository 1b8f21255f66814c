//! Tokens: any bytes, and mutants that are signed again, judged in every way there is.
//!
//! ```text
//! input = %x00 token            as it is: never accepted
//!       / %x01 payload          signed behind a good header
//!       / %x02 header           signed in front of a good payload
//!       / %x03 length header payload
//!       / %x04 place xor ...    a good token, some of its bytes changed: never accepted
//! ```

use crate::bytes::Bytes;
use crate::signer::{ISSUER, LISTS, NOW, TOKENS, key_set};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::cell::RefCell;
use std::sync::LazyLock;
use token::revocation::{ListId, codec};
use token::time::UnixTime;
use token::verify::{Loaded, Policy, Recheck, Scope, Scratch, Verifier};

const AUDIENCE: &str = "api";
const LEEWAY: u64 = 5;
const GOOD: &str = r#"{"iss":"https://issuer.example","sub":"user-1","aud":"api","client_id":"backend","iat":1700000000,"exp":1700000900,"jti":"6640628.7","sid":"session-1","scope":"read write"}"#;
const REVOKED: &str = "6640628.5";

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let policy = Policy {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(vec![AUDIENCE.to_owned()]),
        leeway_secs: LEEWAY,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    };
    let body = codec::encode([(6_640_628, [5].as_slice())]).expect("a body");
    let mut verifier = Verifier::new(policy, key_set()).expect("a policy");
    let head = format!(r#"{{"iss":"{ISSUER}","iat":{NOW},"exp":{},"seq":1,"id":"{}"}}"#, NOW + 1000, ListId::of(&body));
    let head = LISTS.sign(&LISTS.header("revlist+jwt"), head.as_bytes());
    let document = [head.as_bytes(), b"\n", body.as_slice()].concat();
    assert_eq!(verifier.load_revocations(&document, now(0)), Ok(Loaded::Newer));
    verifier
});
static GOOD_TOKEN: LazyLock<String> = LazyLock::new(|| TOKENS.sign(&TOKENS.header("at+jwt"), GOOD.as_bytes()));

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// # Panics
/// When a forgery is accepted, two ways of judging differ, or what was accepted does not hold.
pub fn judge(input: &[u8]) {
    let mut recipe = Bytes(input);
    let kind = recipe.byte() % 5;
    let (text, is_signed) = match kind {
        0 => (recipe.0.to_vec(), false),
        1 => (TOKENS.sign(&TOKENS.header("at+jwt"), recipe.0).into_bytes(), true),
        2 => (TOKENS.sign(recipe.0, GOOD.as_bytes()).into_bytes(), true),
        3 => {
            let (header, payload) = recipe.parts();
            (TOKENS.sign(header, payload).into_bytes(), true)
        }
        _ => changed(&mut recipe),
    };
    let accepted = SCRATCH.with_borrow_mut(|scratch| verdict(&text, scratch));
    assert!(is_signed || !accepted, "a forgery is accepted");
}

/// A good token with up to eight other bytes, and whether it is still the good one.
fn changed(recipe: &mut Bytes<'_>) -> (Vec<u8>, bool) {
    let mut text = GOOD_TOKEN.clone().into_bytes();
    while recipe.0.len() >= 3 {
        let at = recipe.below(text.len());
        text[at] ^= recipe.byte();
    }
    let is_good = text == GOOD_TOKEN.as_bytes();
    (text, is_good)
}

/// Judges in every way and returns whether the token was accepted.
fn verdict(token: &[u8], scratch: &mut Scratch) -> bool {
    let judged = VERIFIER.judge(token, Scope::NONE, now(0), scratch);
    let judged = judged.map(|judged| (judged.json().to_owned(), judged.kid().to_owned(), judged.remember()));
    match std::str::from_utf8(token) {
        Ok(text) => {
            let verified = VERIFIER.verify(text, now(0)).map(|verified| (verified.json, verified.kid));
            assert_eq!(judged.as_ref().map(|(json, kid, _)| (json.clone(), kid.clone())), verified.as_ref().cloned());
        }
        Err(_) => assert!(judged.is_err(), "a token that is not text is accepted"),
    }
    let all = [GOOD_TOKEN.as_bytes(), token, GOOD_TOKEN.as_bytes(), token];
    let mut verdicts = Vec::new();
    VERIFIER
        .judge_many(all, Scope::NONE, now(0), scratch, |one| verdicts.push(one.map(|judged| judged.json().to_owned())));
    let single = judged.as_ref().map(|(json, ..)| json.clone()).map_err(Clone::clone);
    let good = Ok(GOOD.to_owned());
    assert_eq!(verdicts, [good.clone(), single.clone(), good, single], "at once and one by one");
    let Ok((json, _, remembered)) = judged else { return false };
    holds(token, &json);
    for seconds in [0, 500, 904, 905, 999, 1000, 2000] {
        let again = VERIFIER.judge(token, Scope::NONE, now(seconds), scratch).map(|_| ());
        match VERIFIER.recheck(&remembered, Scope::NONE, now(seconds)) {
            Recheck::Holds => assert_eq!(again, Ok(())),
            Recheck::Refused(rejection) => assert_eq!(again, Err(rejection)),
            Recheck::Unknown => panic!("no key has changed"),
        }
    }
    true
}

/// Reads what was accepted by other code and asks the same of it.
fn holds(token: &[u8], json: &str) {
    let part = |at: usize| {
        URL_SAFE_NO_PAD.decode(token.split(|byte| *byte == b'.').nth(at).expect("a part")).expect("base64url")
    };
    assert_eq!(part(1), json.as_bytes());
    let header: Value = serde_json::from_slice(&part(0)).expect("a header");
    assert_eq!(header["alg"], "EdDSA");
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    let claims: Value = serde_json::from_str(json).expect("claims");
    assert_eq!(claims["iss"], ISSUER);
    let aud = &claims["aud"];
    assert!(aud == AUDIENCE || aud.as_array().is_some_and(|all| all.iter().any(|one| one == AUDIENCE)));
    assert!(claims["exp"].as_f64().expect("exp") + LEEWAY as f64 > NOW as f64);
    assert!(claims["nbf"].as_f64().is_none_or(|nbf| nbf <= (NOW + LEEWAY) as f64));
    assert_ne!(claims["jti"], REVOKED);
}

fn now(seconds: u64) -> UnixTime {
    UnixTime::from_secs(NOW + seconds).expect("a time")
}

/// Tokens of the vectors, whole and in parts.
pub(crate) fn seeds(tokens: &[String]) -> Vec<Vec<u8>> {
    let mut seeds =
        vec![vec![4], [&[1], GOOD.as_bytes()].concat(), [&[1], GOOD.replace("8.7", "8.5").as_bytes()].concat()];
    for token in tokens {
        seeds.push([&[0], token.as_bytes()].concat());
        let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part)).collect();
        if let [Ok(header), Ok(payload), Ok(_)] = parts.as_slice() {
            let kid = serde_json::from_slice::<Value>(header)
                .ok()
                .and_then(|header| Some(header["kid"].as_str()?.to_owned()));
            let own = serde_json::from_slice::<Value>(&TOKENS.header("at+jwt")).expect("JSON")["kid"]
                .as_str()
                .expect("kid")
                .to_owned();
            let header = String::from_utf8_lossy(header).replace(&kid.unwrap_or_default(), &own).into_bytes();
            let length = u16::try_from(header.len()).unwrap_or_default().to_le_bytes();
            seeds.push([&[1], payload.as_slice()].concat());
            seeds.push([&[2], header.as_slice()].concat());
            seeds.push([&[3], length.as_slice(), &header, payload].concat());
        }
    }
    seeds
}
