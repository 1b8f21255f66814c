//! The requests that are measured. Those that change anything are durable: the daemon answers after a sync.

use std::io::{self, Error};

use serde_json::Value;
use token::base64url;

use crate::connection::Connection;

/// The daemon's administrative client gets this secret; the daemon lives for one run and on loopback only.
pub(crate) const SECRET: &str = "benchmarks-only-0123456789abcdef0123456789abcdef0123456789abcdef01";

/// Newest tokens of the sessions of one connection, refreshed in turn.
pub(crate) type Sessions = Vec<String>;

/// Starts a session.
pub(crate) fn mint(connection: &mut Connection, count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let body = format!(r#"{{"sub":"user-{count}","aud":"api","scope":"read write"}}"#);
    let headers = format!("Content-Type: application/json\r\nAuthorization: Basic {}\r\n", credentials());
    let answer = connection.post("/v1/tokens", &headers, &body)?;
    sessions.push(member(&answer, "refresh_token")?);
    Ok(())
}

/// Refreshes the connection's next session, each in turn, always with its newest token.
pub(crate) fn refresh(connection: &mut Connection, count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let newest = next(sessions, count)?;
    let answer = form(connection, "/oauth/token", &format!("grant_type=refresh_token&refresh_token={newest}"))?;
    *newest = member(&answer, "refresh_token")?;
    Ok(())
}

/// Asks about the connection's next session by its refresh token.
pub(crate) fn introspect(connection: &mut Connection, count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let token = next(sessions, count)?;
    form(connection, "/oauth/introspect", &format!("token={token}")).map(drop)
}

/// Ends one session after another, each by its refresh token; its answer waits for the list that says so.
pub(crate) fn revoke(connection: &mut Connection, _count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let token = sessions.pop().ok_or_else(|| Error::other("no session is left"))?;
    form(connection, "/oauth/revoke", &format!("token={token}")).map(drop)
}

/// Fetches the keys.
pub(crate) fn keys(connection: &mut Connection, _count: usize, _sessions: &mut Sessions) -> io::Result<()> {
    connection.get("/.well-known/jwks.json").map(drop)
}

/// Fetches the list.
pub(crate) fn list(connection: &mut Connection, _count: usize, _sessions: &mut Sessions) -> io::Result<()> {
    connection.get("/revocations").map(drop)
}

/// Returns the newest token of the connection's next session.
pub(crate) fn next(sessions: &mut Sessions, count: usize) -> io::Result<&mut String> {
    let turn = count.checked_rem(sessions.len()).unwrap_or_default();
    sessions.get_mut(turn).ok_or_else(|| Error::other("no session was minted"))
}

fn form(connection: &mut Connection, path: &str, body: &str) -> io::Result<String> {
    let headers =
        format!("Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic {}\r\n", credentials());
    connection.post(path, &headers, body)
}

/// `admin:<secret>` in base64 (RFC 7617). The secret is chosen so that base64url writes the same: no padding, no `-`, no `_`.
fn credentials() -> String {
    base64url::encode(format!("admin:{SECRET}").as_bytes())
}

/// Returns a member of an answer.
pub(crate) fn member(answer: &str, name: &str) -> io::Result<String> {
    let answer: Value = serde_json::from_str(answer)?;
    let text = answer.get(name).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Error::other(format!("the answer holds no {name}")))
}
