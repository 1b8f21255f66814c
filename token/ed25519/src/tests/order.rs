//! Scalars: which are canonical, hashes modulo L, signed digits.

use crate::order;
use crate::recode::{Digits, odd_digits};
use curve25519_dalek::Scalar;
use proptest::prelude::*;

/// Random bytes, and integers near multiples of L and powers of two.
fn hashes() -> impl Strategy<Value = [u8; 64]> {
    let near = (0..=512_u32, -3..=3_i8, any::<[u8; 32]>(), 0..4_u8).prop_map(|(bit, off, multiple, kind)| {
        let mut bytes = [0_u8; 64];
        match kind {
            0 => bytes = [255; 64],
            1 => bytes[32..].copy_from_slice(&multiple),
            2 => bytes[..32].copy_from_slice(&(Scalar::ZERO - Scalar::ONE).to_bytes()),
            _ => {}
        }
        if let Some(byte) = bytes.get_mut(usize::try_from(bit / 8).unwrap()) {
            *byte ^= 1 << (bit % 8);
        }
        bytes[0] = bytes[0].wrapping_add_signed(off);
        bytes
    });
    prop_oneof![any::<[u8; 64]>(), near]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_hash_is_reduced_as_curve25519_dalek_reduces_it(hash in hashes()) {
        prop_assert_eq!(order::reduce(&hash), Scalar::from_bytes_mod_order_wide(&hash).to_bytes());
    }

    #[test]
    fn a_scalar_is_canonical_when_curve25519_dalek_says_so(hash in hashes()) {
        let (low, high): ([u8; 32], [u8; 32]) = (hash[..32].try_into().unwrap(), hash[32..].try_into().unwrap());
        for scalar in [low, high] {
            prop_assert_eq!(order::is_canonical(&scalar), bool::from(Scalar::from_canonical_bytes(scalar).is_some()));
        }
    }

    #[test]
    fn digits_of_either_kind_add_up_to_the_scalar(hash in hashes(), width in 2..=8_u32) {
        let scalar = order::reduce(&hash);
        let sum = |digits: &[i8], base: u64| digits.iter().rev().fold(Scalar::ZERO, |sum, digit| {
            let size = Scalar::from(u64::from(digit.unsigned_abs()));
            sum * Scalar::from(base) + if *digit < 0 { -size } else { size }
        });
        prop_assert_eq!(sum(&Digits::of(&scalar).0, 256).to_bytes(), scalar);
        let odd = odd_digits(&scalar, width);
        prop_assert_eq!(sum(&odd, 2).to_bytes(), scalar);
        for window in odd.windows(usize::try_from(width).unwrap()) {
            prop_assert!(window.iter().filter(|digit| **digit != 0).count() <= 1);
        }
        prop_assert!(odd.iter().all(|digit| *digit == 0 || digit % 2 != 0 && i16::from(*digit).abs() < 1 << (width - 1)));
    }
}

#[test]
fn the_order_itself_and_what_is_above_it_is_not_canonical() {
    let mut order = (Scalar::ZERO - Scalar::ONE).to_bytes();
    assert!(order::is_canonical(&order) && order::is_canonical(&[0; 32]));
    order[0] += 1;
    assert!(!order::is_canonical(&order));
    assert!(!order::is_canonical(&[255; 32]));
}
