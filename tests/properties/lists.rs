//! A revocation list against a plain set: what is listed is refused, what is not is left alone, and more never means less.

use crate::claims::{LISTS, at, keys, open_policy};
use crate::forge::{Draft, EXP, ISSUER, NOW};
use crate::rice::{self, Indices};
use crate::trial::{Shown, breaks, holds, wrong};
use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;
use token::id::MAX_INDEX;
use token::revocation::{Cut, Head, ListId, codec};
use token::verify::Verifier;

/// The epoch of most tokens here, and two beside it.
fn epochs() -> impl Strategy<Value = u32> {
    let epoch = u32::try_from(EXP >> 8).unwrap();
    epoch - 1..=epoch + 1
}

fn indices() -> impl Strategy<Value = u32> {
    prop_oneof![0..64_u32, 0..5000_u32, 0..=MAX_INDEX, Just(MAX_INDEX)]
}

fn sets() -> impl Strategy<Value = Indices> {
    let runs = prop_oneof![btree_set(indices(), 1..60), btree_set(0..300_u32, 1..250)];
    btree_map(epochs(), runs.prop_map(|run| run.into_iter().collect()), 0..3)
}

/// Runs of which at most every twentieth index is listed: those that Rice codes are for.
fn sparse_sets() -> impl Strategy<Value = Indices> {
    let spread =
        |run: Vec<u32>| run.into_iter().map(|index| index.saturating_mul(20).saturating_add(19) & MAX_INDEX).collect();
    sets().prop_map(move |sets| {
        let spread = sets
            .into_iter()
            .map(|(epoch, run)| (epoch, std::collections::BTreeSet::from_iter::<Vec<u32>>(spread(run))));
        spread.map(|(epoch, run)| (epoch, run.into_iter().collect())).collect()
    })
}

fn document(indices: &Indices, seq: u64, cut: Cut) -> Vec<u8> {
    let body = codec::encode(indices.iter().map(|(epoch, run)| (*epoch, run.as_slice()))).unwrap();
    let head = Head { iss: ISSUER.to_owned(), iat: at(NOW), exp: at(NOW + 300), seq, id: ListId::of(&body), cut };
    LISTS.sign_list(&head, &body).unwrap()
}

fn verifier(indices: &Indices) -> Verifier {
    let mut verifier = Verifier::new(open_policy(true), keys()).unwrap();
    verifier.load_revocations(&document(indices, 1, Cut::default()), at(NOW)).unwrap();
    verifier
}

fn token(epoch: u32, index: u32) -> String {
    Draft::new().expiring((u64::from(epoch) << 8) + 255, index).token()
}

/// Whether a verifier with this list refuses the token of a place as revoked; any other refusal is wrong.
fn revoked(verifier: &Verifier, (epoch, index): (u32, u32)) -> Result<bool, TestCaseError> {
    match verifier.verify(&token(epoch, index), at(NOW)) {
        Ok(_) => Ok(false),
        Err(rejection) if rejection.code() == "ERR_TOKEN_REVOKED" => Ok(true),
        Err(rejection) => wrong(rejection.to_string()),
    }
}

/// Places that are listed, beside one that is, or anywhere.
fn places(indices: &Indices, anywhere: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let listed = indices.iter().flat_map(|(epoch, run)| run.iter().take(6).map(move |index| (*epoch, *index)));
    let beside = |(epoch, index): (u32, u32)| {
        [(epoch, index), (epoch, index.saturating_add(1).min(MAX_INDEX)), (epoch + 1, index)]
    };
    listed.flat_map(beside).chain(anywhere.iter().copied()).collect()
}

fn agrees(
    indices: &Indices,
    anywhere: &[(u32, u32)],
    judge: impl Fn(&Verifier, (u32, u32)) -> Result<bool, TestCaseError>,
) -> Shown {
    let verifier = verifier(indices);
    for place in places(indices, anywhere) {
        let listed = indices.get(&place.0).is_some_and(|run| run.contains(&place.1));
        if judge(&verifier, place)? != listed {
            return wrong(format!("{place:?} is {}listed", if listed { "" } else { "not " }));
        }
    }
    Ok(())
}

