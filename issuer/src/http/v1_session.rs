//! `POST /v1/session`: somebody logs in.

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members};
use crate::operations::{LoggedIn, LoginRequest, TokenAnswer};
use serde::Serialize;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/v1/session", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::WithCookies };

/// Where tokens go: into the body or into cookies, never both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Body,
    Cookies,
}

/// A pair in the body of an answer.
#[derive(Serialize)]
struct InBody<'a> {
    #[serde(flatten)]
    pair: &'a TokenAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<&'a str>,
}

/// What the body says when the pair is in cookies.
#[derive(Serialize)]
struct BesideCookies<'a> {
    token_type: &'a str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    sid: &'a str,
    csrf_token: &'a str,
}

/// Starts a session and answers its first pair. Cookies of another session that came along are that session's end.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    app.keeper.check_site(&exchange.headers, &app.changing().cors_origins)?;
    let jar = app.keeper.read(&exchange.headers)?;
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let mut members = Members::parse(&body)?;
    let transport = transport(&mut members)?;
    let request = LoginRequest {
        username: members.needed_text("username")?,
        password: Zeroizing::new(members.needed_text("password")?),
        scope: members.text("scope")?,
        device: members.text("device")?,
        device_token: members.text("device_token")?.or(jar.device),
        instead_of: jar.refresh.as_deref().and_then(|token| app.issuer.session_of(token)),
        longest_token: transport.longest_token(&app),
    };
    members.finish()?;
    let LoggedIn { answer: pair, device_token, csrf_token } = app.issuer.log_in(&exchange.origin, request).await?;
    let mut answer = handed_over(&app, transport, &pair, &csrf_token, Some(&device_token));
    if transport == Transport::Cookies {
        app.keeper.keep_device(&mut answer, &device_token);
    }
    Ok(answer)
}

/// Returns the answer with a pair, in the body or in cookies.
pub(super) fn handed_over(
    app: &App,
    transport: Transport,
    pair: &TokenAnswer,
    csrf_token: &str,
    device_token: Option<&str>,
) -> Answer {
    match transport {
        Transport::Body => reply::json(&InBody { pair, device_token }),
        Transport::Cookies => {
            let mut answer = reply::json(&BesideCookies {
                token_type: pair.token_type,
                expires_in: pair.expires_in,
                refresh_expires_in: pair.refresh_expires_in,
                session_expires_at: pair.session_expires_at,
                scope: pair.scope.as_deref(),
                sid: &pair.sid,
                csrf_token,
            });
            app.keeper.keep(&mut answer, pair, csrf_token);
            answer
        }
    }
}

impl Transport {
    /// Returns the bytes that an access token may have there.
    pub(super) fn longest_token(self, app: &App) -> usize {
        match self {
            Self::Body => usize::MAX,
            Self::Cookies => app.keeper.longest_token(),
        }
    }
}

fn transport(members: &mut Members) -> Result<Transport, Malformed> {
    match members.text("transport")?.as_deref() {
        None | Some("body") => Ok(Transport::Body),
        Some("cookie") => Ok(Transport::Cookies),
        Some(_) => Err(Malformed::Member("transport", "must be \"body\" or \"cookie\"")),
    }
}
