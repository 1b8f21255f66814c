//! Both fields beside integers modulo p computed digit by digit, and beside each other.

use crate::invert::inverse;
use crate::reference::{Residue, edges, encodings};
use crate::scalar::field::{Element, invert_all};
use crate::scalar::{narrow, wide};
use proptest::prelude::*;

fn value(field: &wide::Field) -> Residue {
    Residue::of(field.0.into_iter().zip([0, 64, 128, 192]))
}

/// Any four words, each often about either end.
fn words() -> impl Strategy<Value = wide::Field> {
    let word = || prop_oneof![2 => any::<u64>(), 1 => Just(u64::MAX), 1 => 0..2_u64, 1 => u64::MAX - 1500..=u64::MAX];
    [word(), word(), word(), word()].prop_map(wide::Field)
}

fn check(a: &wide::Field, b: &wide::Field) {
    for (name, got, expected) in [
        ("add", a.add(b), value(a).add(&value(b))),
        ("sub", a.sub(b), value(a).sub(&value(b))),
        ("mul", a.mul(b), value(a).mul(&value(b))),
        ("square", a.square(), value(a).mul(&value(a))),
        ("neg", a.neg(), value(a).neg()),
    ] {
        assert_eq!(value(&got), expected, "{name} of {a:?} and {b:?}");
        assert_eq!(got.to_bytes(), expected.to_bytes(), "bytes of {got:?}");
    }
    assert_eq!(a.to_bytes(), value(a).to_bytes(), "bytes of {a:?}");
}

/// Edges below 2^255, and those of what four words hold: about 0, p, 2^255, 2p and 2^256.
fn all_edges() -> Vec<wide::Field> {
    let mut all: Vec<_> = edges().iter().map(wide::Field::from_bytes).collect();
    for middle in [0, u64::MAX] {
        for top in [0, u64::MAX >> 1, 1 << 63, u64::MAX] {
            for off in 0..60 {
                all.extend([off, u64::MAX - off].map(|low| wide::Field([low, middle, middle, top])));
            }
        }
    }
    all
}

#[test]
fn every_edge_is_what_the_reference_says() {
    let all = all_edges();
    for a in &all {
        for b in all.iter().step_by(29).chain([a, &wide::Field::ONE, &wide::Field([u64::MAX; 4])]) {
            check(a, b);
            check(b, a);
        }
    }
}

/// An inverse is right when the product is one; that of zero is zero.
fn check_inverses<F: Element>(bytes: &[u8; 32]) {
    let element = F::from_bytes(bytes);
    let bytes = element.to_bytes();
    let inverse_bytes = element.invert().to_bytes();
    let expected = if element.is_zero() { F::ZERO } else { F::ONE };
    assert_eq!(element.invert().mul(&element).to_bytes(), expected.to_bytes(), "{bytes:?}");
    assert_eq!(inverse::<i64, 9>(&bytes), inverse_bytes, "30 steps at a time");
    assert_eq!(inverse::<i128, 5>(&bytes), inverse_bytes, "62 steps at a time");
}

#[test]
fn every_edge_has_its_inverse() {
    for bytes in edges() {
        check_inverses::<wide::Field>(&bytes);
        check_inverses::<narrow::Field>(&bytes);
    }
}

/// What both fields share, against its definition.
fn check_roots<F: Element>(a: &[u8; 32], b: &[u8; 32]) {
    let (a, b) = (F::from_bytes(a), F::from_bytes(b));
    if !b.is_zero() {
        // Of x/b and y/b, x = a²·b is a square; √ of what is found gives x back.
        let x = a.square().mul(&b);
        let root = x.square_root_of_ratio(&b).expect("a square");
        assert_eq!(root.square().mul(&b).to_bytes(), x.to_bytes());
        if !a.is_zero() {
            assert!(x.add(&x).square_root_of_ratio(&b).is_none(), "2 is no square");
        }
    }
    assert_eq!(a.neg().add(&a).to_bytes(), [0; 32]);
    assert_eq!(a.square_n(5).to_bytes(), (0..5).fold(a, |power, _| power.square()).to_bytes());
    assert_eq!(F::d().add(&F::d()).to_bytes(), F::d2().to_bytes());
}

fn check_batch<F: Element>(elements: &[[u8; 32]]) {
    let elements: Vec<F> = elements.iter().map(F::from_bytes).filter(|element| !element.is_zero()).collect();
    for (element, inverse) in elements.iter().zip(invert_all(&elements)) {
        assert_eq!(inverse.to_bytes(), element.invert().to_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_words_multiply_as_the_reference_says(a in words(), b in words()) {
        check(&a, &b);
    }

    #[test]
    fn encodings_are_read_as_the_reference_reads_them(bytes in encodings()) {
        let mut masked = bytes;
        masked[31] &= 0x7f;
        prop_assert_eq!(value(&wide::Field::from_bytes(&bytes)), Residue::of_bytes(&masked));
    }

    #[test]
    fn inverses_are_inverses_in_both_fields_and_by_both_widths(a in encodings()) {
        check_inverses::<wide::Field>(&a);
        check_inverses::<narrow::Field>(&a);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn roots_are_roots_in_both_fields(a in encodings(), b in encodings()) {
        check_roots::<wide::Field>(&a, &b);
        check_roots::<narrow::Field>(&a, &b);
    }

    #[test]
    fn a_shared_inversion_gives_each_its_own(elements in prop::collection::vec(encodings(), 0..20)) {
        check_batch::<wide::Field>(&elements);
        check_batch::<narrow::Field>(&elements);
    }
}

#[test]
fn one_zero_among_many_makes_every_inverse_zero() {
    let elements = [wide::Field::ONE, wide::Field::ZERO, wide::Field::d()];
    assert!(invert_all(&elements).iter().all(Element::is_zero));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000_000))]

    #[test]
    #[ignore = "for cargo xtask soak field: some minutes"]
    fn millions_of_elements_have_four_words_that_multiply_as_the_reference_says(a in words(), b in words()) {
        check(&a, &b);
    }

    #[test]
    #[ignore = "for cargo xtask soak field: some minutes"]
    fn millions_of_elements_have_the_inverse_they_should(a in encodings()) {
        check_inverses::<wide::Field>(&a);
        check_inverses::<narrow::Field>(&a);
    }
}
