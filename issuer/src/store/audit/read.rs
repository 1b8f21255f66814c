//! Reading the audit log of any engine: what a filter wants of it, in bounded steps, and whether it is whole.

use super::super::{Store, StoreError};
use super::Order;
use crate::audit::{Broken, Check, Extent, Filter, Link, Run, Seen};
use token::time::UnixTime;

/// Events that one call looks at, at most.
const SCAN: usize = 8_192;
/// Runs that are read at once; each has at most 12 KiB.
const RUNS: usize = 32;
/// Events may lie this far from their order in time: refusals are written by the next tick, and a calendar may go back.
const SLACK_SECS: u64 = 300;

/// What somebody wants to see of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which events.
    pub filter: Filter,
    /// In which direction.
    pub order: Order,
    /// Behind the event of this number, in that direction; from the beginning when absent.
    pub after: Option<u64>,
    /// So many at most.
    pub limit: usize,
}

/// Some events, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Each with its place in the chain; the text is the JSON object that was hashed.
    pub items: Vec<(Link, String)>,
    /// What `after` must be to go on; none at the end. A page may be empty and not the last.
    pub next: Option<u64>,
}

/// Returns the events that a query asks for. It looks at 8,192 events at most, so a page may be short and not the last.
///
/// # Errors
/// [`StoreError`], also where an event on the way cannot be read.
pub async fn page(store: &dyn Store, query: &Query) -> Result<Found, StoreError> {
    let extent = store.audit_extent().await?;
    let mut after = begin(store, extent, query).await?;
    let (mut page, mut scanned) = (Found { items: Vec::new(), next: None }, 0);
    while let Some(seq) = step(after, query.order).filter(|seq| extent.holds(*seq)) {
        let runs = store.event_runs(seq, query.order, RUNS).await?;
        let (here, before) = (after, scanned);
        let ahead = in_order(&runs, query.order).into_iter();
        for (link, event) in ahead.filter(|(link, _)| is_ahead(link.seq, here, query.order) && extent.holds(link.seq)) {
            if page.items.len() >= query.limit || scanned == SCAN {
                return Ok(Found { next: Some(after), ..page });
            }
            (after, scanned) = (link.seq, scanned + 1);
            let Some(seen) = Seen::of(event) else { continue };
            if is_past(query, &seen) {
                return Ok(page);
            }
            if query.filter.wants(&seen) {
                page.items.push((link, String::from_utf8_lossy(event).into_owned()));
            }
        }
        if scanned == before {
            break; // they are gone meanwhile, or were never there
        }
        tokio::task::yield_now().await; // a page may take milliseconds; others come first
    }
    Ok(page)
}

/// Returns whether the log is what was written, from the oldest event that is kept to the newest. `noted` are places that
/// were written down elsewhere: without them nobody can tell a log that was made anew as a whole.
///
/// # Errors
/// [`StoreError`] when it cannot be read for another reason than damage.
pub async fn verify(store: &dyn Store, noted: Vec<Link>) -> Result<Result<Extent, Broken>, StoreError> {
    let extent = store.audit_extent().await?;
    let mut check = Check::new(extent, noted);
    let mut most = RUNS;
    loop {
        let seq = check.seq();
        let runs = match store.event_runs(seq.saturating_add(1), Order::OldestFirst, most).await {
            Ok(runs) => runs,
            // One of them: then one by one, so that the place can be named.
            Err(StoreError::Damaged { .. } | StoreError::Format { .. }) if most > 1 => {
                most = 1;
                continue;
            }
            Err(StoreError::Damaged { .. } | StoreError::Format { .. }) => {
                return Ok(Err(Broken::Unreadable { after: seq }));
            }
            Err(fault) => return Err(fault),
        };
        if let Err(broken) = runs.iter().try_for_each(|run| check.run(run)) {
            return Ok(Err(broken));
        }
        if runs.is_empty() || check.seq() == seq {
            return Ok(check.end().map(|newest| Extent { newest, ..extent }));
        }
    }
}

/// Returns the number behind which the search begins.
async fn begin(store: &dyn Store, extent: Extent, query: &Query) -> Result<u64, StoreError> {
    let Filter { from, to, .. } = query.filter;
    match (query.order, query.after) {
        (Order::OldestFirst, after) => {
            let from = match from {
                Some(from) => first_since(store, extent, from.minus_secs(SLACK_SECS)).await?.saturating_sub(1),
                None => 0,
            };
            Ok(after.unwrap_or(0).max(from).max(extent.before.seq))
        }
        (Order::NewestFirst, after) => {
            let to = match to {
                Some(to) => first_since(store, extent, to.plus_secs(SLACK_SECS)).await?,
                None => u64::MAX,
            };
            Ok(after.unwrap_or(u64::MAX).min(to).min(extent.newest.seq.saturating_add(1)))
        }
    }
}

/// Returns the number of an event before which none is as late as `time`, nearly: a search by halves over the runs.
async fn first_since(store: &dyn Store, extent: Extent, time: UnixTime) -> Result<u64, StoreError> {
    let (mut low, mut high) = (extent.before.seq.saturating_add(1), extent.newest.seq.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let runs = store.event_runs(middle, Order::OldestFirst, 1).await?;
        let Some(run) = runs.first() else { break };
        match run.events.last().and_then(|event| Seen::of(event)) {
            Some(seen) if seen.at < time => low = run.last_seq().saturating_add(1).max(middle + 1),
            Some(_) | None => high = middle,
        }
    }
    Ok(low)
}

/// Returns whether everything behind an event is outside of the times that are asked for.
fn is_past(query: &Query, event: &Seen<'_>) -> bool {
    match query.order {
        Order::OldestFirst => query.filter.to.is_some_and(|to| event.at >= to.plus_secs(SLACK_SECS)),
        Order::NewestFirst => query.filter.from.is_some_and(|from| event.at.plus_secs(SLACK_SECS) < from),
    }
}

fn in_order(runs: &[Run], order: Order) -> Vec<(Link, &[u8])> {
    let mut events: Vec<(Link, &[u8])> = match order {
        Order::OldestFirst => runs.iter().flat_map(Run::links).collect(),
        Order::NewestFirst => runs.iter().rev().flat_map(Run::links).collect(),
    };
    if order == Order::NewestFirst {
        events.reverse();
    }
    events
}

fn step(after: u64, order: Order) -> Option<u64> {
    match order {
        Order::OldestFirst => after.checked_add(1),
        Order::NewestFirst => after.checked_sub(1),
    }
}

fn is_ahead(seq: u64, after: u64, order: Order) -> bool {
    match order {
        Order::OldestFirst => seq > after,
        Order::NewestFirst => seq < after,
    }
}
