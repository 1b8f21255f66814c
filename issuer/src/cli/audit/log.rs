//! Where the audit log is read: from the store itself, or part by part from a daemon.

use super::super::Failure;
use super::super::ask::Ask;
use super::super::data_dir::DataDir;
use super::super::reach::Way;
use super::super::target::Target;
use crate::audit::{Broken, Check, Extent, Link, Run};
use crate::config::Config;
use crate::env::Env;
use crate::error::Error;
use crate::store::audit::{Found, Query, page, verify};
use crate::store::{Order, Store, StoreError, Waiting};
use serde::de::IgnoredAny;
use std::sync::Arc;
use token::base64url;

/// The audit log.
pub(super) enum Log {
    /// Of a store that this process has open.
    Store(Arc<dyn Store>),
    /// Of a daemon.
    Daemon(Target),
}

/// Opens a store that is there; unlike a start it makes none.
///
/// # Errors
/// [`Failure::InUse`] when a daemon has it open; [`Failure::Store`].
pub(super) async fn open(config: &Config, data_dir: &DataDir) -> Result<Arc<dyn Store>, Failure> {
    super::super::store::open(config, data_dir, &Env::system(), Waiting::Refuse).await
}

impl Log {
    /// Returns the log of what was found.
    pub(super) fn new(way: Way<Arc<dyn Store>>) -> Self {
        match way {
            Way::Remote(remote) => Self::Daemon(Target::Remote(remote)),
            Way::Opened(store) => Self::Store(store),
        }
    }

    /// Returns some events, each with its text as it was hashed.
    ///
    /// # Errors
    /// [`Failure`], when they cannot be read.
    pub(super) async fn page(&self, query: &Query) -> Result<Found, Failure> {
        match self {
            Self::Store(store) => page(store.as_ref(), query).await.map_err(failed),
            Self::Daemon(target) => asked(target, query).await,
        }
    }

    /// Returns whether the log is what was written. A daemon shows no event before the oldest: that one is taken as it is
    /// unless it is the first of all.
    ///
    /// # Errors
    /// [`Failure`], when it cannot be read.
    pub(super) async fn verify(&self, noted: Vec<Link>) -> Result<Result<Extent, Broken>, Failure> {
        match self {
            Self::Store(store) => verify(store.as_ref(), noted).await.map_err(failed),
            Self::Daemon(target) => walk(target, noted).await,
        }
    }

    /// Closes what was opened.
    ///
    /// # Errors
    /// [`Failure::Store`].
    pub(super) async fn close(self) -> Result<(), Failure> {
        match self {
            Self::Store(store) => store.close().await.map_err(failed),
            Self::Daemon(target) => target.close().await,
        }
    }
}

async fn asked(target: &Target, query: &Query) -> Result<Found, Failure> {
    let Query { filter, order, after, limit } = query;
    let order = match order {
        Order::OldestFirst => "oldest",
        Order::NewestFirst => "newest",
    };
    let ask = Ask::get(&["v1", "audit"])
        .query("sub", filter.sub.as_ref())
        .query("sid", filter.sid.as_ref())
        .query("client_id", filter.client_id.as_ref())
        .query("act", filter.act.map(crate::audit::Act::name))
        .query("from", filter.from.map(|time| time.as_secs()))
        .query("to", filter.to.map(|time| time.as_secs()))
        .query("order", Some(order))
        .query("after", *after)
        .query("limit", Some(limit));
    let body = target.fetch(&ask).await?;
    let read = std::str::from_utf8(&body).ok().and_then(found);
    read.ok_or_else(|| {
        Failure::Machine("the answer is no audit log: is that countersign, and of this version?".to_owned())
    })
}

