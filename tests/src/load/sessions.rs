//! Acts on sessions: mint, refresh, repeat, reuse, revoke.

use super::SECRET;
use super::worker::Worker;
use crate::client::{Client, Request};
use crate::daemon::{Pair, claims};
use crate::promises::{Answer, Heard, Owner, Renewal, Session, Token, Word, refused};
use serde_json::{Value, json};
use std::time::Instant;

/// A session is refreshed so often at most: fewer than its live tokens may be.
const MOST_TOKENS: usize = 60;
const ADMIN: (&str, &str) = ("admin", SECRET);

/// A refresh token is presented again so many seconds after its answer at most, well within the window of [`Load::setup`].
///
/// [`Load::setup`]: crate::Load::setup
const REPEATED_WITHIN_SECS: u64 = 200;

/// A claim of an access token.
pub(crate) fn claim(token: &str, name: &str) -> String {
    claims(token)[name].as_str().unwrap_or_default().to_owned()
}

/// When an access token was issued, in seconds since 1970.
pub(crate) fn issued(token: &str) -> u64 {
    claims(token)["iat"].as_u64().unwrap_or_default()
}

#[allow(clippy::disallowed_methods)] // told where a repetition is refused, and decides nothing
fn read_now() -> Instant {
    Instant::now()
}

/// Whether the last answer of the session may be asked for again.
pub(crate) fn can_repeat(session: &Session, now: u64) -> bool {
    let young = session.tokens.last().is_some_and(|token| now <= issued(&token.text) + REPEATED_WITHIN_SECS);
    young && session.renewal.as_ref().is_some_and(|renewal| !renewal.spent.is_empty() && !renewal.in_doubt)
}

/// Whether no other client has sessions of the subject.
fn is_alone(session: &Session) -> bool {
    session.sub != "admin"
}

impl Worker {
    /// Begins a session, sometimes of a subject that has one.
    pub(crate) fn mint(&mut self, client: Client) -> Result<Heard, String> {
        let known = self
            .one_session(|session| session.owner == Owner::Admin && is_alone(session))
            .filter(|_| self.dice.percent(30));
        let sub = match known {
            Some(number) => self.promises.sessions[number].sub.clone(),
            None => self.new_name(),
        };
        let minting = (0..self.promises.clients.len()).filter(|number| self.promises.clients[*number].is_certain());
        let minting: Vec<Owner> = minting.map(Owner::Client).collect();
        let own = self.dice.one(&minting).copied().filter(|_| known.is_none());
        let owner = own.filter(|_| self.dice.percent(30)).unwrap_or(Owner::Admin);
        let request = client.json("/v1/tokens", &json!({"sub": sub, "aud": "api", "device": "a load"}));
        let answer = Answer::to(&self.proved(request, owner));
        match &answer {
            Answer::Done(reply) => drop(self.begun(&reply.body, owner)),
            Answer::Refused(reply) => return Err(refused("a mint", reply)),
            Answer::Silence | Answer::Nobody => {}
        }
        Ok(answer.heard())
    }

    /// Takes a new session into account, and returns its number.
    pub(crate) fn begun(&mut self, body: &[u8], owner: Owner) -> usize {
        let pair: Pair = serde_json::from_slice(body).expect("a pair");
        self.now = self.now.max(issued(&pair.access_token));
        let promises = &mut self.promises;
        promises.acknowledged += 1;
        promises.tells("token.issued", "jti", &claim(&pair.access_token, "jti"));
        promises.sessions.push(Session {
            sid: pair.sid,
            sub: claim(&pair.access_token, "sub"),
            owner,
            tokens: vec![Token { text: pair.access_token, word: Word::Stands, alone: false }],
            renewal: Some(Renewal {
                spent: Vec::new(),
                newest: pair.refresh_token,
                answer: body.to_vec(),
                answered: read_now(),
                in_doubt: false,
            }),
            word: Word::Stands,
            touched: true,
        });
        promises.sessions.len() - 1
    }

