//! A verifier somewhere, its clock, and what must come of everything that reaches it.

use crate::house::{AUDIENCE, ISSUER};
use crate::oracle::{Held, Oracle, Token, holds};
use crate::planted::Planted;
use std::collections::VecDeque;
use std::sync::Arc;
use token::Rejection;
use token::error::ListRejection;
use token::jwk::KeySet;
use token::revocation::{ListId, RevocationList};
use token::time::UnixTime;
use token::verify::{LoadError, Loaded, MAX_LIST_AHEAD_SECS, Policy, Verifier};

/// The largest that a verifier may have; the issuer reckons with no more.
const LEEWAYS: [u64; 3] = [0, 5, 60];

/// What is on its way, and what the oracle knows of it.
#[derive(Clone)]
pub(crate) struct Parcel {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) says: Says,
}

#[derive(Debug, Clone)]
pub(crate) enum Says {
    /// The full list of a state.
    Full(usize),
    /// The delta from a state of this id to a state.
    Step(ListId, usize),
    /// Signed by the issuer for a state that never was, under the number of one that was.
    Sibling(usize),
    /// Nothing that this issuer signed.
    Nothing,
}

/// A verifier.
pub(crate) struct Follower {
    verifier: Verifier,
    keys: KeySet,
    leeway: u64,
    staleness: Option<u64>,
    /// Seconds by which its clock is ahead of the truth.
    pub(crate) ahead: i64,
    /// Cut off: what is sent waits.
    pub(crate) parted: bool,
    pub(crate) waiting: VecDeque<Parcel>,
    /// The state that it must hold.
    pub(crate) held: Option<usize>,
    /// The latest time that it has seen signed.
    floor: u64,
}

impl Follower {
    pub(crate) fn new(number: usize, keys: &KeySet) -> Self {
        let leeway = LEEWAYS[number % LEEWAYS.len()];
        let staleness = (number % 2 == 1).then_some(60);
        Self {
            verifier: verifier(leeway, staleness, keys),
            keys: keys.clone(),
            leeway,
            staleness,
            ahead: 0,
            parted: false,
            waiting: VecDeque::new(),
            held: None,
            floor: 0,
        }
    }

    /// Starts again, with nothing.
    pub(crate) fn restart(&mut self, number: usize) {
        let (ahead, parted) = (self.ahead, self.parted);
        let waiting = std::mem::take(&mut self.waiting);
        *self = Self { ahead, parted, waiting, ..Self::new(number, &self.keys) };
    }

    pub(crate) fn knows(&self, kid: &str) -> bool {
        self.keys.keys().iter().any(|key| key.kid() == kid)
    }

    /// Fetches the keys again.
    pub(crate) fn take_keys(&mut self, keys: &KeySet) {
        self.keys = keys.clone();
        self.verifier.replace_keys(keys.clone());
    }

    fn local(&self, truth: u64) -> UnixTime {
        UnixTime::from_secs(truth.saturating_add_signed(self.ahead)).unwrap()
    }

    /// Offers a document and checks what comes of it.
    pub(crate) fn offer(&mut self, parcel: &Parcel, oracle: &mut Oracle, truth: u64, planted: Planted) -> Held {
        oracle.checks += 1;
        let local = self.local(truth);
        let expected = self.expected(&parcel.says, oracle, local);
        if planted == Planted::TakesOlder && expected == Ok(Loaded::Older) {
            self.verifier = verifier(self.leeway, self.staleness, &self.keys);
        }
        let found = self.verifier.load_revocations(&parcel.bytes, local);
        let agrees = match (&expected, &found) {
            (Ok(expected), Ok(found)) => expected == found,
            (Err(Some(expected)), Err(LoadError::Rejected(found))) => expected == found,
            (Err(None), Err(LoadError::Rejected(_))) => true,
            _ => false,
        };
        holds!(agrees, "{:?} must be {expected:?} and is {found:?}", parcel.says);
        let (Says::Full(state) | Says::Step(_, state) | Says::Sibling(state)) = parcel.says else {
            return self.stands(oracle, local);
        };
        if expected.is_ok() {
            self.floor = self.floor.max(oracle.states[state].head.iat.as_secs());
        }
        if expected == Ok(Loaded::Newer) {
            self.held = Some(state);
        }
        self.stands(oracle, local)
    }

