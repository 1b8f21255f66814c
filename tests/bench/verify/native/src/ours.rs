//! Our verifier, as a native service uses it.

use crate::Result;
use crate::fixture::{AUDIENCE, Fixture, ISSUER, now};
use crate::rounds::{Contender, one_by_one};
use std::rc::Rc;
use token::jwk::KeySet;
use token::verify::{Policy, Recheck, Remembered, Scope, Scratch, Verifier};

const BATCH: usize = 1000;

pub(crate) fn contenders(fixture: &Fixture) -> Result<Vec<Contender<'_>>> {
    let verifier = Rc::new(verifier(&fixture.keys, &fixture.list)?);
    let tokens = &fixture.tokens;
    let owned = Rc::clone(&verifier);
    let owned = move |token: &String| owned.verify(token, now()).is_ok();
    Ok(vec![
        ours("ours", "", &verifier, judging(Rc::clone(&verifier), tokens)),
        ours("ours-owned", ", claims in memory of their own", &verifier, one_by_one(tokens, owned)),
        ours("ours-many", ", judge_many(1000)", &verifier, many(Rc::clone(&verifier), tokens, BATCH)),
        ours(
            "ours-recheck",
            ", the same token again: recheck",
            &verifier,
            rechecking(Rc::clone(&verifier), &tokens[0])?,
        ),
    ])
}

fn ours<'f>(id: &str, name: &str, verifier: &Rc<Verifier>, turn: Box<dyn FnMut(usize) -> usize + 'f>) -> Contender<'f> {
    let verifier = Rc::clone(verifier);
    let kind = if id == "ours-recheck" { "cached" } else { "whole" };
    let judge = Box::new(move |token: &str| verifier.verify(token, now()).is_ok());
    Contender { id: id.into(), name: format!("countersign{name}"), kind, mine: true, judge: Some(judge), turn }
}

/// A turn of `judge`, with memory that is lent from call to call.
pub(crate) fn judging(verifier: Rc<Verifier>, tokens: &[String]) -> Box<dyn FnMut(usize) -> usize + '_> {
    let mut scratch = Scratch::default();
    one_by_one(tokens, move |token| verifier.judge(token.as_bytes(), Scope::NONE, now(), &mut scratch).is_ok())
}

/// A turn of `judge_many` over batches of `size` tokens.
pub(crate) fn many(verifier: Rc<Verifier>, tokens: &[String], size: usize) -> Box<dyn FnMut(usize) -> usize + '_> {
    let mut scratch = Scratch::default();
    Box::new(move |count| {
        let batches = count.div_ceil(size);
        for batch in tokens.chunks_exact(size).cycle().take(batches) {
            let batch = batch.iter().map(String::as_bytes);
            verifier.judge_many(batch, Scope::NONE, now(), &mut scratch, |judged| assert!(judged.is_ok()));
        }
        batches * size
    })
}

fn rechecking(verifier: Rc<Verifier>, token: &str) -> Result<Box<dyn FnMut(usize) -> usize>> {
    let mut scratch = Scratch::default();
    let judged = verifier.judge(token.as_bytes(), Scope::NONE, now(), &mut scratch);
    let remembered = [judged.map_err(|fault| format!("{fault:?}"))?.remember()];
    let holds = move |known: &Remembered| verifier.recheck(known, Scope::NONE, now()) == Recheck::Holds;
    Ok(one_by_one(remembered.to_vec().leak(), holds))
}

/// A verifier of the fixture's issuer.
pub(crate) fn verifier(keys: &[u8], list: &[u8]) -> Result<Verifier> {
    let policy = Policy {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(vec![AUDIENCE.to_owned()]),
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    };
    let keys = KeySet::parse(keys).map_err(|fault| format!("{fault:?}"))?;
    let mut verifier = Verifier::new(policy, keys)?;
    verifier.load_revocations(list, now()).map_err(|fault| format!("{fault:?}"))?;
    Ok(verifier)
}
