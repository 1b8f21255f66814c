//! Two ways to load a server.
//!
//! In a closed loop each connection sends its next request when the last one is answered: what comes out is how much the
//! server can do, and never more than one request a connection is under way. In an open loop requests are due at fixed
//! times whether or not the server keeps up, as those of many clients are; a latency counts from when the request was due, so
//! that a pause is felt by all whom it kept waiting (what a closed loop would omit).

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::clock;
use crate::connection::Connection;

/// How much is done at most, whichever comes first.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Requests of each connection.
    pub(crate) requests: usize,
    /// Time of the whole phase.
    pub(crate) time: Duration,
}

/// What came of a phase.
pub(crate) struct Measured {
    /// Answered requests, all connections together.
    pub(crate) requests: usize,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// Every latency, ascending.
    latencies: Vec<Duration>,
}

impl Measured {
    /// Requests answered in a second.
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.requests).unwrap_or(u32::MAX)) / self.took.as_secs_f64()
    }

    /// The latency that so many of a thousand requests did not exceed.
    pub(crate) fn per_mille(&self, per_mille: usize) -> Duration {
        let at = (self.latencies.len() * per_mille).div_ceil(1000).saturating_sub(1);
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

type Latencies = Vec<Duration>;

/// Memory for so many latencies is taken at once.
const MOST_AT_ONCE: usize = 65_536;

/// When a connection sends its next request.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// When the one before is answered.
    Closed,
    /// So many in a second, all connections together, evenly.
    Open { per_second: u32 },
}

/// Runs `request` on every connection until the bounds are reached. Each connection has a state of its own: it comes
/// from `state` and is given back.
///
/// # Errors
/// The first that any connection met.
pub(crate) fn run<S: Send>(
    host: SocketAddr,
    connections: usize,
    (bounds, pace): (Bounds, Pace),
    state: impl FnMut(usize) -> S,
    request: impl Fn(&mut Connection, usize, &mut S) -> io::Result<()> + Sync,
) -> Result<(Measured, Vec<S>), Box<dyn Error>> {
    let states: Vec<S> = (0..connections).map(state).collect();
    let barrier = Barrier::new(connections + 1);
    let (started, ended) = thread::scope(|scope| {
        let (barrier, request) = (&barrier, &request);
        let spawn = |(number, mut state): (usize, S)| {
            scope.spawn(move || -> io::Result<(Latencies, S)> {
                let opened = Connection::open(host);
                barrier.wait(); // also when it failed: the others wait for it
                let schedule = Schedule::of(number, connections, pace);
                let latencies = one(&mut opened?, bounds, &schedule, &mut state, request)?;
                Ok((latencies, state))
            })
        };
        let threads: Vec<_> = states.into_iter().enumerate().map(spawn).collect();
        barrier.wait();
        let started = clock::now();
        (started, threads.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>())
    });
    collect(started, ended)
}

fn one<S>(
    connection: &mut Connection,
    bounds: Bounds,
    schedule: &Schedule,
    state: &mut S,
    request: impl Fn(&mut Connection, usize, &mut S) -> io::Result<()>,
) -> io::Result<Latencies> {
    let started = clock::now();
    let mut latencies = Vec::with_capacity(bounds.requests.min(MOST_AT_ONCE));
    while latencies.len() < bounds.requests && started.elapsed() < bounds.time {
        let due = schedule.due(latencies.len()).map_or_else(clock::now, |after| started + after);
        thread::sleep(due.saturating_duration_since(clock::now()));
        request(connection, latencies.len(), state)?;
        latencies.push(due.elapsed());
    }
    Ok(latencies)
}

/// When the requests of one connection are due.
struct Schedule {
    first: Duration,
    /// None when each is due when the one before is answered.
    every: Option<Duration>,
}

impl Schedule {
    fn of(number: usize, connections: usize, pace: Pace) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        match pace {
            Pace::Closed => Self { first: Duration::ZERO, every: None },
            Pace::Open { per_second } => {
                let apart = Duration::from_secs(1) / per_second.max(1);
                Self { first: apart * count(number), every: Some(apart * count(connections)) }
            }
        }
    }

    fn due(&self, request: usize) -> Option<Duration> {
        self.every.map(|every| self.first + every * u32::try_from(request).unwrap_or(u32::MAX))
    }
}

fn collect<S>(
    started: Instant,
    ended: Vec<thread::Result<io::Result<(Latencies, S)>>>,
) -> Result<(Measured, Vec<S>), Box<dyn Error>> {
    let took = started.elapsed();
    let (mut latencies, mut states) = (Vec::new(), Vec::new());
    for one in ended {
        let (of_one, state) = one.map_err(|_| "a connection's thread panicked")??;
        latencies.extend(of_one);
        states.push(state);
    }
    latencies.sort_unstable();
    Ok((Measured { requests: latencies.len(), took, latencies }, states))
}
