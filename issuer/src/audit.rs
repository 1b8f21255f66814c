//! The audit log, as pure data: what an event says, and the chain that binds each event to all before it.
//!
//! ```text
//! event  = one JSON object without spaces, members in this order, absent ones left out:
//!          at act client_id sub sid jti target code detail request address
//! hash_0 = 32 zero bytes          hash_n = SHA-256(hash_{n-1} || event_n)          n, the `seq`, counts from 1
//! ```
//!
//! No event holds a secret or a token: whoever builds one has only names to put in. Text from outside is cut to
//! [`MAX_TEXT`] bytes and freed of control characters, so that an event has a largest size and one line. What keeps the
//! events, and when they are durable, is the store's business.

mod act;
mod chain;
mod filter;
#[cfg(test)]
mod tests;

pub use act::Act;
pub use chain::{Broken, Check, Extent, Link, Run};
pub use filter::{Filter, Seen};

use crate::session::{Session, SessionId};
use serde::Serialize;
use std::net::IpAddr;
use token::id::Jti;
use token::time::UnixTime;

/// Bytes of one text of an event, at most; what is longer is cut.
pub const MAX_TEXT: usize = 255;
/// Bytes of an event, at most: eight texts of which each byte may need an escape, and the names around them.
pub const MAX_EVENT: usize = 6 * 1024;

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The id of the request, as its answer and the log have it; none for what nobody asked for.
    pub request: Option<String>,
    /// The address of whoever asked; none for what nobody asked for.
    pub address: Option<IpAddr>,
}

impl Origin {
    /// Returns the origin of what the daemon does by itself.
    pub fn internal() -> Self {
        Self::default()
    }
}

/// One thing that happened. It has only names in it, never a secret or a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    at: UnixTime,
    act: Act,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
}

impl Event {
    /// Returns the event that `act` happened at this second.
    pub fn new(act: Act, origin: &Origin, at: UnixTime) -> Self {
        Self {
            at,
            act,
            client_id: None,
            sub: None,
            sid: None,
            jti: None,
            target: None,
            code: None,
            detail: None,
            request: origin.request.as_deref().map(clean),
            address: origin.address,
        }
    }

    /// Returns what happened.
    pub fn what(&self) -> Act {
        self.act
    }

    /// Says that something else happened than was thought at first.
    #[must_use]
    pub fn act(self, act: Act) -> Self {
        Self { act, ..self }
    }

    /// Says which client acted, or tried to.
    #[must_use]
    pub fn client(self, client_id: &str) -> Self {
        Self { client_id: Some(clean(client_id)), ..self }
    }

    /// Says which subject it is about.
    #[must_use]
    pub fn subject(self, sub: &str) -> Self {
        Self { sub: Some(clean(sub)), ..self }
    }

    /// Says which session it is about, of which nothing but the name is known.
    #[must_use]
    pub fn sid(self, sid: SessionId) -> Self {
        Self { sid: Some(sid.to_string()), ..self }
    }

    /// Says which access token it is about.
    #[must_use]
    pub fn token(self, jti: Jti) -> Self {
        Self { jti: Some(jti.to_string()), ..self }
    }

    /// Says which session it is about, and whose that is.
    #[must_use]
    pub fn session(self, session: &Session) -> Self {
        self.sid(session.sid).subject(&session.grant.sub)
    }

    /// Says which session it is about and which access token of it is the newest.
    #[must_use]
    pub fn pair(self, session: &Session) -> Self {
        self.session(session).token(Jti::new(session.last.exp, session.last.index))
    }

    /// Says which client, key or other thing an administrator dealt with.
    #[must_use]
    pub fn target(self, target: &str) -> Self {
        Self { target: Some(clean(target)), ..self }
    }

    /// Says why it was refused or ended: a stable word.
    #[must_use]
    pub fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Says more, for a person: short, and never a secret or a token.
    #[must_use]
    pub fn detail(self, detail: &str) -> Self {
        Self { detail: Some(clean(detail)), ..self }
    }

    /// Returns the bytes that are kept and hashed, at most [`MAX_EVENT`].
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default() // texts and numbers: there is nothing in it that can fail
    }
}

/// Returns at most [`MAX_TEXT`] bytes of `text`, with a replacement character for each control character.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(MAX_TEXT));
    for character in text.chars() {
        let character = if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
        if cleaned.len().saturating_add(character.len_utf8()) > MAX_TEXT {
            break;
        }
        cleaned.push(character);
    }
    cleaned
}
