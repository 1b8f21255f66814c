//! Multiples of one point, all that a sum of signed base-256 digits needs.

use super::field::{Element, invert_all};
use super::point::{Entry, Point};
use crate::recode::Digits;

/// Digits of a scalar.
const WINDOWS: usize = 32;
/// Sizes of a digit, zero apart.
const SIZES: usize = 128;

/// 256^i·j·P for i in 0..32 and j in 1..=128.
#[derive(Debug, Clone)]
pub(crate) struct Table<F> {
    /// Row after row, `SIZES` each.
    entries: Vec<Entry<F>>,
}

impl<F: Element> Table<F> {
    /// What a table takes on the heap: 393,216 bytes with four words an element, 491,520 with ten limbs.
    #[cfg(test)]
    pub(crate) const BYTES: usize = WINDOWS * SIZES * size_of::<Entry<F>>();

    /// Returns the table of a point: about 4,300 additions and 64 inversions.
    #[cfg(test)]
    pub(crate) fn of(point: &Point<F>) -> Self {
        let mut growing = Growing::of(point);
        while !growing.is_whole() {
            growing.grow();
        }
        growing.table()
    }

    /// Changes one bit of one element of 256^window·size·P; once more, and it is as it was.
    #[cfg(test)]
    pub(crate) fn damage(&mut self, window: usize, size: usize, part: usize, bit: usize) {
        let entry = &mut self.entries[window * SIZES + size - 1];
        let element = [&mut entry.plus, &mut entry.minus, &mut entry.xyd2].into_iter().nth(part).unwrap();
        let mut bytes = element.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        *element = F::from_bytes(&bytes);
    }

    /// Returns digit·256^i·P for each digit that is not zero, as an entry and whether to subtract it.
    #[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
    #[inline(always)]
    pub(crate) fn multiples(&self, digits: &Digits) -> impl Iterator<Item = (&Entry<F>, bool)> {
        self.each(digits).flatten()
    }

    /// Returns digit·256^i·P for each digit, as an entry and whether to subtract it; nothing for a zero.
    #[inline(always)]
    pub(crate) fn each(&self, digits: &Digits) -> impl Iterator<Item = Option<(&Entry<F>, bool)>> {
        self.entries.chunks_exact(SIZES).zip(digits.0).map(|(row, digit)| {
            let size = usize::from(digit.unsigned_abs()); // at most 128
            Some((row.get(size.checked_sub(1)?)?, digit < 0))
        })
    }
}

/// A table that is being made.
#[derive(Debug)]
pub(crate) struct Growing<F> {
    /// Of the rows so far; room for all is there from the beginning.
    entries: Vec<Entry<F>>,
    /// 256^i·P, which the next row begins with.
    first: Point<F>,
}

impl<F: Element> Growing<F> {
    /// Returns the table of a point without any row.
    pub(crate) fn of(point: &Point<F>) -> Self {
        Self { entries: Vec::with_capacity(WINDOWS * SIZES), first: *point }
    }

    /// Makes the next row, if one is missing: about 135 additions and two inversions.
    pub(crate) fn grow(&mut self) {
        if self.is_whole() {
            return;
        }
        for step in normalised(&[self.first]) {
            let next = |multiple: &Point<F>| Some(multiple.plus_entry(&step, false).point());
            let row: Vec<_> = std::iter::successors(Some(self.first), next).take(SIZES).collect();
            self.entries.extend(normalised(&row));
        }
        self.first = self.first.times_power_of_two(8);
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.rows() == WINDOWS
    }

    /// Returns how many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.entries.len() / SIZES
    }

    /// Returns the table, which must be whole.
    pub(crate) fn table(self) -> Table<F> {
        Table { entries: self.entries }
    }
}

/// Returns each point with Z = 1, ready to be added; one inversion for all.
pub(super) fn normalised<F: Element>(points: &[Point<F>]) -> Vec<Entry<F>> {
    let z: Vec<F> = points.iter().map(|point| point.z).collect();
    points.iter().zip(invert_all(&z)).map(|(point, inverse)| entry(point, &inverse)).collect()
}

fn entry<F: Element>(point: &Point<F>, z_inverse: &F) -> Entry<F> {
    let (x, y) = (point.x.mul(z_inverse), point.y.mul(z_inverse));
    let (plus, minus) = (y.add(&x), y.sub(&x));
    Entry { plus: plus.mul(&F::ONE), minus: minus.mul(&F::ONE), xyd2: x.mul(&y).mul(&F::d2()) }
}
