//! s·B + k·P from the tables of both, one addition at a time. vector/sum.rs does four.

use super::table::Table;
use crate::recode::Digits;
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
use {
    super::field::Element,
    super::point::{Point, Projective},
};

/// A sum that is due: s·B + k·P, and the tables of both points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'t, F> {
    pub(crate) s: Digits,
    pub(crate) base: &'t Table<F>,
    pub(crate) k: Digits,
    pub(crate) key: &'t Table<F>,
}

/// Returns the sum: at most 64 additions and no doubling.
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
pub(crate) fn sum<F: Element>(Term { s, base, k, key }: &Term<'_, F>) -> Projective<F> {
    let mut multiples = base.multiples(s).chain(key.multiples(k));
    let Some((entry, negative)) = multiples.next() else { return Point::IDENTITY.projective() };
    let first = Point::IDENTITY.plus_entry(entry, negative);
    multiples.fold(first, |sum, (entry, negative)| sum.point().plus_entry(entry, negative)).projective()
}

/// Returns each sum.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) fn sums<F: Element>(terms: &[Term<'_, F>]) -> Vec<Projective<F>> {
    terms.iter().map(sum).collect()
}
