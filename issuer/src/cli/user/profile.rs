//! Who a user is and what its tokens say, as arguments: at its making, and later when it changes.

use super::super::{Failure, changes, input};
use super::Named;
use clap::Args;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Bytes of a password.
const MAX_PASSWORD: usize = 1_024;
/// Bytes of a file with claims; more than a user may have.
const MAX_CLAIMS: usize = 16 * 1024;

#[derive(Args)]
pub(super) struct Create {
    #[command(flatten)]
    profile: Profile,
    /// File with the password, `-` for standard input [default: none, until a reset code is used]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The password must be changed at the first login
    #[arg(long)]
    must_reset: bool,
}

#[derive(Args)]
pub(super) struct Change {
    #[command(flatten)]
    pub(super) user: Named,
    #[command(flatten)]
    profile: Profile,
    /// Whether the password must be changed at the next login; if so, all sessions end
    #[arg(long, value_name = "BOOL")]
    must_reset: Option<bool>,
    /// Take this away, or leave it to the settings; may be given several times
    #[arg(long, value_name = "MEMBER", value_parser = ["user_name", "email", "scope", "access_ttl", "refresh_ttl", "session_ttl"])]
    reset: Vec<String>,
    /// Leave nothing in this list; may be given several times
    #[arg(long, value_name = "MEMBER", value_parser = ["roles", "permissions", "aud"])]
    empty: Vec<String>,
}

#[derive(Args)]
struct Profile {
    /// Name to log in with; a user has it or an e-mail address
    #[arg(long, value_name = "NAME")]
    user_name: Option<String>,
    /// E-mail address to log in with
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A role in the tokens; may be given several times, and all of them are
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A permission in the tokens; may be given several times, and all of them are
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// The whole scope, its values separated by spaces
    #[arg(long)]
    scope: Option<String>,
    /// An audience of the tokens; may be given several times [default of a new one: as in the settings]
    #[arg(long = "aud", value_name = "AUDIENCE")]
    aud: Vec<String>,
    /// File with own claims of the tokens, a JSON object, `-` for standard input
    #[arg(long, value_name = "FILE")]
    claims_file: Option<PathBuf>,
    /// Life of an access token [default of a new one: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    access_ttl: Option<u64>,
    /// Idle life of a session [default of a new one: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    refresh_ttl: Option<u64>,
    /// Absolute life of a session [default of a new one: as in the settings]
    #[arg(long, value_name = "SECONDS")]
    session_ttl: Option<u64>,
}

impl Create {
    /// Returns the request that makes the user.
    ///
    /// # Errors
    /// [`Failure::Setting`] for a file that cannot be read.
    pub(super) fn request(&self) -> Result<Value, Failure> {
        let password = self.password_file.as_deref();
        let password = password.map(|file| input::text(Some(file), "the password", MAX_PASSWORD)).transpose()?;
        let mut members = self.profile.members()?;
        members.extend(changes::given([
            ("password", password.map(|password| json!(password.as_str()))),
            ("must_reset", self.must_reset.then_some(Value::Bool(true))),
        ]));
        Ok(Value::Object(members))
    }
}

impl Change {
    /// Returns the request that changes the user.
    ///
    /// # Errors
    /// [`Failure::Setting`] for a file that cannot be read, for a member that is named twice, and when nothing is named.
    pub(super) fn request(&self) -> Result<Value, Failure> {
        let mut members = self.profile.members()?;
        members.extend(changes::given([("must_reset", self.must_reset.map(Value::Bool))]));
        changes::body(members, &self.reset, &self.empty)
    }
}

impl Profile {
    fn members(&self) -> Result<Map<String, Value>, Failure> {
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        let claims = self.claims_file.as_deref().map(|file| input::text(Some(file), "the claims", MAX_CLAIMS));
        let claims = claims.transpose()?.map(|text| serde_json::from_str::<Value>(&text)).transpose();
        let claims = claims.map_err(|error| Failure::Setting(format!("the claims are not JSON: {error}")))?;
        Ok(changes::given([
            ("user_name", text(&self.user_name)),
            ("email", text(&self.email)),
            ("roles", changes::texts(&self.roles)),
            ("permissions", changes::texts(&self.permissions)),
            ("scope", text(&self.scope)),
            ("aud", changes::texts(&self.aud)),
            ("claims", claims),
            ("access_ttl", self.access_ttl.map(Value::from)),
            ("refresh_ttl", self.refresh_ttl.map(Value::from)),
            ("session_ttl", self.session_ttl.map(Value::from)),
        ]))
    }
}
