//! Refreshing and revoking one session by several clients at once, over crashes and lost answers: whatever each of them saw, it can
//! be told as one request after the other.

mod model;
mod planted;
mod race;
mod search;
mod winners;

use countersign_tests::{given, seed};
use race::Race;

const SEED: &str = "COUNTERSIGN_LINEAR_SEED";

/// Runs races of one seed after the other until there were so many requests.
fn races(first: u64, requests: u64) -> Result<(), String> {
    let (mut done, mut seed) = (0, first);
    while done < requests {
        let race = Race::run(seed).and_then(|race| race.check()).map_err(|fault| format!("{SEED}={seed}: {fault}"))?;
        done += race.requests;
        seed += 1;
        println!("{done:>8} requests, the last {race:?}");
    }
    Ok(())
}

#[test]
fn what_clients_see_of_a_session_can_be_told_as_one_request_after_the_other() {
    races(seed(SEED), given("COUNTERSIGN_LINEAR_REQUESTS").unwrap_or(4_000)).unwrap();
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak linear"]
fn soak() {
    races(seed(SEED), given("COUNTERSIGN_LINEAR_REQUESTS").unwrap_or(100_000)).unwrap();
}
