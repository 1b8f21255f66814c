//! What the log says of a daemon that does not answer: once why, and once that it answers again.

use super::Holder;
use crate::server::Unanswered;
use std::sync::{Mutex, PoisonError};

/// The term of the holder that is known not to answer.
#[derive(Default)]
pub(super) struct Silence(Mutex<Option<i64>>);

impl Silence {
    /// Notes that a request was answered by the holder, or why not.
    pub(super) fn note(&self, holder: &Holder, fault: Option<&Unanswered>) {
        let mut silent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = *silent == Some(holder.term);
        match fault {
            Some(Unanswered::NotSent(reason) | Unanswered::Unknown(reason)) if !is_told => {
                *silent = Some(holder.term);
                tracing::warn!(reason, holder = holder.name, "the daemon that has the database does not answer");
            }
            None if is_told => {
                *silent = None;
                tracing::info!(holder = holder.name, "the daemon that has the database answers again");
            }
            Some(_) | None => {}
        }
    }
}
