//! The long run: `cargo xtask soak model` starts it, and it tells how far it is.

use crate::planted::Planted;
use crate::{STEPS, given, history, seed};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What all threads do together.
struct Soak {
    first: u64,
    checks_wanted: u64,
    longest: Duration,
    started: Instant,
    histories: AtomicU64,
    checks: AtomicU64,
    acknowledged: AtomicU64,
    broken: AtomicBool,
}

impl Soak {
    fn is_over(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
            || self.checks.load(Ordering::Relaxed) >= self.checks_wanted
            || self.started.elapsed() >= self.longest
    }

    /// One history after the other, each of a seed of its own.
    fn run(&self) -> Result<(), String> {
        while !self.is_over() {
            let seed = self.first.wrapping_add(self.histories.fetch_add(1, Ordering::Relaxed));
            // A panic in a history is a failure like any other.
            let outcome = std::panic::catch_unwind(|| history::run(seed, STEPS, Planted::Nothing));
            let (checks, acknowledged) = outcome.unwrap_or_else(|_| Err("it panicked".to_owned())).map_err(|what| {
                self.broken.store(true, Ordering::Relaxed);
                format!("COUNTERSIGN_MODEL_SEED={seed}: {what}")
            })?;
            self.checks.fetch_add(checks, Ordering::Relaxed);
            self.acknowledged.fetch_add(acknowledged, Ordering::Relaxed);
        }
        Ok(())
    }

    fn tell(&self) {
        let [histories, checks, acknowledged] =
            [&self.histories, &self.checks, &self.acknowledged].map(|count| count.load(Ordering::Relaxed));
        let secs = self.started.elapsed().as_secs();
        println!("{secs:>6} s  {histories} histories, {checks} checks, {acknowledged} acknowledged revocations");
    }
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak model"]
#[allow(clippy::disallowed_methods)] // how long it takes is told and decides nothing but the end
fn soak() {
    let minutes = given("COUNTERSIGN_MODEL_MINUTES");
    let soak = Soak {
        first: seed(),
        checks_wanted: given("COUNTERSIGN_MODEL_CHECKS").unwrap_or(u64::MAX),
        longest: minutes.map_or(Duration::MAX, |minutes| Duration::from_secs(minutes * 60)),
        started: Instant::now(),
        histories: AtomicU64::new(0),
        checks: AtomicU64::new(0),
        acknowledged: AtomicU64::new(0),
        broken: AtomicBool::new(false),
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("seeds from {} on, {threads} at a time", soak.first);
    let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| soak.run())).collect();
        let goes_on = || running.iter().any(|thread| !thread.is_finished());
        while goes_on() {
            (0..50).take_while(|_| goes_on()).for_each(|_| std::thread::sleep(Duration::from_millis(200)));
            soak.tell();
        }
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    outcomes.into_iter().for_each(|outcome| outcome.unwrap());
}
