//! Acts on clients and on signing keys.

use super::SECRET;
use super::worker::Worker;
use crate::client::Client;
use crate::promises::{Answer, Heard, Key, Owner, Registered, Word, refused};
use serde_json::json;

const ADMIN: (&str, &str) = ("admin", SECRET);
/// A worker has so many clients at most.
const MOST_CLIENTS: usize = 6;
/// And removes so many, or withdraws so many keys: the list names no more than 64 of either.
const MOST_REMOVED: usize = 3;

impl Worker {
    pub(crate) fn make_client(&mut self, client: Client) -> Result<Heard, String> {
        if self.promises.clients.len() >= MOST_CLIENTS {
            return Ok(Heard::Nothing);
        }
        let id = self.new_name();
        let terms = json!({"client_id": id, "grants": ["mint", "client_credentials", "refresh_token"]});
        let answer = Answer::to(&client.json("/v1/clients", &terms).basic(ADMIN));
        match &answer {
            Answer::Done(reply) => {
                self.promises.acknowledge(reply);
                self.promises.tells("client.created", "target", &id);
                let secrets = vec![reply.member("client_secret")];
                let (word, touched) = (Word::Stands, true);
                self.promises.clients.push(Registered { id, secrets, word, touched, in_doubt: false, another: false });
            }
            Answer::Refused(reply) => return Err(refused("a new client", reply)),
            Answer::Silence | Answer::Nobody => {} // nobody has its secret
        }
        Ok(answer.heard())
    }

    fn one_client(&mut self) -> Option<usize> {
        let clients = &self.promises.clients;
        let certain: Vec<usize> = (0..clients.len()).filter(|number| clients[*number].is_certain()).collect();
        self.dice.one(&certain).copied()
    }

    /// Asks for another secret; the one before holds on.
    pub(crate) fn rotate_secret(&mut self, client: Client) -> Result<Heard, String> {
        let Some(number) = self.one_client() else { return Ok(Heard::Nothing) };
        let id = self.promises.clients[number].id.clone();
        let answer = Answer::to(&client.json(&format!("/v1/clients/{id}/secrets"), &json!({})).basic(ADMIN));
        let registered = &mut self.promises.clients[number];
        match &answer {
            Answer::Done(reply) => {
                registered.touched = true;
                if std::mem::take(&mut registered.another) {
                    registered.secrets.clear(); // the one before is not what we have
                }
                registered.secrets.push(reply.member("client_secret"));
                if registered.secrets.len() > 2 {
                    registered.secrets.remove(0);
                }
                self.promises.acknowledge(reply);
                self.promises.tells("client.secret_replaced", "target", &id);
            }
            Answer::Refused(reply) => return Err(refused("another secret", reply)),
            Answer::Silence => (registered.touched, registered.in_doubt) = (true, true),
            Answer::Nobody => {}
        }
        Ok(answer.heard())
    }

    /// Disables a client and removes it, which takes back all that it got.
    pub(crate) fn remove_client(&mut self, client: Client) -> Result<Heard, String> {
        let over = self.promises.clients.iter().filter(|client| client.word != Word::Stands).count();
        let Some(number) = self.one_client().filter(|_| over < MOST_REMOVED) else { return Ok(Heard::Nothing) };
        let id = self.promises.clients[number].id.clone();
        let path = format!("/v1/clients/{id}");
        let disabled = client.request("PATCH", &path).header("Content-Type", "application/json");
        let answer = Answer::to(&disabled.body(json!({"disabled": true}).to_string()).basic(ADMIN));
        let Some(word) = answer.of_an_end("the end of a client")? else { return Ok(answer.heard()) };
        self.promises.clients[number].word.hears(word);
        self.promises.clients[number].touched = true;
        self.ended(&answer, "client.disabled", "target", &id);
        if word == Word::Doubtful {
            return Ok(answer.heard());
        }
        let answer = Answer::to(&client.request("DELETE", &path).basic(ADMIN));
        if answer.is_for_later() {
            return Ok(answer.heard()); // it stays disabled
        }
        if let Some(word) = answer.of_an_end("the removal of a client")? {
            self.promises.end(word, |session| session.owner == Owner::Client(number));
            self.ended(&answer, "client.removed", "target", &id);
        }
        Ok(answer.heard())
    }

    /// Asks for a next key; where there is one, that is the answer. It may have been made for a request without an answer; its
    /// event is in the log all the same.
    pub(crate) fn rotate_keys(&mut self, client: Client) -> Result<Heard, String> {
        let purpose = if self.dice.percent(50) { "token" } else { "revocations" };
        let answer = Answer::to(&client.json("/v1/keys/rotate", &json!({"purpose": purpose})).basic(ADMIN));
        match &answer {
            Answer::Done(reply) => {
                let kid = reply.member("kid");
                self.promises.acknowledge(reply);
                self.promises.tells("key.created", "target", &kid);
                self.promises.keys.push(Key { kid, word: Word::Stands });
            }
            Answer::Refused(reply) => return Err(refused("a next key", reply)),
            Answer::Silence | Answer::Nobody => {}
        }
        Ok(answer.heard())
    }

    /// Withdraws a next key, which has signed nothing.
    pub(crate) fn withdraw_key(&mut self, client: Client) -> Result<Heard, String> {
        let keys = &mut self.promises.keys;
        let over = keys.iter().filter(|key| key.word != Word::Stands).count();
        let Some(key) = keys.iter_mut().find(|key| key.word == Word::Stands).filter(|_| over < MOST_REMOVED) else {
            return Ok(Heard::Nothing);
        };
        let answer = Answer::to(&client.json("/v1/revocations", &json!({"key": key.kid})).basic(ADMIN));
        if answer.is_for_later() {
            return Ok(answer.heard());
        }
        let kid = key.kid.clone();
        // Another worker may have been faster.
        let word = if matches!(answer, Answer::Refused(_)) { Some(Word::Gone) } else { answer.of_an_end("")? };
        word.into_iter().for_each(|word| key.word.hears(word));
        self.ended(&answer, "key.withdrawn", "target", &kid);
        Ok(answer.heard())
    }
}