/// Follows the chain through everything that a daemon shows.
async fn walk(target: &Target, noted: Vec<Link>) -> Result<Result<Extent, Broken>, Failure> {
    let filter = crate::audit::Filter::default();
    let newest =
        asked(target, &Query { filter: filter.clone(), order: Order::NewestFirst, after: None, limit: 1 }).await?;
    let newest = newest.items.first().map(|(link, _)| *link).unwrap_or_default();
    let mut query = Query { filter, order: Order::OldestFirst, after: None, limit: super::PAGE };
    let mut check: Option<(Check, Extent)> = None;
    loop {
        let Found { items, next } = asked(target, &query).await?;
        for (link, event) in items.into_iter().filter(|(link, _)| link.seq <= newest.seq) {
            let (check, _) = check.get_or_insert_with(|| {
                // What is before the oldest has no hash here: the walk begins behind it, or with the first of all.
                let before = if link.seq == 1 { Link::default() } else { link };
                let extent = Extent { before, newest };
                (Check::new(extent, noted.clone()), extent)
            });
            if link.seq > check.seq() {
                let before = Link { seq: link.seq.saturating_sub(1), ..check.link() };
                if let Err(broken) = check.run(&Run { before, events: vec![event.into_bytes()] }) {
                    return Ok(Err(broken));
                }
                if check.link() != link {
                    return Ok(Err(Broken::Changed { first: link.seq, last: link.seq }));
                }
            }
        }
        query.after = next;
        if next.is_none_or(|next| next >= newest.seq) {
            break;
        }
    }
    let (check, extent) = check.unwrap_or_else(|| (Check::new(Extent::default(), noted), Extent::default()));
    Ok(check.end().map(|newest| Extent { newest, ..extent }))
}

/// Reads a part of the log as the daemon writes it. Each event is cut out of the text as it is: parsing and writing it
/// again might change a byte of what was hashed.
fn found(text: &str) -> Option<Found> {
    let mut rest = text.strip_prefix("{\"items\":[")?;
    let mut items = Vec::new();
    while let Some(item) = rest.strip_prefix("{\"seq\":") {
        let (seq, item) = item.split_once(",\"hash\":\"")?;
        let (hash, item) = item.split_once("\",\"event\":")?;
        let mut values = serde_json::Deserializer::from_str(item).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let (event, item) = item.split_at_checked(values.byte_offset())?;
        items.push((Link { seq: seq.parse().ok()?, hash: base64url::decode_array(hash).ok()? }, event.to_owned()));
        rest = item.strip_prefix('}')?;
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    let next = match rest.strip_prefix("],\"next\":\"") {
        Some(next) => Some(next.strip_suffix("\"}")?.parse().ok()?),
        None if rest == "]}" => None,
        None => return None,
    };
    Some(Found { items, next })
}

fn failed(fault: StoreError) -> Failure {
    Failure::from(Error::Store(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(link: Link, event: &str) -> (Link, String) {
        (link, event.to_owned())
    }

    #[test]
    fn a_part_is_read_as_it_was_written() {
        let events = [r#"{"at":1,"sub":"a\"}}]\\"}"#, r#"{"at":2,"detail":"],\"next\":\"7\"}"}"#];
        let first = Link::default().then(events[0].as_bytes());
        let second = first.then(events[1].as_bytes());
        let text = format!("{{\"items\":[{},{}],\"next\":\"2\"}}", first.item(events[0]), second.item(events[1]));
        let items = vec![item(first, events[0]), item(second, events[1])];
        assert_eq!(found(&text), Some(Found { items, next: Some(2) }));
        assert_eq!(found("{\"items\":[]}"), Some(Found { items: Vec::new(), next: None }));
    }

    #[test]
    fn what_is_no_part_is_not_read() {
        let whole = format!("{{\"items\":[{}],\"next\":\"2\"}}", Link::default().then(b"{}").item("{}"));
        assert!(found(&whole).is_some());
        for cut in 0..whole.len() {
            let (cut, _) = whole.split_at(cut);
            assert_eq!(found(cut), None, "{cut}");
        }
        for text in ["", "[]", "{\"items\":[]}}", "{\"items\":[],\"next\":\"x\"}"] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
