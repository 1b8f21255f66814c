//! Verdicts beside those of ed25519-dalek.
use crate::ed25519::{Tables, VerifyingKey};
use ed25519_dalek::{Signer, SigningKey};

#[test]
fn signatures_hold_and_changed_ones_do_not() {
    for seed in 0..10u8 {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let key = VerifyingKey::from_bytes(secret.verifying_key().as_bytes(), Tables::WhenBusy).unwrap();
        for n in 0..100u8 {
            let mut sig = secret.sign(&[n]).to_bytes();
            assert!(key.verifies(&[n], &sig), "{seed} {n}");
            assert!(!key.verifies(&[n, 1], &sig));
            sig[usize::from(n % 64)] ^= 1;
            assert!(!key.verifies(&[n], &sig));
        }
    }
}
