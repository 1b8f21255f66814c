//! The deltas of lists.json: which lead on, which are passed over, and which are refused.

use crate::forge::{EXP, NOW, quoted};
use crate::list_cases::{Given, given, list};
use crate::list_delta_forms;
use crate::lists::{Expect, loaded, refused};
use crate::rice::{self, Indices};
use crate::world::{List, OTHER_ISSUER, list_id};
use token::base64url;

/// The epoch of NOW: what a delta signed then may drop lies below it.
pub(crate) const LOW: u64 = NOW >> 8;

pub(crate) fn all() -> Vec<Given> {
    let mut cases = chains();
    cases.extend(repeated());
    cases.extend(alarms());
    cases.extend(times());
    cases.extend(list_delta_forms::all());
    cases
}

/// The indices of the state that `list_cases::list` stands for, with these besides.
pub(crate) fn state(more: &[u32]) -> Vec<u8> {
    let mut run = vec![7];
    run.extend(more);
    rice::body(&Indices::from([(u32::try_from(EXP >> 8).unwrap(), run)]), 3)
}

/// The body that adds these.
fn added(indices: &[u32]) -> Vec<u8> {
    if indices.is_empty() {
        return vec![1];
    }
    rice::body(&Indices::from([(u32::try_from(EXP >> 8).unwrap(), indices.to_vec())]), 3)
}

/// A full list of that state.
fn full(seq: u64, more: &[u32]) -> List {
    List::new(seq, NOW, 300, state(more))
}

/// From the state with `from` to the one with `to` besides, where `to` begins with `from`.
fn delta(seq: u64, from: &[u32], to: &[u32]) -> Delta {
    let mut list = full(seq, to);
    list.header.set("typ", "\"revdelta+jwt\"");
    let list = list
        .claim("base", &quoted(&list_id(&state(from))))
        .claim("low", &LOW.to_string())
        .claim("add", &quoted(&base64url::encode(&added(&to[from.len()..]))));
    Delta(list)
}

/// The good delta to which things are done: it adds one index to the state of `list(5)`.
pub(crate) fn next() -> Delta {
    delta(6, &[], &[9])
}

/// A delta in the making: a list whose body stays at home.
#[derive(Clone)]
pub(crate) struct Delta(pub(crate) List);

