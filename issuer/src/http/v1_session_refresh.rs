//! `POST /v1/session/refresh`: the next pair of a login, for the refresh token in the body or in its cookie.

use super::App;
use super::cookies;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members};
use super::v1_session::{Transport, handed_over};
use crate::error::Error;
use crate::operations::Renewed;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/v1/session/refresh", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::WithCookies };

/// Answers the next pair where the last one was: in the body or in cookies.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let jar = app.keeper.read(&exchange.headers)?;
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let mut members = Members::parse(&body)?;
    let (given, scope) = (members.text("refresh_token")?.map(Zeroizing::new), members.text("scope")?);
    members.finish()?;
    let (token, transport) = match (given, &jar.refresh) {
        (Some(_), Some(_)) => return Err(TWICE.into()),
        (Some(token), None) => (token, Transport::Body),
        (None, Some(token)) => (Zeroizing::new(token.clone()), Transport::Cookies),
        (None, None) => return Err(Malformed::Missing("refresh_token").into()),
    };
    if transport == Transport::Cookies {
        app.keeper.check_site(&exchange.headers, &app.changing().cors_origins)?;
        let session = app.issuer.session_of(&token);
        session.map_or(Ok(()), |session| cookies::check_token(&app, &exchange.headers, &jar, session))?;
    }
    let longest = transport.longest_token(&app);
    match app.issuer.renew(&exchange.origin, &token, scope.as_deref(), longest).await {
        Ok(Renewed { answer, csrf_token }) => Ok(handed_over(&app, transport, &answer, &csrf_token, None)),
        Err(fault @ Error::InvalidGrant(_)) if transport == Transport::Cookies => {
            let mut answer = reply::refuse(ENDPOINT.dialect, &fault.into());
            app.keeper.clear(&mut answer); // they are of no use any more, and would be sent with every request
            Ok(answer)
        }
        Err(fault) => Err(fault.into()),
    }
}

const TWICE: Malformed = Malformed::Credentials("the refresh token is in the body and in a cookie");
