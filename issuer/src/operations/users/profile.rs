//! What tokens of a user say: from a request to a checked change, from a user to a grant.

use super::super::limits::{self, Lives};
use super::super::{Error, MintRequest, Settings};
use crate::clients::Allowed;
use crate::session::{self, Fresh, Grant};
use crate::users::{Profile, ProfileChange, User};
use serde_json::{Map, Value};
use token::time::UnixTime;

/// What shall be different about the tokens of a user; `None` leaves a member as it is, `Some(None)` takes it away.
/// Each within the limits of [`MintRequest`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProfileRequest {
    /// Roles.
    pub roles: Option<Vec<String>>,
    /// Permissions.
    pub permissions: Option<Vec<String>>,
    /// The whole scope.
    pub scope: Option<Option<String>>,
    /// Audiences; the default one of the settings when empty.
    pub aud: Option<Vec<String>>,
    /// Own claims.
    pub claims: Option<Map<String, Value>>,
    /// Life of an access token in seconds.
    pub access_ttl: Option<Option<u64>>,
    /// Idle life of a session in seconds.
    pub refresh_ttl: Option<Option<u64>>,
    /// Absolute life of a session in seconds.
    pub session_ttl: Option<Option<u64>>,
}

/// Returns the change that a request asks for, within the limits of tokens.
///
/// # Errors
/// [`Error::InvalidRequest`] with the first member that is beyond them.
pub(super) fn change(request: ProfileRequest, settings: &Settings, now: UnixTime) -> Result<ProfileChange, Error> {
    let ProfileRequest { roles, permissions, scope, aud, claims, access_ttl, refresh_ttl, session_ttl } = request;
    let (some_aud, some_claims) = (aud.is_some(), claims.is_some());
    let (some_roles, some_permissions, some_scope) = (roles.is_some(), permissions.is_some(), scope.is_some());
    let named = aud.filter(|aud| !aud.is_empty());
    let none_named = named.is_none();
    let as_minted = MintRequest {
        sub: "user".to_owned(),
        aud: named.unwrap_or_else(|| vec![settings.default_audience.clone()]),
        scope: scope.flatten(),
        roles: roles.unwrap_or_default(),
        permissions: permissions.unwrap_or_default(),
        claims: claims.unwrap_or_default(),
        access_ttl: access_ttl.flatten(),
        refresh_ttl: refresh_ttl.flatten(),
        session_ttl: session_ttl.flatten(),
        ..MintRequest::default()
    };
    let (grant, _) = limits::mint(as_minted, settings, &Allowed::everything(), now)?;
    Ok(ProfileChange {
        roles: some_roles.then_some(grant.roles),
        permissions: some_permissions.then_some(grant.permissions),
        scope: some_scope.then_some(grant.scope),
        aud: some_aud.then_some(if none_named { Vec::new() } else { grant.aud }),
        claims: some_claims.then_some(grant.claims),
        access_ttl,
        refresh_ttl,
        session_ttl,
    })
}

/// Returns what the tokens of a login say, and for how long. `scope` may be less than the user's.
///
/// # Errors
/// [`Error::InvalidScope`] for a scope that is more, or none.
pub(super) fn grant(
    user: &User,
    scope: Option<&str>,
    settings: &Settings,
    now: UnixTime,
) -> Result<(Grant, Lives), Error> {
    let Profile { roles, permissions, aud, claims, access_ttl, refresh_ttl, session_ttl, .. } = &user.profile;
    if scope.is_some_and(|scope| !limits::is_scope(scope)) {
        return Err(Error::InvalidScope);
    }
    let scope = session::narrowed(user.profile.scope.as_deref(), scope).ok_or(Error::InvalidScope)?;
    let aud = if aud.is_empty() { vec![settings.default_audience.clone()] } else { aud.clone() };
    let grant = Grant {
        sub: user.id.to_string(),
        status: limits::in_status_list(&aud, settings),
        aud,
        scope,
        roles: roles.clone(),
        permissions: permissions.clone(),
        auth_time: Some(now),
        nbf: None,
        claims: claims.clone(),
    };
    // A profile may be older than the settings: the shorter life counts.
    let life = |own: Option<u64>, default: u64, most: u64| own.unwrap_or(default).min(most).max(1);
    let session = life(*session_ttl, settings.session_ttl_secs, settings.session_ttl_secs);
    let idle = life(*refresh_ttl, settings.refresh_ttl_secs, session);
    let access = life(*access_ttl, settings.access_ttl_secs, settings.max_access_ttl_secs);
    Ok((grant, Lives { access_ttl_secs: access, session: Some((idle, session)) }))
}

/// Returns what the next tokens of a session say in place of what its last ones said.
pub(super) fn fresh(user: &User) -> Fresh {
    let Profile { roles, permissions, scope, claims, .. } = &user.profile;
    Fresh { roles: roles.clone(), permissions: permissions.clone(), scope: scope.clone(), claims: claims.clone() }
}
