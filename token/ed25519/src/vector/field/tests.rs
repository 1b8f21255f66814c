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

fn is_within(units: u32, field: &Field) -> bool {
    field.0.iter().zip(maxima(units).0).all(|(limb, most)| *limb <= most)
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

fn four(elements: &[Field; 4]) -> Four {
    Four::new(elements.each_ref())
}

/// Compares one operation in every lane.
fn check(name: &str, units: u32, got: &Four, expected: [Residue; 4]) {
    for (lane, (got, expected)) in got.elements().iter().zip(expected).enumerate() {
        assert!(is_within(units, got), "{name}, lane {lane}: {got:?}");
        assert_eq!(value(got), expected, "{name}, lane {lane}");
    }
}

/// `a` within 4, `b` within 3.
fn check_mul(a: &[Field; 4], b: &[Field; 4]) {
    let expected = std::array::from_fn(|lane| value(&a[lane]).mul(&value(&b[lane])));
    check("mul", 1, &four(a).mul(&four(b)), expected);
    check("reduced", 1, &four(a).reduced(), a.each_ref().map(value));
}

/// `a` within 2, `b` within 1.
fn check_sums(a: &[Field; 4], b: &[Field; 4], chosen: [bool; 4]) {
    let (x, y) = (four(a), four(b));
    check("add", 3, &x.add(&y), std::array::from_fn(|lane| value(&a[lane]).add(&value(&b[lane]))));
    check("sub", 4, &x.sub(&y), std::array::from_fn(|lane| value(&a[lane]).sub(&value(&b[lane]))));
    let (x, y) = Four::exchanged_where(chosen, x, y);
    let of = |lane: usize, exchanged: bool| value(if chosen[lane] == exchanged { &b[lane] } else { &a[lane] });
    check("exchanged", 2, &x, std::array::from_fn(|lane| of(lane, true)));
    check("exchanged", 2, &y, std::array::from_fn(|lane| of(lane, false)));
}

#[test]
fn every_edge_is_what_the_reference_says_in_every_lane() {
    let edges: Vec<Field> = edges().iter().map(Field::from_bytes).collect();
    for (at, edge) in edges.iter().enumerate() {
        let others: [Field; 4] = std::array::from_fn(|lane| edges[(at * 7 + lane * 31) % edges.len()]);
        for lane in 0..4 {
            let mut elements = others;
            elements[lane] = *edge;
            check_mul(&elements, &others);
            check_mul(&others, &elements);
            check_mul(&elements, &[maxima(3); 4]);
            check_mul(&[maxima(4); 4], &elements);
            check_sums(&elements, &others, std::array::from_fn(|other| other == lane));
            check_sums(&others, &elements, std::array::from_fn(|other| other != lane));
        }
    }
}

#[test]
fn the_largest_limbs_lose_nothing_in_any_lane() {
    let zero = Field([0; 10]);
    for lanes in 0..16_u32 {
        let some = |units: u32| std::array::from_fn(|lane| if lanes >> lane & 1 == 1 { maxima(units) } else { zero });
        for (a, b) in [(1, 1), (4, 3), (4, 1), (1, 3)] {
            check_mul(&some(a), &[maxima(b); 4]);
            check_mul(&[maxima(a); 4], &some(b));
            check_mul(&some(a), &some(b));
        }
        check_sums(&some(2), &some(1), [lanes & 1 == 1; 4]);
        check_sums(&[zero; 4], &some(1), [lanes & 2 == 2; 4]);
    }
    let full = [Field([u32::MAX; 10]); 4];
    check("reduced", 1, &four(&full).reduced(), full.each_ref().map(value));
}

fn fours<S: Strategy<Value = Field>>(of: impl Fn() -> S) -> impl Strategy<Value = [Field; 4]> {
    (of(), of(), of(), of()).prop_map(|(a, b, c, d)| [a, b, c, d])
}

fn encoded() -> impl Strategy<Value = Field> {
    encodings().prop_map(|bytes| Field::from_bytes(&bytes))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn encodings_multiply_as_the_reference_says(a in fours(encoded), b in fours(encoded), chosen: [bool; 4]) {
        check_mul(&a, &b);
        check_sums(&a, &b, chosen);
    }

    #[test]
    fn limbs_within_their_bounds_multiply_as_the_reference_says(a in fours(|| limbs(4)), b in fours(|| limbs(3))) {
        check_mul(&a, &b);
    }

    #[test]
    fn limbs_within_their_bounds_add_up_as_the_reference_says(
        a in fours(|| limbs(2)), b in fours(|| limbs(1)), chosen: [bool; 4],
    ) {
        check_sums(&a, &b, chosen);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000_000))]

    #[test]
    #[ignore = "for cargo xtask soak field: millions of elements take a minute"]
    fn millions_of_elements_multiply_as_the_reference_says(
        a in fours(|| limbs(4)), b in fours(|| limbs(3)), c in fours(encoded), d in fours(encoded),
    ) {
        check_mul(&a, &b);
        check_mul(&c, &d);
    }
}
