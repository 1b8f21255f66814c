//! s·B + k·P without tables: both scalars in sparse signed digits over one chain of doublings (Straus).

use super::field::Element;
use super::point::{Addend, Point, Projective};
use crate::recode::odd_digits;

/// Width of the digits of s: 16 odd multiples of the base point, made once. Who verifies a single signature waits for
/// them: twice as many would cost more than they save for the first 5 verifications.
const BASE_WIDTH: u32 = 6;
/// Width of the digits of k: 8 odd multiples, made each time.
const KEY_WIDTH: u32 = 5;

/// Returns 1·B, 3·B, … 31·B.
pub(crate) fn base_multiples<F: Element>() -> Vec<Addend<F>> {
    odd_multiples(&Point::base(), BASE_WIDTH)
}

/// Returns s·B + k·`point`, with what [`base_multiples`] returned.
pub(crate) fn sum<F: Element>(s: &[u8; 32], base: &[Addend<F>], k: &[u8; 32], point: &Point<F>) -> Projective<F> {
    let multiples = odd_multiples(point, KEY_WIDTH);
    let (s, k) = (odd_digits(s, BASE_WIDTH), odd_digits(k, KEY_WIDTH));
    let digits = s.iter().zip(&k).rev().skip_while(|digits| *digits == (&0, &0));
    let mut sum = Point::IDENTITY.projective();
    for (s, k) in digits {
        let mut next = sum.double();
        for (multiples, digit) in [(base, *s), (&multiples, *k)] {
            if let Some(addend) = multiple(multiples, digit) {
                next = next.point().plus(addend, digit < 0);
            }
        }
        sum = next.projective();
    }
    sum
}

/// Returns that of the odd multiples which `digit` asks for; none for zero.
fn multiple<T>(odd: &[T], digit: i8) -> Option<&T> {
    (digit != 0).then(|| odd.get(usize::from(digit.unsigned_abs() / 2))).flatten()
}

/// Returns the odd multiples of `point` below 2^(width − 1).
fn odd_multiples<F: Element>(point: &Point<F>, width: u32) -> Vec<Addend<F>> {
    let twice = point.times_power_of_two(1).addend();
    let next = |multiple: &Point<F>| Some(multiple.plus(&twice, false).point());
    std::iter::successors(Some(*point), next).take(1 << (width - 2)).map(|multiple| multiple.addend()).collect()
}
