//! keysets.json: JWK Sets as text, and which of their keys can be used.

use crate::committed::{array, committed};
use crate::forge::{
    ATTACKER_KEY, Draft, LIST_KEY, NOW, RENAMED_KEY, RETIRED_KEY, TOKEN_KEY, public, quoted, thumbprint,
};
use crate::keyset_cases;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::{EdwardsPoint, Scalar};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};
use std::collections::BTreeMap;
use token::base64url;
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify::{Policy, Verifier};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: Vec<Case>,
}

/// One set and what is said of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hex: Option<String>,
    pub(crate) expect: Expect,
}

/// A verdict on a set.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub(crate) enum Expect {
    Keys { ok: bool, kids: Vec<String> },
    Refused { code: String, reason: String },
}

impl Case {
    pub(crate) fn good(name: &str, text: impl Into<String>, kids: &[&str]) -> Self {
        let kids = kids.iter().map(|kid| (*kid).to_owned()).collect();
        Self { name: name.to_owned(), text: Some(text.into()), hex: None, expect: Expect::Keys { ok: true, kids } }
    }

    pub(crate) fn refused(name: impl Into<String>, text: impl Into<String>, reason: &str) -> Self {
        let expect = Expect::Refused { code: "ERR_JWKS_INVALID".to_owned(), reason: reason.to_owned() };
        Self { name: name.into(), text: Some(text.into()), hex: None, expect }
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        Self { text: None, hex: Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()), ..self }
    }

    fn judge(&self) -> Expect {
        let bytes = match (&self.text, &self.hex) {
            (Some(text), None) => text.as_bytes().to_vec(),
            (None, Some(hex)) => crate::published::bytes_of(hex),
            _ => panic!("{}: text or hex", self.name),
        };
        match KeySet::parse(&bytes) {
            Ok(set) => Expect::Keys { ok: true, kids: set.keys().iter().map(|key| key.kid().to_owned()).collect() },
            Err(rejection) => {
                Expect::Refused { code: rejection.code().to_owned(), reason: rejection.reason().to_owned() }
            }
        }
    }
}

#[test]
fn every_key_set_gets_the_verdict_that_is_written_down() {
    let made = format!("{{\n\"cases\": {}\n}}\n", array(&keyset_cases::all()));
    let file: File = serde_json::from_str(&committed("keysets.json", &made)).unwrap();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for case in &file.cases {
        let verdict = case.judge();
        assert_eq!(verdict, case.expect, "{}", case.name);
        let reason = match verdict {
            Expect::Keys { .. } => "ok".to_owned(),
            Expect::Refused { reason, .. } => reason,
        };
        *reasons.entry(reason).or_default() += 1;
    }
    println!("keysets.json: {} sets: {reasons:?}", file.cases.len());
    assert_eq!(reasons.len(), 9, "every reason and ok: {reasons:?}");
}

#[test]
fn keys_of_a_set_that_loads_verify_their_own_tokens_and_nobody_elses() {
    let set = crate::world::key_sets().into_iter().find(|(name, _)| *name == "both names").unwrap().1;
    let set = KeySet::parse(set.as_bytes()).unwrap();
    for seed in [TOKEN_KEY, RENAMED_KEY, LIST_KEY] {
        let key = set.keys().iter().find(|key| key.kid() == thumbprint(seed)).unwrap();
        for signer in [TOKEN_KEY, RENAMED_KEY, LIST_KEY, RETIRED_KEY, ATTACKER_KEY] {
            let signature = crate::forge::signature(signer, b"message");
            assert_eq!(key.verifies(b"message", &signature), signer == seed, "{seed} {signer}");
        }
    }
}

