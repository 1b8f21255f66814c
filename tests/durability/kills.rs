//! kill -9, again and again.

use crate::SEED;
use crate::life::{LONGEST, Life, ROUNDS};
use crate::tree::Tree;
use countersign_tests::{Extent, Load, given, seed};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Kills of the test run.
const KILLS: u64 = 50;
/// Clients at a time, unless it is told otherwise.
const CLIENTS: u64 = 4;

/// Lives of seeds from `first` on, until there were so many kills.
struct Soak {
    next: AtomicU64,
    clients: usize,
    longest: u64,
    wanted: u64,
    kills: AtomicU64,
    told: AtomicU64,
    broken: AtomicBool,
    started: Instant,
}

impl Soak {
    #[allow(clippy::disallowed_methods)] // how long it takes is told and decides nothing
    fn new(first: u64, clients: u64, longest: u64, wanted: u64) -> Self {
        Self {
            next: AtomicU64::new(first),
            clients: usize::try_from(clients).unwrap(),
            longest,
            wanted,
            kills: AtomicU64::new(0),
            told: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            started: Instant::now(),
        }
    }

    /// One life after the other.
    fn run(&self) -> Result<(), String> {
        while self.kills.load(Ordering::Relaxed) < self.wanted && !self.broken.load(Ordering::Relaxed) {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            // A panic is a failure like any other.
            let lived = std::panic::catch_unwind(|| self.live(seed)).unwrap_or_else(|_| Err("it panicked".to_owned()));
            lived.map_err(|fault| {
                self.broken.store(true, Ordering::Relaxed);
                format!("{SEED}={seed}: {fault}")
            })?;
        }
        Ok(())
    }

    fn live(&self, seed: u64) -> Result<(), String> {
        let mut life = Life::begin(seed, self.clients, self.longest);
        let lived = self.rounds(&mut life);
        lived.map_err(|fault| format!("{fault}; data and log are kept in {}", life.daemon.keep().display()))?;
        self.tell(seed);
        Ok(())
    }

    fn rounds(&self, life: &mut Life) -> Result<(), String> {
        for _ in 0..ROUNDS {
            if self.kills.load(Ordering::Relaxed) >= self.wanted {
                break;
            }
            let (kills, told) = (life.kills, life.load.acknowledged());
            life.round()?;
            self.kills.fetch_add(life.kills - kills, Ordering::Relaxed);
            self.told.fetch_add(life.load.acknowledged() - told, Ordering::Relaxed);
        }
        life.end()
    }

    fn tell(&self, seed: u64) {
        let [kills, told] = [&self.kills, &self.told].map(|count| count.load(Ordering::Relaxed));
        let secs = self.started.elapsed().as_secs();
        println!("{secs:>6} s  seed {seed}: {kills} kills, {told} acknowledgements, none lost");
    }
}

#[test]
fn nothing_that_a_client_was_told_is_lost_to_fifty_kills() {
    Soak::new(seed(SEED), CLIENTS, LONGEST, KILLS).run().unwrap();
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak crash"]
fn soak() {
    let clients = given("COUNTERSIGN_CRASH_CLIENTS").unwrap_or(CLIENTS);
    let longest = given("COUNTERSIGN_CRASH_MILLISECONDS").unwrap_or(LONGEST);
    assert!(longest > 40, "{longest} milliseconds are too few for a kill");
    let soak = Soak::new(seed(SEED), clients, longest, given("COUNTERSIGN_CRASH_KILLS").unwrap_or(1_000));
    let at_once = given("COUNTERSIGN_CRASH_LIVES").unwrap_or(1);
    let ended: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let lives: Vec<_> = (0..at_once).map(|_| scope.spawn(|| soak.run())).collect();
        lives.into_iter().map(|life| life.join().unwrap()).collect()
    });
    ended.into_iter().collect::<Result<(), String>>().unwrap();
}

/// The check itself: what it must notice is a store that has forgotten what came after a moment.
#[test]
fn a_store_that_goes_back_to_an_earlier_moment_is_noticed() {
    let mut daemon = Load::setup().start();
    let mut load = Load::new(seed(SEED), 4);
    let mut work = |daemon: &mut countersign_tests::Daemon| {
        load.run(daemon.client(), |progress| {
            progress.wait(progress.told() + 60);
            daemon.kill();
        })
        .unwrap();
    };
    work(&mut daemon);
    let store = daemon.setup().data_dir().join("store");
    let earlier = Tree::read(&store);
    daemon.start_again();
    work(&mut daemon);
    let later = Tree::read(&store);
    earlier.put_back(&store);
    daemon.start_again();
    let fault = load.clone().check(&daemon, Extent::All).expect_err("it has lost acknowledged writes");
    println!("{fault}");
    daemon.kill();
    later.put_back(&store);
    daemon.start_again();
    load.check(&daemon, Extent::All).unwrap();
}
