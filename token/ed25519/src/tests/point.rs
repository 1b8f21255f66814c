//! Points, tables and both ways to add multiples, over both fields, beside curve25519-dalek's.

use crate::order;
use crate::recode::Digits;
use crate::reference::encodings;
use crate::scalar::field::Element;
use crate::scalar::point::{Point, Projective};
use crate::scalar::sum::{Term, sum};
use crate::scalar::table::Table;
use crate::scalar::{narrow, straus, wide};
use crate::vector;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::{Scalar, traits::IsIdentity};
use proptest::prelude::*;

fn encoded<F: Element>(point: &Projective<F>) -> [u8; 32] {
    point.encode(&point.z().invert())
}

/// The canonical encodings of dalek, taken as strictly as RFC 8032 says.
fn decompressed(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*bytes).decompress().filter(|point| point.compress().as_bytes() == bytes)
}

fn check_decompression<F: Element>(bytes: &[u8; 32]) {
    let (ours, theirs) = (Point::<F>::decompress(bytes), decompressed(bytes));
    assert_eq!(ours.is_some(), theirs.is_some(), "{bytes:?}");
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        assert_eq!(encoded(&ours.projective()), *bytes);
        assert_eq!(encoded(&ours.neg().projective()), (-theirs).compress().to_bytes());
        assert_eq!(ours.is_low_order(), theirs.is_small_order());
        assert_eq!(
            encoded(&ours.times_power_of_two(5).projective()),
            (theirs * Scalar::from(32_u8)).compress().to_bytes()
        );
    }
}

