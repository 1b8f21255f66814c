//! Text in memory that is there.

/// Text, as far as there is room for it.
#[derive(Debug)]
pub(crate) struct Output<'d> {
    bytes: &'d mut [u8],
    /// More than there is room for as soon as something did not fit.
    length: usize,
}

impl<'d> Output<'d> {
    /// Returns the empty text, to be written into `bytes`.
    pub(crate) fn over(bytes: &'d mut [u8]) -> Self {
        Self { bytes, length: 0 }
    }

    pub(crate) fn push(&mut self, text: &str) {
        let end = self.length.saturating_add(text.len());
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(text.as_bytes());
        }
        self.length = end;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the length of what was written; 0, which is no answer at all, when that is not the whole.
    pub(crate) fn end(&self) -> usize {
        if self.length <= self.bytes.len() { self.length } else { 0 }
    }

    /// Returns what was written; nothing when that is not the whole.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        self.bytes.get(..self.end()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_no_answer() {
        for (room, length) in [(0, 0), (1, 0), (6, 0), (7, 7), (8, 7)] {
            let mut bytes = vec![0; room];
            let mut output = Output::over(&mut bytes);
            output.push("seven");
            output.push(" b");
            assert_eq!((output.end(), output.text().len()), (length, length), "{room}");
        }
    }
}
