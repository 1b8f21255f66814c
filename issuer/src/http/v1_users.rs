//! `/v1/users`: the built-in users, for administrators.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members, Page};
use crate::operations::{ProfileRequest, UserRequest};
use http::StatusCode;
use std::sync::Arc;
use zeroize::Zeroizing;

const ALL: &str = "/v1/users";
const ONE: &str = "/v1/users/{sub}";

pub(super) const LIST: Endpoint = endpoint(ALL, Verb::Ask(Page::NAMES));
pub(super) const CREATE: Endpoint = endpoint(ALL, Verb::Act);
pub(super) const SHOW: Endpoint = endpoint(ONE, Verb::Read);
pub(super) const AMEND: Endpoint = endpoint(ONE, Verb::Change);
pub(super) const DELETE: Endpoint = endpoint(ONE, Verb::Remove);
pub(super) const RESET_CODE: Endpoint = endpoint("/v1/users/{sub}/reset-code", Verb::Act);

const fn endpoint(route: &'static str, verb: Verb) -> Endpoint {
    Endpoint { route, verb, dialect: Dialect::Problem, cors: Cors::None }
}

/// Answers a part of the list.
pub(super) async fn list(app: Arc<App>, mut exchange: Exchange, _path: [String; 0]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let Page { limit, after } = Page::take(&mut exchange.query)?;
    let users = app.issuer.users(&client, after.as_deref(), limit).await?;
    Ok(reply::list(&users.items, users.next.as_deref()))
}

/// Makes a user.
pub(super) async fn create(app: Arc<App>, exchange: Exchange, _path: [String; 0]) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let mut members = Members::parse(&body)?;
    let password = members.text("password")?.map(Zeroizing::new);
    let user = app.issuer.create_user(&client, parse(members)?, password).await?;
    let mut answer = reply::json(&user);
    *answer.status_mut() = StatusCode::CREATED;
    Ok(answer)
}

/// Answers one user.
pub(super) async fn show(app: Arc<App>, exchange: Exchange, [sub]: [String; 1]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Ok(reply::json(&app.issuer.user(&client, &sub).await?))
}

/// Changes what the body names (RFC 7396: null takes away).
pub(super) async fn amend(app: Arc<App>, exchange: Exchange, [sub]: [String; 1]) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let request = parse(Members::parse(&body)?)?;
    Ok(reply::json(&app.issuer.amend_user(&client, &sub, request).await?))
}

/// Forgets a user, whose sessions end.
pub(super) async fn delete(app: Arc<App>, exchange: Exchange, [sub]: [String; 1]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Ok(reply::json(&app.issuer.delete_user(&client, &sub).await?))
}

/// Gives out a one-time code for a new password.
pub(super) async fn reset_code(app: Arc<App>, exchange: Exchange, [sub]: [String; 1]) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    Ok(reply::json(&app.issuer.reset_code(&client, &sub).await?))
}

/// Limits on the values are the issuer's business; here they get their types.
fn parse(mut members: Members) -> Result<UserRequest, Malformed> {
    let status = match members.text("status")?.as_deref() {
        None => None,
        Some("active") => Some(false),
        Some("disabled") => Some(true),
        Some(_) => return Err(Malformed::Member("status", "must be \"active\" or \"disabled\"")),
    };
    let request = UserRequest {
        user_name: members.nullable("user_name", Members::text)?,
        email: members.nullable("email", Members::text)?,
        disabled: status,
        must_reset: members.flag("must_reset")?,
        profile: ProfileRequest {
            roles: members.given_texts("roles")?,
            permissions: members.given_texts("permissions")?,
            scope: members.nullable("scope", Members::text)?,
            aud: members.given_texts("aud")?,
            claims: members.some_object("claims")?,
            access_ttl: members.nullable("access_ttl", Members::seconds)?,
            refresh_ttl: members.nullable("refresh_ttl", Members::seconds)?,
            session_ttl: members.nullable("session_ttl", Members::seconds)?,
        },
    };
    members.finish()?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<UserRequest, Malformed> {
        Members::parse(body.as_bytes()).and_then(parse)
    }

    #[test]
    fn what_is_not_named_stays_and_null_takes_away() {
        let request =
            parsed(r#"{"user_name":null,"status":"disabled","scope":"a","access_ttl":null,"roles":[]}"#).expect("read");
        assert_eq!((request.user_name, request.email, request.disabled), (Some(None), None, Some(true)));
        assert_eq!((request.profile.scope, request.profile.roles), (Some(Some("a".to_owned())), Some(vec![])));
        assert_eq!(
            (request.profile.access_ttl, request.profile.refresh_ttl, request.must_reset),
            (Some(None), None, None)
        );
        assert!(parsed(r#"{"status":"active"}"#).is_ok_and(|request| request.disabled == Some(false)));
    }

    #[test]
    fn members_of_another_type_and_unknown_ones_are_refused_by_name() {
        for (body, name) in [
            (r#"{"status":"locked"}"#, "status"),
            (r#"{"status":null}"#, "status"),
            (r#"{"user_name":1}"#, "user_name"),
            (r#"{"must_reset":"true"}"#, "must_reset"),
            (r#"{"must_reset":null}"#, "must_reset"),
            (r#"{"roles":null}"#, "roles"),
            (r#"{"claims":null}"#, "claims"),
            (r#"{"access_ttl":1.5}"#, "access_ttl"),
        ] {
            assert!(matches!(parsed(body), Err(Malformed::Member(named, _)) if named == name), "{body}");
        }
        assert!(matches!(parsed(r#"{"sub":"x"}"#), Err(Malformed::Unknown(name)) if name == "sub"));
        assert!(matches!(parsed(r#"{"failures":0}"#), Err(Malformed::Unknown(_))));
    }
}
