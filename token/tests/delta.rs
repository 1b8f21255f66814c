//! What a verifier makes of deltas: which lead on, which are ignored, and which are refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // the functions beside the tests are tests too

use proptest::prelude::*;
use std::collections::BTreeSet;
use token::ListRejection;
use token::issue::SigningKey;
use token::jwk::{Algorithm, KeySet, Purpose};
use token::revocation::{Cut, Delta, Head, ListId, codec, delta, list};
use token::time::UnixTime;
use token::verify::{LoadError, Loaded, Policy, Verifier};
use zeroize::Zeroizing;

const ISSUER: &str = "https://issuer.example";
const NOW: u64 = 1_700_000_000;
const EPOCH: u32 = 6_640_625; // of NOW

type Set = BTreeSet<(u32, u32)>;

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds).unwrap()
}

fn key(purpose: Purpose) -> SigningKey {
    let seed = if purpose == Purpose::Token { 1 } else { 2 };
    SigningKey::from_seed(&Zeroizing::new([seed; 32]), purpose, Algorithm::EdDsa).unwrap()
}

fn verifier() -> Verifier {
    let public = [Purpose::Token, Purpose::Revocations].map(|purpose| key(purpose).public().clone());
    let policy = Policy {
        issuer: Some(ISSUER.to_owned()),
        audience: None,
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: Some(60),
    };
    Verifier::new(policy, KeySet::from_keys(public.to_vec()).unwrap()).unwrap()
}

fn body(set: &Set) -> Vec<u8> {
    let mut epochs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (epoch, index) in set {
        match epochs.last_mut() {
            Some((last, run)) if last == epoch => run.push(*index),
            Some(_) | None => epochs.push((*epoch, vec![*index])),
        }
    }
    codec::encode(epochs.iter().map(|(epoch, run)| (*epoch, run.as_slice()))).unwrap()
}

fn head(seq: u64, set: &Set) -> Head {
    let iat = at(NOW + seq);
    let id = ListId::of(&body(set));
    Head { iss: ISSUER.to_owned(), iat, exp: iat.plus_secs(300), seq, id, cut: Cut::default() }
}

fn full(seq: u64, set: &Set) -> Vec<u8> {
    key(Purpose::Revocations).sign_list(&head(seq, set), &body(set)).unwrap()
}

/// The delta from the state `from` to the state `to`.
fn step(seq: u64, from: &Set, to: &Set, low: u32) -> Vec<u8> {
    let add: Set = to.difference(from).copied().collect();
    let low = if from == to { 0 } else { low }; // a heartbeat drops nothing
    key(Purpose::Revocations).sign_delta(&head(seq, to), ListId::of(&body(from)), low, &body(&add)).unwrap()
}

fn load(verifier: &mut Verifier, document: &[u8]) -> Result<Loaded, ListRejection> {
    verifier.load_revocations(document, at(NOW)).map_err(|error| match error {
        LoadError::Rejected(rejection) => rejection,
        LoadError::Misuse(misuse) => unreachable!("{misuse}"),
    })
}

fn held(verifier: &Verifier) -> (u64, Set) {
    let list = verifier.list().unwrap();
    (list.head().seq, list.revoked().iter().collect())
}

fn set(indices: &[u32]) -> Set {
    indices.iter().map(|index| (EPOCH, *index)).collect()
}

#[test]
fn deltas_lead_from_state_to_state_and_a_heartbeat_only_from_time_to_time() {
    let (a, b, c) = (set(&[1]), set(&[1, 2]), set(&[1, 2, 3]));
    let mut verifier = verifier();
    assert_eq!(load(&mut verifier, &step(1, &a, &b, 0)), Ok(Loaded::Gap), "there is nothing to lead on from");
    assert!(verifier.list().is_none());
    assert_eq!(load(&mut verifier, &full(1, &a)), Ok(Loaded::Newer));
    assert_eq!(load(&mut verifier, &step(2, &a, &b, 0)), Ok(Loaded::Newer));
    assert_eq!(load(&mut verifier, &step(3, &b, &b, 0)), Ok(Loaded::Newer));
    assert_eq!(verifier.usable_until(), Some(at(NOW + 3 + 61)));
    assert_eq!(load(&mut verifier, &step(4, &b, &c, 0)), Ok(Loaded::Newer));
    assert_eq!(held(&verifier), (4, c));
}

#[test]
fn reordered_repeated_and_missing_deltas_change_nothing() {
    let (a, b, c) = (set(&[1]), set(&[1, 2]), set(&[1, 2, 3]));
    let (first, second) = (step(2, &a, &b, 0), step(3, &b, &c, 0));
    let mut verifier = verifier();
    load(&mut verifier, &full(1, &a)).unwrap();
    assert_eq!(load(&mut verifier, &second), Ok(Loaded::Gap));
    assert_eq!(held(&verifier), (1, a.clone()));
    assert_eq!(load(&mut verifier, &first), Ok(Loaded::Newer));
    assert_eq!(load(&mut verifier, &first), Ok(Loaded::Same));
    assert_eq!(load(&mut verifier, &second), Ok(Loaded::Newer));
    assert_eq!(load(&mut verifier, &first), Ok(Loaded::Older));
    assert_eq!(load(&mut verifier, &full(1, &a)), Ok(Loaded::Older));
    assert_eq!(load(&mut verifier, &full(3, &c)), Ok(Loaded::Same));
    assert_eq!(held(&verifier), (3, c));
}

