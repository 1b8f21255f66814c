use super::*;
use crate::reference::{Residue, edges, encodings};
use proptest::prelude::*;

const WEIGHTS: [usize; 10] = [0, 26, 51, 77, 102, 128, 153, 179, 204, 230];

/// The largest limbs within `units`.
fn maxima(units: u32) -> Field {
    Field(std::array::from_fn(|at| units * ((1 << (26 - at % 2)) + (1 << 18) - 1)))
}

fn value(field: &Field) -> Residue {
    Residue::of(field.0.iter().map(|limb| u64::from(*limb)).zip(WEIGHTS))
}

fn is_within_one(field: &Field) -> bool {
    field.0.iter().zip(maxima(1).0).all(|(limb, most)| *limb <= most)
}

/// Limbs as they may go into a multiplication: each anywhere up to its most, often at either end.
fn limbs(units: u32) -> impl Strategy<Value = Field> {
    let limb = move |at: usize| {
        let most = maxima(units).0[at];
        prop_oneof![2 => 0..=most, 1 => Just(most), 1 => Just(0), 1 => most - 40..=most]
    };
    let [a, b, c, d, e, f, g, h, i, j] = std::array::from_fn(limb);
    ((a, b, c, d, e), (f, g, h, i, j))
        .prop_map(|((a, b, c, d, e), (f, g, h, i, j))| Field([a, b, c, d, e, f, g, h, i, j]))
}

fn check(a: &Field, b: &Field) {
    for (name, got, expected) in [
        ("mul", a.mul(b), value(a).mul(&value(b))),
        ("square", a.square(), value(a).mul(&value(a))),
        ("sub", a.sub(b), value(a).sub(&value(b))),
        ("neg", a.neg(), value(a).neg()),
    ] {
        assert!(is_within_one(&got), "{name} of {a:?} and {b:?}: {got:?}");
        assert_eq!(value(&got), expected, "{name} of {a:?} and {b:?}");
        assert_eq!(got.to_bytes(), expected.to_bytes(), "bytes of {got:?}");
    }
    assert_eq!(value(&a.add(b)), value(a).add(&value(b)));
    assert_eq!(a.to_bytes(), value(a).to_bytes(), "bytes of {a:?}");
}

#[test]
fn every_edge_is_what_the_reference_says() {
    for bytes in edges() {
        let field = Field::from_bytes(&bytes);
        check(&field, &Field::ONE);
        check(&field, &field);
        check(&field, &maxima(3));
        check(&maxima(3), &field);
    }
}

#[test]
fn the_largest_limbs_lose_nothing() {
    for (a, b) in [(1, 1), (1, 3), (3, 1), (3, 3)] {
        check(&maxima(a), &maxima(b));
    }
    for units in [7, 15] {
        let most = maxima(units);
        assert_eq!(value(&most.neg()), value(&most).neg());
        assert_eq!(value(&Field::ONE.sub(&most)), Residue::of([(1, 0)]).sub(&value(&most)));
        assert!(is_within_one(&most.sub(&Field::ZERO)));
    }
    let full = Field([u32::MAX; 10]);
    assert_eq!(full.to_bytes(), value(&full).to_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn encodings_multiply_as_the_reference_says(a in encodings(), b in encodings()) {
        let (mut masked, field) = (a, Field::from_bytes(&a));
        masked[31] &= 0x7f;
        prop_assert_eq!(value(&field), Residue::of_bytes(&masked));
        prop_assert!(is_within_one(&field));
        check(&field, &Field::from_bytes(&b));
    }

    #[test]
    fn limbs_within_their_bounds_multiply_as_the_reference_says(a in limbs(3), b in limbs(3)) {
        check(&a, &b);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000_000))]

    #[test]
    #[ignore = "for cargo xtask soak field: millions of elements take a minute"]
    fn millions_of_elements_multiply_as_the_reference_says(a in limbs(3), b in limbs(3), c in encodings()) {
        check(&a, &b);
        check(&a, &Field::from_bytes(&c));
    }
}
