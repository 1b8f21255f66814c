//! An input, read piece by piece. Where it ends, zeros follow.

pub(crate) struct Bytes<'i>(pub(crate) &'i [u8]);

impl<'i> Bytes<'i> {
    pub(crate) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(u16::from_le_bytes(self.array())) % bound
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        array[..taken.len()].copy_from_slice(taken);
        self.0 = rest;
        array
    }

    /// The input in two parts: as many bytes as the first two of it say, and the rest.
    pub(crate) fn parts(&mut self) -> (&'i [u8], &'i [u8]) {
        let length = usize::from(u16::from_le_bytes(self.array()));
        self.0.split_at(length.min(self.0.len()))
    }
}
