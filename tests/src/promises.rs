//! What one client of a [`Load`](crate::Load) was told, and what it asked without hearing an answer.
//!
//! Nothing here knows how the daemon ended: by kill -9, a power cut, a failing disk or in good order. Whoever ends it calls
//! [`Load::check`](crate::Load::check) once it is there again.

mod audit;
mod check;
mod clients;
mod public;
mod sessions;
mod users;

pub(crate) use audit::{Chain, Fact};
pub(crate) use public::Public;
pub use public::accepts;

use crate::client::Request;
use crate::reply::Reply;
use std::io::ErrorKind;
use std::time::Instant;

/// What holds of one thing, as far as a client can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// It was acknowledged.
    Stands,
    /// Something that would end it was asked, and there was no answer.
    Doubtful,
    /// Its end was acknowledged.
    Gone,
}

impl Word {
    /// Takes another word about the same thing in: the end is final, a doubt is worth more than what stood.
    pub(crate) fn hears(&mut self, word: Self) {
        if *self != Self::Gone {
            *self = word;
        }
    }
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A 2xx was read: what was asked is promised.
    Done(Reply),
    /// A 4xx was read.
    Refused(Reply),
    /// No answer, or one that says that nobody knows (5xx): it happened whole or not at all.
    Silence,
    /// Nobody listens: it was not even asked.
    Nobody,
}

impl Answer {
    pub(crate) fn to(request: &Request) -> Self {
        match request.try_send() {
            Ok(reply) if reply.status < 300 => Self::Done(reply),
            Ok(reply) if (400..500).contains(&reply.status) => Self::Refused(reply),
            Ok(_) => Self::Silence,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Self::Nobody,
            Err(_) => Self::Silence,
        }
    }

    /// Returns what holds of something that the request ends; none where it was not even asked.
    ///
    /// # Errors
    /// It was refused.
    pub(crate) fn of_an_end(&self, what: &str) -> Result<Option<Word>, String> {
        match self {
            Self::Done(_) => Ok(Some(Word::Gone)),
            Self::Silence => Ok(Some(Word::Doubtful)),
            Self::Nobody => Ok(None),
            Self::Refused(reply) => Err(refused(what, reply)),
        }
    }

    /// Whether it was told to come again later: nothing has happened. Many clients can ask for more rules than lists hold.
    pub(crate) fn is_for_later(&self) -> bool {
        matches!(self, Self::Refused(reply) if reply.status == 429)
    }

    /// Whether the daemon answered, and whether it was there at all.
    pub(crate) fn heard(&self) -> Heard {
        match self {
            Self::Done(_) | Self::Refused(_) => Heard::Answer,
            Self::Silence => Heard::Silence,
            Self::Nobody => Heard::Nobody,
        }
    }
}

/// How one act of a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// With an answer.
    Answer,
    /// With none.
    Silence,
    /// There is no daemon.
    Nobody,
    /// There was nothing to act on.
    Nothing,
}

/// Says what was refused that must not be.
pub(crate) fn refused(what: &str, reply: &Reply) -> String {
    format!("{what} was refused: {} {}", reply.status, reply.body.escape_ascii())
}

/// An access token and what holds of it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) word: Word,
    /// It was asked that this one end, and there was no answer: that it has ended says nothing about its session.
    pub(crate) alone: bool,
}

/// The refresh side of a session.
#[derive(Debug, Clone)]
pub(crate) struct Renewal {
    /// Refresh tokens that have been exchanged, the last of them at the end.
    pub(crate) spent: Vec<String>,
    /// The newest that is known.
    pub(crate) newest: String,
    /// The answer that brought it.
    pub(crate) answer: Vec<u8>,
    /// When that was read.
    pub(crate) answered: Instant,
    /// It was presented, and there was no answer.
    pub(crate) in_doubt: bool,
}

/// Whose a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The administrative client's.
    Admin,
    /// That of the worker's client of this number.
    Client(usize),
    /// A login of the worker's user of this number.
    User(usize),
}

/// One session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) sid: String,
    pub(crate) sub: String,
    pub(crate) owner: Owner,
    /// Its access tokens that were handed over.
    pub(crate) tokens: Vec<Token>,
    /// None for client credentials.
    pub(crate) renewal: Option<Renewal>,
    pub(crate) word: Word,
    /// Something was said about it since the last check.
    pub(crate) touched: bool,
}

impl Session {
    /// Whether it goes on for certain, and may be acted on.
    pub(crate) fn goes_on(&self) -> bool {
        let doubts = self.tokens.iter().any(|token| token.word == Word::Doubtful);
        self.word == Word::Stands && !doubts && !self.renewal.as_ref().is_some_and(|renewal| renewal.in_doubt)
    }

    /// It ended, or may have, with all its tokens.
    pub(crate) fn hears(&mut self, word: Word) {
        self.word.hears(word);
        self.tokens.iter_mut().for_each(|token| token.word.hears(word));
        self.touched = true;
    }
}

/// A client that a worker has made.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) id: String,
    /// Secrets that were handed over, at most two: the newest last.
    pub(crate) secrets: Vec<String>,
    pub(crate) word: Word,
    pub(crate) touched: bool,
    /// A new secret was asked for, and there was no answer.
    pub(crate) in_doubt: bool,
    /// Since such a request the newest secret may be one that nobody was told.
    pub(crate) another: bool,
}

/// A user that a worker has made.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) sub: String,
    pub(crate) name: String,
    pub(crate) password: String,
    /// A password that may hold in its place.
    pub(crate) perhaps: Option<String>,
    pub(crate) touched: bool,
}

/// A signing key that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kid: String,
    pub(crate) word: Word,
}

/// Everything that one worker knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Promises {
    pub(crate) sessions: Vec<Session>,
    pub(crate) clients: Vec<Registered>,
    pub(crate) users: Vec<User>,
    pub(crate) keys: Vec<Key>,
    /// What the audit log must tell, since the last check.
    pub(crate) facts: Vec<Fact>,
    /// The highest list number named in an answer.
    pub(crate) seq: u64,
    /// Answers that promised something.
    pub(crate) acknowledged: u64,
}

impl Promises {
    /// Takes note of what an answer promises beside its subject: the number of the list.
    pub(crate) fn acknowledge(&mut self, reply: &Reply) {
        self.acknowledged += 1;
        let json: Option<serde_json::Value> = serde_json::from_slice(&reply.body).ok();
        let seq = json.as_ref().and_then(|json| json.get("seq").or(json.get("revocation")?.get("seq")));
        self.seq = self.seq.max(seq.and_then(serde_json::Value::as_u64).unwrap_or(0));
    }

    /// Whether who owns a session can prove it.
    pub(crate) fn may_act(&self, owner: Owner) -> bool {
        match owner {
            Owner::Client(number) => self.clients[number].is_certain(),
            Owner::Admin | Owner::User(_) => true,
        }
    }

    /// The sessions that `is` chooses have ended, or may have.
    pub(crate) fn end(&mut self, word: Word, is: impl Fn(&Session) -> bool) {
        self.sessions.iter_mut().filter(|session| is(session)).for_each(|session| session.hears(word));
    }

    /// The audit log must tell this.
    pub(crate) fn tells(&mut self, act: &'static str, member: &'static str, value: &str) {
        self.facts.push(Fact { act, member, value: value.to_owned() });
    }
}
