//! s·B + k·P from the tables of both, four additions at a time.

use super::field::Four;
use crate::scalar::narrow::Field;
use crate::scalar::point::{Entry, Point, Projective};
use crate::scalar::sum::Term;

/// What a lane gets that has nothing to add: the identity.
const NOTHING: Entry<Field> = Entry { plus: Field::ONE, minus: Field::ONE, xyd2: Field::ZERO };

/// Multiples there may be: one for each digit of both scalars.
const MOST: usize = 64;

/// Four points in extended coordinates, all within 1.
struct Points {
    x: Four,
    y: Four,
    z: Four,
    t: Four,
}

/// Four entries ready to be added, each as it is or negated.
struct Entries {
    plus: Four,
    minus: Four,
    xyd2: Four,
    /// All ones in the lanes that are negated. `plus` and `minus` are exchanged there already.
    negative: [bool; 4],
}

/// Returns each sum, four at a time as long as there are four.
pub(crate) fn sums(terms: &[Term<'_, Field>]) -> Vec<Projective<Field>> {
    let (fours, rest) = terms.as_chunks();
    fours.iter().flat_map(four).chain(rest.iter().map(sum)).collect()
}

/// Returns s·B + k·P from both tables: 15 additions of four points, three of one, and no doubling.
pub(crate) fn sum(term: &Term<'_, Field>) -> Projective<Field> {
    let multiples = multiples(term);
    let (fours, _) = multiples.as_chunks();
    added(fours.iter().map(Entries::of)).total()
}

/// Returns four sums, each of which has a lane for itself: 63 additions of four points, and nothing to add up behind them.
#[inline(never)]
fn four([a, b, c, d]: &[Term<'_, Field>; 4]) -> [Projective<Field>; 4] {
    let (a, b, c, d) = (multiples(a), multiples(b), multiples(c), multiples(d));
    let lanes = a.iter().zip(&b).zip(&c).zip(&d);
    let Points { x, y, z, .. } = added(lanes.map(|(((a, b), c), d)| Entries::of(&[*a, *b, *c, *d])));
    let ([xa, xb, xc, xd], [ya, yb, yc, yd], [za, zb, zc, zd]) = (x.elements(), y.elements(), z.elements());
    [
        Projective { x: xa, y: ya, z: za },
        Projective { x: xb, y: yb, z: zb },
        Projective { x: xc, y: yc, z: zc },
        Projective { x: xd, y: yd, z: zd },
    ]
}

/// Returns what is to be added, in the place of its digit; nothing where that is zero.
#[inline(never)]
fn multiples<'t>(Term { s, base, k, key }: &Term<'t, Field>) -> [(&'t Entry<Field>, bool); MOST] {
    let mut multiples = [(&NOTHING, false); MOST];
    for (place, multiple) in multiples.iter_mut().zip(base.each(s).chain(key.each(k))) {
        if let Some(multiple) = multiple {
            *place = multiple;
        }
    }
    multiples
}

/// Returns the sum of all in each lane.
#[inline(always)]
fn added(mut fours: impl Iterator<Item = Entries>) -> Points {
    let first = fours.next().map_or(Points::IDENTITY, |first| Points::of(&first));
    fours.fold(first, |sum, four| sum.plus(&four))
}

impl Entries {
    fn of([a, b, c, d]: &[(&Entry<Field>, bool); 4]) -> Self {
        let lanes = [a, b, c, d];
        // −P is P with y + x and y − x exchanged and T negated.
        let [plus_a, plus_b, plus_c, plus_d] =
            lanes.map(|(entry, negative)| if *negative { &entry.minus } else { &entry.plus });
        let [minus_a, minus_b, minus_c, minus_d] =
            lanes.map(|(entry, negative)| if *negative { &entry.plus } else { &entry.minus });
        let [xyd2_a, xyd2_b, xyd2_c, xyd2_d] = lanes.map(|(entry, _)| &entry.xyd2);
        Self {
            plus: Four::new([plus_a, plus_b, plus_c, plus_d]),
            minus: Four::new([minus_a, minus_b, minus_c, minus_d]),
            xyd2: Four::new([xyd2_a, xyd2_b, xyd2_c, xyd2_d]),
            negative: lanes.map(|(_, negative)| *negative),
        }
    }
}

impl Points {
    /// Four times the identity.
    const IDENTITY: Self = {
        let (zero, one) = (Four::new([&Field::ZERO; 4]), Four::new([&Field::ONE; 4]));
        Self { x: zero, y: one, z: one, t: zero }
    };

    /// Returns the entries as points: X = 2·2x, Y = 2·2y, Z = 4, T = 2x·2y.
    fn of(entries: &Entries) -> Self {
        let (x, y) = (entries.plus.sub(&entries.minus), entries.plus.add(&entries.minus)); // within 3 and 2
        let four = Field([4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        Self { x: x.add(&x).reduced(), y: y.add(&y).reduced(), z: Four::new([&four; 4]), t: x.mul(&y) }
    }

    /// Returns the sums (add-2008-hwcd-3 with Z2 = 1, as in scalar/point.rs).
    #[inline(never)] // called from two places
    fn plus(&self, entries: &Entries) -> Self {
        let a = self.y.sub(&self.x).mul(&entries.minus); // 3 · 1
        let b = self.y.add(&self.x).mul(&entries.plus); // 2 · 1
        let c = self.t.mul(&entries.xyd2);
        let d = self.z.add(&self.z);
        let (f, g) = Four::exchanged_where(entries.negative, d.sub(&c), d.add(&c)); // within 4 both
        let (e, h) = (b.sub(&a), b.add(&a)); // within 3 and 2
        Self { x: f.mul(&e), y: g.mul(&h), z: f.mul(&g.reduced()), t: e.mul(&h) }
    }

    /// Returns the sum of the four.
    fn total(&self) -> Projective<Field> {
        let ([xa, xb, xc, xd], [ya, yb, yc, yd]) = (self.x.elements(), self.y.elements());
        let ([za, zb, zc, zd], [ta, tb, tc, td]) = (self.z.elements(), self.t.elements());
        let a = Point { x: xa, y: ya, z: za, t: ta };
        let b = Point { x: xb, y: yb, z: zb, t: tb };
        let c = Point { x: xc, y: yc, z: zc, t: tc };
        let d = Point { x: xd, y: yd, z: zd, t: td };
        [b, c, d].iter().fold(a, |sum, point| sum.plus(&point.addend(), false).point()).projective()
    }
}
