//! Which events somebody wants to see.

use super::Act;
use serde::Deserialize;
use std::borrow::Cow;
use token::time::UnixTime;

/// What every member that is given must be; an event without that member is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The subject.
    pub sub: Option<String>,
    /// The session.
    pub sid: Option<String>,
    /// The client that acted, or that was dealt with.
    pub client_id: Option<String>,
    /// What happened.
    pub act: Option<Act>,
    /// Not before this second.
    pub from: Option<UnixTime>,
    /// Before this second.
    pub to: Option<UnixTime>,
}

/// What a filter looks at of a stored event.
#[derive(Debug, Clone, Deserialize)]
pub struct Seen<'a> {
    /// When it happened.
    pub at: UnixTime,
    #[serde(borrow)]
    act: Cow<'a, str>,
    #[serde(borrow)]
    client_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sub: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    target: Option<Cow<'a, str>>,
}

impl<'a> Seen<'a> {
    /// Returns what a filter looks at; none where the bytes are no event.
    pub fn of(event: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(event).ok()
    }
}

impl Filter {
    /// Returns whether an event is wanted.
    pub fn wants(&self, event: &Seen<'_>) -> bool {
        let is = |wanted: &Option<String>, value: &Option<Cow<'_, str>>| {
            wanted.as_deref().is_none_or(|wanted| value.as_deref() == Some(wanted))
        };
        is(&self.sub, &event.sub)
            && is(&self.sid, &event.sid)
            && (is(&self.client_id, &event.client_id) || is(&self.client_id, &event.target))
            && self.act.is_none_or(|act| event.act == act.name())
            && self.from.is_none_or(|from| event.at >= from)
            && self.to.is_none_or(|to| event.at < to)
    }
}