    /// A session that is over within seconds, for the daemon to clean up; nothing is remembered but that it began.
    pub(crate) fn mint_briefly(&mut self, client: Client) -> Result<Heard, String> {
        let body = json!({"sub": "brief", "aud": "api", "access_ttl": 1, "refresh_ttl": 1, "session_ttl": 1});
        let answer = Answer::to(&client.json("/v1/tokens", &body).basic(ADMIN));
        if let Answer::Done(reply) = &answer {
            self.promises.acknowledge(reply);
            self.promises.tells("token.issued", "jti", &claim(&reply.member("access_token"), "jti"));
        }
        Ok(answer.heard())
    }

    /// Returns the request that presents a refresh token of the session.
    pub(crate) fn presenting(&self, client: Client, session: &Session, refresh_token: &str) -> Request {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let request = match session.owner {
            Owner::User(_) => client.json("/v1/session/refresh", &json!({"refresh_token": refresh_token})),
            Owner::Admin | Owner::Client(_) => client.form("/oauth/token", &fields),
        };
        self.proved(request, session.owner)
    }

    pub(crate) fn refresh(&mut self, client: Client) -> Result<Heard, String> {
        let fits = |session: &Session| session.renewal.is_some() && session.tokens.len() < MOST_TOKENS;
        let Some(number) = self.one_session(fits) else { return Ok(Heard::Nothing) };
        self.present_newest(client, number)
    }

    /// Presents the newest refresh token of a session that goes on.
    ///
    /// # Errors
    /// It is refused.
    pub(crate) fn present_newest(&mut self, client: Client, number: usize) -> Result<Heard, String> {
        let session = &self.promises.sessions[number];
        let Some(renewal) = &session.renewal else { return Ok(Heard::Nothing) };
        let answer = Answer::to(&self.presenting(client, session, &renewal.newest));
        match &answer {
            Answer::Done(reply) => self.renewed(number, &reply.body),
            Answer::Refused(reply) => {
                return Err(refused(&format!("a refresh of session {}", session.sid), reply));
            }
            Answer::Silence => {
                let session = &mut self.promises.sessions[number];
                session.touched = true;
                session.renewal.iter_mut().for_each(|renewal| renewal.in_doubt = true);
            }
            Answer::Nobody => {}
        }
        Ok(answer.heard())
    }

    /// Takes the next pair of a session into account.
    fn renewed(&mut self, number: usize, body: &[u8]) {
        let pair: Pair = serde_json::from_slice(body).expect("a pair");
        self.now = self.now.max(issued(&pair.access_token));
        let promises = &mut self.promises;
        promises.acknowledged += 1;
        let jti = claim(&pair.access_token, "jti");
        let session = &mut promises.sessions[number];
        session.touched = true;
        session.tokens.push(Token { text: pair.access_token, word: Word::Stands, alone: false });
        if let Some(renewal) = &mut session.renewal {
            renewal.spent.push(std::mem::replace(&mut renewal.newest, pair.refresh_token));
            renewal.answer = body.to_vec();
            renewal.answered = read_now();
            renewal.in_doubt = false; // if it was, the pair may be the one of that request, whose event is in the log with it
        }
        promises.tells("token.refreshed", "jti", &jti);
    }

    /// Presents the token before the newest once more: a lost answer.
    pub(crate) fn repeat(&mut self, client: Client) -> Result<Heard, String> {
        let now = self.now;
        let Some(number) = self.one_session(|session| can_repeat(session, now)) else { return Ok(Heard::Nothing) };
        self.present_parent(client, number)
    }

