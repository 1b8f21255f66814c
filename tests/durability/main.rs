//! What clients were told holds, however the daemon ended and whatever became of its files. docs/reliability.md says what is shown.
//!
//! A run takes fresh seeds and prints them. What is short here is long in `cargo xtask soak crash`, `corruption` and `linear`.

// Everything here is a test: what is wrong must stop it, with the seed that showed it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_in_result)]

mod corruption;
mod damage;
mod kills;
mod life;
mod linear;
mod tree;

const SEED: &str = "COUNTERSIGN_CRASH_SEED";
