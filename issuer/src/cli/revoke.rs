//! `countersign revoke`: takes back one token, or what a name stands for.

use super::ask::Ask;
use super::reach::Reach;
use super::said::{Ended, Said};
use super::{input, text};
use clap::{ArgGroup, Args};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use token::jws::MAX_LENGTH;
use token::time::UnixTime;

/// What is taken back.
#[derive(Args)]
#[command(group = ArgGroup::new("target").required(true))]
pub(super) struct Revoke {
    #[command(flatten)]
    reach: Reach,
    /// The token in this file, `-` for standard input; a refresh token takes its session with it
    #[arg(long, value_name = "FILE", group = "target")]
    token_file: Option<PathBuf>,
    /// All sessions of a subject, with their live access tokens
    #[arg(long, value_name = "SUB", allow_hyphen_values = true, group = "target")]
    subject: Option<String>,
    /// One session, with its live access tokens
    #[arg(long, value_name = "SID", allow_hyphen_values = true, group = "target")]
    session: Option<String>,
    /// Everything that a client has got, and its sessions
    #[arg(long, value_name = "ID", allow_hyphen_values = true, group = "target")]
    client: Option<String>,
    /// A signing key: every token it has signed is refused, another signs at once
    #[arg(long, value_name = "KID", allow_hyphen_values = true, group = "target")]
    key: Option<String>,
    /// Everything: everybody logs in again
    #[arg(long, group = "target")]
    all: bool,
    /// With --subject and --all: only what began or was issued at or before this second, since 1970
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["token_file", "session", "client", "key"])]
    issued_before: Option<u64>,
}

/// Revokes, and says from when on nobody accepts it any more.
///
/// # Errors
/// [`Failure`](super::Failure), when it is not revoked.
pub(super) fn run(command: &Revoke) -> Ended {
    let ask = match &command.token_file {
        Some(file) => {
            let token = input::text(Some(file), "the token", MAX_LENGTH)?;
            Ask::post(&["oauth", "revoke"]).form("token", &token)
        }
        None => Ask::post(&["v1", "revocations"]).json(&target(command)),
    };
    send(&command.reach, ask)
}

/// Asks for a revocation, and says from when on it holds.
///
/// # Errors
/// [`Failure`](super::Failure), when it is not revoked.
pub(super) fn send(reach: &Reach, ask: Ask) -> Ended {
    reach.act(async |target| Ok(told(target.ask(ask).await?)))
}

/// Says from when on a revocation holds.
pub(super) fn told(answer: Value) -> Said {
    let by = answer.get("effective_by").and_then(Value::as_u64).and_then(UnixTime::from_secs).map(text::date);
    let by = by.unwrap_or_else(|| "the next list".to_owned());
    let many = answer.get("ended").and_then(Value::as_u64).map(|ended| format!("{ended} sessions ended; "));
    Said::new(
        format!(
            "{}revoked: verifiers that follow the list refuse it now, all others by {by}",
            many.unwrap_or_default()
        ),
        answer,
    )
}

fn target(command: &Revoke) -> Value {
    let names = [
        ("subject", &command.subject),
        ("session", &command.session),
        ("client", &command.client),
        ("key", &command.key),
    ];
    let mut body: Map<String, Value> =
        names.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))).collect();
    if command.all {
        body.insert("all".to_owned(), json!(true));
    }
    body.extend(command.issued_before.map(|seconds| ("issued_before".to_owned(), json!(seconds))));
    Value::Object(body)
}