impl Delta {
    pub(crate) fn claim(self, name: &str, value: &str) -> Self {
        Self(self.0.claim(name, value))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.0.header.set(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.claims.remove(name);
        self
    }

    pub(crate) fn signed_at(self, iat: u64) -> Self {
        let low = LOW.min(iat >> 8).to_string();
        self.claim("iat", &iat.to_string()).claim("exp", &(iat + 300).to_string()).claim("low", &low)
    }

    pub(crate) fn document(&self) -> Vec<u8> {
        self.0.head().into_bytes()
    }
}

/// To a verifier that holds `list(5)`.
pub(crate) fn offered(name: impl Into<String>, delta: &Delta, expect: Expect) -> Given {
    after(name, &[(list(5).document(), "newer")], delta.document(), expect)
}

pub(crate) fn after(
    name: impl Into<String>,
    held: &[(Vec<u8>, &'static str)],
    document: Vec<u8>,
    expect: Expect,
) -> Given {
    Given { held: held.to_vec(), ..given(name, document, expect) }
}

/// Which deltas lead on from where.
fn chains() -> Vec<Given> {
    let start = (list(5).document(), "newer");
    let first = next().document();
    let second = delta(7, &[9], &[9, 12]).document();
    let both = delta(7, &[], &[9, 12]);
    let newer = |document: &[u8]| (document.to_vec(), "newer");
    let gap = |document: &[u8]| (document.to_vec(), "gap");
    vec![
        given("a delta where no list is held is a gap", first.clone(), loaded("gap")),
        given("a heartbeat where no list is held is a gap", delta(6, &[], &[]).document(), loaded("gap")),
        offered("a delta leads on from its base", &next(), loaded("newer")),
        offered("a delta that adds nothing leads on: a heartbeat", &delta(6, &[], &[]), loaded("newer")),
        offered("a heartbeat leads on over numbers that were not seen", &delta(90, &[], &[]), loaded("newer")),
        offered("one delta leads over two steps", &both, loaded("newer")),
        offered("a delta leads to the last number", &delta(9_007_199_254_740_991, &[], &[9]), loaded("newer")),
        offered("a delta that adds what is listed already is taken", &next().claim("add", &add(&[7])), loaded("newer")),
        offered("a delta of another base is a gap", &delta(6, &[8], &[8, 9]), loaded("gap")),
        offered("a delta of the empty list is a gap", &next().claim("base", &id_of(&[1])), loaded("gap")),
        offered("a delta from its own state on is a gap", &next().claim("base", &id_of(&state(&[9]))), loaded("gap")),
        after(
            "two deltas lead on one after the other",
            &[start.clone(), newer(&first)],
            second.clone(),
            loaded("newer"),
        ),
        after("a delta whose forerunner is lost is a gap", std::slice::from_ref(&start), second.clone(), loaded("gap")),
        after(
            "a delta that comes late leads on as if nothing had been",
            &[start.clone(), gap(&second)],
            first.clone(),
            loaded("newer"),
        ),
        after(
            "a delta that came early leads on when it comes again",
            &[start.clone(), gap(&second), newer(&first)],
            second.clone(),
            loaded("newer"),
        ),
        after(
            "a delta of two steps is a gap after the first of them",
            &[start.clone(), newer(&first)],
            both.document(),
            loaded("gap"),
        ),
        after(
            "a full list closes a gap",
            &[start.clone(), gap(&second)],
            full(7, &[9, 12]).document(),
            loaded("newer"),
        ),
        after(
            "a delta leads on from the full list that closed a gap",
            &[start, gap(&second), newer(&full(7, &[9, 12]).document())],
            delta(8, &[9, 12], &[9, 12, 20]).document(),
            loaded("newer"),
        ),
    ]
}

/// Duplicates, replays and roll-backs.
fn repeated() -> Vec<Given> {
    let (first, second) = (next().document(), delta(7, &[9], &[9, 12]).document());
    let newer = |document: &[u8]| (document.to_vec(), "newer");
    let one = [newer(&list(5).document()), newer(&first)];
    let two = [newer(&list(5).document()), newer(&first), newer(&second)];
    let other_way = delta(6, &[], &[9]).claim("base", &id_of(&state(&[8])));
    vec![
        after("a delta twice changes nothing", &one, first.clone(), loaded("same")),
        after("the full list that a delta has led to is the same", &one, full(6, &[9]).document(), loaded("same")),
        after("a delta to the state held, from elsewhere, is the same", &one, other_way.document(), loaded("same")),
        after(
            "a delta to the full list held is the same",
            &[newer(&full(6, &[9]).document())],
            first.clone(),
            loaded("same"),
        ),
        after("a replayed delta is ignored", &two, first, loaded("older")),
        after("a replayed heartbeat is ignored", &two, delta(5, &[], &[]).document(), loaded("older")),
        after("the full list before two deltas is ignored", &two, list(5).document(), loaded("older")),
        after("the full list between two deltas is ignored", &two, full(6, &[9]).document(), loaded("older")),
        after("the newest delta twice changes nothing", &two, second, loaded("same")),
        offered("a delta that leads on to an older number is ignored", &delta(4, &[], &[9]), loaded("older")),
        offered("a delta that leads on to the number 1 is ignored", &delta(1, &[], &[]), loaded("older")),
        offered(
            "an older delta signed later is ignored: the number decides",
            &delta(4, &[], &[9]).signed_at(NOW + 60),
            loaded("older"),
        ),
        offered(
            "a newer delta signed earlier is taken: the number decides",
            &next().signed_at(NOW - 60),
            loaded("newer"),
        ),
    ]
}

/// Two heads under one number.
fn alarms() -> Vec<Given> {
    let one = [(list(5).document(), "newer"), (next().document(), "newer")];
    let alarm = || refused("equivocation");
    let later = List::new(6, NOW + 1, 300, state(&[9]));
    vec![
        offered("a delta to another state under the number held is an alarm", &delta(5, &[], &[9]), alarm()),
        offered(
            "a heartbeat of another time under the number held is an alarm",
            &delta(5, &[], &[]).signed_at(NOW + 1),
            alarm(),
        ),
        offered(
            "a heartbeat of another end under the number held is an alarm",
            &delta(5, &[], &[]).claim("exp", &(NOW + 301).to_string()),
            alarm(),
        ),
        offered(
            "a heartbeat of another rule under the number held is an alarm",
            &delta(5, &[], &[]).claim("cut", r#"{"all":1}"#),
            alarm(),
        ),
        offered(
            "a delta of another base to another state under the number held is an alarm",
            &delta(5, &[8], &[8, 9]),
            alarm(),
        ),
        after("after a delta another full list under its number is an alarm", &one, list(6).document(), alarm()),
        after("after a delta its state signed again under its number is an alarm", &one, later.document(), alarm()),
        after(
            "after a delta another delta under its number is an alarm",
            &one,
            delta(6, &[], &[8]).document(),
            alarm(),
        ),
    ]
}

fn times() -> Vec<Given> {
    let day = 86_400;
    let foreign = |delta: Delta| delta.claim("iss", &quoted(OTHER_ISSUER));
    vec![
        offered(
            "an expired delta is taken: it may revoke more than what is held",
            &next().signed_at(NOW - 1000),
            loaded("newer"),
        ),
        offered("a delta signed in 1970 is taken", &next().signed_at(0), loaded("newer")),
        offered("a delta signed a day ahead is taken", &next().signed_at(NOW + day), loaded("newer")),
        offered(
            "a delta signed a day and a second ahead is an alarm",
            &next().signed_at(NOW + day + 1),
            refused("future"),
        ),
        offered(
            "a delta of the future is an alarm though an older one",
            &delta(4, &[], &[]).signed_at(NOW + day + 1),
            refused("future"),
        ),
        offered(
            "a delta of the future is an alarm though a gap",
            &delta(9, &[8], &[8]).signed_at(NOW + day + 1),
            refused("future"),
        ),
        given(
            "a delta of the future is an alarm where no list is held",
            next().signed_at(NOW + day + 1).document(),
            refused("future"),
        ),
        offered("another issuer's delta is refused", &foreign(next()), refused("issuer")),
        offered("another issuer's delta is refused though a gap", &foreign(delta(9, &[8], &[8])), refused("issuer")),
        offered(
            "another issuer's delta is refused though an older one",
            &foreign(delta(4, &[], &[])),
            refused("issuer"),
        ),
        given("another issuer's delta is refused where no list is held", foreign(next()).document(), refused("issuer")),
        Given {
            issuer: None,
            ..offered(
                "where any issuer is taken a delta is refused that is not of the list's",
                &foreign(next()),
                refused("issuer"),
            )
        },
        Given {
            issuer: None,
            ..offered("where any issuer is taken a delta of the list's is", &next(), loaded("newer"))
        },
    ]
}

fn add(indices: &[u32]) -> String {
    quoted(&base64url::encode(&added(indices)))
}

fn id_of(body: &[u8]) -> String {
    quoted(&list_id(body))
}
