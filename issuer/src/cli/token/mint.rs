//! `countersign token mint`: what a backend does for a subject that it has authenticated, by hand.

use super::super::ask::Ask;
use super::super::reach::Reach;
use super::super::said::{Ended, Said};
use clap::Args;
use serde_json::{Map, Value, json};

/// What the tokens say.
#[derive(Args)]
pub(crate) struct Mint {
    #[command(flatten)]
    reach: Reach,
    /// Whom the tokens speak of
    #[arg(long, value_name = "SUB", allow_hyphen_values = true)]
    sub: String,
    /// For whom they are; may be given several times
    #[arg(long = "aud", value_name = "AUDIENCE", required = true)]
    aud: Vec<String>,
    /// Scope, its values separated by spaces
    #[arg(long)]
    scope: Option<String>,
    /// A role; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A permission; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// Own claims, as a JSON object
    #[arg(long, value_name = "JSON", value_parser = object)]
    claims: Option<Value>,
    /// A note on where the subject logged in
    #[arg(long, value_name = "NOTE")]
    device: Option<String>,
    /// When the subject logged in, in seconds since 1970
    #[arg(long, value_name = "SECONDS")]
    auth_time: Option<u64>,
    /// Not valid before this second, since 1970
    #[arg(long, value_name = "SECONDS")]
    nbf: Option<u64>,
    /// Life of the access token
    #[arg(long, value_name = "SECONDS")]
    access_ttl: Option<u64>,
    /// Idle life of the session
    #[arg(long, value_name = "SECONDS")]
    refresh_ttl: Option<u64>,
    /// Absolute life of the session
    #[arg(long, value_name = "SECONDS")]
    session_ttl: Option<u64>,
}

/// Begins a session and says its first pair.
///
/// # Errors
/// [`Failure`](crate::cli::Failure), when there is none.
pub(super) fn run(command: &Mint) -> Ended {
    let ask = Ask::post(&["v1", "tokens"]).json(&request(command));
    command.reach.act(async |target| Ok(Said::object(target.ask(ask).await?)))
}

fn request(command: &Mint) -> Value {
    let texts = |texts: &Vec<String>| (!texts.is_empty()).then(|| json!(texts));
    let members = [
        ("sub", Some(json!(command.sub))),
        ("aud", Some(json!(command.aud))),
        ("scope", command.scope.as_ref().map(|scope| json!(scope))),
        ("roles", texts(&command.roles)),
        ("permissions", texts(&command.permissions)),
        ("claims", command.claims.clone()),
        ("device", command.device.as_ref().map(|device| json!(device))),
        ("auth_time", command.auth_time.map(Value::from)),
        ("nbf", command.nbf.map(Value::from)),
        ("access_ttl", command.access_ttl.map(Value::from)),
        ("refresh_ttl", command.refresh_ttl.map(Value::from)),
        ("session_ttl", command.session_ttl.map(Value::from)),
    ];
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

fn object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    if value.is_object() { Ok(value) } else { Err("must be an object such as {\"tenant\":\"a\"}".to_owned()) }
}
