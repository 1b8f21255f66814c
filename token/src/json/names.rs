//! That no object names a member twice, at a cost that names chosen by an attacker cannot drive up.
//!
//! The first [`FEW`] names of an object are looked through where a filter of 64 bits does not tell at once; those behind
//! them are kept in order, so that each costs a binary search more.

use super::tape::Tape;

/// Names of an object that are looked through one by one.
const FEW: usize = 16;

/// Nodes of the names of all objects that are open, those of the innermost last.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<usize>);

impl Names {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The names of one object that is open.
pub(super) struct Open {
    /// Where they begin.
    first: usize,
    /// A bit for each name, which several may share.
    seen: u64,
}

impl Open {
    pub(super) fn new(names: &Names) -> Self {
        Self { first: names.0.len(), seen: 0 }
    }

    pub(super) fn close(self, names: &mut Names) {
        names.0.truncate(self.first);
    }

    /// Returns whether the tape's last node is a name that this object does not have yet, and notes it.
    pub(super) fn is_new(&mut self, tape: &mut Tape, text: &str) -> bool {
        let Tape { nodes, unescaped, names: Names(names) } = tape;
        let written = |place: usize| nodes.get(place).map_or("", |node| node.text(text, unescaped));
        let place = nodes.len().saturating_sub(1);
        let name = written(place);
        let held = names.get(self.first..).unwrap_or_default();
        let (few, more) = held.split_at_checked(FEW).unwrap_or((held, &[]));
        let bit = bit(name.as_bytes());
        if self.seen & bit != 0 && few.iter().any(|other| written(*other) == name) {
            return false;
        }
        if few.len() < FEW {
            self.seen |= bit;
            names.push(place);
            return true;
        }
        match more.binary_search_by(|other| written(*other).cmp(name)) {
            Ok(_) => false,
            Err(rank) => {
                names.insert(self.first + FEW + rank, place);
                true
            }
        }
    }
}

/// One of 64 bits, by length, first and last byte.
fn bit(name: &[u8]) -> u64 {
    let end = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or(0));
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let key = end(name.first()) | end(name.last()) << 8 | length << 16;
    1 << (key.wrapping_mul(0x9e37_79b1) >> 26)
}
