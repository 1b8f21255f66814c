//! Both fields beside integers modulo p computed digit by digit, and beside each other.

use crate::ed25519::invert::inverse;
use crate::ed25519::reference::{Residue, edges, encodings};
use crate::ed25519::scalar::field::{Element, invert_all};
use crate::ed25519::scalar::{narrow, wide};
use proptest::prelude::*;

/// The value of five limbs.
fn value(field: &wide::Field) -> Residue {
    Residue::of(field.0.into_iter().zip([0, 51, 102, 153, 204]))
}

fn is_carried(field: &wide::Field) -> bool {
    field.0.iter().all(|limb| *limb < (1 << 51) + (1 << 18))
}

/// Limbs below `bound`, often at either end.
fn limbs(bound: u64) -> impl Strategy<Value = wide::Field> {
    let limb = move || prop_oneof![2 => 0..bound, 1 => Just(bound - 1), 1 => Just(0), 1 => bound - 40..bound];
    [limb(), limb(), limb(), limb(), limb()].prop_map(wide::Field)
}

/// Compares every operation on loose `a` and `b`; `carried` is what may be taken away.
fn check(a: &wide::Field, b: &wide::Field, carried: &wide::Field) {
    for (name, got, expected) in [
        ("mul", a.mul(b), value(a).mul(&value(b))),
        ("square", a.square(), value(a).mul(&value(a))),
        ("neg", carried.neg(), value(carried).neg()),
    ] {
        assert!(is_carried(&got), "{name} of {a:?} and {b:?}: {got:?}");
        assert_eq!(value(&got), expected, "{name} of {a:?} and {b:?}");
        assert_eq!(got.to_bytes(), expected.to_bytes(), "bytes of {got:?}");
    }
    assert_eq!(value(&a.add(b)), value(a).add(&value(b)));
    assert_eq!(value(&a.sub(carried)), value(a).sub(&value(carried)));
    assert_eq!(a.to_bytes(), value(a).to_bytes(), "bytes of {a:?}");
}

const LOOSE: u64 = 1 << 54;
const TWICE_CARRIED: u64 = (1 << 52) + (1 << 19) - 1;

#[test]
fn every_edge_is_what_the_reference_says() {
    let loose = wide::Field([LOOSE - 1; 5]);
    for bytes in edges() {
        let field = wide::Field::from_bytes(&bytes);
        for other in [&wide::Field::ONE, &wide::Field::ZERO, &field, &loose] {
            check(&field, other, &field);
            check(other, &field, &wide::Field([TWICE_CARRIED - 1; 5]));
        }
    }
}

#[test]
fn the_largest_limbs_lose_nothing() {
    let loose = wide::Field([LOOSE - 1; 5]);
    check(&loose, &loose, &wide::Field([TWICE_CARRIED - 1; 5]));
    let full = wide::Field([u64::MAX; 5]);
    assert_eq!(full.to_bytes(), value(&full).to_bytes());
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

fn check_encodings(a: [u8; 32], b: [u8; 32]) {
    let (mut masked, field) = (a, wide::Field::from_bytes(&a));
    masked[31] &= 0x7f;
    assert_eq!(value(&field), Residue::of_bytes(&masked));
    assert!(is_carried(&field));
    check(&field, &wide::Field::from_bytes(&b), &field);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn encodings_multiply_as_the_reference_says(a in encodings(), b in encodings()) {
        check_encodings(a, b);
    }

    #[test]
    fn limbs_within_their_bounds_multiply_as_the_reference_says(
        a in limbs(LOOSE), b in limbs(LOOSE), c in limbs(TWICE_CARRIED),
    ) {
        check(&a, &b, &c);
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