    /// Presents the parent of the newest refresh token, which buys the same answer again, byte for byte.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn present_parent(&mut self, client: Client, number: usize) -> Result<Heard, String> {
        let session = &self.promises.sessions[number];
        let renewal = session.renewal.as_ref();
        let Some((renewal, parent)) = renewal.and_then(|renewal| Some((renewal, renewal.spent.last()?))) else {
            return Ok(Heard::Nothing);
        };
        let answer = Answer::to(&self.presenting(client, session, parent));
        match &answer {
            Answer::Done(reply) if reply.body == renewal.answer => {
                let jti = claim(&session.tokens.last().expect("it has one").text, "jti");
                self.promises.acknowledged += 1;
                self.promises.tells("token.repeated", "jti", &jti);
            }
            Answer::Done(reply) => {
                return Err(format!("a lost answer of session {} is given as another: {}", session.sid, reply.text()));
            }
            Answer::Refused(reply) => {
                // The window for repetitions decides by the daemon's clock; whoever looks for the reason needs both.
                let (secs, sid) = (renewal.answered.elapsed().as_secs_f32(), &session.sid);
                let dated = self.now.saturating_sub(session.tokens.last().map_or(0, |token| issued(&token.text)));
                let what =
                    format!("a lost answer of {sid}, read {secs} s ago, dated {dated} s before the newest date seen,");
                return Err(refused(&what, reply));
            }
            Answer::Silence | Answer::Nobody => {} // a repetition changes nothing
        }
        Ok(answer.heard())
    }

    /// Presents a token that is too old, which ends the session.
    pub(crate) fn reuse(&mut self, client: Client) -> Result<Heard, String> {
        let has = |session: &Session| session.renewal.as_ref().is_some_and(|renewal| renewal.spent.len() > 1);
        let Some(number) = self.one_session(has) else { return Ok(Heard::Nothing) };
        let session = &self.promises.sessions[number];
        let spent = session.renewal.as_ref().map_or(&[][..], |renewal| &renewal.spent);
        let older = spent.get(self.dice.below(spent.len() - 1)).expect("one of them");
        let answer = Answer::to(&self.presenting(client, session, older));
        let sid = session.sid.clone();
        match &answer {
            Answer::Refused(reply) if reply.status == 400 => {
                self.promises.acknowledged += 1;
                self.promises.sessions[number].hears(Word::Gone);
                self.promises.tells("token.reused", "sid", &sid);
            }
            Answer::Done(_) => return Err(format!("an old refresh token of {sid} bought something")),
            Answer::Refused(reply) => return Err(refused("a reuse", reply)),
            Answer::Silence => self.promises.sessions[number].hears(Word::Doubtful),
            Answer::Nobody => {}
        }
        Ok(answer.heard())
    }

    /// Takes one access token back, alone.
    pub(crate) fn revoke_token(&mut self, client: Client) -> Result<Heard, String> {
        let Some(number) = self.one_session(|session| !matches!(session.owner, Owner::User(_))) else {
            return Ok(Heard::Nothing);
        };
        let session = &self.promises.sessions[number];
        let place = self.dice.below(session.tokens.len());
        let token = &session.tokens[place];
        if token.word != Word::Stands {
            return Ok(Heard::Nothing);
        }
        let (text, request) = (token.text.clone(), client.form("/oauth/revoke", &[("token", &token.text)]));
        let answer = Answer::to(&self.proved(request, session.owner));
        if let Some(word) = answer.of_an_end("the revocation of a token")? {
            let session = &mut self.promises.sessions[number];
            session.tokens[place].word.hears(word);
            session.tokens[place].alone = word == Word::Doubtful;
            session.touched = true;
            self.ended(&answer, "token.revoked", "jti", &claim(&text, "jti"));
        }
        Ok(answer.heard())
    }

    /// Ends a session by its refresh token.
    pub(crate) fn end(&mut self, client: Client) -> Result<Heard, String> {
        let Some(number) = self.one_session(|session| session.renewal.is_some()) else { return Ok(Heard::Nothing) };
        let session = &self.promises.sessions[number];
        let newest = &session.renewal.as_ref().expect("it has one").newest;
        let request = match session.owner {
            Owner::User(_) => client.json("/v1/session/logout", &json!({"refresh_token": newest})),
            Owner::Admin | Owner::Client(_) => client.form("/oauth/revoke", &[("token", newest)]),
        };
        let request = self.proved(request, session.owner);
        self.end_one(number, &request)
    }

    /// Ends a session by its name, in one of two ways.
    pub(crate) fn end_by_sid(&mut self, client: Client) -> Result<Heard, String> {
        let Some(number) = self.one_session(|_| true) else { return Ok(Heard::Nothing) };
        let sid = &self.promises.sessions[number].sid;
        let request = if self.dice.percent(50) {
            client.json("/v1/revocations", &json!({"session": sid}))
        } else {
            client.request("DELETE", &format!("/v1/sessions/{sid}"))
        };
        self.end_one(number, &request.basic(ADMIN))
    }

    fn end_one(&mut self, number: usize, request: &Request) -> Result<Heard, String> {
        let answer = Answer::to(request);
        if let Some(word) = answer.of_an_end("the end of a session")? {
            let session = &mut self.promises.sessions[number];
            session.hears(word);
            let sid = session.sid.clone();
            self.ended(&answer, "session.revoked", "sid", &sid);
        }
        Ok(answer.heard())
    }

    /// Ends all sessions of a subject.
    pub(crate) fn end_by_subject(&mut self, client: Client) -> Result<Heard, String> {
        let Some(number) = self.one_session(is_alone) else { return Ok(Heard::Nothing) };
        let sub = self.promises.sessions[number].sub.clone();
        self.end_of(&client.json("/v1/revocations", &json!({"subject": sub})), &sub, None)
    }

    /// Ends the sessions of a subject, all but one.
    pub(crate) fn end_others(&mut self, client: Client) -> Result<Heard, String> {
        let Some(number) = self.one_session(is_alone) else { return Ok(Heard::Nothing) };
        let Session { sid, sub, .. } = self.promises.sessions[number].clone();
        self.end_of(&client.json("/v1/sessions/revoke", &json!({"sub": sub, "except": sid})), &sub, Some(&sid))
    }

    fn end_of(&mut self, request: &Request, sub: &str, except: Option<&str>) -> Result<Heard, String> {
        let answer = Answer::to(&request.clone().basic(ADMIN));
        if let Some(word) = answer.of_an_end("the end of a subject's sessions")? {
            self.promises.end(word, |session| session.sub == sub && Some(&*session.sid) != except);
            self.ended(&answer, "subject.revoked", "sub", sub);
        }
        Ok(answer.heard())
    }

    /// Takes note of an end that was acknowledged.
    pub(crate) fn ended(&mut self, answer: &Answer, act: &'static str, member: &'static str, value: &str) {
        if let Answer::Done(reply) = answer {
            self.promises.acknowledge(reply);
            self.promises.tells(act, member, value);
        }
    }

    /// A token of the client itself, without a refresh token.
    pub(crate) fn own_token(&mut self, client: Client) -> Result<Heard, String> {
        let certain = (0..self.promises.clients.len()).filter(|number| self.promises.clients[*number].is_certain());
        let owners: Vec<Owner> = certain.map(Owner::Client).collect();
        let owner = self.dice.one(&owners).copied().unwrap_or(Owner::Admin);
        let request = client.form("/oauth/token", &[("grant_type", "client_credentials"), ("audience", "api")]);
        let answer = Answer::to(&self.proved(request, owner));
        match &answer {
            Answer::Done(reply) => self.got(&reply.json(), owner),
            Answer::Refused(reply) => return Err(refused("a client's own token", reply)),
            Answer::Silence | Answer::Nobody => {}
        }
        Ok(answer.heard())
    }

    fn got(&mut self, answer: &Value, owner: Owner) {
        let text = answer["access_token"].as_str().expect("a token").to_owned();
        self.promises.acknowledged += 1;
        self.promises.tells("token.issued", "jti", &claim(&text, "jti"));
        let (sid, sub) = (claim(&text, "sid"), claim(&text, "sub"));
        let tokens = vec![Token { text, word: Word::Stands, alone: false }];
        let session = Session { sid, sub, owner, tokens, renewal: None, word: Word::Stands, touched: true };
        self.promises.sessions.push(session);
    }
}
