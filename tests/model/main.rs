//! Revocation as a whole: the real issuer on its real store, real verifiers, and between them a network, clocks and disks
//! that misbehave, held against an oracle of what was acknowledged. docs/reliability.md says what it holds.
//!
//! A run takes a fresh seed and prints it; `COUNTERSIGN_MODEL_SEED=n` repeats one, `COUNTERSIGN_MODEL_CHECKS=n` makes it
//! longer, `COUNTERSIGN_MODEL_TRACE=1` tells each step. `cargo xtask soak model` runs it on all processors for as long as it is told.

// Everything here is a test: what is wrong must stop it, with the seed that showed it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_in_result)]

mod acts;
mod brittle;
mod follower;
mod history;
mod house;
mod network;
mod oracle;
mod planted;
mod soak;
mod tide;

use countersign_tests::given;
use planted::Planted;

/// Steps of one history.
const STEPS: usize = 160;
/// Checks of the test run, at least.
const CHECKS: u64 = 30_000;

/// Tells what happens, where somebody wants to see it.
fn traced(what: impl FnOnce() -> String) {
    if std::env::var_os("COUNTERSIGN_MODEL_TRACE").is_some() {
        println!("{}", what());
    }
}

fn seed() -> u64 {
    countersign_tests::seed("COUNTERSIGN_MODEL_SEED")
}

/// Runs histories of one seed after the other until there are enough checks; `Err` names the seed that broke something.
fn histories(first: u64, checks: u64, planted: Planted) -> Result<(u64, u64), String> {
    let (mut held, mut acknowledged, mut seed) = (0, 0, first);
    while held < checks {
        let (more, revoked) = history::run(seed, STEPS, planted)
            .map_err(|what| format!("COUNTERSIGN_MODEL_SEED={seed} after {held} checks: {what}"))?;
        held += more;
        acknowledged += revoked;
        seed += 1;
    }
    Ok((held, acknowledged))
}

#[test]
fn what_was_taken_back_stays_taken_back_and_nothing_else_is() {
    let seed = seed();
    let checks = given("COUNTERSIGN_MODEL_CHECKS").unwrap_or(CHECKS);
    let (checks, acknowledged) = histories(seed, checks, Planted::Nothing).unwrap();
    println!("{checks} checks, {acknowledged} acknowledged revocations");
}

#[test]
fn each_planted_fault_is_seen() {
    let seed = seed();
    let faults = [
        (Planted::TakesOlder, ["must be Ok(Older)"; 2]),
        (Planted::AcceptsStale, ["accepted"; 2]),
        (Planted::PromisesOnly, ["accepted", "lacks"]),
        (Planted::Forgets, ["lacks", "for nothing lost"]),
    ];
    for (planted, how) in faults {
        let seen = histories(seed, CHECKS, planted).expect_err(&format!("{planted:?} was not seen, seed {seed}"));
        assert!(how.iter().any(|how| seen.contains(how)), "{planted:?}: {seen}");
        println!("{planted:?}: {}", seen.chars().take(240).collect::<String>());
    }
}
