//! The two requests that are measured. Both are durable: the daemon answers after a sync.

use std::io::{self, Error};

use serde_json::Value;
use token::base64url;

use crate::connection::Connection;

/// The daemon's administrative client gets this secret; the daemon lives for one run and on loopback only.
pub(crate) const SECRET: &str = "benchmarks-only-0123456789abcdef0123456789abcdef0123456789abcdef01";

/// Refresh tokens of the sessions of one connection.
pub(crate) type Sessions = Vec<String>;

/// Starts a session.
pub(crate) fn mint(connection: &mut Connection, count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let body = format!(r#"{{"sub":"user-{count}","aud":"api","scope":"read write"}}"#);
    let headers = format!("Content-Type: application/json\r\nAuthorization: Basic {}\r\n", credentials());
    let answer = connection.post("/v1/tokens", &headers, &body)?;
    sessions.push(refresh_token(&answer)?);
    Ok(())
}

/// Refreshes the connection's next session, each in turn, always with its newest token.
pub(crate) fn refresh(connection: &mut Connection, count: usize, sessions: &mut Sessions) -> io::Result<()> {
    let turn = count.checked_rem(sessions.len()).unwrap_or_default();
    let newest = sessions.get_mut(turn).ok_or_else(|| Error::other("no session was minted"))?;
    let body = format!("grant_type=refresh_token&refresh_token={newest}");
    let headers =
        format!("Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic {}\r\n", credentials());
    let answer = connection.post("/oauth/token", &headers, &body)?;
    *newest = refresh_token(&answer)?;
    Ok(())
}

/// `admin:<secret>` in base64 (RFC 7617). The secret is chosen so that base64url writes the same: no padding, no `-`, no `_`.
fn credentials() -> String {
    base64url::encode(format!("admin:{SECRET}").as_bytes())
}

fn refresh_token(answer: &str) -> io::Result<String> {
    let answer: Value = serde_json::from_str(answer)?;
    let text = answer.get("refresh_token").and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Error::other("the answer holds no refresh token"))
}