fn anywhere() -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::vec((epochs(), indices()), 0..6)
}

#[test]
fn a_token_is_revoked_exactly_when_its_place_is_listed() {
    holds(150, &(sets(), anywhere()), |(indices, anywhere)| agrees(&indices, &anywhere, revoked));
}

#[test]
fn a_list_that_is_one_index_off_or_forgets_the_last_is_noticed() {
    let off = |verifier: &Verifier, (epoch, index): (u32, u32)| revoked(verifier, (epoch, index.saturating_sub(1)));
    breaks(150, &(sets(), anywhere()), |(indices, anywhere)| agrees(&indices, &anywhere, off));
    let forgets = |verifier: &Verifier, place: (u32, u32)| Ok(revoked(verifier, place)? && place.1 < 60);
    breaks(150, &(sets(), anywhere()), |(indices, anywhere)| agrees(&indices, &anywhere, forgets));
}

#[test]
fn bodies_are_the_shortest_that_the_naive_encoder_can_write_for_each_epoch() {
    holds(300, &sparse_sets(), |indices| {
        let body = codec::encode(indices.iter().map(|(epoch, run)| (*epoch, run.as_slice()))).unwrap();
        let mut expected = vec![1];
        let mut before: Option<u32> = None;
        for (epoch, run) in &indices {
            let gap = before.map_or(*epoch, |before| epoch - before - 1);
            before = Some(*epoch);
            // A run is far longer than all others where r is much too small: those need not be written out.
            let bits = |r: u8| {
                run.iter()
                    .zip(std::iter::once(None).chain(run.iter().map(Some)))
                    .map(|(index, before)| {
                        u64::from((index - before.map_or(0, |before| before + 1)) >> r) + 1 + u64::from(r)
                    })
                    .sum::<u64>()
            };
            let r = (0..=30).min_by_key(|r| bits(*r)).unwrap();
            expected.extend(rice::varint(u64::from(gap)));
            expected.extend(rice::varint(u64::try_from(run.len()).unwrap()));
            expected.push(r);
            expected.extend(rice::packed(&rice::codes(run, r)));
        }
        prop_assert_eq!(body, expected);
        Ok(())
    });
}

/// Growing a list, by indices or rules, never turns a refusal into an acceptance.
fn monotonic(
    small: &Indices,
    more: &Indices,
    all: Option<u64>,
    probe: &[(u32, u32)],
    join: impl Fn(&Indices, &Indices) -> Indices,
) -> Shown {
    let mut verifier = verifier(small);
    let places = places(small, probe);
    let before: Vec<bool> = places.iter().map(|place| revoked(&verifier, *place)).collect::<Result<_, _>>()?;
    let cut = Cut { all: all.map(at), ..Cut::default() };
    verifier.load_revocations(&document(&join(small, more), 2, cut), at(NOW)).unwrap();
    for (place, before) in places.iter().zip(before) {
        if before && !revoked(&verifier, *place)? {
            return wrong(format!("{place:?} was revoked and is accepted"));
        }
    }
    Ok(())
}

fn union(small: &Indices, more: &Indices) -> Indices {
    let mut joined = small.clone();
    for (epoch, run) in more {
        let entry = joined.entry(*epoch).or_default();
        entry.extend(run);
        entry.sort_unstable();
        entry.dedup();
    }
    joined
}

#[test]
fn a_list_that_grows_never_gives_a_token_back() {
    let inputs = (sets(), sets(), proptest::option::of(0..NOW * 2), anywhere());
    holds(80, &inputs, |(small, more, all, probe)| monotonic(&small, &more, all, &probe, union));
}

#[test]
fn a_list_that_is_replaced_and_not_joined_is_noticed() {
    let inputs = (sets(), sets(), proptest::option::of(0..1_u64), anywhere());
    breaks(80, &inputs, |(small, more, all, probe)| monotonic(&small, &more, all, &probe, |_, more| more.clone()));
}
