//! The requests that are measured. Those that change anything are durable: the daemon answers after a sync.

use std::borrow::Cow;
use std::io::{self, Error};
use std::sync::LazyLock;

use serde::Deserialize;
use token::base64url;

use crate::connection::Connection;

/// The daemon's administrative client gets this secret; the daemon lives for one run and on loopback only.
pub(crate) const SECRET: &str = "benchmarks-only-0123456789abcdef0123456789abcdef0123456789abcdef01";

/// Header fields of the administrative client's forms.
pub(crate) static FORM: LazyLock<String> = LazyLock::new(|| headers("application/x-www-form-urlencoded"));
/// Header fields of its JSON.
pub(crate) static JSON: LazyLock<String> = LazyLock::new(|| headers("application/json"));

/// Newest tokens of the sessions of one connection, refreshed in turn.
pub(crate) type Sessions = Vec<String>;

/// Starts a session.
pub(crate) async fn mint(connection: &mut Connection, count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let body = format!(r#"{{"sub":"user-{count}","aud":"api","scope":"read write"}}"#);
    let answer = connection.post("/v1/tokens", &JSON, &body).await?;
    sessions.push(refresh_token(answer)?);
    Ok(())
}

/// Refreshes the connection's next session, each in turn, always with its newest token.
pub(crate) async fn refresh(connection: &mut Connection, count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let newest = next(sessions, count)?;
    let body = format!("grant_type=refresh_token&refresh_token={newest}");
    let answer = connection.post("/oauth/token", &FORM, &body).await?;
    *newest = refresh_token(answer)?;
    Ok(())
}

/// Asks about the connection's next session by its refresh token.
pub(crate) async fn introspect(connection: &mut Connection, count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let token = next(sessions, count)?;
    connection.post("/oauth/introspect", &FORM, &format!("token={token}")).await.map(drop)
}

/// Ends one session after another, each by its refresh token; its answer waits for the list that says so.
pub(crate) async fn revoke(connection: &mut Connection, _count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let token = sessions.pop().ok_or_else(|| Error::other("no session is left"))?;
    connection.post("/oauth/revoke", &FORM, &format!("token={token}")).await.map(drop)
}

/// Fetches the keys.
pub(crate) async fn keys(connection: &mut Connection, _count: usize, _sessions: &mut Sessions) -> io::Result<()> {
    connection.get("/.well-known/jwks.json").await.map(drop)
}

/// Fetches the list.
pub(crate) async fn list(connection: &mut Connection, _count: usize, _sessions: &mut Sessions) -> io::Result<()> {
    connection.get("/revocations").await.map(drop)
}

/// Returns the newest token of the connection's next session.
pub(crate) fn next(sessions: &mut Sessions, count: usize) -> io::Result<&mut String> {
    let turn = count.checked_rem(sessions.len()).unwrap_or_default();
    sessions.get_mut(turn).ok_or_else(|| Error::other("no session was minted"))
}

/// Returns the refresh token of an answer.
pub(crate) fn refresh_token(answer: &[u8]) -> io::Result<String> {
    Ok(serde_json::from_slice::<Pair>(answer)?.refresh_token.into_owned())
}

/// They are made once. `admin:<secret>` is in base64 (RFC 7617): the secret is chosen so that base64url writes the same, with no
/// padding, no `-`, no `_`.
fn headers(content_type: &str) -> String {
    let credentials = base64url::encode(format!("admin:{SECRET}").as_bytes());
    format!("Content-Type: {content_type}\r\nAuthorization: Basic {credentials}\r\n")
}

/// What is read of a pair; the rest is skipped.
#[derive(Deserialize)]
struct Pair<'a> {
    #[serde(borrow, alias = "refresh")] // as the peers in Python call it
    refresh_token: Cow<'a, str>,
}
