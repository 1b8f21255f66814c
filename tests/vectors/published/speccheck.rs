//! "Taming the many EdDSAs": twelve signatures that split the libraries.

use super::{bytes_of, folder, holds, json, ran};

/// The row "Dalek strict" of the authors' table: vector 3 alone, whose key and R are of mixed order, holds.
const HOLDS: [bool; 12] = [false, false, false, true, false, false, false, false, false, false, false, false];

#[test]
fn the_twelve_signatures_of_speccheck_are_judged_as_by_verify_strict() {
    let Some(path) = folder("ed25519-speccheck", "ed25519-speccheck/cases.json") else { return };
    let file = json(&path);
    let cases = file.as_array().unwrap();
    assert_eq!(cases.len(), HOLDS.len());
    for (at, case) in cases.iter().enumerate() {
        let [key, message, signature] =
            ["pub_key", "message", "signature"].map(|member| bytes_of(case[member].as_str().unwrap()));
        assert_eq!(holds(&key, &message, &signature), HOLDS[at], "vector {at}");
    }
    ran("ed25519-speccheck: 12 vectors, 1 accepted, 11 refused, as verify_strict does");
}
