//! The engine of one element at a time. In wasm with SIMD, `vector` adds up what comes from tables.

pub(super) mod field;
#[cfg(any(test, not(target_pointer_width = "64")))]
pub(super) mod narrow;
pub(super) mod point;
pub(super) mod straus;
pub(super) mod sum;
pub(super) mod table;
#[cfg(any(test, target_pointer_width = "64"))]
pub(super) mod wide;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::vector::{sum as sum_of, sums};
use std::sync::OnceLock;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use sum::{sum as sum_of, sums};

/// The field of machines whose products are of 32 bits.
#[cfg(not(target_pointer_width = "64"))]
pub(super) use narrow::Field;
/// The field of machines that multiply 64 bits.
#[cfg(target_pointer_width = "64")]
pub(super) use wide::Field;

/// A point of the curve.
pub(super) type Point = point::Point<Field>;
/// A point that is the end of a computation.
pub(super) type Projective = point::Projective<Field>;
/// Multiples of one point.
pub(super) type Table = table::Table<Field>;
/// Some of them.
pub(super) type Growing = table::Growing<Field>;
/// A sum of multiples that is due.
pub(super) type Term<'t> = sum::Term<'t, Field>;

impl Point {
    /// Returns s·B + k·`minus_a`, both scalars below the group order, without tables.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(super) fn double_scalar(s: &[u8; 32], k: &[u8; 32], minus_a: &Self) -> Projective {
        static BASE: OnceLock<Vec<point::Addend<Field>>> = OnceLock::new();
        straus::sum(s, BASE.get_or_init(straus::base_multiples), k, minus_a)
    }

    /// Returns s·B + k·(−A) from the tables of B and −A.
    #[cfg_attr(target_family = "wasm", inline(never))] // engines compile it when it is called first, which may be never
    pub(super) fn from_tables(term: &Term<'_>) -> Projective {
        sum_of(term)
    }

    /// As [`Point::from_tables`] for each; with lanes, four at a time.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(super) fn all_from_tables(terms: &[Term<'_>]) -> Vec<Projective> {
        sums(terms)
    }
}