    /// What must come of it; `Err(None)` for a refusal of whatever kind.
    fn expected(&self, says: &Says, oracle: &Oracle, local: UnixTime) -> Result<Loaded, Option<ListRejection>> {
        let (Says::Full(state) | Says::Step(_, state) | Says::Sibling(state)) = *says else { return Err(None) };
        let head = &oracle.states[state].head;
        if head.iat > local.plus_secs(MAX_LIST_AHEAD_SECS) {
            return Err(Some(ListRejection::Future));
        }
        let held = self.held.map(|held| &oracle.states[held].head);
        match (held, says) {
            (Some(held), _) if head.seq < held.seq => Ok(Loaded::Older),
            (Some(held), Says::Sibling(_)) if head.seq == held.seq => Err(Some(ListRejection::Equivocation)),
            (Some(held), _) if head.seq == held.seq => Ok(Loaded::Same),
            (_, Says::Full(_)) => Ok(Loaded::Newer),
            (Some(held), Says::Step(base, _)) if held.id == *base => Ok(Loaded::Newer),
            (_, Says::Step(..)) => Ok(Loaded::Gap),
            (_, Says::Sibling(_) | Says::Nothing) => Err(None),
        }
    }

    /// It holds exactly the newest state that it could make of what it was given.
    fn stands(&self, oracle: &mut Oracle, local: UnixTime) -> Held {
        let list = self.verifier.list();
        let state = self.held.map(|held| &oracle.states[held]);
        let seqs = (list.map(|list| list.head().seq), state.map(|state| state.head.seq));
        let same = match (list, state) {
            (Some(list), Some(state)) => *list.head() == state.head && is_listed(list, state),
            (None, None) => true,
            _ => false,
        };
        let now = self.verifier.now(local).as_secs();
        let floored = now == local.as_secs().max(self.floor);
        holds!(same, "holds {:?}, not the state of {:?}", seqs.0, seqs.1);
        holds!(floored, "its time is {now} where {} was signed", self.floor);
        Ok(())
    }

    /// Judges a token and checks the verdict.
    pub(crate) fn judge(&self, token: usize, oracle: &mut Oracle, truth: u64, planted: Planted) -> Held {
        oracle.checks += 1;
        let local = self.local(truth);
        let now = local.as_secs().max(self.floor);
        let Token { text, iat, exp, jti, taken_back, .. } = &oracle.tokens[token];
        let known = self.knows(&oracle.tokens[token].kid);
        let found = self.verifier.verify(text, local).map(drop);
        let found = match found {
            Err(Rejection::Stale(_)) if planted == Planted::AcceptsStale && self.held.is_some() => Ok(()),
            other => other,
        };
        let state = self.held.map(|held| &oracle.states[held]);
        let seq = state.map(|state| state.head.seq);
        let accepted = found.is_ok();
        let told = taken_back.is_some_and(|taken_back| seq >= Some(taken_back.seq));
        let over = taken_back.is_some_and(|taken_back| now >= taken_back.by);
        let usable = state.is_some_and(|state| {
            let iat = state.head.iat.as_secs();
            now < state.head.exp.as_secs() && self.staleness.is_none_or(|most| now <= iat + most)
        });
        let live = now < exp + self.leeway;
        let listed = state.is_some_and(|state| state.revokes(&oracle.tokens[token]));
        let nobodys = oracle.is_nobodys(&oracle.tokens[token]);
        let what = format!("{jti} of {iat} until {exp}, {taken_back:?}, held {seq:?}, now {now}: {found:?}");
        holds!(!(accepted && told), "accepted though it holds the list: {what}");
        holds!(!(accepted && over), "accepted after the time promised: {what}");
        holds!(!accepted || live, "accepted after its end: {what}");
        holds!(!accepted || usable, "accepted without a usable list: {what}");
        holds!(known || !accepted, "accepted under a key that is not published: {what}");
        if !known {
            return Ok(());
        }
        holds!(accepted || !(nobodys && live && usable), "refused though nobody revoked it: {what}");
        let revoked = matches!(found, Err(Rejection::Revoked(_)));
        holds!(!(live && usable) || revoked == listed, "not what its list says: {what}");
        let stale = matches!(found, Err(Rejection::Stale(_)));
        holds!(!live || stale != usable, "staleness is told wrongly: {what}");
        Ok(())
    }
}

fn is_listed(list: &RevocationList, state: &crate::oracle::State) -> bool {
    list.revoked().entries() == state.listed.len() && list.revoked().iter().eq(state.listed.iter().copied())
}

fn verifier(leeway_secs: u64, max_staleness_secs: Option<u64>, keys: &KeySet) -> Verifier {
    let policy = Policy {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(vec![AUDIENCE.to_owned()]),
        leeway_secs,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs,
    };
    Verifier::new(policy, keys.clone()).unwrap()
}
