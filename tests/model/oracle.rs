//! What must hold, from what the outside has seen: tokens handed out, what was asked and acknowledged, lists published.
//!
//! The oracle knows nothing of the store. It reads published lists with the token crate, and asks of each what the
//! acknowledgements so far make of it.

use crate::house::{AUDIENCE, ISSUER, LEEWAY};
use issuer::operations::{Issuer, Revocation};
use std::collections::BTreeSet;
use std::sync::Arc;
use token::id::{Jti, epoch_end};
use token::jwk::KeySet;
use token::revocation::cut::TagKind;
use token::revocation::{Head, RevocationList, Tag};
use token::time::UnixTime;

/// What the oracle found, in a sentence.
pub(crate) type Held = Result<(), String>;

/// Fails unless it holds.
macro_rules! holds {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}
pub(crate) use holds;

/// An access token that somebody has.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) jti: Jti,
    pub(crate) kid: String,
    pub(crate) client: String,
    pub(crate) sub: String,
    pub(crate) login: usize,
    /// Dated ahead by a wrong calendar, later than every list, by a process that has ended: no later rule reckons with it.
    pub(crate) ahead: bool,
    pub(crate) taken_back: Option<TakenBack>,
}

/// An acknowledged revocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TakenBack {
    /// From this list on everybody who holds it refuses.
    pub(crate) seq: u64,
    /// From this second on everybody refuses, whatever they hold.
    pub(crate) by: u64,
}

/// A session as its client sees it.
pub(crate) struct Login {
    pub(crate) client: usize,
    pub(crate) sid: String,
    /// Oldest first.
    pub(crate) refresh: Vec<String>,
    /// Its end was acknowledged, and the issuer has lost nothing since.
    pub(crate) over: bool,
}

/// A list that was published.
pub(crate) struct State {
    pub(crate) head: Head,
    pub(crate) listed: BTreeSet<(u32, u32)>,
    pub(crate) document: Arc<[u8]>,
    /// Grows where the issuer has lost something.
    pub(crate) life: u64,
}

impl State {
    /// Whether this list takes the token back.
    pub(crate) fn revokes(&self, token: &Token) -> bool {
        let cut = &self.head.cut;
        let client = || Tag::new(&cut.salt, TagKind::Client, &token.client);
        let until = |until: &UnixTime| token.iat <= until.as_secs();
        self.listed.contains(&(token.jti.epoch, token.jti.index))
            || cut.all.as_ref().is_some_and(until)
            || cut.kid.contains(&token.kid)
            || (!cut.cid.is_empty() && cut.cid.get(&client()).is_some_and(until))
    }
}

/// Everything that was seen.
#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) tokens: Vec<Token>,
    pub(crate) logins: Vec<Login>,
    pub(crate) states: Vec<State>,
    /// Revoked, or perhaps revoked: somebody asked for it.
    asked: BTreeSet<Jti>,
    /// Keys that somebody asked to be withdrawn; a restore may bring one back, under lists that say it is withdrawn.
    pub(crate) asked_keys: BTreeSet<String>,
    /// Everything issued until then may be refused: the issuer had lost something.
    pub(crate) cut: Option<u64>,
    /// Somebody asked for everything to be taken back.
    pub(crate) all_asked: bool,
    life: u64,
    /// The true time.
    pub(crate) truth: u64,
    /// Verdicts on tokens, documents that were offered, lists and acknowledgements that were held against all of this.
    pub(crate) checks: u64,
    pub(crate) acknowledged: u64,
}

impl Oracle {
    /// Notes a token that somebody was given.
    pub(crate) fn issued(&mut self, text: &str, login: usize) {
        let (header, claims) = (part(text, 0), part(text, 1));
        let string = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let number = |name: &str| claims[name].as_u64().unwrap();
        assert_eq!((claims["iss"].as_str(), claims["aud"].as_str()), (Some(ISSUER), Some(AUDIENCE)));
        let jti = claims["jti"].as_str().unwrap().parse().unwrap();
        if self.tokens.iter().all(|token| token.text != text) {
            let (iat, exp) = (number("iat"), number("exp"));
            let (kid, client, sub) = (string(&header["kid"]), string(&claims["client_id"]), string(&claims["sub"]));
            let text = text.to_owned();
            self.tokens.push(Token { text, iat, exp, jti, kid, client, sub, login, ahead: false, taken_back: None });
        }
    }

    /// Notes that these tokens may be revoked from now on.
    pub(crate) fn asked(&mut self, tokens: &[usize]) {
        self.asked.extend(tokens.iter().map(|token| self.tokens[*token].jti));
    }

    /// Returns whether nobody ever asked for this token to be taken back.
    pub(crate) fn is_nobodys(&self, token: &Token) -> bool {
        let asked = self.asked.contains(&token.jti) || self.asked_keys.contains(&token.kid);
        !asked && self.cut.is_none_or(|cut| token.iat > cut)
    }

    /// Notes that these are revoked, by the word of the issuer.
    pub(crate) fn acknowledged(&mut self, tokens: &[usize], answer: Revocation) -> Held {
        self.checks += 1;
        let newest = self.states.last().map_or(0, |state| state.head.seq);
        let Revocation { seq, effective_by: by } = answer;
        holds!(seq <= newest, "list {seq} was promised, {newest} is the newest that is served");
        let before = self
            .states
            .iter()
            .filter(|state| state.head.seq < seq && state.life == self.life)
            .map(|state| state.head.exp.as_secs());
        let longest = before.max().unwrap_or(0);
        holds!(longest <= by, "effective by {by}, but a list before {seq} is good until {longest}");
        self.taken_back(tokens, TakenBack { seq, by });
        Ok(())
    }

