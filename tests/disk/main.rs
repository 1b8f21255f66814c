//! The daemon on a disk that loses power, fails and is full, and under a calendar that jumps.
//!
//! `shim.c` stands between the daemon and libc; [`shim`] builds it and tells it what to do, [`replay`] makes of its journal
//! what a power cut may leave. Longer runs of the same: `cargo xtask soak power|faults|clock`.

#![cfg(target_os = "linux")] // LD_PRELOAD, and calls that only Linux has
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)] // test code, which clippy.toml exempts only inside #[test]

mod attempt;
mod clock;

mod faults;
mod full;
mod journal;
mod power;
mod purge;
mod replay;
mod self_test;
mod shim;

use countersign_tests::{Load, Setup};
use shim::Shim;

/// Returns the number that the environment gives under this name.
fn given(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?} and no number")))
}

/// Returns a daemon that is to run under the shim, with the settings that a load needs.
fn setup(shim: impl FnOnce(&std::path::Path) -> Shim) -> (Setup, Shim) {
    let setup = Load::setup();
    let shim = shim(setup.folder());
    let words = shim.words();
    let setup = setup.preloading(&words.iter().map(String::as_str).collect::<Vec<_>>());
    (setup, shim)
}
