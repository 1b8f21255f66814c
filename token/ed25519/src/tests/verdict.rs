//! Verdicts beside those of ed25519-dalek's `verify_strict`: cold, with tables, and settled together.

use super::forge::{Case, cases, low_order_encodings};
use crate::{Fault, Tables, VerifyingKey, settle};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::sync::Arc;

/// Returns what ed25519-dalek says of the key, taken as strictly as RFC 8032 says, and of each signature.
fn expected(case: &Case) -> Result<Vec<bool>, Fault> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(&case.key).map_err(|_| Fault::InvalidPoint)?;
    if key.to_edwards().compress().as_bytes() != &case.key {
        return Err(Fault::InvalidPoint);
    }
    if key.is_weak() {
        return Err(Fault::LowOrder);
    }
    let judge = |(message, signature): &(Vec<u8>, [u8; 64])| key.verify_strict(message, &signature.into()).is_ok();
    Ok(case.signed.iter().map(judge).collect())
}

fn one_by_one(key: &VerifyingKey, case: &Case) -> Vec<bool> {
    case.signed.iter().map(|(message, signature)| key.verifies(message, signature)).collect()
}

fn together(key: &VerifyingKey, case: &Case) -> Vec<bool> {
    let pending: Vec<_> = case.signed.iter().map(|(message, signature)| key.begin(message, signature)).collect();
    settle(&pending)
}

fn with_tables(key: &[u8; 32]) -> Result<VerifyingKey, Fault> {
    let key = VerifyingKey::from_bytes(key, Tables::AtOnce)?;
    assert!(key.shared.multiples.made().is_some());
    Ok(key)
}

/// Compares every verdict on every path.
fn check(case: &Case) -> usize {
    let expected = expected(case);
    let cold = VerifyingKey::from_bytes(&case.key, Tables::Never);
    assert_eq!(cold.as_ref().map(|key| one_by_one(key, case)).map_err(|fault| *fault), expected, "cold");
    assert_eq!(cold.map(|key| together(&key, case)), expected, "cold, together");
    let busy = with_tables(&case.key);
    assert_eq!(busy.as_ref().map(|key| one_by_one(key, case)).map_err(|fault| *fault), expected, "with tables");
    assert_eq!(busy.map(|key| together(&key, case)), expected, "with tables, together");
    expected.map_or(0, |verdicts| verdicts.into_iter().filter(|holds| *holds).count())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_verdict_is_that_of_verify_strict(case in cases(40)) {
        check(&case);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30_000))]

    #[test]
    #[ignore = "for cargo xtask soak field: a quarter of an hour"]
    fn a_million_signatures_are_judged_as_by_verify_strict(case in cases(40)) {
        check(&case);
    }
}

#[test]
fn forged_cases_are_of_both_verdicts() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut held = 0;
    for _ in 0..20 {
        held += check(&cases(40).new_tree(&mut runner).unwrap().current());
    }
    assert!((100..700).contains(&held), "{held} of 800 hold");
}

#[test]
fn a_key_of_low_order_or_not_canonical_is_no_key() {
    for key in low_order_encodings() {
        let case = Case { key, signed: Vec::new() };
        assert!(expected(&case).is_err());
        check(&case);
    }
}

#[test]
fn nothing_settled_is_nothing_and_batches_mix_keys_and_paths() {
    assert!(settle(&[]).is_empty());
    let secrets: Vec<_> = (0..4).map(|seed| SigningKey::from_bytes(&[seed; 32])).collect();
    let key = |n: usize| -> VerifyingKey {
        let bytes = secrets[n].verifying_key().to_bytes();
        if n < 2 { with_tables(&bytes).unwrap() } else { VerifyingKey::from_bytes(&bytes, Tables::Never).unwrap() }
    };
    let keys: Vec<_> = (0..4).map(key).collect();
    let signatures: Vec<_> = secrets.iter().map(|secret| secret.sign(b"message").to_bytes()).collect();
    let pairs: Vec<_> = (0..16).map(|n| (n / 4, n % 4)).collect();
    let pending: Vec<_> = pairs.iter().map(|(key, by)| keys[*key].begin(b"message", &signatures[*by])).collect();
    let expected: Vec<_> = pairs.iter().map(|(key, by)| key == by).collect();
    assert_eq!(settle(&pending), expected);
    let not_canonical = [0xff; 64];
    assert_eq!(settle(&[keys[0].begin(b"message", &not_canonical)]), [false]);
}

/// Returns whether 2,000 honest signatures show that something is wrong with the key's table.
fn is_noticed(key: &VerifyingKey, signatures: &[[u8; 64]]) -> bool {
    signatures.iter().enumerate().any(|(n, signature)| !key.verifies(&n.to_le_bytes(), signature))
}

#[test]
fn a_damaged_entry_of_a_key_s_table_shows_in_the_verdicts() {
    let secret = SigningKey::from_bytes(&[7; 32]);
    let signatures: Vec<_> = (0..2_000_usize).map(|n| secret.sign(&n.to_le_bytes()).to_bytes()).collect();
    let mut key = with_tables(secret.verifying_key().as_bytes()).unwrap();
    assert!(!is_noticed(&key, &signatures));
    for n in 0..30_usize {
        // The last digit is 16 at most: what is above that is in no sum.
        let (window, size, part, bit) = (n % 31, 1 + 37 * n % 128, n % 3, 41 * n % 255);
        let table = Arc::get_mut(&mut key.shared).unwrap().multiples.key_table_mut().unwrap();
        table.damage(window, size, part, bit);
        assert!(is_noticed(&key, &signatures), "window {window}, size {size}, part {part}, bit {bit}");
        let table = Arc::get_mut(&mut key.shared).unwrap().multiples.key_table_mut().unwrap();
        table.damage(window, size, part, bit);
    }
    assert!(!is_noticed(&key, &signatures));
}
