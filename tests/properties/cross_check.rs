//! jwt-compact, another parser: what is accepted here it accepts as well, with the same claims.

use crate::claims::{TOKENS, at, claims, keys, open_policy};
use crate::forge::{Draft, NOW};
use crate::jwt_compact;
use crate::trial::{Shown, breaks, holds, wrong};
use proptest::prelude::*;
use token::verify::{Policy, Verifier};

/// Ours accepting and the other refusing is wrong, and so are different claims.
fn agree(token: &str, leeway_secs: u64, now: u64, accepts: impl Fn(&Verifier, &str) -> Option<String>) -> Shown {
    let verifier = Verifier::new(Policy { leeway_secs, ..open_policy(false) }, keys()).unwrap();
    let Some(subject) = accepts(&verifier, token) else { return Ok(()) };
    match jwt_compact::accepts(token, verifier.keys(), leeway_secs, now) {
        Some(claims) if claims.custom["sub"] == subject => Ok(()),
        Some(claims) => wrong(format!("{subject:?} is {:?} to jwt-compact", claims.custom["sub"])),
        None => wrong("accepted here and refused by jwt-compact"),
    }
}

fn ours(verifier: &Verifier, token: &str, now: u64) -> Option<String> {
    verifier.verify(token, at(now)).ok().map(|verified| verified.claims.sub)
}

#[test]
fn what_is_accepted_here_jwt_compact_accepts_at_any_time() {
    let inputs = (claims(), 0..=60_u64, -200..200_000_i64);
    holds(400, &inputs, |(claims, leeway, offset)| {
        let token = TOKENS.sign_access(&claims).unwrap();
        let now = NOW.checked_add_signed(offset).unwrap();
        let accepted = Verifier::new(Policy { leeway_secs: leeway, ..open_policy(false) }, keys())
            .unwrap()
            .verify(&token, at(now))
            .is_ok();
        let theirs = jwt_compact::accepts(&token, &keys(), leeway, now).is_some();
        // The one difference in well-formed tokens: it still accepts in the very second of exp and leeway.
        let last_second = now == claims.exp.as_secs() + leeway;
        prop_assert_eq!(accepted, theirs && !last_second);
        agree(&token, leeway, now, |verifier, token| ours(verifier, token, now))
    });
}

#[test]
fn what_is_accepted_here_of_odd_tokens_jwt_compact_accepts() {
    let member = prop_oneof![
        Just("x"),
        Just("alg"),
        Just("kid"),
        Just("typ"),
        Just("crit"),
        Just("sub"),
        Just("exp"),
        Just("nbf"),
        Just("iat")
    ];
    let inputs = (member, crate::claims::json(), any::<bool>());
    holds(600, &inputs, |(name, value, in_header)| {
        let value = value.to_string();
        let draft = if in_header { Draft::new().header(name, &value) } else { Draft::new().claim(name, &value) };
        agree(&draft.token(), 5, NOW, |verifier, token| ours(verifier, token, NOW))
    });
}

#[test]
fn a_verifier_that_does_not_check_signatures_is_noticed() {
    let unchecked = |_: &Verifier, token: &str| {
        let payload = token::base64url::decode(token.split('.').nth(1)?.as_bytes()).ok()?;
        serde_json::from_slice::<serde_json::Value>(&payload).ok()?.get("sub")?.as_str().map(str::to_owned)
    };
    breaks(50, &(0..512_usize), |bit| {
        let mut signature = Draft::new().signature();
        signature[bit / 8] ^= 1 << (bit % 8);
        agree(&Draft::new().with_signature(&signature), 5, NOW, unchecked)
    });
}
