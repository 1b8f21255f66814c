//! What a verification costs as one thing grows: the claims, the key set, the list, the batch.

use crate::Result;
use crate::fixture::Fixture;
use crate::ours;
use crate::rounds::{Contender, in_rounds};
use serde_json::{Value, json};
use std::rc::Rc;

const ROUNDS: usize = 11;
/// As in sweeps.mjs.
const CLAIMS: [usize; 6] = [240, 500, 1000, 2000, 4000, 5900];
const KEYS: [usize; 5] = [1, 3, 10, 30, 100];
const BATCHES: [usize; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const LISTS: [usize; 7] = [0, 10, 100, 1000, 10_000, 100_000, 1_000_000];

/// For each sweep the points of a line: `[x, µs]`.
pub(crate) fn all(fixture: &Fixture) -> Result<Value> {
    let list = |count: &usize| Ok((fixture.keys.clone(), fixture.file(&format!("lists/{count}.bin"))?, None));
    let keys = |count: &usize| Ok((fixture.file(&format!("keysets/{count}.json"))?, fixture.list.clone(), None));
    let claims = |bytes: &usize| {
        let token = String::from_utf8(fixture.file(&format!("claims/{bytes}.txt"))?)?;
        Ok((fixture.keys.clone(), fixture.list.clone(), Some(token)))
    };
    Ok(json!({
        "claims": line(fixture, &CLAIMS, claims, "native, claims")?,
        "keys": line(fixture, &KEYS, keys, "native, keys")?,
        "lists": line(fixture, &LISTS, list, "native, lists")?,
        "batches": batches(fixture)?,
    }))
}

fn batches(fixture: &Fixture) -> Result<Vec<Value>> {
    let verifier = Rc::new(ours::verifier(&fixture.keys, &fixture.list)?);
    let contenders = BATCHES.iter().map(|size| Contender {
        id: size.to_string(),
        name: String::new(),
        kind: "whole",
        mine: true,
        judge: None,
        turn: ours::many(Rc::clone(&verifier), &fixture.tokens, *size),
    });
    let rows = in_rounds(contenders.collect(), ROUNDS, "native, batches");
    Ok(BATCHES.iter().zip(rows).map(|(size, row)| json!([size, row["median"]])).collect())
}

/// Key set and list as bytes, and a token where it is not all of the fixture's.
type Point = (Vec<u8>, Vec<u8>, Option<String>);

fn line(fixture: &Fixture, at: &[usize], point: impl Fn(&usize) -> Result<Point>, what: &str) -> Result<Vec<Value>> {
    let mut contenders = Vec::new();
    for x in at {
        let (keys, list, token) = point(x)?;
        let verifier = ours::verifier(&keys, &list)?;
        let tokens: &[String] = token.map_or(&fixture.tokens, |token| vec![token].leak());
        contenders.push(Contender {
            id: x.to_string(),
            name: String::new(),
            kind: "whole",
            mine: true,
            judge: None,
            turn: ours::judging(Rc::new(verifier), tokens),
        });
    }
    let rows = in_rounds(contenders, ROUNDS, what);
    Ok(at.iter().zip(rows).map(|(x, row)| json!([x, row["median"]])).collect())
}
