//! The budgets of all parties under one quota, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Locks among which the parties are divided.
const SHARDS: usize = 16;
/// Parties that one shard remembers. All shards of one quota together take some 2 MB at most.
const MOST: usize = 4_096;

/// So many in each window, and no more than so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    amount: u64,
    window: Duration,
}

/// Where a party stands after a request that was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The name of the limit.
    pub policy: &'static str,
    /// What is allowed.
    pub quota: Quota,
    /// What is left at once.
    pub remaining: u64,
    /// Whole seconds, rounded up, until the budget is full again.
    pub full_in: u64,
}

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Where the party stands.
    pub standing: Standing,
    /// Whole seconds, at least 1, after which one more is allowed.
    pub retry_after: u64,
}

impl Quota {
    /// Allows `amount` in each `window`; `None` for 0, which means no limit.
    pub fn new(amount: u64, window: Duration) -> Option<Self> {
        (amount > 0).then_some(Self { amount, window })
    }

    /// Returns how many are allowed in a window, and at once.
    pub const fn amount(self) -> u64 {
        self.amount
    }

    /// Returns the window in whole seconds.
    pub const fn window_secs(self) -> u64 {
        self.window.as_secs()
    }

    fn window_nanos(self) -> u64 {
        nanos(self.window)
    }

    /// What one request costs, in nanoseconds of the window.
    fn cost(self) -> u64 {
        self.window_nanos().checked_div(self.amount).unwrap_or(u64::MAX).max(1)
    }
}

/// The budgets of everybody under one quota.
///
/// Of a party only the moment is kept at which its budget will be full again, in nanoseconds. One whose moment has passed
/// is like one that was never seen, so it can be forgotten.
pub struct Buckets {
    policy: &'static str,
    quota: Option<Quota>,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    full_at: HashMap<u64, u64>,
    swept_at: u64,
}

impl Buckets {
    /// Gives everybody a full budget; without a quota everything is allowed.
    pub fn new(policy: &'static str, quota: Option<Quota>) -> Self {
        Self { policy, quota, hasher: RandomState::new(), shards: Default::default() }
    }

    /// Takes one from the budget of `party`, if there is one left; `None` without a quota.
    ///
    /// # Errors
    /// [`Exceeded`]: nothing was taken.
    pub fn take(&self, party: &impl Hash, now: Duration) -> Result<Option<Standing>, Exceeded> {
        let Some(quota) = self.quota else { return Ok(None) };
        let now = nanos(now);
        let key = self.hasher.hash_one(party);
        let mut shard = self.shard(key);
        let key = shard.room_for(key, now, quota);
        let before = shard.full_at.get(&key).copied().unwrap_or_default().max(now);
        let after = before.saturating_add(quota.cost());
        if after > now.saturating_add(quota.window_nanos()) {
            return Err(self.exceeded(quota, before, now));
        }
        shard.full_at.insert(key, after);
        Ok(Some(self.standing(quota, after, now)))
    }

    /// Asks whether there is one left in the budget of `party`, and takes none.
    ///
    /// # Errors
    /// [`Exceeded`]
    pub fn ask(&self, party: &impl Hash, now: Duration) -> Result<(), Exceeded> {
        let Some(quota) = self.quota else { return Ok(()) };
        let now = nanos(now);
        let key = self.hasher.hash_one(party);
        let mut shard = self.shard(key);
        let key = shard.room_for(key, now, quota);
        let full_at = shard.full_at.get(&key).copied().unwrap_or_default().max(now);
        if full_at.saturating_add(quota.cost()) > now.saturating_add(quota.window_nanos()) {
            return Err(self.exceeded(quota, full_at, now));
        }
        Ok(())
    }

    fn shard(&self, key: u64) -> std::sync::MutexGuard<'_, Shard> {
        let index = usize::try_from(key >> 60).unwrap_or_default();
        let [first, ..] = &self.shards;
        let shard = self.shards.get(index).unwrap_or(first); // four bits count to sixteen
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, quota: Quota, full_at: u64, now: u64) -> Standing {
        let used = full_at.saturating_sub(now);
        let remaining = quota.window_nanos().saturating_sub(used).checked_div(quota.cost()).unwrap_or_default();
        Standing { policy: self.policy, quota, remaining: remaining.min(quota.amount), full_in: whole_secs(used) }
    }

    fn exceeded(&self, quota: Quota, full_at: u64, now: u64) -> Exceeded {
        let allowed_at = full_at.saturating_add(quota.cost()).saturating_sub(quota.window_nanos());
        let standing = Standing { remaining: 0, ..self.standing(quota, full_at, now) };
        Exceeded { standing, retry_after: whole_secs(allowed_at.saturating_sub(now)).max(1) }
    }

    /// Returns how many parties are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().expect("not poisoned").full_at.len()).sum()
    }
}

/// The party of all that find no room: they share one budget, so that a crowd of addresses gains nothing by being one.
const CROWD: u64 = 0;

impl Shard {
    /// Returns the key to use for a party: its own, or that of the crowd when no more can be remembered.
    fn room_for(&mut self, key: u64, now: u64, quota: Quota) -> u64 {
        if self.full_at.len() < MOST || self.full_at.contains_key(&key) {
            return key;
        }
        // Not more often than it can help: a sweep looks at all of the shard.
        if now.saturating_sub(self.swept_at) >= quota.cost() || self.swept_at == 0 {
            self.swept_at = now.max(1);
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        if self.full_at.len() < MOST { key } else { CROWD }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn whole_secs(nanos: u64) -> u64 {
    nanos.div_ceil(1_000_000_000)
}
