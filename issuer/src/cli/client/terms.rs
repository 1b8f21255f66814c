//! What a client may do, as arguments: at its making, and later when it changes.

use super::super::{Failure, changes, input};
use super::Named;
use clap::Args;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Bytes of a client's public keys in a file.
const MAX_KEYS: usize = 16 * 1024;

/// Ways to get tokens.
const GRANTS: [&str; 4] = ["mint", "client_credentials", "refresh_token", "token_exchange"];

#[derive(Args)]
pub(super) struct Create {
    /// What it is called in tokens and requests [default: drawn at random]
    #[arg(value_name = "CLIENT_ID", allow_hyphen_values = true)]
    id: Option<String>,
    /// How it may get tokens; may be given several times
    #[arg(long = "grant", value_name = "GRANT", required = true, value_parser = GRANTS)]
    grants: Vec<String>,
    /// It may manage clients, users and keys, and take back everything
    #[arg(long)]
    administrator: bool,
    #[command(flatten)]
    terms: Terms,
}

#[derive(Args)]
pub(super) struct Change {
    #[command(flatten)]
    pub(super) client: Named,
    /// How it may get tokens, all of the ways; may be given several times
    #[arg(long = "grant", value_name = "GRANT", value_parser = GRANTS)]
    grants: Vec<String>,
    /// Whether it may manage clients, users and keys, and take back everything
    #[arg(long, value_name = "BOOL")]
    administrator: Option<bool>,
    #[command(flatten)]
    terms: Terms,
    /// Take a restriction away, or the keys; may be given several times
    #[arg(long, value_name = "MEMBER", value_parser = ["audiences", "scopes", "claims", "access_ttl", "refresh_ttl", "session_ttl", "jwks"])]
    reset: Vec<String>,
    /// Allow nothing of this kind; may be given several times
    #[arg(long, value_name = "MEMBER", value_parser = ["grants", "audiences", "scopes", "claims"])]
    empty: Vec<String>,
}

#[derive(Args)]
struct Terms {
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// An audience that it may get tokens for; may be given several times [default of a new one: any]
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// A scope value that it may ask for; may be given several times [default of a new one: any]
    #[arg(long = "scope", value_name = "VALUE")]
    scopes: Vec<String>,
    /// A claim of its own that it may set; may be given several times [default of a new one: any]
    #[arg(long = "claim", value_name = "NAME")]
    claims: Vec<String>,
    /// Longest life of an access token [default of a new one: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    access_ttl: Option<u64>,
    /// Longest idle life of a session [default of a new one: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    refresh_ttl: Option<u64>,
    /// Longest absolute life of a session [default of a new one: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    session_ttl: Option<u64>,
    /// JWK Set with its public keys, in place of a secret (private_key_jwt)
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
}

impl Create {
    /// Returns the request that makes the client.
    ///
    /// # Errors
    /// [`Failure::Setting`] for keys that cannot be read.
    pub(super) fn request(&self) -> Result<Value, Failure> {
        let mut members = self.terms.members()?;
        members.extend(changes::given([
            ("client_id", self.id.as_ref().map(|id| json!(id))),
            ("grants", changes::texts(&self.grants)),
            ("administrator", self.administrator.then_some(Value::Bool(true))),
        ]));
        Ok(Value::Object(members))
    }
}

impl Change {
    /// Returns the request that changes the client.
    ///
    /// # Errors
    /// [`Failure::Setting`] for keys that cannot be read, for a member that is named twice, and when nothing is named.
    pub(super) fn request(&self) -> Result<Value, Failure> {
        let mut members = self.terms.members()?;
        members.extend(changes::given([
            ("grants", changes::texts(&self.grants)),
            ("administrator", self.administrator.map(Value::Bool)),
        ]));
        changes::body(members, &self.reset, &self.empty)
    }
}

impl Terms {
    fn members(&self) -> Result<Map<String, Value>, Failure> {
        let jwks = self.jwks_file.as_deref().map(|file| input::text(Some(file), "the client's key set", MAX_KEYS));
        let jwks = jwks.transpose()?.map(|text| serde_json::from_str::<Value>(&text)).transpose();
        let jwks = jwks.map_err(|error| Failure::Setting(format!("the client's key set is not JSON: {error}")))?;
        Ok(changes::given([
            ("name", self.name.as_ref().map(|name| json!(name))),
            ("audiences", changes::texts(&self.audiences)),
            ("scopes", changes::texts(&self.scopes)),
            ("claims", changes::texts(&self.claims)),
            ("access_ttl", self.access_ttl.map(Value::from)),
            ("refresh_ttl", self.refresh_ttl.map(Value::from)),
            ("session_ttl", self.session_ttl.map(Value::from)),
            ("jwks", jwks),
        ]))
    }
}
