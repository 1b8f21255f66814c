//! `countersign audit`: the audit log of a daemon that is not running.

use super::data_dir::DataDir;
use super::{Failure, Options};
use crate::audit::{Act, Extent, Filter, Link};
use crate::config::Config;
use crate::error::Error;
use crate::store::audit::{Found, Query, page, verify};
use crate::store::{self, Order, Store, StoreError};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use token::time::UnixTime;

/// Events that are read at once.
const PAGE: usize = 1_000;

/// What can be done with the audit log.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Prove that no event was changed, removed or put in; ends with 1 and the place when one was
    Verify(VerifyArgs),
    /// Print events, the oldest first, one a line
    List(ListArgs),
}

#[derive(Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    options: Options,
    /// An event that was noted elsewhere, as lines of the log have it: proves that the log was not made anew or cut
    #[arg(long, value_name = "SEQ:HASH", value_parser = noted)]
    noted: Vec<Link>,
    /// Say it as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    options: Options,
    /// Only events about this subject
    #[arg(long)]
    sub: Option<String>,
    /// Only events about this session
    #[arg(long)]
    sid: Option<String>,
    /// Only what this client did, or what was done to it
    #[arg(long)]
    client_id: Option<String>,
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
    /// Print each as a JSON object with its number and hash
    #[arg(long)]
    json: bool,
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure::Machine`] for a log that is not what was written; [`Failure::Setting`], [`Failure::Store`].
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| Failure::Machine(format!("nothing can be waited for: {error}")))?;
    match command {
        Command::Verify(args) => runtime.block_on(verify_log(args)),
        Command::List(args) => runtime.block_on(list(args)),
    }
}

async fn verify_log(args: &VerifyArgs) -> Result<(), Failure> {
    let store = open(&args.options)?;
    let verdict = verify(store.as_ref(), args.noted.clone()).await.map_err(failed)?;
    store.close().await.map_err(failed)?;
    match verdict {
        Ok(Extent { before, newest }) => {
            let first = before.seq.saturating_add(1);
            if args.json {
                let Link { seq, .. } = newest;
                return say(&format!("{{\"whole\":true,\"first\":{first},\"last\":{seq},\"newest\":\"{newest}\"}}\n"));
            }
            say(&format!("the audit log is whole: events {first} to {}\nnewest={newest}\n", newest.seq))
        }
        Err(broken) => {
            if args.json {
                say(&format!("{{\"whole\":false,\"reason\":\"{broken}\"}}\n"))?;
            }
            Err(Failure::Machine(format!("the audit log is not what was written: {broken}")))
        }
    }
}

async fn list(args: &ListArgs) -> Result<(), Failure> {
    let store = open(&args.options)?;
    let filter = Filter {
        sub: args.sub.clone(),
        sid: args.sid.clone(),
        client_id: args.client_id.clone(),
        act: args.act,
        from: args.from,
        to: args.to,
    };
    let mut query = Query { filter, order: Order::OldestFirst, after: args.after, limit: PAGE };
    loop {
        let Found { items, next } = page(store.as_ref(), &query).await.map_err(failed)?;
        let mut lines = String::new();
        for (link, event) in items {
            let written = if args.json {
                writeln!(lines, "{}", link.item(&event))
            } else {
                writeln!(lines, "{} {event}", link.seq)
            };
            written.map_err(|error| Failure::Machine(format!("a line cannot be made: {error}")))?;
        }
        say(&lines)?;
        query.after = next;
        if next.is_none() {
            return store.close().await.map_err(failed);
        }
    }
}

/// Opens a store that is there; unlike a start it makes none.
fn open(options: &Options) -> Result<Arc<dyn Store>, Failure> {
    let config = Config::load(options.config.as_deref(), &options.given)?;
    let data_dir = DataDir::existing(&config.data_dir)?;
    store::open(&data_dir.store()).map_err(failed)
}

fn failed(fault: StoreError) -> Failure {
    Failure::from(Error::Store(fault))
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

fn say(lines: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::Machine(format!("standard output is closed: {error}")))
}
