//! Signed lists that are still what would be built again.

use super::{StatusForm, StatusList};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Bytes of the lists that are kept, at most; a longer one is kept alone.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What an epoch's list depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    /// Number of the published list.
    pub(super) seq: u64,
    /// Pages of the epoch.
    pub(super) leased: u32,
    /// Pages of the epoch that are swept.
    pub(super) swept: u32,
}

impl Version {
    /// Returns the text that names the list of this state in this form.
    pub(super) fn name(self, form: StatusForm) -> String {
        let form = match form {
            StatusForm::Jwt => "jwt",
            StatusForm::Cwt => "cwt",
        };
        format!("{}-{}-{}-{form}", self.seq, self.leased, self.swept)
    }
}

/// The lists, each with the state it was built of.
#[derive(Default)]
pub(super) struct Kept(Mutex<BTreeMap<(u32, StatusForm), (Version, StatusList)>>);

impl Kept {
    /// Returns the list if it was built of this very state.
    pub(super) fn find(&self, epoch: u32, form: StatusForm, version: Version) -> Option<StatusList> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.get(&(epoch, form)).filter(|(built, _)| *built == version).map(|(_, list)| list.clone())
    }

    /// Keeps a list. Those of an older published list go, and the others too if they are too much together.
    pub(super) fn keep(&self, epoch: u32, form: StatusForm, version: Version, list: StatusList) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|key, (built, _)| built.seq >= version.seq && *key != (epoch, form));
        let bytes: usize = lists.values().map(|(_, list)| list.document.len()).sum();
        if bytes.saturating_add(list.document.len()) > MOST_BYTES {
            lists.clear();
        }
        lists.insert((epoch, form), (version, list));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn version(seq: u64, leased: u32) -> Version {
        Version { seq, leased, swept: 0 }
    }

    fn list(length: usize) -> StatusList {
        StatusList { version: Arc::from("v"), document: vec![0; length].into() }
    }

    #[test]
    fn a_list_is_found_while_its_state_is_the_newest_and_in_its_own_form() {
        let kept = Kept::default();
        kept.keep(1, StatusForm::Jwt, version(1, 1), list(1));
        assert_eq!(kept.find(1, StatusForm::Jwt, version(1, 1)), Some(list(1)));
        assert_eq!(kept.find(1, StatusForm::Cwt, version(1, 1)), None);
        assert_eq!(kept.find(1, StatusForm::Jwt, version(1, 2)), None);
        assert_eq!(kept.find(2, StatusForm::Jwt, version(1, 1)), None);
        kept.keep(2, StatusForm::Jwt, version(2, 1), list(2));
        assert_eq!(kept.0.lock().unwrap().len(), 1, "what is outdated is not kept");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let kept = Kept::default();
        for epoch in 0..100 {
            kept.keep(epoch, StatusForm::Jwt, version(1, 1), list(1024 * 1024));
            let bytes: usize = kept.0.lock().unwrap().values().map(|(_, list)| list.document.len()).sum();
            assert!(bytes <= MOST_BYTES);
        }
        kept.keep(7, StatusForm::Cwt, version(1, 1), list(MOST_BYTES + 1));
        assert_eq!(kept.0.lock().unwrap().len(), 1);
    }
}
