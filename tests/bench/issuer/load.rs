//! A closed loop: each connection sends its next request when the last one is answered, so the daemon is never offered
//! more than one request a connection, and the latency is what a caller would see.

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

    /// The latency that `percent` of the requests did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let at = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

type Latencies = Vec<Duration>;

/// Runs `request` on every connection until the bounds are reached. Each connection has a state of its own: it comes
/// from `state` and is given back.
///
/// # Errors
/// The first that any connection met.
pub(crate) fn run<S: Send>(
    host: SocketAddr,
    connections: usize,
    bounds: Bounds,
    state: impl FnMut(usize) -> S,
    request: impl Fn(&mut Connection, usize, &mut S) -> io::Result<()> + Sync,
) -> Result<(Measured, Vec<S>), Box<dyn Error>> {
    let states: Vec<S> = (0..connections).map(state).collect();
    let barrier = Barrier::new(connections + 1);
    let (started, ended) = thread::scope(|scope| {
        let spawn = |mut state: S| {
            scope.spawn(|| -> io::Result<(Latencies, S)> {
                let opened = Connection::open(host);
                barrier.wait(); // also when it failed: the others wait for it
                let latencies = one(&mut opened?, bounds, &mut state, &request)?;
                Ok((latencies, state))
            })
        };
        let threads: Vec<_> = states.into_iter().map(spawn).collect();
        barrier.wait();
        let started = clock::now();
        (started, threads.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>())
    });
    collect(started, ended)
}

fn one<S>(
    connection: &mut Connection,
    bounds: Bounds,
    state: &mut S,
    request: impl Fn(&mut Connection, usize, &mut S) -> io::Result<()>,
) -> io::Result<Latencies> {
    let started = clock::now();
    let mut latencies = Vec::with_capacity(bounds.requests);
    while latencies.len() < bounds.requests && started.elapsed() < bounds.time {
        let sent = clock::now();
        request(connection, latencies.len(), state)?;
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
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