/// A field with its ways to add up multiples.
trait Summed: Element {
    fn ways(terms: &[Term<'_, Self>]) -> Vec<Vec<Projective<Self>>>;
}

impl Summed for wide::Field {
    fn ways(terms: &[Term<'_, Self>]) -> Vec<Vec<Projective<Self>>> {
        vec![terms.iter().map(sum).collect()]
    }
}

impl Summed for narrow::Field {
    fn ways(terms: &[Term<'_, Self>]) -> Vec<Vec<Projective<Self>>> {
        // In a batch a sum has another lane, and other sums beside it, the more of them go before.
        let batches = (0..5).map(|alone| {
            let (few, most) = terms.split_at(alone.min(terms.len()));
            [vector::sums(few), vector::sums(most)].concat()
        });
        [terms.iter().map(sum).collect(), terms.iter().map(vector::sum).collect()].into_iter().chain(batches).collect()
    }
}

/// Compares s·B + k·P, with tables and without.
fn check_sum<F: Summed>(point: &EdwardsPoint, scalars: &[[Scalar; 2]]) {
    let ours = Point::<F>::decompress(point.compress().as_bytes()).unwrap();
    let (base_multiples, base, key) = (straus::base_multiples::<F>(), Table::of(&Point::base()), Table::of(&ours));
    let sum = |[s, k]: &[Scalar; 2]| (ED25519_BASEPOINT_POINT * s + point * k).compress().to_bytes();
    let expected: Vec<_> = scalars.iter().map(sum).collect();
    for ([s, k], expected) in scalars.iter().zip(&expected) {
        let plain = straus::sum(s.as_bytes(), &base_multiples, k.as_bytes(), &ours);
        assert_eq!(encoded(&plain), *expected, "without tables: {s:?} {k:?}");
    }
    let digits = |scalar: &Scalar| Digits::of(scalar.as_bytes());
    // Every third has the two points the other way round: not all in a batch have the same tables.
    let terms = scalars.iter().enumerate().map(|(n, [s, k])| match n % 3 {
        0 => Term { s: digits(k), base: &key, k: digits(s), key: &base },
        _ => Term { s: digits(s), base: &base, k: digits(k), key: &key },
    });
    for summed in F::ways(&terms.collect::<Vec<_>>()) {
        assert_eq!(summed.iter().map(encoded).collect::<Vec<_>>(), expected, "with tables: {scalars:?}");
    }
}

/// Returns B + digit·256^window·P: added to a point whose T is not zero, every part of the entry counts.
fn single<F: Element>(base: &Table<F>, table: &Table<F>, window: usize, digit: i8) -> [u8; 32] {
    let (mut one, mut digits) = (Digits([0; 32]), Digits([0; 32]));
    (one.0[0], digits.0[window]) = (1, digit);
    encoded(&sum(&Term { s: one, base, k: digits, key: table }))
}

/// Compares every entry, both signs, and then shows that a change to any element of any entry is seen here.
fn check_entries<F: Element>() {
    let mut first = ED25519_BASEPOINT_POINT * Scalar::from(11_u8);
    let mut table = Table::of(&Point::<F>::decompress(first.compress().as_bytes()).unwrap());
    let base = Table::of(&Point::base());
    for window in 0..32 {
        let mut multiple = EdwardsPoint::default();
        for size in 1..=128_usize {
            multiple += first;
            let negative = i8::try_from(-i16::try_from(size).unwrap()).unwrap();
            let expected = (ED25519_BASEPOINT_POINT - multiple).compress().to_bytes();
            assert_eq!(single(&base, &table, window, negative), expected);
            if let Some(positive) = negative.checked_neg() {
                let expected = (ED25519_BASEPOINT_POINT + multiple).compress().to_bytes();
                assert_eq!(single(&base, &table, window, positive), expected);
            }
            for part in 0..3 {
                let bit = (window * 89 + size * 7 + part) % 255;
                table.damage(window, size, part, bit);
                assert_ne!(single(&base, &table, window, negative), expected, "{window} {size} {part} {bit}");
                table.damage(window, size, part, bit);
            }
        }
        first = multiple + multiple;
    }
}

#[test]
fn every_entry_of_a_table_is_its_multiple_and_damage_to_any_is_seen() {
    check_entries::<wide::Field>();
    check_entries::<narrow::Field>();
}

/// Scalars whose digits are at the ends of a window, and those about 0 and L.
fn edge_scalars() -> Vec<Scalar> {
    let repeated = |byte: u8| Scalar::from_bytes_mod_order([byte; 32]);
    let mut scalars: Vec<_> = [0x7f, 0x80, 0x81, 0xff, 0x01, 0x10].map(repeated).to_vec();
    let mut tops = [[0x80; 32], [0x7f; 32], [0xff; 32], [0; 32]];
    for top in &mut tops {
        top[31] = 0x0f;
        scalars.push(Scalar::from_bytes_mod_order(*top));
    }
    for small in 0..3_u64 {
        scalars.extend([Scalar::from(small), -Scalar::from(small + 1)]);
    }
    for bit in [7, 8, 15, 127, 128, 251, 252] {
        let mut power = [0; 32];
        power[bit / 8] = 1 << (bit % 8);
        scalars.push(Scalar::from_bytes_mod_order(power));
    }
    scalars
}

fn check_edges<F: Summed>() {
    let scalars = edge_scalars();
    let pairs: Vec<_> = scalars.iter().flat_map(|s| scalars.iter().map(move |k| [*s, *k])).collect();
    check_sum::<F>(&(ED25519_BASEPOINT_POINT * Scalar::from(7_u8)), &pairs);
    check_sum::<F>(&-ED25519_BASEPOINT_POINT, &pairs); // every sum of equals is the identity on the way or at the end
    for torsion in EIGHT_TORSION {
        let few: Vec<_> = pairs.iter().step_by(7).copied().collect();
        check_sum::<F>(&torsion, &few);
        check_sum::<F>(&(ED25519_BASEPOINT_POINT + torsion), &few);
    }
}

#[test]
fn sums_at_the_edges_are_curve25519_dalek_s() {
    check_edges::<wide::Field>();
    check_edges::<narrow::Field>();
}

#[test]
fn the_base_point_is_the_base_point() {
    let expected = ED25519_BASEPOINT_POINT.compress().to_bytes();
    assert_eq!(encoded(&Point::<wide::Field>::base().projective()), expected);
    assert_eq!(encoded(&Point::<narrow::Field>::base().projective()), expected);
    assert!(!ED25519_BASEPOINT_POINT.is_identity());
}

#[test]
fn points_of_low_order_and_their_other_encodings_are_told() {
    for torsion in EIGHT_TORSION {
        let mut bytes = torsion.compress().to_bytes();
        for sign in [0, 128] {
            bytes[31] ^= sign;
            check_decompression::<wide::Field>(&bytes);
            check_decompression::<narrow::Field>(&bytes);
        }
    }
    // y from p on: a second encoding of the small ones.
    for low in 0..19 {
        for top in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (0xed + low, top);
            assert!(Point::<wide::Field>::decompress(&bytes).is_none());
            assert!(Point::<narrow::Field>::decompress(&bytes).is_none());
        }
    }
}

fn scalar() -> impl Strategy<Value = Scalar> {
    any::<[u8; 64]>().prop_map(|bytes| Scalar::from_canonical_bytes(order::reduce(&bytes)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn encodings_are_points_where_curve25519_dalek_says_so(bytes in encodings()) {
        check_decompression::<wide::Field>(&bytes);
        check_decompression::<narrow::Field>(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn sums_are_curve25519_dalek_s(
        a in scalar(), torsion in 0..8_usize, pairs in prop::collection::vec([scalar(), scalar()], 100),
    ) {
        let point = ED25519_BASEPOINT_POINT * a + EIGHT_TORSION[torsion];
        check_sum::<wide::Field>(&point, &pairs);
        check_sum::<narrow::Field>(&point, &pairs);
    }
}
