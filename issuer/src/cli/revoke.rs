//! `countersign revoke`: takes back one token, or what a name stands for.

use super::ask::Ask;
use super::reach::Reach;
use super::said::{Ended, Said};
use super::target::Target;
use super::token::parts;
use super::{Failure, input, text};
use clap::{ArgGroup, Args};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use token::base64url;
use token::jws::MAX_LENGTH;
use token::time::UnixTime;

/// Bytes of an Ed25519 signature: the issuer makes no others.
const SIGNATURE: usize = 64;

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
/// [`Failure`], when it is not revoked.
pub(super) fn run(command: &Revoke) -> Ended {
    let Some(file) = &command.token_file else {
        return send(&command.reach, Ask::post(&["v1", "revocations"]).json(&target(command)));
    };
    let token = input::text(Some(file), "the token", MAX_LENGTH)?;
    is_token(&token)?;
    let ask = Ask::post(&["oauth", "revoke"]).form("token", &token);
    command.reach.act(async |target| {
        let answer = target.ask(ask).await?;
        // The answer is the same for one that was never issued here (RFC 7009 §2.2).
        let said = format!("if it was a live token of this issuer it is revoked: {}", holds(target, &answer));
        Ok(Said::new(said, answer))
    })
}

/// Refuses what the daemon would take for a token that it has never issued: it would answer as if it had revoked it.
fn is_token(token: &str) -> Result<(), Failure> {
    let none = |reason: &dyn std::fmt::Display| {
        Failure::Setting(format!(
            "{reason}: nothing was revoked. The token alone is wanted, without `Bearer` and not in JSON, whole from its first \
             character to its last"
        ))
    };
    let signature = parts(token).map_err(|failure| none(&failure))?.signature;
    match base64url::decode_array::<SIGNATURE>(signature) {
        Ok(_) => Ok(()),
        Err(_) => Err(none(&"the token's signature is not one of Ed25519")),
    }
}

/// Asks for a revocation, and says from when on it holds.
///
/// # Errors
/// [`Failure`], when it is not revoked.
pub(super) fn send(reach: &Reach, ask: Ask) -> Ended {
    reach.act(async |target| Ok(told(target, target.ask(ask).await?)))
}

/// Says from when on a revocation holds.
fn told(target: &Target, answer: Value) -> Said {
    let many = answer.get("ended").and_then(Value::as_u64).map(|ended| format!("{ended} sessions ended; "));
    Said::new(format!("{}revoked: {}", many.unwrap_or_default(), holds(target, &answer)), answer)
}

/// A store that no daemon has open serves its list to nobody.
fn holds(target: &Target, answer: &Value) -> String {
    let by = by(answer);
    match target {
        Target::Remote(_) => format!("verifiers that follow the list refuse it now, all others by {by}"),
        Target::Local(_) => format!("verifiers refuse it once the daemon runs again, or by {by}"),
    }
}

fn by(answer: &Value) -> String {
    let by = answer.get("effective_by").and_then(Value::as_u64).and_then(UnixTime::from_secs).map(text::date);
    by.unwrap_or_else(|| "the next list".to_owned())
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
