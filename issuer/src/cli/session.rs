//! `countersign session`: who is logged in, where, and for how long; and their logout.

use super::ask::Ask;
use super::reach::Reach;
use super::revoke;
use super::said::{Ended, Said};
use super::target::Paging;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

/// What can be done with sessions.
#[derive(Args)]
pub(super) struct Sessions {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print the sessions of a subject, with both their clocks
    List(List),
    /// Print one session
    Show {
        /// The session
        #[arg(value_name = "SID", allow_hyphen_values = true)]
        sid: String,
    },
    /// End a session, or those of a subject, with their live access tokens
    Revoke(Revoke),
}

#[derive(Args)]
struct List {
    /// Whose sessions
    #[arg(long, allow_hyphen_values = true)]
    sub: String,
    /// Only those that go on
    #[arg(long)]
    active: bool,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args)]
struct Revoke {
    /// The session
    #[arg(value_name = "SID", allow_hyphen_values = true, required_unless_present = "sub", conflicts_with = "sub")]
    sid: Option<String>,
    /// All sessions of this subject
    #[arg(long, allow_hyphen_values = true)]
    sub: Option<String>,
    /// But for this one
    #[arg(long, value_name = "SID", allow_hyphen_values = true, requires = "sub")]
    except: Option<String>,
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure`](super::Failure), when it cannot be done.
pub(super) fn run(Sessions { reach, verb }: &Sessions) -> Ended {
    match verb {
        Verb::List(List { sub, active, paging }) => reach.act(async |target| {
            let ask =
                || Ask::get(&["v1", "sessions"]).query("sub", Some(sub)).query("active", active.then_some("true"));
            let (items, next) = target.list(paging, ask).await?;
            let columns =
                ["sid", "client_id", "device", "created_at", "last_refreshed_at", "expires_at", "ends_at", "active"];
            Ok(Said::list(&columns, items, next))
        }),
        Verb::Show { sid } => {
            reach.act(async |target| Ok(Said::object(target.ask(Ask::get(&["v1", "sessions", sid])).await?)))
        }
        Verb::Revoke(Revoke { sid: Some(sid), .. }) => revoke::send(reach, Ask::delete(&["v1", "sessions", sid])),
        Verb::Revoke(Revoke { sid: None, sub, except }) => {
            let members = [("sub", sub), ("except", except)];
            let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
            let body = Value::Object(given.collect::<Map<_, _>>());
            revoke::send(reach, Ask::post(&["v1", "sessions", "revoke"]).json(&body))
        }
    }
}
