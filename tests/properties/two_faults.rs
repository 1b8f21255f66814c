//! Of any number of faults the check that comes first speaks.

use crate::order::{Fault, faults, faulty};
use crate::trial::{Shown, breaks, holds, wrong};
use crate::verdict::{Case, Expect, File};
use proptest::prelude::*;
use proptest::sample::subsequence;
use token::base64url;

fn file() -> File {
    File {
        keys: crate::world::key_sets()
            .into_iter()
            .map(|(name, set)| (name.to_owned(), serde_json::from_str(&set).unwrap()))
            .collect(),
        lists: crate::world::lists()
            .into_iter()
            .map(|(name, list)| (name.to_owned(), base64url::encode(&list)))
            .collect(),
        cases: Vec::new(),
    }
}

fn some_faults() -> impl Strategy<Value = Vec<usize>> {
    let all: Vec<usize> = (0..faults().len()).collect();
    subsequence(all, 1..=6)
}

fn first_speaks(picked: &[usize], judge: impl Fn(&Case) -> Expect) -> Shown {
    let all = faults();
    let picked: Vec<&Fault> = picked.iter().map(|at| &all[*at]).collect();
    let case = faulty(&picked);
    let verdict = judge(&case);
    if verdict == case.expect { Ok(()) } else { wrong(format!("{}: {verdict:?}", case.name)) }
}

#[test]
fn of_several_faults_the_first_in_the_order_of_checks_is_told() {
    let file = file();
    holds(1500, &some_faults(), |picked| first_speaks(&picked, |case| case.judge(&file)));
}

/// A verifier that looks at the clock before the signature would tell a forger about it.
#[test]
fn a_verifier_that_looks_at_the_clock_first_is_noticed() {
    let file = file();
    breaks(1500, &some_faults(), |picked| {
        first_speaks(&picked, |case| {
            if case.now >= crate::forge::EXP + 5 { crate::verdict::expired() } else { case.judge(&file) }
        })
    });
}
