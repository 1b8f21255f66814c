//! JWK Sets: whatever loads can be published and loads again as the same.

use token::jwk::{KeySet, MAX_KEYS, MAX_SET_LENGTH, Purpose};

/// # Panics
/// When a set that loads is not the one it publishes, or is beyond a limit.
pub fn judge(input: &[u8]) {
    let Ok(set) = KeySet::parse(input) else { return };
    assert!(input.len() <= MAX_SET_LENGTH && set.keys().len() <= MAX_KEYS && !set.keys().is_empty());
    let again = KeySet::parse(set.to_json().as_bytes()).expect("what was published loads");
    assert_eq!(set.keys(), again.keys());
    for key in set.keys() {
        let found = set.find(key.kid(), key.purpose(), key.algorithm()).expect("each key is found");
        assert_eq!((found.kid(), found.purpose()), (key.kid(), key.purpose()));
        let others = [Purpose::Token, Purpose::Revocations].into_iter().filter(|purpose| *purpose != key.purpose());
        for purpose in others {
            assert!(set.find(key.kid(), purpose, key.algorithm()).is_none_or(|other| other.purpose() == purpose));
        }
    }
}
