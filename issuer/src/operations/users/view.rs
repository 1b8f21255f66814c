//! A user as an administrator sees it: everything but what opens the account.

use super::super::Revocation;
use crate::users::{Name, Profile, User};
use serde::Serialize;
use serde_json::{Map, Value};
use token::json;
use zeroize::Zeroizing;

/// A user; serialised it is the JSON of the answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UserView {
    /// The `sub` of the user's tokens.
    pub sub: String,
    /// User name, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// E-mail address, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `active` or `disabled`.
    pub status: &'static str,
    /// A login is answered with where to choose a new password.
    pub must_reset: bool,
    /// False until a first code has been redeemed.
    pub has_password: bool,
    /// Roles in the tokens.
    pub roles: Vec<String>,
    /// Permissions in the tokens.
    pub permissions: Vec<String>,
    /// The whole scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Audiences; the default one when empty.
    pub aud: Vec<String>,
    /// Own claims in the tokens.
    pub claims: Map<String, Value>,
    /// Life of an access token, when it is not that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_ttl: Option<u64>,
    /// Idle life of a session, when it is not that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_ttl: Option<u64>,
    /// Absolute life of a session, when it is not that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ttl: Option<u64>,
    /// Attempts since the last right password.
    pub failures: u32,
    /// Seconds since 1970.
    pub created_at: u64,
    /// When the password was set, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_set_at: Option<u64>,
    /// When the user last logged in, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<u64>,
}

/// A user after a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UserAnswer {
    /// The user.
    #[serde(flatten)]
    pub user: UserView,
    /// From when the end of its sessions is in force everywhere, where the change ended them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
}

/// Some of the users, in the order of their `sub`'s bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct UserList {
    /// At most as many as were asked for.
    pub items: Vec<UserView>,
    /// Where the next ones begin; none behind the last.
    pub next: Option<String>,
}

/// A one-time code, which is shown once; serialised it is the answer.
#[derive(Serialize)]
pub struct ResetCodeAnswer {
    /// The code, 45 characters.
    #[serde(serialize_with = "shown")]
    pub code: Zeroizing<String>,
    /// From then on it opens nothing, in seconds since 1970.
    pub expires_at: u64,
    /// Where it is redeemed, as the settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_url: Option<String>,
}

fn shown<S: serde::Serializer>(code: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code)
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let Profile { roles, permissions, scope, aud, claims, access_ttl, refresh_ttl, session_ttl } = user.profile;
        let shown = |name: Option<Name>| name.map(|name| name.shown().to_owned());
        Self {
            sub: user.id.to_string(),
            user_name: shown(user.user_name),
            email: shown(user.email),
            status: if user.disabled { "disabled" } else { "active" },
            must_reset: user.must_reset,
            has_password: user.password.is_some(),
            roles,
            permissions,
            scope,
            aud,
            claims: json::parse_object(claims.as_bytes()).unwrap_or_default(),
            access_ttl,
            refresh_ttl,
            session_ttl,
            failures: user.failures,
            created_at: user.created.as_secs(),
            password_set_at: user.password_set.map(|at| at.as_secs()),
            last_login_at: user.last_login.map(|at| at.as_secs()),
        }
    }
}
