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

    /// Returns the table of a point: about 4,300 additions and 33 inversions.
    pub(crate) fn of(point: &Point<F>) -> Self {
        let mut firsts = Vec::with_capacity(WINDOWS);
        let mut first = *point;
        for _ in 0..WINDOWS {
            firsts.push(first);
            first = first.times_power_of_two(8);
        }
        let mut entries = Vec::with_capacity(WINDOWS * SIZES);
        let mut row = Vec::with_capacity(SIZES);
        for (first, entry) in firsts.iter().zip(normalised(&firsts)) {
            row.clear();
            row.push(*first);
            let mut multiple = *first;
            for _ in 1..SIZES {
                multiple = multiple.plus_entry(&entry, false).point();
                row.push(multiple);
            }
            entries.extend(normalised(&row)); // row by row: all at once would take as much again as the table
        }
        Self { entries }
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
    #[inline(always)]
    pub(crate) fn multiples(&self, digits: &Digits) -> impl Iterator<Item = (&Entry<F>, bool)> {
        self.entries.chunks_exact(SIZES).zip(digits.0).filter_map(|(row, digit)| {
            let size = usize::from(digit.unsigned_abs()); // at most 128
            Some((row.get(size.checked_sub(1)?)?, digit < 0))
        })
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
