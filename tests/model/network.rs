//! What can reach a verifier: lists and deltas of any age, from any state to any other, and what others have made.

use crate::follower::{Parcel, Says};
use crate::house::House;
use crate::oracle::{Oracle, State};
use countersign_tests::Dice;
use std::sync::Arc;
use token::issue::SigningKey;
use token::jwk::{Algorithm, Purpose};
use token::revocation::{Head, ListId, codec};
use zeroize::Zeroizing;

/// The full list of a state.
pub(crate) fn full(oracle: &Oracle, state: usize) -> Parcel {
    Parcel { bytes: Arc::clone(&oracle.states[state].document), says: Says::Full(state) }
}

/// The delta from one state to another, where there is one.
pub(crate) fn step(house: &House, oracle: &Oracle, from: usize, to: usize) -> Option<Parcel> {
    let (from, state) = (oracle.states.get(from)?, oracle.states.get(to)?);
    let gone = from.listed.difference(&state.listed).map(|(epoch, _)| epoch + 1).max();
    let low = gone.unwrap_or(0);
    let added: Vec<(u32, u32)> = state.listed.difference(&from.listed).copied().collect();
    // A state that lacks what is not over yet, as after a restore, is reached by its full list alone.
    let reachable = state.listed.iter().next().is_none_or(|(epoch, _)| *epoch >= low);
    let signed = house.ring().list_signer().sign_delta(&state.head, from.head.id, low, &body(&added)).ok();
    let bytes = signed.filter(|_| reachable)?.into();
    Some(Parcel { bytes, says: Says::Step(from.head.id, to) })
}

/// The delta that the issuer itself makes from the list of a state to the newest.
pub(crate) fn since(house: &House, oracle: &Oracle, from: usize) -> Result<Option<Parcel>, String> {
    let since = oracle.states[from].head.seq;
    let made = house.issuer().revocation_delta(since).map_err(|error| format!("no delta since {since}: {error}"))?;
    made.map(|delta| told(oracle, delta.seq, &delta.document)).transpose()
}

/// A delta of the issuer's, to the list of this number.
pub(crate) fn told(oracle: &Oracle, seq: u64, delta: &[u8]) -> Result<Parcel, String> {
    let state = oracle.states.iter().position(|state| state.head.seq == seq);
    let state = state.ok_or_else(|| format!("a delta to {seq}, which was not published"))?;
    let payload = delta.split(|byte| *byte == b'.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&token::base64url::decode(payload).unwrap()).unwrap();
    let base = claims["base"].as_str().or(claims["id"].as_str()); // a heartbeat applies to its own state
    let base = token::base64url::decode(base.unwrap().as_bytes()).unwrap();
    let base = ListId::from_bytes(base.try_into().unwrap());
    Ok(Parcel { bytes: delta.into(), says: Says::Step(base, state) })
}

/// Something that is not to be believed, or not to be taken.
pub(crate) fn strange(house: &House, oracle: &Oracle, dice: &mut Dice, held: Option<usize>) -> Option<Parcel> {
    let place = dice.below(oracle.states.len());
    let state = &oracle.states[place];
    let next = Head { seq: state.head.seq + 1_000_000_000, ..state.head.clone() };
    let signer = house.ring().list_signer();
    let stranger = SigningKey::from_seed(&Zeroizing::new([77; 32]), Purpose::Revocations, Algorithm::EdDsa).unwrap();
    let foreign = Head { iss: "https://other.example".to_owned(), ..next.clone() };
    let bytes: Vec<u8> = match dice.below(8) {
        0 => stranger.sign_list(&next, &listed(state)).ok()?,
        1 => stranger.sign_delta(&next, state.head.id, 0, &[1]).ok()?,
        2 => signer.sign_list(&foreign, &listed(state)).ok()?,
        3 => signer.sign_delta(&foreign, state.head.id, 0, &[1]).ok()?,
        4 => flipped(&state.document, dice),
        5 => state.document[..dice.below(state.document.len())].to_vec(),
        6 => return sibling(signer, place, state, held.map(|held| &oracle.states[held])),
        _ => [step(house, oracle, place, place)?.bytes.as_ref(), b"\n", &listed(state)].concat(),
    };
    Some(Parcel { bytes: bytes.into(), says: Says::Nothing })
}

/// Another head under a number that was used, for a verifier that holds this number or a higher one.
fn sibling(signer: &SigningKey, place: usize, state: &State, held: Option<&State>) -> Option<Parcel> {
    held.filter(|held| held.head.seq >= state.head.seq)?;
    let head = Head { id: ListId::of(&[1]), exp: state.head.exp.plus_secs(1), ..state.head.clone() };
    Some(Parcel { bytes: signer.sign_list(&head, &[1]).ok()?.into(), says: Says::Sibling(place) })
}

fn flipped(document: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = document.to_vec();
    let place = dice.below(bytes.len());
    bytes[place] ^= 1 << dice.below(8);
    bytes
}

fn listed(state: &State) -> Vec<u8> {
    let end = state.document.iter().position(|byte| *byte == b'\n').unwrap();
    state.document[end + 1..].to_vec()
}

fn body(places: &[(u32, u32)]) -> Vec<u8> {
    let mut epochs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (epoch, index) in places {
        match epochs.last_mut() {
            Some((last, run)) if last == epoch => run.push(*index),
            Some(_) | None => epochs.push((*epoch, vec![*index])),
        }
    }
    codec::encode(epochs.iter().map(|(epoch, run)| (*epoch, run.as_slice()))).unwrap()
}
