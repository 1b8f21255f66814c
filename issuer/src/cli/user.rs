//! `countersign user`: the built-in users, as an administrator manages them.

use super::ask::Ask;
use super::reach::Reach;
use super::said::{Ended, Said};
use super::target::Paging;
use super::{Failure, input};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Bytes of a password.
const MAX_PASSWORD: usize = 1_024;

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

#[derive(Args)]
struct Create {
    /// Name to log in with; it or an e-mail address must be given
    #[arg(long, value_name = "NAME")]
    user_name: Option<String>,
    /// E-mail address to log in with
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// File with the password, `-` for standard input [default: none, until a reset code is used]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The password must be changed at the first login
    #[arg(long)]
    must_reset: bool,
    /// A role in the tokens; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A permission in the tokens; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// The whole scope, its values separated by spaces
    #[arg(long)]
    scope: Option<String>,
    /// An audience of the tokens; may be given several times [default: as in the settings]
    #[arg(long = "aud", value_name = "AUDIENCE")]
    aud: Vec<String>,
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure`], when it cannot be done.
pub(super) fn run(Users { reach, verb }: &Users) -> Ended {
    let ask = |ask: Ask| reach.act(async |target| Ok(Said::object(target.ask(ask).await?)));
    match verb {
        Verb::Create(command) => ask(Ask::post(&["v1", "users"]).json(&request(command)?)),
        Verb::List(paging) => reach.act(async |target| {
            let (items, next) = target.list(paging, || Ask::get(&["v1", "users"])).await?;
            Ok(Said::list(
                &["sub", "user_name", "email", "status", "roles", "created_at", "last_login_at"],
                items,
                next,
            ))
        }),
        Verb::Show(Named { sub }) => ask(Ask::get(&["v1", "users", sub])),
        Verb::Disable(Named { sub }) => ask(Ask::patch(&["v1", "users", sub]).json(&json!({"status": "disabled"}))),
        Verb::Enable(Named { sub }) => ask(Ask::patch(&["v1", "users", sub]).json(&json!({"status": "active"}))),
        Verb::ResetCode(Named { sub }) => ask(Ask::post(&["v1", "users", sub, "reset-code"])),
        Verb::Delete(Named { sub }) => ask(Ask::delete(&["v1", "users", sub])),
    }
}

fn request(command: &Create) -> Result<Value, Failure> {
    let password = command.password_file.as_deref().map(|file| input::text(Some(file), "the password", MAX_PASSWORD));
    let texts = |texts: &Vec<String>| (!texts.is_empty()).then(|| json!(texts));
    let members = [
        ("user_name", command.user_name.as_ref().map(|name| json!(name))),
        ("email", command.email.as_ref().map(|email| json!(email))),
        ("password", password.transpose()?.map(|password| json!(password.as_str()))),
        ("must_reset", command.must_reset.then_some(Value::Bool(true))),
        ("roles", texts(&command.roles)),
        ("permissions", texts(&command.permissions)),
        ("scope", command.scope.as_ref().map(|scope| json!(scope))),
        ("aud", texts(&command.aud)),
    ];
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(Value::Object(given.collect::<Map<_, _>>()))
}
