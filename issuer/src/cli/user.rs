//! `countersign user`: the built-in users, as an administrator manages them.

mod profile;

use super::ask::Ask;
use super::reach::Reach;
use super::said::{Ended, Said};
use super::target::Paging;
use clap::{Args, Subcommand};
use profile::{Change, Create};
use serde_json::json;

/// What can be done with users.
#[derive(Args)]
pub(super) struct Users {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a user
    Create(Create),
    /// Print the users
    List(Paging),
    /// Print one user
    Show(Named),
    /// Change who a user is and what its tokens say; what is not named stays
    Change(Change),
    /// Let a user log in no more; all sessions end
    Disable(Named),
    /// Let a disabled user log in again
    Enable(Named),
    /// Print a one-time code with which the user chooses a new password; deliver it
    ResetCode(Named),
    /// Forget a user; all sessions end
    Delete(Named),
}

#[derive(Args)]
struct Named {
    /// The user
    #[arg(value_name = "SUB", allow_hyphen_values = true)]
    sub: String,
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure`](super::Failure), when it cannot be done.
pub(super) fn run(Users { reach, verb }: &Users) -> Ended {
    let ask = |ask: Ask| reach.act(async |target| Ok(Said::object(target.ask(ask).await?)));
    match verb {
        Verb::Create(command) => ask(Ask::post(&["v1", "users"]).json(&command.request()?)),
        Verb::List(paging) => reach.act(async |target| {
            let (items, next) = target.list(paging, || Ask::get(&["v1", "users"])).await?;
            Ok(Said::list(
                &["sub", "user_name", "email", "status", "roles", "created_at", "last_login_at"],
                items,
                next,
            ))
        }),
        Verb::Show(Named { sub }) => ask(Ask::get(&["v1", "users", sub])),
        Verb::Change(change) => ask(Ask::patch(&["v1", "users", &change.user.sub]).json(&change.request()?)),
        Verb::Disable(Named { sub }) => ask(Ask::patch(&["v1", "users", sub]).json(&json!({"status": "disabled"}))),
        Verb::Enable(Named { sub }) => ask(Ask::patch(&["v1", "users", sub]).json(&json!({"status": "active"}))),
        Verb::ResetCode(Named { sub }) => ask(Ask::post(&["v1", "users", sub, "reset-code"])),
        Verb::Delete(Named { sub }) => ask(Ask::delete(&["v1", "users", sub])),
    }
}
