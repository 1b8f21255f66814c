//! Any input at all: a verdict, never a panic, and a verifier that judges well afterwards.

use crate::claims::{at, json, keys, open_policy};
use crate::forge::{Draft, NOW, sealed};
use crate::trial::{Shown, breaks, holds, wrong};
use crate::world::List;
use proptest::collection::vec;
use proptest::prelude::*;
use token::jwk::KeySet;
use token::refresh::RefreshClaims;
use token::revocation::codec;
use token::time::UnixTime;
use token::verify::Verifier;

fn verifier() -> Verifier {
    let mut verifier = Verifier::new(open_policy(true), keys()).unwrap();
    let list = List::new(1, NOW, 10_000, vec![1]).document();
    verifier.load_revocations(&list, at(NOW)).unwrap();
    verifier
}

/// A verifier that has lost its mind accepts nothing, or a token nobody signed.
fn still_judges(accepts: impl Fn(&str) -> bool) -> Shown {
    let good = Draft::new();
    let mut signature = good.signature();
    signature[3] ^= 1;
    if !accepts(&good.token()) {
        return wrong("refuses a good token");
    }
    if accepts(&good.with_signature(&signature)) { wrong("accepts a bad token") } else { Ok(()) }
}

/// Texts from noise to almost a token; every part of it that is signed is signed well.
fn tokens() -> impl Strategy<Value = String> {
    let bytes = || vec(any::<u8>(), 0..200);
    let member = prop_oneof![
        Just("alg"),
        Just("typ"),
        Just("kid"),
        Just("crit"),
        Just("jwk"),
        Just("x"),
        Just("iss"),
        Just("aud"),
        Just("exp"),
        Just("nbf"),
        Just("iat"),
        Just("jti"),
        Just("sid"),
        Just("scope"),
        Just("roles"),
        Just("__proto__"),
    ];
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9_-]{0,60}(\\.[A-Za-z0-9_-]{0,60}){0,4}",
        bytes().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        bytes().prop_map(|bytes| Draft::new().header_bytes(bytes).token()),
        bytes().prop_map(|bytes| Draft::new().claims_bytes(bytes).token()),
        json().prop_map(|value| Draft::new().header_bytes(value.to_string()).token()),
        json().prop_map(|value| Draft::new().claims_bytes(value.to_string()).token()),
        (member.clone(), json()).prop_map(|(name, value)| Draft::new().header(name, &value.to_string()).token()),
        (member, json()).prop_map(|(name, value)| Draft::new().claim(name, &value.to_string()).token()),
        any::<String>().prop_map(|text| sealed(crate::forge::TOKEN_KEY, &text)),
    ]
}

#[test]
fn any_text_as_a_token_at_any_time_gets_a_verdict() {
    let verifier = verifier();
    let times = prop_oneof![Just(NOW), 0..=UnixTime::MAX.as_secs()];
    holds(1500, &(tokens(), times), |(token, now)| {
        drop(verifier.verify(&token, at(now)));
        drop(RefreshClaims::parse(&token, verifier.keys(), crate::forge::ISSUER));
        Ok(())
    });
    still_judges(|token| verifier.verify(token, at(NOW)).is_ok()).unwrap();
}

fn sets() -> impl Strategy<Value = Vec<u8>> {
    let entry = (json(), json(), json()).prop_map(|(x, kid, alg)| {
        let mut jwk = crate::world::jwk(1, "k", &[("alg", "EdDSA")]);
        for (name, value) in [("x", x), ("kid", kid), ("alg", alg)] {
            if !value.is_null() {
                jwk.set(name, &value.to_string());
            }
        }
        jwk.text()
    });
    let point = any::<[u8; 32]>().prop_map(|bytes| {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}","kid":"k","alg":"EdDSA"}}"#, token::base64url::encode(&bytes))
    });
    prop_oneof![
        vec(any::<u8>(), 0..300),
        json().prop_map(|value| value.to_string().into_bytes()),
        json().prop_map(|value| format!(r#"{{"keys":{value}}}"#).into_bytes()),
        vec(prop_oneof![entry, point, json().prop_map(|value| value.to_string())], 0..4)
            .prop_map(|entries| crate::world::set(&entries).into_bytes()),
    ]
}

#[test]
fn any_bytes_as_a_key_set_get_a_verdict_and_what_loads_survives_its_own_json() {
    holds(1500, &sets(), |bytes| match KeySet::parse(&bytes) {
        Ok(set) if KeySet::parse(set.to_json().as_bytes()).as_ref() == Ok(&set) => Ok(()),
        Ok(set) => wrong(format!("{set:?}")),
        Err(_) => Ok(()),
    });
}

fn documents() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || vec(any::<u8>(), 0..300);
    let claim = prop_oneof![Just("iss"), Just("iat"), Just("exp"), Just("seq"), Just("id"), Just("cut"), Just("base")];
    let versioned = bytes().prop_map(|mut body| {
        body.insert(0, 1);
        body
    });
    prop_oneof![
        bytes(),
        bytes().prop_map(|body| List::new(9, NOW, 300, body).document()),
        versioned.prop_map(|body| List::new(9, NOW, 300, body).document()),
        (claim, json())
            .prop_map(|(name, value)| List::new(9, NOW, 300, vec![1]).claim(name, &value.to_string()).document()),
        json().prop_map(|cut| List::new(9, NOW, 300, vec![1])
            .claim("cut", &format!(r#"{{"sub":{cut},"salt":"AAAAAAAAAAA"}}"#))
            .document()),
    ]
}

#[test]
fn any_bytes_as_a_list_get_a_verdict_and_the_verifier_goes_on() {
    let fresh = verifier();
    holds(1500, &documents(), |bytes| {
        let mut verifier = fresh.clone();
        match verifier.load_revocations(&bytes, at(NOW)) {
            Ok(_) => Ok(()),
            Err(_) => still_judges(|token| verifier.verify(token, at(NOW)).is_ok()),
        }
    });
}

#[test]
fn any_body_that_decodes_names_each_token_once_and_is_found_again() {
    let bodies = vec(any::<u8>(), 0..200).prop_map(|mut body| {
        body.insert(0, 1);
        body
    });
    holds(3000, &bodies, |body| {
        let Ok(revoked) = codec::decode(&body) else { return Ok(()) };
        let map = revoked.to_map();
        prop_assert_eq!(map.values().map(Vec::len).sum::<usize>(), revoked.entries());
        let encoded = codec::encode(map.iter().map(|(epoch, run)| (*epoch, run.as_slice()))).unwrap();
        prop_assert!(encoded.len() <= body.len(), "the one body is the shortest");
        prop_assert_eq!(codec::decode(&encoded).unwrap().to_map(), map);
        Ok(())
    });
}

#[test]
fn a_verifier_that_accepts_or_refuses_everything_is_noticed() {
    breaks(1, &Just(()), |()| still_judges(|_| false));
    breaks(1, &Just(()), |()| still_judges(|_| true));
}
