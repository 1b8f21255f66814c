//! When tables are made, for whom, how many, and how they are given back.

use crate::scalar::table::Table;
use crate::scalar::{narrow, wide};
use crate::tables::{Budget, COLD_VERIFICATIONS};
use crate::{Tables, VerifyingKey, settle};
use ed25519_dalek::{Signer, SigningKey};
use std::thread;

const MESSAGE: &[u8] = b"message";
/// Acceptances after which a key has tables: the last cold ones, and those that made the rows.
const UNTIL_MADE: u32 = COLD_VERIFICATIONS - 1 + 32;

fn budget(most: usize) -> &'static Budget {
    Box::leak(Box::new(Budget::new(most)))
}

fn key(budget: &'static Budget, seed: u8, tables: Tables) -> (VerifyingKey, [u8; 64]) {
    let secret = SigningKey::from_bytes(&[seed; 32]);
    let key = VerifyingKey::within(budget, secret.verifying_key().as_bytes(), tables).unwrap();
    (key, secret.sign(MESSAGE).to_bytes())
}

fn accept(key: &VerifyingKey, signature: &[u8; 64], times: u32) {
    for _ in 0..times {
        assert!(key.verifies(MESSAGE, signature));
    }
}

fn has_tables(key: &VerifyingKey) -> bool {
    key.shared.multiples.made().is_some()
}

#[test]
fn a_table_takes_what_the_documentation_says() {
    assert_eq!(Table::<wide::Field>::BYTES, 384 * 1024);
    assert_eq!(Table::<narrow::Field>::BYTES, 480 * 1024);
}

#[test]
fn tables_are_made_a_row_an_acceptance_from_the_last_cold_one_on_and_go_with_the_last_clone() {
    let budget = budget(1);
    let (key, signature) = key(budget, 1, Tables::WhenBusy);
    let clone = key.clone();
    accept(&clone, &signature, COLD_VERIFICATIONS - 1);
    assert_eq!((key.shared.multiples.rows(), budget.taken()), (None, 0));
    for rows in 1..32 {
        accept(&key, &signature, 1);
        assert_eq!((key.shared.multiples.rows(), has_tables(&key)), (Some(rows), false));
        assert!(!clone.verifies(b"another", &signature));
        assert_eq!(key.shared.multiples.rows(), Some(rows), "a forgery makes no row");
    }
    while !has_tables(&key) {
        accept(&key, &signature, 1); // the base point's rows may still be another test's to make
    }
    assert!(has_tables(&clone));
    assert_eq!(key.shared.multiples.rows(), None);
    accept(&clone, &signature, 3 * UNTIL_MADE);
    assert_eq!(budget.taken(), 1);
    drop(key);
    assert_eq!(budget.taken(), 1);
    drop(clone);
    assert_eq!(budget.taken(), 0);
}

#[test]
fn acceptances_in_a_batch_count_as_well() {
    let budget = budget(1);
    let (key, signature) = key(budget, 2, Tables::WhenBusy);
    let pending: Vec<_> = (0..2 * UNTIL_MADE).map(|_| key.begin(MESSAGE, &signature)).collect();
    assert!(!has_tables(&key));
    assert!(settle(&pending).into_iter().all(|holds| holds));
    assert!(has_tables(&key));
}

#[test]
fn forgeries_never_make_a_table() {
    let budget = budget(1);
    let (key, signature) = key(budget, 3, Tables::WhenBusy);
    for n in 0..10 * COLD_VERIFICATIONS {
        let forged = &n.to_le_bytes();
        assert!(!key.verifies(forged, &signature));
        assert_eq!(settle(&[key.begin(forged, &signature)]), [false]);
    }
    accept(&key, &signature, COLD_VERIFICATIONS - 1);
    assert!(!has_tables(&key));
    assert_eq!(budget.taken(), 0);
}

#[test]
fn a_key_that_is_to_have_none_has_none() {
    let budget = budget(1);
    let (key, signature) = key(budget, 4, Tables::Never);
    accept(&key, &signature, 3 * COLD_VERIFICATIONS);
    assert!(!has_tables(&key));
}

#[test]
fn no_more_keys_have_tables_than_the_budget_allows_and_a_place_given_back_is_taken() {
    let budget = budget(2);
    let mut keys: Vec<_> = (5..9).map(|seed| key(budget, seed, Tables::WhenBusy)).collect();
    for (key, signature) in &keys {
        accept(key, signature, 2 * UNTIL_MADE);
    }
    let have: Vec<_> = keys.iter().map(|(key, _)| has_tables(key)).collect();
    assert_eq!((have, budget.taken()), (vec![true, true, false, false], 2));
    keys.remove(0);
    assert_eq!(budget.taken(), 1);
    let (key, signature) = &keys[2];
    accept(key, signature, 2 * UNTIL_MADE);
    assert!(has_tables(key));
    assert_eq!(budget.taken(), 2);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "there are no threads")]
fn threads_that_verify_while_tables_are_made_are_right_and_make_one() {
    let budget = budget(8);
    let (key, signature) = key(budget, 9, Tables::WhenBusy);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for n in 0..4 * UNTIL_MADE {
                    assert!(key.verifies(MESSAGE, &signature));
                    assert!(!key.verifies(&n.to_le_bytes(), &signature));
                }
            });
        }
    });
    assert!(has_tables(&key));
    assert_eq!(budget.taken(), 1, "a table that came second was kept");
}
