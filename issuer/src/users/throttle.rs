//! How fast attempts may come, and from where: in memory, bounded, forgotten by a restart. What must not be forgotten is
//! counted in the user's row.
//!
//! ```text
//! one name from one place      5 at once, then 1, 2, 4 … 900 s apart until one is right
//! one name from everywhere     20 at once, then one a minute; a place or device the user has logged in from passes
//! ```
//!
//! A stranger who keeps guessing slows down himself, and after twenty tries everybody whom the account does not know; the
//! owner at home is not slowed down by anybody. Names that do not exist are counted the same, so nothing tells them apart.

use std::collections::HashMap;
use std::time::Duration;

/// Where an attempt comes from, or whom it is for: half of a keyed hash, so that neither addresses nor names are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(pub [u8; 16]);

/// Attempts of one name from one place that may come at once.
const FREE: u32 = 5;
/// The longest pause after them.
const LONGEST: Duration = Duration::from_secs(900);
/// Attempts of one name from unknown places that may come at once, and how far the next ones are apart.
const BURST: u32 = 20;
const APART: Duration = Duration::from_secs(60);
/// Entries of one generation; there are two, each some 80 bytes an entry.
const GENERATION: usize = 65_536;
/// What was not touched for two of these is forgotten.
const LIFE: Duration = Duration::from_secs(1_800);

/// Attempts of the last hour.
#[derive(Debug, Default)]
pub struct Throttle {
    young: Tables,
    old: Tables,
    began: Duration,
}

#[derive(Debug, Default)]
struct Tables {
    pairs: HashMap<(Place, Place), Pair>,
    names: HashMap<Place, Duration>,
}

/// Attempts of one name from one place.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    count: u32,
    last: Duration,
}

impl Throttle {
    /// Counts an attempt for `name` from `place` at the monotonic time `now`; `known` when the user has logged in from there.
    ///
    /// # Errors
    /// Seconds until it may be made, at least 1; it is not counted.
    pub fn admit(&mut self, name: Place, place: Place, known: bool, now: Duration) -> Result<(), u64> {
        self.age(now);
        let mut pair = self.pair(name, place);
        let pause = pause(pair.count);
        if now < pair.last + pause {
            return Err(seconds(pair.last + pause - now));
        }
        if !known {
            // The generic cell rate algorithm: when the next one would be due, if they came as far apart as they should.
            let due = self.due(name).max(now);
            let ahead = due - now;
            let most = APART * (BURST - 1);
            if ahead > most {
                return Err(seconds(ahead - most));
            }
            self.young.names.insert(name, due + APART);
        }
        pair = Pair { count: pair.count.saturating_add(1), last: now };
        self.young.pairs.insert((name, place), pair);
        Ok(())
    }

    /// Forgets what was counted for `name` from `place`: the attempt was right. What strangers used up stays used up.
    pub fn forgive(&mut self, name: Place, place: Place) {
        for tables in [&mut self.young, &mut self.old] {
            tables.pairs.remove(&(name, place));
        }
    }

    fn pair(&self, name: Place, place: Place) -> Pair {
        let pair = |tables: &Tables| tables.pairs.get(&(name, place)).copied();
        pair(&self.young).or_else(|| pair(&self.old)).unwrap_or_default()
    }

    fn due(&self, name: Place) -> Duration {
        let due = |tables: &Tables| tables.names.get(&name).copied();
        due(&self.young).or_else(|| due(&self.old)).unwrap_or_default()
    }

    /// A full or old generation becomes the old one, and the one before it is forgotten.
    fn age(&mut self, now: Duration) {
        let full = self.young.pairs.len().max(self.young.names.len()) >= GENERATION;
        if full || now.saturating_sub(self.began) >= LIFE {
            self.old = std::mem::take(&mut self.young);
            self.began = now;
        }
    }
}

fn pause(count: u32) -> Duration {
    match count.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1_u64.checked_shl(beyond.min(62)).unwrap_or(u64::MAX)).min(LONGEST),
    }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(byte: u8) -> Place {
        Place([byte; 16])
    }

    #[test]
    fn guessing_gets_slower_and_slower_for_the_guesser_alone() {
        let mut throttle = Throttle::default();
        let mut now = Duration::from_secs(100);
        let mut waits = Vec::new();
        while waits.len() < 12 {
            match throttle.admit(place(1), place(2), true, now) {
                Ok(()) => {}
                Err(wait) => {
                    waits.push(wait);
                    now += Duration::from_secs(wait);
                }
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(throttle.admit(place(1), place(3), true, now), Ok(()), "the owner is somewhere else");
        throttle.forgive(place(1), place(2));
        assert_eq!(throttle.admit(place(1), place(2), true, now), Ok(()), "the right one forgives");
    }

    #[test]
    fn many_strangers_slow_down_strangers_and_not_the_owner_at_home() {
        let mut throttle = Throttle::default();
        let now = Duration::from_secs(100);
        let admitted = (0..100).filter(|byte| throttle.admit(place(1), place(*byte), false, now).is_ok()).count();
        assert_eq!(admitted, 20);
        assert_eq!(throttle.admit(place(1), place(200), false, now), Err(60));
        assert_eq!(throttle.admit(place(1), place(200), false, now + Duration::from_secs(60)), Ok(()));
        assert_eq!(throttle.admit(place(1), place(201), true, now), Ok(()));
        assert_eq!(throttle.admit(place(2), place(200), false, now), Ok(()), "another account");
    }

    #[test]
    fn what_is_kept_of_attempts_is_bounded_and_ages() {
        let mut throttle = Throttle::default();
        let now = Duration::from_secs(100);
        for _ in 0..6 {
            assert!(
                throttle.admit(place(1), place(2), true, now).is_ok()
                    || throttle.pair(place(1), place(2)).count == FREE
            );
        }
        for number in 0..200_000_u32 {
            let mut name = [9; 16];
            name[..4].copy_from_slice(&number.to_be_bytes());
            assert_eq!(throttle.admit(Place(name), place(2), false, now), Ok(()));
        }
        let kept = throttle.young.pairs.len()
            + throttle.old.pairs.len()
            + throttle.young.names.len()
            + throttle.old.names.len();
        assert!(kept <= 4 * GENERATION, "{kept}");
        let mut aged = Throttle::default();
        for _ in 0..5 {
            aged.admit(place(1), place(2), true, now).unwrap();
        }
        assert_eq!(aged.admit(place(1), place(2), true, now), Err(1));
        assert_eq!(aged.admit(place(8), place(2), true, now + LIFE), Ok(()));
        assert!(aged.admit(place(8), place(2), true, now + LIFE + LIFE).is_ok());
        assert_eq!(aged.pair(place(1), place(2)).count, 0, "forgotten");
    }
}
