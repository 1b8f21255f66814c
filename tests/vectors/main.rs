//! Vectors: our own attack tokens, key sets and lists with the verdict on each, and those that others have published.
//!
//! What the JSON files hold is said in README.md beside this file.

// Everything here is a test: what is wrong must stop it, with the name of the case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::as_conversions
)]

mod advisories;
mod attacks;
mod committed;
mod cross_check;
mod forge;
mod jwt_compact;
mod keyset_cases;
mod keysets;
mod list_bodies;
mod list_cases;
mod list_claims;
mod list_delta_forms;
mod list_deltas;
mod lists;
mod published;
mod rice;
mod verdict;
mod verdicts;
mod world;
