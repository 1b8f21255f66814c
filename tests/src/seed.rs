//! Numbers that a run takes from its environment, and the seed that it begins with.

use std::env;
use std::hash::{BuildHasher, Hasher};

/// Returns the number in an environment variable.
pub fn given(name: &str) -> Option<u64> {
    env::var(name).ok().map(|number| number.parse().unwrap_or_else(|_| panic!("{name} is no number: {number:?}")))
}

/// Returns the seed in an environment variable, or any, and says which it is: the variable repeats it.
pub fn seed(name: &str) -> u64 {
    // The standard library's hash keys are the randomness that needs no crate.
    let any = || std::collections::hash_map::RandomState::new().build_hasher().finish() >> 16;
    let seed = given(name).unwrap_or_else(any);
    println!("{name}={seed}");
    seed
}
