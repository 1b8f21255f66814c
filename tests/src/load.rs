//! A mixed load on a running daemon by clients that remember what they were told, and the check of it after a restart.
//!
//! ```no_run
//! use countersign_tests::{Extent, Load};
//!
//! let mut daemon = Load::setup().start();
//! let mut load = Load::new(7, 4);
//! load.run(daemon.client(), |progress| {
//!     progress.wait(100); // answers
//!     daemon.kill(); // or whatever else ends it; a load on a daemon that goes on ends when this returns
//! })?;
//! daemon.restart();
//! load.check(&daemon, Extent::Touched { others: 8 })?;
//! # Ok::<(), String>(())
//! ```
//!
//! The daemon may be another process on another copy of the data folder, so long as it has the settings of
//! [`Load::setup`]; the load may go on and be checked as often as one likes.

mod clients;
pub(crate) mod sessions;
mod users;
mod worker;

use crate::client::Client;
use crate::daemon::{Daemon, Setup};
use crate::dice::Dice;
use crate::promises::{Chain, Key, Public};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
pub(crate) use worker::Worker;

pub(crate) const SECRET: &str = Load::SECRET;

/// Several clients and what each of them was told.
#[derive(Debug, Clone)]
pub struct Load {
    workers: Vec<Worker>,
    chain: Chain,
    /// The newest list that was seen.
    seq: u64,
}

/// How much of what was promised is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What has been acted on since the last check, and for each client so many of the other sessions.
    Touched {
        /// Sessions that nothing has been done to.
        others: usize,
    },
    /// Everything.
    All,
}

/// How far the clients of a load are, for whoever decides when it ends.
#[derive(Debug, Default)]
pub struct Progress {
    told: AtomicUsize,
    working: AtomicUsize,
    over: AtomicBool,
}

impl Progress {
    /// Returns how many answers there were.
    pub fn told(&self) -> usize {
        self.told.load(Ordering::Relaxed)
    }

    /// Waits until there were so many answers, or nobody works any more.
    pub fn wait(&self, answers: usize) {
        while self.told() < answers && self.working.load(Ordering::Relaxed) > 0 {
            thread::sleep(Duration::from_micros(100)); // the processor is for those who work
        }
    }
}

impl Load {
    /// The secret of the client `admin` under [`Load::setup`].
    pub const SECRET: &str = "development-only-0123456789abcdef";

    /// Returns the settings that a daemon under this load has: users, no rate limits, tokens that outlive the test, and an
    /// issuer that is not where it listens.
    pub fn setup() -> Setup {
        let settings = [
            ("log_level", "warn"),
            ("issuer", "http://localhost"),
            ("admin_secret", SECRET),
            ("users.enabled", "true"),
            ("access_ttl_seconds", "86400"),
            ("retry_window_seconds", "300"),
            ("rate_limits.failures_per_minute", "0"),
            ("rate_limits.address_failures_per_minute", "0"),
            ("rate_limits.client_per_second", "0"),
            ("rate_limits.token_per_second", "0"),
            ("rate_limits.management_per_second", "0"),
        ];
        settings.iter().fold(Setup::new(), |setup, (name, value)| setup.set(name, value))
    }

    /// Prepares so many clients; what each of them does follows from the seed.
    pub fn new(seed: u64, clients: usize) -> Self {
        let mut dice = Dice::new(seed);
        let workers = (0..clients).map(|number| Worker::new(number, dice.number())).collect();
        Self { workers, chain: Chain::default(), seq: 0 }
    }

    /// Works on the daemon, each client with one request after the other, until `end` returns or nobody answers any more;
    /// returns how many answers promised something.
    ///
    /// # Errors
    /// An answer that contradicts one that was given before.
    pub fn run(&mut self, client: Client, end: impl FnOnce(&Progress)) -> Result<u64, String> {
        let before = self.acknowledged();
        let progress = Progress { working: AtomicUsize::new(self.workers.len()), ..Progress::default() };
        let ended: Vec<Result<(), String>> = thread::scope(|scope| {
            let work = |worker| scope.spawn(|| work(worker, client, &progress));
            let workers: Vec<_> = self.workers.iter_mut().map(work).collect();
            end(&progress);
            progress.over.store(true, Ordering::Relaxed);
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| Err("a client panicked".into())))
                .collect()
        });
        ended.into_iter().collect::<Result<(), String>>()?;
        Ok(self.acknowledged() - before)
    }

    /// Holds the daemon against what its clients were told. Sessions go on with what the check learns of them.
    ///
    /// # Errors
    /// What was promised and does not hold.
    pub fn check(&mut self, daemon: &Daemon, extent: Extent) -> Result<(), String> {
        let ready = daemon.client().get("/readyz");
        if ready.status != 200 {
            return Err(format!("it is not ready: {}", ready.text()));
        }
        let public = Public::of(daemon.client())?;
        let seq = public.list.head().seq;
        let known = self.workers.iter().map(|worker| worker.promises.seq).fold(self.seq, u64::max);
        if seq <= known {
            return Err(format!("list {known} was published before the restart, and {seq} is now"));
        }
        self.seq = seq;
        self.check_keys(&public)?;
        let (client, public) = (daemon.client(), &public);
        let checked: Vec<Result<(), String>> = thread::scope(|scope| {
            let check = |worker| scope.spawn(move || Worker::check(worker, client, public, extent));
            let workers: Vec<_> = self.workers.iter_mut().map(check).collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err("a check panicked".into()))).collect()
        });
        checked.into_iter().collect::<Result<(), String>>()?;
        let facts = self.workers.iter_mut().flat_map(|worker| std::mem::take(&mut worker.promises.facts)).collect();
        self.chain.read_on(daemon, facts)
    }

    /// Returns how many answers have promised something so far.
    pub fn acknowledged(&self) -> u64 {
        self.workers.iter().map(|worker| worker.promises.acknowledged).sum()
    }

    /// Returns every access token that was handed out.
    pub fn issued(&self) -> Vec<String> {
        self.workers.iter().flat_map(|worker| worker.promises.issued()).map(str::to_owned).collect()
    }

    /// Returns the last link of the audit log that was read, as `countersign audit verify --noted` takes it.
    pub fn noted(&self) -> Option<String> {
        self.chain.noted()
    }
}

fn work(worker: &mut Worker, client: Client, progress: &Progress) -> Result<(), String> {
    let is_over = || progress.over.load(Ordering::Relaxed);
    let told = || {
        progress.told.fetch_add(1, Ordering::Relaxed);
    };
    let ended = worker.work(client, is_over, told);
    progress.working.fetch_sub(1, Ordering::Relaxed);
    ended
}

impl Load {
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.workers.iter().flat_map(|worker| &worker.promises.keys)
    }

    pub(crate) fn keys_mut(&mut self) -> impl Iterator<Item = &mut Key> {
        self.workers.iter_mut().flat_map(|worker| &mut worker.promises.keys)
    }
}
