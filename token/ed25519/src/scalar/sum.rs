//! s·B + k·P from the tables of both, one addition at a time. vector/sum.rs does four.

use super::field::Element;
use super::point::{Point, Projective};
use super::table::Table;
use crate::recode::Digits;

/// Returns s·B + k·P from both tables: at most 64 additions and no doubling.
pub(crate) fn sum<F: Element>(s: &Digits, base: &Table<F>, k: &Digits, key: &Table<F>) -> Projective<F> {
    let mut multiples = base.multiples(s).chain(key.multiples(k));
    let Some((entry, negative)) = multiples.next() else { return Point::IDENTITY.projective() };
    let first = Point::IDENTITY.plus_entry(entry, negative);
    multiples.fold(first, |sum, (entry, negative)| sum.point().plus_entry(entry, negative)).projective()
}
