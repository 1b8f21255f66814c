//! Properties of the token crate under generated input, and proof that each of them can fail.
//!
//! A run takes fresh seeds and prints them; `PROPTEST_RNG_SEED=n` repeats one, `PROPTEST_CASES=n` makes it longer.

// Everything here is a test: what is wrong must stop it, with the input that showed it.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

// The makers of tokens and lists are those of the vectors; each of the two uses a part of them.
#[allow(dead_code)]
#[path = "../vectors/forge.rs"]
mod forge;
#[allow(dead_code)]
#[path = "../vectors/jwt_compact.rs"]
mod jwt_compact;
#[allow(dead_code)]
#[path = "../vectors/attacks/order.rs"]
mod order;
#[allow(dead_code)]
#[path = "../vectors/rice.rs"]
mod rice;
#[allow(dead_code)]
#[path = "../vectors/verdict.rs"]
mod verdict;
#[allow(dead_code)]
#[path = "../vectors/world.rs"]
mod world;

mod anything;
mod claims;
mod cross_check;
mod deltas;
mod lists;
mod mutations;
mod sequences;
mod trial;
mod two_faults;
