//! What is kept of tokens that were accepted, by numbers that JavaScript gives out.

use token::verify::{Judged, Remembered};

/// Slots 0 up to a limit. Which token each is for, JavaScript knows.
#[derive(Debug)]
pub(crate) struct Slots {
    limit: usize,
    kept: Vec<Option<Remembered>>,
}

impl Slots {
    /// Returns `limit` empty slots; memory is taken as they are filled.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, kept: Vec::new() }
    }

    /// Keeps in `slot`, in place of what was there, what must be known of this token; nothing from the limit on.
    pub(crate) fn keep(&mut self, slot: usize, judged: &Judged<'_>) {
        if slot >= self.limit {
            return;
        }
        if slot >= self.kept.len() {
            self.kept.resize(slot.saturating_add(1), None);
        }
        if let Some(place) = self.kept.get_mut(slot) {
            *place = Some(judged.remember());
        }
    }

    /// Returns what `slot` holds.
    pub(crate) fn get(&self, slot: usize) -> Option<&Remembered> {
        self.kept.get(slot)?.as_ref()
    }
}