    /// Notes that the list after the newest must revoke these: they are durable, and no promise was made.
    pub(crate) fn due_next(&mut self, tokens: &[usize]) {
        let seq = self.states.last().map_or(0, |state| state.head.seq) + 1;
        let by = self.states.iter().map(|state| state.head.exp.as_secs()).max().unwrap_or(0);
        self.taken_back(tokens, TakenBack { seq, by });
    }

    fn taken_back(&mut self, tokens: &[usize], next: TakenBack) {
        self.asked(tokens);
        self.acknowledged += 1;
        for place in tokens {
            let token = &mut self.tokens[*place];
            // What has ended needs no revoking, and is not listed.
            if token.exp + LEEWAY <= self.truth {
                continue;
            }
            token.taken_back.get_or_insert(next); // the first word counts
        }
    }

    /// Returns the tokens of a session.
    pub(crate) fn of(&self, login: usize) -> Vec<usize> {
        self.those(|token| token.login == login)
    }

    /// Returns the tokens that are so.
    pub(crate) fn those(&self, are: impl Fn(&Token) -> bool) -> Vec<usize> {
        (0..self.tokens.len()).filter(|token| are(&self.tokens[*token])).collect()
    }

    /// Returns whether nothing that was handed out is dated ahead of `truth`.
    pub(crate) fn is_dated_right(&self, truth: u64) -> bool {
        let lists = self.states.iter().all(|state| state.head.iat.as_secs() <= truth);
        lists && self.tokens.iter().all(|token| token.iat <= truth)
    }

    /// Notes that the issuer's process has ended.
    pub(crate) fn ended(&mut self) {
        let last = self.states.last().map_or(0, |state| state.head.iat.as_secs()).max(self.truth);
        self.tokens.iter_mut().for_each(|token| token.ahead |= token.iat > last);
    }

    /// Notes that the issuer is about to start without something it had: what the first list then cuts is right to be cut.
    pub(crate) fn lost(&mut self) {
        self.life += 1;
        self.logins.iter_mut().for_each(|login| login.over = false);
    }

    /// Reads the lists that were published since the last time.
    pub(crate) fn observe(&mut self, issuer: &Issuer, keys: &KeySet) -> Held {
        let newest = issuer.revocation_list().seq;
        let last = self.states.last().map_or(0, |state| state.head.seq);
        holds!(newest >= last, "list {newest} is served after {last}");
        for seq in last.max(newest.saturating_sub(64)) + 1..=newest {
            if let Some(published) = issuer.revocation_list_at(seq) {
                let list = RevocationList::open(&published.document, keys);
                let list = list.map_err(|error| format!("list {seq} is refused: {error:?}"))?;
                holds!(list.head().seq == seq, "list {seq} says {}", list.head().seq);
                let listed = list.revoked().iter().collect();
                let (head, document) = (list.head().clone(), published.document);
                self.published(State { head, listed, document, life: self.life })?;
            }
        }
        let served = self.states.last().is_some_and(|state| state.head.seq == newest);
        holds!(served, "list {newest} is the newest and is not kept");
        Ok(())
    }

    fn published(&mut self, state: State) -> Held {
        let truth = self.truth;
        self.checks += 1;
        let seq = state.head.seq;
        let (iat, exp, cut) = (state.head.iat.as_secs(), state.head.exp.as_secs(), state.head.cut.all);
        let cut = cut.map(|cut| cut.as_secs());
        let covers = |token: &Token| state.revokes(token);
        holds!(iat < exp, "list {seq} ends at {exp} and is of {iat}");
        let gone = |(epoch, _): &(u32, u32)| epoch_end(*epoch).as_secs() + LEEWAY <= truth;
        if let Some(before) = self.states.last() {
            holds!(before.head.seq < seq, "list {seq} follows {}", before.head.seq);
            holds!(before.head.iat <= state.head.iat || before.life < state.life, "list {seq} is dated back");
            if before.life == state.life {
                let missing = before.listed.difference(&state.listed).find(|place| !gone(place));
                holds!(missing.is_none(), "list {seq} lacks {missing:?}, which {} has", before.head.seq);
            }
        }
        let first_after_loss = self.states.last().is_some_and(|before| before.life < state.life);
        if first_after_loss || self.all_asked {
            self.cut = self.cut.max(cut);
        }
        holds!(cut <= self.cut, "list {seq} cuts at {cut:?}, for nothing lost");
        let extra = |token: &&Token| {
            state.listed.contains(&(token.jti.epoch, token.jti.index)) && !self.asked.contains(&token.jti)
        };
        let extra = self.tokens.iter().find(extra).map(|token| token.jti);
        holds!(extra.is_none(), "list {seq} revokes {extra:?}, which nobody asked for");
        let lacks = |token: &&Token| {
            let place = (token.jti.epoch, token.jti.index);
            // What was over when it was taken back needs no revoking.
            let over = token.exp + LEEWAY <= truth || gone(&place);
            let due = token.taken_back.is_some_and(|taken_back| taken_back.seq <= seq) && !over;
            due && !covers(token)
        };
        let lacking = self.tokens.iter().find(lacks);
        let lacking = lacking.map(|token| (token.jti, token.iat, token.login, token.taken_back));
        holds!(
            lacking.is_none(),
            "list {seq} lacks {lacking:?}, which was acknowledged, and cuts {:?}",
            state.head.cut
        );
        self.states.push(state);
        Ok(())
    }
}

fn part(text: &str, place: usize) -> serde_json::Value {
    let bytes = token::base64url::decode(text.split('.').nth(place).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
