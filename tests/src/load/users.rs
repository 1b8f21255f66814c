//! Acts on users: make one, log in, change the password. Each costs a password hash, so they are few.

use super::SECRET;
use super::worker::Worker;
use crate::client::Client;
use crate::promises::{Answer, Heard, Owner, User, Word, refused};
use serde_json::json;

const ADMIN: (&str, &str) = ("admin", SECRET);
/// A worker that has users has so many at most.
pub(super) const MOST_USERS: usize = 4;
/// So many workers have users: of more, password hashes would take the processor from everything else.
pub(super) const WORKERS_WITH_USERS: usize = 4;

impl Worker {
    pub(crate) fn make_user(&mut self, client: Client) -> Result<Heard, String> {
        if self.promises.users.len() >= self.most_users {
            return Ok(Heard::Nothing);
        }
        let (name, password) = (self.new_name(), self.new_password());
        let body = json!({"user_name": name, "password": password, "aud": ["api"]});
        let answer = Answer::to(&client.json("/v1/users", &body).basic(ADMIN));
        match &answer {
            Answer::Done(reply) => {
                let sub = reply.member("sub");
                self.promises.acknowledge(reply);
                self.promises.tells("user.created", "sub", &sub);
                self.promises.users.push(User { sub, name, password, perhaps: None, touched: true });
            }
            Answer::Refused(reply) => return Err(refused("a new user", reply)),
            Answer::Silence | Answer::Nobody => {}
        }
        Ok(answer.heard())
    }

    fn new_password(&mut self) -> String {
        format!("quiet otters {:016x}", self.dice.number())
    }

    fn one_user(&mut self) -> Option<usize> {
        let users = &self.promises.users;
        let certain: Vec<usize> = (0..users.len()).filter(|number| users[*number].perhaps.is_none()).collect();
        self.dice.one(&certain).copied()
    }

    pub(crate) fn log_in(&mut self, client: Client) -> Result<Heard, String> {
        let Some(number) = self.one_user() else { return Ok(Heard::Nothing) };
        let password = self.promises.users[number].password.clone();
        let answer = self.try_login(client, number, &password);
        match &answer {
            Answer::Done(reply) => self.logged_in(number, &reply.body),
            Answer::Refused(reply) => return Err(refused("a login", reply)),
            Answer::Silence | Answer::Nobody => {}
        }
        Ok(answer.heard())
    }

    pub(crate) fn try_login(&self, client: Client, number: usize, password: &str) -> Answer {
        let username = &self.promises.users[number].name;
        Answer::to(&client.json("/v1/session", &json!({"username": username, "password": password})))
    }

    /// Takes a login into account.
    pub(crate) fn logged_in(&mut self, number: usize, body: &[u8]) {
        self.begun(body, Owner::User(number));
        let sub = self.promises.users[number].sub.clone();
        self.promises.tells("login.succeeded", "sub", &sub);
    }

    /// Changes the password from within one session, which ends the others of the user.
    pub(crate) fn change_password(&mut self, client: Client) -> Result<Heard, String> {
        let is_login = |session: &crate::promises::Session| matches!(session.owner, Owner::User(_));
        let Some(place) = self.one_session(is_login) else { return Ok(Heard::Nothing) };
        let session = &self.promises.sessions[place];
        let Owner::User(number) = session.owner else { return Ok(Heard::Nothing) };
        let newest = session.tokens.last().expect("it has one");
        if self.promises.users[number].perhaps.is_some() || newest.word != Word::Stands {
            return Ok(Heard::Nothing);
        }
        let (sid, bearer) = (session.sid.clone(), format!("Bearer {}", newest.text));
        let (current, new) = (self.promises.users[number].password.clone(), self.new_password());
        let body = json!({"current_password": current, "new_password": new});
        let answer = Answer::to(&client.json("/v1/session/password", &body).header("Authorization", &bearer));
        if let Some(word) = answer.of_an_end("another password")? {
            let user = &mut self.promises.users[number];
            user.touched = true;
            match word {
                Word::Gone => user.password = new,
                Word::Stands | Word::Doubtful => user.perhaps = Some(new),
            }
            let sub = user.sub.clone();
            self.promises.end(word, |session| session.owner == Owner::User(number) && session.sid != sid);
            self.ended(&answer, "password.changed", "sub", &sub);
        }
        Ok(answer.heard())
    }
}
