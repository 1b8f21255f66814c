//! The clock and the randomness of the daemon: the only file that reads either of the system's.
//!
//! Everything else takes the time as an argument, or this [`Env`]. Tests use [`Env::fixed`], whose clock stands still
//! until it is moved and whose randomness repeats with its seed.

use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use token::time::UnixTime;

/// Tells the time in two ways.
pub trait Clock: Send + Sync {
    /// Returns the milliseconds since 1970 that the system's calendar shows; it may jump either way.
    fn unix_millis(&self) -> u64;
    /// Returns the time since some fixed moment of this process; it never goes back.
    fn monotonic(&self) -> Duration;
}

/// Gives bytes nobody can foretell.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`NoEntropy`] when the system has none; `bytes` must then not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEntropy;

impl From<NoEntropy> for crate::Error {
    fn from(_: NoEntropy) -> Self {
        Self::Entropy
    }
}

/// The two things that the outside world decides. Cheap to clone.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Env {
    /// Returns the system's clock and randomness.
    #[allow(clippy::disallowed_methods)] // this is the one place
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock { started: Instant::now() }), entropy: Arc::new(SystemEntropy) }
    }

    /// Returns an environment that stands still at `now`, with randomness that follows from `seed`, and the clock that moves it.
    pub fn fixed(now: UnixTime, seed: u64) -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(now));
        (Self::seeded(Arc::clone(&clock), seed), clock)
    }

    /// Returns an environment with this clock and randomness that follows from `seed`; for tests.
    pub fn seeded(clock: Arc<impl Clock + 'static>, seed: u64) -> Self {
        Self { clock, entropy: Arc::new(SeededEntropy { seed, block: AtomicU64::new(0) }) }
    }

    /// Returns the two together.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// Returns the whole seconds that the calendar shows.
    pub fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.clock.unix_millis() / 1000).unwrap_or(UnixTime::MAX)
    }

    /// Returns the milliseconds since 1970.
    pub fn unix_millis(&self) -> u64 {
        self.clock.unix_millis()
    }

    /// Returns the monotonic time since some fixed moment.
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Returns `N` random bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] when the system has none.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Fills `bytes` with randomness.
    ///
    /// # Errors
    /// [`NoEntropy`] when the system has none.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.entropy.fill(bytes)
    }
}

/// Measures how long something takes, for metrics; nothing is decided by it.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to measure.
    #[allow(clippy::disallowed_methods)] // this is the one place
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns how long ago that was.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

struct SystemClock {
    started: Instant,
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // this is the one place
    fn unix_millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// On Linux the time since the machine started, which goes on while it sleeps: a laptop that wakes up has not jumped.
    fn monotonic(&self) -> Duration {
        #[cfg(target_os = "linux")]
        if let Ok(since_boot) = Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::Boottime)) {
            return since_boot;
        }
        self.started.elapsed()
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(clippy::disallowed_methods)] // this is the one place
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(bytes).map_err(|_| NoEntropy)
    }
}

/// A clock for tests: it stands still until somebody moves it.
pub struct ManualClock {
    times: Mutex<(u64, Duration)>,
}

impl ManualClock {
    fn new(now: UnixTime) -> Self {
        Self { times: Mutex::new((now.as_secs().saturating_mul(1000), Duration::ZERO)) }
    }

    /// Lets `duration` pass on both clocks.
    pub fn advance(&self, duration: Duration) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.0 = times.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        times.1 = times.1.saturating_add(duration);
    }

    /// Lets `seconds` pass on both clocks.
    pub fn advance_secs(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// Sets the calendar to `now`, as an operator or a time server might; the monotonic clock does not move.
    pub fn jump_to(&self, now: UnixTime) {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).0 = now.as_secs().saturating_mul(1000);
    }
}

impl Clock for ManualClock {
    fn unix_millis(&self) -> u64 {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// SHA-256 in counter mode: the same bytes for the same seed.
struct SeededEntropy {
    seed: u64,
    block: AtomicU64,
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in bytes.chunks_mut(32) {
            let block = self.block.fetch_add(1, Ordering::Relaxed);
            let digest =
                Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(block.to_le_bytes()).finalize();
            chunk.iter_mut().zip(digest).for_each(|(byte, random)| *byte = random);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_environment_repeats_and_moves_only_when_told() {
        let start = UnixTime::from_secs(1_700_000_000).unwrap();
        let (a, clock) = Env::fixed(start, 7);
        let (b, _) = Env::fixed(start, 7);
        assert_eq!(a.random::<40>(), b.random::<40>());
        assert_ne!(a.random::<40>(), a.random::<40>());
        assert_eq!(a.now(), start);
        clock.advance_secs(3);
        assert_eq!((a.now(), a.monotonic()), (start.plus_secs(3), Duration::from_secs(3)));
        clock.jump_to(start);
        assert_eq!((a.now(), a.monotonic()), (start, Duration::from_secs(3)));
    }

    #[test]
    fn the_system_gives_different_bytes_each_time_and_a_time_after_2026() {
        let env = Env::system();
        assert_ne!(env.random::<32>().unwrap(), env.random::<32>().unwrap());
        assert!(env.now() > UnixTime::from_secs(1_767_225_600).unwrap());
        assert!(env.monotonic() <= env.monotonic());
    }
}
