//! `countersign audit`: the audit log, of a daemon that runs or of a store that is stopped.
//!
//! A store is opened as it is, without its keys, and nothing is written to it: looking leaves no trace.

mod log;

use super::reach::{Caller, Reach, runtime};
use super::said::{Ended, Said, print};
use crate::audit::{Act, Extent, Filter, Link};
use crate::store::Order;
use crate::store::audit::{Found, Query};
use clap::{Args, Subcommand};
use log::Log;
use serde_json::json;
use token::time::UnixTime;

/// Events that are read at once.
const PAGE: usize = 200;

/// What can be done with the audit log.
#[derive(Args)]
pub(super) struct Audit {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Prove that no event was changed, removed or put in: exit code 1 and the place when one was
    Verify(Verify),
    /// Print events, the oldest first, one a line
    List(List),
}

#[derive(Args)]
struct Verify {
    /// An event that was noted elsewhere, as lines of the log have it: proves that the log was not made anew or cut
    #[arg(long, value_name = "SEQ:HASH", value_parser = noted)]
    noted: Vec<Link>,
}

#[derive(Args)]
struct List {
    /// Only events about this subject
    #[arg(long, allow_hyphen_values = true)]
    sub: Option<String>,
    /// Only events about this session
    #[arg(long, allow_hyphen_values = true)]
    sid: Option<String>,
    /// Only what this client did, or what was done to it
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    client: Option<String>,
    /// Only this, such as token.reused
    #[arg(long, value_parser = act)]
    act: Option<Act>,
    /// Not before this second, since 1970
    #[arg(long, value_parser = time)]
    from: Option<UnixTime>,
    /// Before this second, since 1970
    #[arg(long, value_parser = time)]
    to: Option<UnixTime>,
    /// Only events behind the one of this number
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// The newest first
    #[arg(long)]
    newest_first: bool,
    /// Events at most [default: all]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure`](super::Failure), when the log cannot be read.
pub(super) fn run(Audit { reach, verb }: &Audit, as_json: bool) -> Ended {
    runtime()?.block_on(async {
        let log = Log::new(reach.way(Caller::Client, log::open).await?);
        let ended = match verb {
            Verb::Verify(command) => verify(&log, command).await,
            Verb::List(command) => list(&log, command, as_json).await,
        };
        let closed = log.close().await;
        ended.and_then(|said| closed.map(|()| said))
    })
}

async fn verify(log: &Log, command: &Verify) -> Ended {
    Ok(match log.verify(command.noted.clone()).await? {
        Ok(Extent { before, newest }) => {
            let (first, last) = (before.seq.saturating_add(1), newest.seq);
            let said = format!("the audit log is whole: events {first} to {last}\nnewest={newest}");
            Said::new(said, json!({"whole": true, "first": first, "last": last, "newest": newest.to_string()}))
        }
        Err(broken) => {
            let said = format!("the audit log is not what was written: {broken}");
            Said::new(said, json!({"whole": false, "reason": broken.to_string()})).and_fails()
        }
    })
}

async fn list(log: &Log, command: &List, as_json: bool) -> Ended {
    let order = if command.newest_first { Order::NewestFirst } else { Order::OldestFirst };
    let mut query = Query { filter: filter(command), order, after: command.after, limit: PAGE };
    let mut left = command.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut between = "{\"items\":[";
    loop {
        query.limit = left.min(PAGE);
        let Found { items, next } = log.page(&query).await?;
        let mut lines = String::new();
        for (link, event) in &items {
            if as_json {
                lines.push_str(&format!("{between}{}", link.item(event)));
                between = ",\n";
            } else {
                lines.push_str(&format!("{} {event}\n", link.seq));
            }
        }
        print(&lines)?;
        left = left.saturating_sub(items.len());
        query.after = next;
        if next.is_none() || left == 0 {
            break;
        }
    }
    if as_json {
        let next = query.after.map(|next| format!(",\"next\":\"{next}\"")).unwrap_or_default();
        print(&format!("{}]{next}}}\n", if between == ",\n" { "" } else { between }))?;
    }
    Ok(Said::before())
}

fn filter(command: &List) -> Filter {
    Filter {
        sub: command.sub.clone(),
        sid: command.sid.clone(),
        client_id: command.client.clone(),
        act: command.act,
        from: command.from,
        to: command.to,
    }
}

fn noted(text: &str) -> Result<Link, &'static str> {
    Link::parse(text).ok_or("must be a number, a colon, and a hash in base64url")
}

fn act(name: &str) -> Result<Act, &'static str> {
    Act::parse(name).ok_or("is not the name of an act")
}

fn time(text: &str) -> Result<UnixTime, &'static str> {
    text.parse().ok().and_then(UnixTime::from_secs).ok_or("must be whole seconds since 1970")
}