#[test]
fn another_state_under_the_same_number_is_an_alarm_and_so_is_the_future() {
    let (a, b) = (set(&[1]), set(&[1, 2]));
    let mut verifier = verifier();
    load(&mut verifier, &full(2, &b)).unwrap();
    assert_eq!(load(&mut verifier, &step(2, &set(&[]), &a, 0)), Err(ListRejection::Equivocation));
    let mut ahead = head(3, &b);
    ahead.iat = at(NOW + 86_401);
    ahead.exp = at(NOW + 86_501);
    let delta = key(Purpose::Revocations).sign_delta(&ahead, ListId::of(&body(&b)), 0, &[1]).unwrap();
    assert_eq!(load(&mut verifier, &delta), Err(ListRejection::Future));
    assert_eq!(held(&verifier), (2, b));
}

#[test]
fn a_delta_that_does_not_lead_on_still_moves_the_clock_floor() {
    let (a, b, c) = (set(&[1]), set(&[1, 2]), set(&[1, 2, 3]));
    let mut verifier = verifier();
    load(&mut verifier, &full(1, &a)).unwrap();
    assert_eq!(load(&mut verifier, &step(90, &b, &c, 0)), Ok(Loaded::Gap));
    assert_eq!(verifier.now(at(NOW)), at(NOW + 90));
}

#[test]
fn a_delta_takes_nothing_back() {
    let a = set(&[1, 2]);
    let seal =
        |low, add: &Set| key(Purpose::Revocations).sign_delta(&head(2, &a), ListId::of(b"another"), low, &body(add));
    // Epochs that are not over by the issuer's own clock cannot be dropped, nor can one be revoked in that is dropped.
    assert!(seal(EPOCH, &set(&[])).is_ok());
    assert!(seal(EPOCH + 1, &set(&[])).is_err());
    assert!(seal(EPOCH, &[(EPOCH - 1, 7)].into()).is_err());
    // What applies to its own state adds and drops nothing.
    let heartbeat = |low, add: &Set| {
        key(Purpose::Revocations).sign_delta(&head(2, &a), ListId::of(&body(&a)), low, &body(add)).is_ok()
    };
    assert!(heartbeat(0, &set(&[])) && !heartbeat(EPOCH, &set(&[])) && !heartbeat(0, &set(&[3])));
}

#[test]
fn what_is_no_delta_is_refused() {
    let a = set(&[1]);
    let delta = step(2, &a, &set(&[1, 2]), 0);
    let mut verifier = verifier();
    load(&mut verifier, &full(1, &a)).unwrap();
    for end in 0..delta.len() {
        assert!(load(&mut verifier, &delta[..end]).is_err(), "cut after {end}");
    }
    for bit in 0..delta.len() * 8 {
        let mut flipped = delta.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(load(&mut verifier, &flipped).is_err(), "bit {bit}");
    }
    assert_eq!(load(&mut verifier, &[delta.as_slice(), b"\n"].concat()), Err(ListRejection::Head));
    assert_eq!(load(&mut verifier, &vec![b'a'; delta::MAX_LENGTH + 1]), Err(ListRejection::Head));
    assert_eq!(load(&mut verifier, &vec![b'a'; list::MAX_LENGTH + 1]), Err(ListRejection::TooLong));
    assert_eq!(held(&verifier), (1, a.clone()));
    let keys = KeySet::from_keys(vec![key(Purpose::Token).public().clone()]).unwrap();
    assert_eq!(Delta::open(&delta, &keys), Err(ListRejection::Signature));
    let many: Set = (0..200_000).map(|index| (EPOCH, index * 2)).collect();
    let fault = key(Purpose::Revocations).sign_delta(&head(2, &many), ListId::of(&body(&a)), 0, &body(&many));
    assert_eq!(fault, Err(token::issue::IssueError::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// The history of a list grows by sets and drops epochs; whatever part of it a verifier gets, in whatever order, it
    /// holds exactly one of its states, the newest it could make.
    #[test]
    fn whatever_arrives_the_state_is_one_of_the_issuers(
        growth in proptest::collection::vec(proptest::collection::btree_set((EPOCH - 3..=EPOCH, 0..400_u32), 0..6), 1..8),
        drops in proptest::collection::vec(0..2_u32, 8),
        arrivals in proptest::collection::vec((0..8_usize, any::<bool>()), 1..24),
    ) {
        let (mut states, mut lows) = (vec![Set::new()], vec![EPOCH - 3]);
        for (more, drop) in growth.into_iter().zip(drops) {
            let low = (lows[lows.len() - 1] + drop).min(EPOCH);
            let mut next = states[states.len() - 1].clone();
            next.extend(more);
            next.retain(|(epoch, _)| *epoch >= low);
            states.push(next);
            lows.push(low);
        }
        let mut verifier = verifier();
        let mut newest: Option<usize> = None;
        for (which, whole) in arrivals {
            let which = which % states.len();
            let seq = u64::try_from(which).unwrap() + 1;
            let from = &states[which.saturating_sub(1)];
            let document = if whole { full(seq, &states[which]) } else { step(seq, from, &states[which], lows[which]) };
            let expected = match newest {
                Some(held) if which < held => Loaded::Older,
                Some(held) if which == held => Loaded::Same,
                _ if whole => Loaded::Newer,
                // The same set of indices is the same state, whichever number it had.
                Some(held) if states[held] == *from => Loaded::Newer,
                Some(_) | None => Loaded::Gap,
            };
            prop_assert_eq!(load(&mut verifier, &document), Ok(expected));
            if expected == Loaded::Newer {
                newest = Some(which);
            }
            if let Some(held_now) = newest {
                prop_assert_eq!(held(&verifier), (u64::try_from(held_now).unwrap() + 1, states[held_now].clone()));
            }
        }
    }
}