/// CVE-2025-22149: a set that was merged and not replaced would keep the withdrawn key.
#[test]
fn a_key_that_the_next_set_lacks_verifies_nothing_any_more() {
    let sets = crate::world::key_sets();
    let set = |wanted: &str| {
        let (_, text) = sets.iter().find(|(name, _)| *name == wanted).unwrap();
        KeySet::parse(text.as_bytes()).unwrap()
    };
    let policy = Policy {
        issuer: None,
        audience: None,
        leeway_secs: 0,
        scope: Vec::new(),
        revocations: false,
        max_staleness_secs: None,
    };
    let now = UnixTime::from_secs(NOW).unwrap();
    let mut verifier = Verifier::new(policy, set("issuer")).unwrap();
    let token = Draft::new().of_key(RETIRED_KEY).token();
    assert!(verifier.verify(&token, now).is_ok());
    verifier.replace_keys(set("renamed"));
    assert_eq!(verifier.verify(&token, now), Err(token::Rejection::NoMatchingKey));
    assert!(KeySet::parse(b"{\"keys\":[]}").is_err()); // nothing replaces a set but another good one
    verifier.replace_keys(set("issuer"));
    assert!(verifier.verify(&token, now).is_ok());
}

/// Under a low-order key anybody signs (RUSTSEC-2026-0240 and others). Each forgery here is one that dalek's plain `verify` takes.
#[test]
fn a_token_forged_under_a_low_order_key_has_no_set_to_be_judged_by() {
    let mut tries = 0;
    for torsion in EIGHT_TORSION {
        let point = torsion.compress().to_bytes();
        let x = base64url::encode(&point);
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"weak","alg":"EdDSA"}}"#);
        let weak = ed25519_dalek::VerifyingKey::from_bytes(&point).unwrap();
        let forged = (0..64).find_map(|nonce| {
            tries += 1;
            let draft = Draft::new().header("kid", "\"weak\"").claim("sub", &quoted(&format!("admin-{nonce}")));
            let message = draft.signing_input();
            let signature = forge(&message);
            ed25519_dalek::Verifier::verify(&weak, message.as_bytes(), &signature.into()).is_ok().then_some(signature)
        });
        assert!(forged.is_some(), "plain verification was not fooled under {x}: the test attacks nothing");
        let set = crate::world::set(&[crate::world::published(TOKEN_KEY, "EdDSA", "token").text(), jwk]);
        assert_eq!(KeySet::parse(set.as_bytes()), Err(token::KeySetRejection::WeakKey));
    }
    println!("8 low-order keys, 8 forgeries in {tries} tries, 0 sets loaded");
}

/// R = S·B: good whenever the challenge times the key is the identity. No private key is needed.
fn forge(message: &str) -> [u8; 64] {
    let s = Scalar::from_bytes_mod_order_wide(&Sha512::digest(message).into());
    let r = EdwardsPoint::mul_base(&s).compress().to_bytes();
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&s.to_bytes());
    signature
}

/// A point of full order with a part of order 8: `verify_strict` takes such keys, and so their owner can sign.
#[test]
fn a_key_of_mixed_order_loads_and_is_no_other_key() {
    let a = crate::forge::secret(TOKEN_KEY).to_scalar();
    let mixed = (EdwardsPoint::mul_base(&a) + EIGHT_TORSION[1]).compress().to_bytes();
    assert_ne!(mixed, public(TOKEN_KEY));
    let jwk = format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{}","kid":"m","alg":"EdDSA"}}]}}"#,
        base64url::encode(&mixed)
    );
    let set = KeySet::parse(jwk.as_bytes()).unwrap();
    let key = &set.keys()[0];
    // With the private scalar one message in eight can be signed; the cofactorless equation refuses the others.
    let good = (0..64).filter(|nonce: &u64| {
        let message = nonce.to_string();
        let r = EdwardsPoint::mul_base(&Scalar::from(*nonce + 1)).compress().to_bytes();
        let hash = Sha512::new().chain_update(r).chain_update(mixed).chain_update(&message).finalize();
        let s = Scalar::from(*nonce + 1) + Scalar::from_bytes_mod_order_wide(&hash.into()) * a;
        let signature: [u8; 64] = [r, s.to_bytes()].concat().try_into().unwrap();
        key.verifies(message.as_bytes(), &signature)
    });
    let good = good.count();
    assert!((1..=24).contains(&good), "{good} of 64");
}
