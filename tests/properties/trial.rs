//! How a property is tried: with a seed that is printed, and on wrong implementations too.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher};

/// What one input shows.
pub(crate) type Shown = Result<(), TestCaseError>;

/// Tries a property on `cases` inputs; `Err` holds the smallest input that breaks it, and the seed.
pub(crate) fn tried<S: Strategy>(cases: u32, inputs: &S, property: impl Fn(S::Value) -> Shown) -> Result<(), String>
where
    S::Value: Debug,
{
    let mut config = Config { failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        // The standard library's hash keys are the randomness that needs no crate.
        RngSeed::Random => std::collections::hash_map::RandomState::new().build_hasher().finish(),
    };
    config.rng_seed = RngSeed::Fixed(seed);
    println!("{} inputs, PROPTEST_RNG_SEED={seed}", config.cases);
    TestRunner::new(config).run(inputs, property).map_err(|error| format!("PROPTEST_RNG_SEED={seed}\n{error}"))
}

/// The property holds.
pub(crate) fn holds<S: Strategy>(cases: u32, inputs: &S, property: impl Fn(S::Value) -> Shown)
where
    S::Value: Debug,
{
    if let Err(shown) = tried(cases, inputs, property) {
        panic!("{shown}");
    }
}

/// The property breaks, as it must where a fault is planted.
pub(crate) fn breaks<S: Strategy>(cases: u32, inputs: &S, property: impl Fn(S::Value) -> Shown)
where
    S::Value: Debug,
{
    let shown = tried(cases, inputs, property).expect_err("the planted fault was not seen");
    println!("seen: {}", shown.chars().take(300).collect::<String>());
}

/// Fails this input with a reason.
pub(crate) fn wrong<T>(reason: impl Into<String>) -> Result<T, TestCaseError> {
    Err(TestCaseError::fail(reason.into()))
}
