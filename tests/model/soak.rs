//! The long run: `cargo xtask soak model` starts it, and it tells how far it is.

use crate::planted::Planted;
use crate::{STEPS, given, history, seed};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What all threads have done together.
#[derive(Default)]
struct Done {
    histories: AtomicU64,
    checks: AtomicU64,
    acknowledged: AtomicU64,
    ended: AtomicBool,
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak model"]
#[allow(clippy::disallowed_methods)] // how long it takes is told and decides nothing but the end
fn soak() {
    let (first, started, done) = (seed(), Instant::now(), Done::default());
    let checks = given("COUNTERSIGN_MODEL_CHECKS").unwrap_or(u64::MAX);
    let longest = given("COUNTERSIGN_MODEL_MINUTES").map_or(Duration::MAX, |minutes| Duration::from_secs(minutes * 60));
    let is_over = || done.checks.load(Ordering::Relaxed) >= checks || started.elapsed() >= longest;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("seeds from {first} on, {threads} at a time");
    let told = || {
        let [histories, checks, acknowledged] =
            [&done.histories, &done.checks, &done.acknowledged].map(|count| count.load(Ordering::Relaxed));
        let secs = started.elapsed().as_secs();
        println!(
            "{secs:>6} s  {histories} histories, {checks} checks, {acknowledged} acknowledged revocations, 0 failures"
        );
    };
    let run = || {
        while !is_over() && !done.ended.load(Ordering::Relaxed) {
            let seed = first.wrapping_add(done.histories.fetch_add(1, Ordering::Relaxed));
            // A panic in a history is a failure like any other.
            let outcome = std::panic::catch_unwind(|| history::run(seed, STEPS, Planted::Nothing));
            match outcome.unwrap_or_else(|_| Err("it panicked".to_owned())) {
                Ok((checks, acknowledged)) => {
                    done.checks.fetch_add(checks, Ordering::Relaxed);
                    done.acknowledged.fetch_add(acknowledged, Ordering::Relaxed);
                }
                Err(what) => {
                    done.ended.store(true, Ordering::Relaxed);
                    return Err(format!("COUNTERSIGN_MODEL_SEED={seed}: {what}"));
                }
            }
        }
        Ok(())
    };
    let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        while running.iter().any(|thread| !thread.is_finished()) {
            for _ in 0..50 {
                if running.iter().any(|thread| !thread.is_finished()) {
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
            told();
        }
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    outcomes.into_iter().for_each(|outcome| outcome.unwrap());
}
