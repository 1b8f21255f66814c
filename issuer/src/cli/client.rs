//! `countersign client`: the clients, as an administrator manages them.

use super::ask::Ask;
use super::reach::Reach;
use super::said::{Ended, Said};
use super::target::{Paging, Target};
use super::{Failure, input, revoke};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Bytes of a client's public keys in a file.
const MAX_KEYS: usize = 16 * 1024;

/// What can be done with clients.
#[derive(Args)]
pub(super) struct Clients {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a client and print its secret, which is shown only now
    Create(Create),
    /// Print the clients
    List(Paging),
    /// Print one client
    Show(Named),
    /// Let a client prove nothing and get nothing; what it has got stays valid
    Disable(Named),
    /// Let a disabled client work again
    Enable(Named),
    /// Make another secret, which is shown only now; the one before holds for an overlap
    RotateSecret(RotateSecret),
    /// Remove a disabled client and take back what it has got
    Delete(Named),
}

#[derive(Args)]
struct Named {
    /// The client
    #[arg(value_name = "CLIENT_ID", allow_hyphen_values = true)]
    id: String,
}

#[derive(Args)]
struct Create {
    /// What it is called in tokens and requests [default: drawn at random]
    #[arg(value_name = "CLIENT_ID", allow_hyphen_values = true)]
    id: Option<String>,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// How it may get tokens; may be given several times
    #[arg(long = "grant", value_name = "GRANT", required = true, value_parser = ["mint", "client_credentials", "refresh_token", "token_exchange"])]
    grants: Vec<String>,
    /// It may manage clients, users and keys, and take back everything
    #[arg(long)]
    administrator: bool,
    /// An audience that it may get tokens for; may be given several times [default: any]
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// A scope value that it may ask for; may be given several times [default: any]
    #[arg(long = "scope", value_name = "VALUE")]
    scopes: Vec<String>,
    /// A claim of its own that it may set; may be given several times [default: any]
    #[arg(long = "claim", value_name = "NAME")]
    claims: Vec<String>,
    /// Longest life of an access token [default: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    access_ttl: Option<u64>,
    /// Longest idle life of a session [default: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    refresh_ttl: Option<u64>,
    /// Longest absolute life of a session [default: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    session_ttl: Option<u64>,
    /// JWK Set with its public keys, in place of a secret (private_key_jwt)
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
}

#[derive(Args)]
struct RotateSecret {
    #[command(flatten)]
    client: Named,
    /// How long the secret before still holds; 0 drops it at once [default: a day]
    #[arg(long, value_name = "SECONDS")]
    overlap_seconds: Option<u64>,
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure`], when it cannot be done.
pub(super) fn run(Clients { reach, verb }: &Clients) -> Ended {
    let ask = |ask: Ask| reach.act(async |target| shown(target, ask).await);
    match verb {
        Verb::Create(command) => ask(Ask::post(&["v1", "clients"]).json(&request(command)?)),
        Verb::List(paging) => reach.act(async |target| {
            let (items, next) = target.list(paging, || Ask::get(&["v1", "clients"])).await?;
            Ok(Said::list(&["client_id", "name", "administrator", "disabled", "grants", "created_at"], items, next))
        }),
        Verb::Show(Named { id }) => ask(Ask::get(&["v1", "clients", id])),
        Verb::Disable(Named { id }) => ask(Ask::patch(&["v1", "clients", id]).json(&json!({"disabled": true}))),
        Verb::Enable(Named { id }) => ask(Ask::patch(&["v1", "clients", id]).json(&json!({"disabled": false}))),
        Verb::RotateSecret(RotateSecret { client: Named { id }, overlap_seconds }) => {
            let overlap = overlap_seconds.map(|seconds| ("overlap_seconds".to_owned(), json!(seconds)));
            let body: Map<String, Value> = overlap.into_iter().collect();
            ask(Ask::post(&["v1", "clients", id, "secrets"]).json(&Value::Object(body)))
        }
        Verb::Delete(Named { id }) => revoke::send(reach, Ask::delete(&["v1", "clients", id])),
    }
}

async fn shown(target: &Target, ask: Ask) -> Ended {
    Ok(Said::object(target.ask(ask).await?))
}

fn request(command: &Create) -> Result<Value, Failure> {
    let jwks = command.jwks_file.as_deref().map(|file| input::text(Some(file), "the client's key set", MAX_KEYS));
    let jwks = jwks.transpose()?.map(|text| serde_json::from_str::<Value>(&text)).transpose();
    let jwks = jwks.map_err(|error| Failure::Setting(format!("the client's key set is not JSON: {error}")))?;
    let texts = |texts: &Vec<String>| (!texts.is_empty()).then(|| json!(texts));
    let members = [
        ("client_id", command.id.as_ref().map(|id| json!(id))),
        ("name", command.name.as_ref().map(|name| json!(name))),
        ("grants", texts(&command.grants)),
        ("administrator", command.administrator.then_some(Value::Bool(true))),
        ("audiences", texts(&command.audiences)),
        ("scopes", texts(&command.scopes)),
        ("claims", texts(&command.claims)),
        ("access_ttl", command.access_ttl.map(Value::from)),
        ("refresh_ttl", command.refresh_ttl.map(Value::from)),
        ("session_ttl", command.session_ttl.map(Value::from)),
        ("jwks", jwks),
    ];
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(Value::Object(given.collect::<Map<_, _>>()))
}
