//! Sessions after a restart.

use super::{Answer, Heard, Public, Word, refused};
use crate::client::Client;
use crate::load::sessions::can_repeat;
use crate::load::{Extent, SECRET, Worker};

impl Worker {
    /// Holds sessions against the list and the daemon.
    ///
    /// # Errors
    /// What was promised and does not hold.
    pub(crate) fn check_sessions(&mut self, client: Client, public: &Public, extent: Extent) -> Result<(), String> {
        self.now = self.now.max(public.list.head().iat.as_secs());
        for number in extent.chosen(&self.promises.sessions, |session| session.touched, &mut self.dice) {
            self.check_session(client, public, number)?;
            self.promises.sessions[number].touched = false;
        }
        Ok(())
    }

    fn check_session(&mut self, client: Client, public: &Public, number: usize) -> Result<(), String> {
        let session = &mut self.promises.sessions[number];
        if let Some(ended) = session.judge(public)? {
            let word = if ended { Word::Gone } else { Word::Stands };
            let doubtful = session.tokens.iter_mut().filter(|token| token.word == Word::Doubtful);
            doubtful.for_each(|token| token.word = word);
            session.word = word;
        }
        // One whose tokens had all been taken back before: only the daemon can tell.
        if session.word == Word::Doubtful {
            let word = if self.is_active(client, number)? { Word::Stands } else { Word::Gone };
            self.promises.sessions[number].word = word;
        }
        if self.dice.percent(30) {
            let is_active = self.is_active(client, number)?;
            let session = &self.promises.sessions[number];
            if is_active != (session.word == Word::Stands) {
                return Err(format!("session {} is shown as active: {is_active}", session.sid));
            }
        }
        if self.promises.sessions[number].word == Word::Gone {
            self.is_over(client, number)
        } else {
            self.lives(client, number)
        }
    }

    fn is_active(&self, client: Client, number: usize) -> Result<bool, String> {
        let sid = &self.promises.sessions[number].sid;
        let request = client.request("GET", &format!("/v1/sessions/{sid}")).basic(("admin", SECRET));
        match Answer::to(&request) {
            Answer::Done(reply) => Ok(reply.json()["active"] == true),
            other => Err(format!("session {sid} is not shown: {other:?}")),
        }
    }

    /// A session that ended gives nothing.
    fn is_over(&self, client: Client, number: usize) -> Result<(), String> {
        let session = &self.promises.sessions[number];
        let Some(renewal) = &session.renewal else { return Ok(()) };
        if !self.promises.may_act(session.owner) {
            return Ok(()); // it ended with its client, who proves nothing any more
        }
        match Answer::to(&self.presenting(client, session, &renewal.newest)) {
            Answer::Refused(reply) if reply.status == 400 => Ok(()),
            other => Err(format!("session {} had ended: {other:?}", session.sid)),
        }
    }

    /// A session that lives gives the last answer again, and the next pair, once.
    fn lives(&mut self, client: Client, number: usize) -> Result<(), String> {
        let must = |heard: Heard| match heard {
            Heard::Answer | Heard::Nothing => Ok(()),
            Heard::Silence | Heard::Nobody => Err("there was no answer".to_owned()),
        };
        if !self.promises.may_act(self.promises.sessions[number].owner) {
            return Ok(());
        }
        if can_repeat(&self.promises.sessions[number], self.now) && self.dice.percent(50) {
            must(self.present_parent(client, number)?)?;
        }
        must(self.present_newest(client, number)?)?;
        if can_repeat(&self.promises.sessions[number], self.now) {
            must(self.present_parent(client, number)?)?;
        }
        Ok(())
    }
}

/// Says that an answer was expected.
pub(super) fn unexpected(what: &str, answer: &Answer) -> String {
    match answer {
        Answer::Refused(reply) => refused(what, reply),
        other => format!("{what}: {other:?}"),
    }
}
