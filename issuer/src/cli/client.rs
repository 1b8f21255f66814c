//! `countersign client`: the clients, as an administrator manages them.

mod terms;

use super::ask::Ask;
use super::reach::Reach;
use super::revoke;
use super::said::{Ended, Said};
use super::target::{Paging, Target};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use terms::{Change, Create};

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
    /// Change what a client may do; what is not named stays
    Change(Change),
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
/// [`Failure`](super::Failure), when it cannot be done.
pub(super) fn run(Clients { reach, verb }: &Clients) -> Ended {
    let ask = |ask: Ask| reach.act(async |target| shown(target, ask).await);
    match verb {
        Verb::Create(command) => ask(Ask::post(&["v1", "clients"]).json(&command.request()?)),
        Verb::List(paging) => reach.act(async |target| {
            let (items, next) = target.list(paging, || Ask::get(&["v1", "clients"])).await?;
            Ok(Said::list(&["client_id", "name", "administrator", "disabled", "grants", "created_at"], items, next))
        }),
        Verb::Show(Named { id }) => ask(Ask::get(&["v1", "clients", id])),
        Verb::Change(change) => ask(Ask::patch(&["v1", "clients", &change.client.id]).json(&change.request()?)),
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
