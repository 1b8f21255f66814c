//! `POST /v1/session/logout`: a login ends, with the access tokens that are out.

use super::App;
use super::cookies;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members};
use super::user_auth;
use crate::Error;
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/v1/session/logout", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::WithCookies };

/// Ends the session that a refresh token names, in the body or in its cookie, or else the access token. A token that names none
/// any more is answered the same, and the cookies go in any case.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let jar = app.keeper.read(&exchange.headers)?;
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let mut members = Members::parse(&body)?;
    let given = members.text("refresh_token")?;
    members.finish()?;
    let by_cookie = given.is_none()
        && (jar.refresh.is_some() || (jar.access.is_some() && !user_auth::is_bearer(&exchange.headers)));
    let session = match (&given, &jar.refresh) {
        (Some(_), Some(_)) => return Err(TWICE.into()),
        (Some(token), None) => app.issuer.session_of(token),
        (None, Some(token)) => app.issuer.session_of(token),
        (None, None) => match user_auth::by_token(&app, &exchange.headers, &jar).await {
            Ok(me) => Some(me.session()),
            Err(Refusal::Issuer(Error::InvalidToken)) if by_cookie => None, // it is over already: only the cookies are left of it
            Err(fault) => return Err(fault),
        },
    };
    if by_cookie {
        app.keeper.check_site(&exchange.headers, &app.changing().cors_origins)?;
        session.map_or(Ok(()), |session| cookies::check_token(&app, &exchange.headers, &jar, session))?;
    }
    let mut answer = reply::json(&app.issuer.log_out(&exchange.origin, session).await?);
    if by_cookie {
        app.keeper.clear(&mut answer);
        app.keeper.clear_site_data(&mut answer);
    }
    Ok(answer)
}

const TWICE: Malformed = Malformed::Credentials("the refresh token is in the body and in a cookie");
