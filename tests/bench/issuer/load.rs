//! Two ways to load a server.
//!
//! In a closed loop each connection sends its next request when the last one is answered: what comes out is how much the
//! server can do, and never more than one request a connection is under way. In an open loop requests are due at fixed
//! times whether or not the server keeps up, as those of many clients are; a latency counts from when the request was due, so
//! that a pause is felt by all whom it kept waiting (what a closed loop would omit).
//!
//! One thread serves all connections: the server under load has the same processors, and a thread for each connection would
//! take from it what switching between them costs.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions};
use tokio::task::JoinSet;

use crate::alarm::Alarm;
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
/// from `state` and is given back, in no order.
///
/// # Errors
/// The first that any connection met; the others are then given up.
pub(crate) fn run<S: 'static>(
    host: SocketAddr,
    connections: usize,
    (bounds, pace): (Bounds, Pace),
    state: impl FnMut(usize) -> S,
    request: impl AsyncFn(&mut Connection, usize, &mut S) -> io::Result<()> + 'static,
) -> Result<(Measured, Vec<S>), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let states: Vec<S> = (0..connections).map(state).collect();
    runtime.block_on(async {
        let mut opened = Vec::with_capacity(connections);
        for (number, state) in states.into_iter().enumerate() {
            let schedule = Schedule::of(number, connections, pace);
            opened.push((Connection::open(host).await?, schedule, state));
        }
        let (request, started) = (Rc::new(request), clock::now());
        let mut tasks = JoinSet::new();
        for (connection, schedule, state) in opened {
            let request = Rc::clone(&request);
            tasks.spawn_local(async move { one(connection, (bounds, started), &schedule, state, &*request).await });
        }
        collect(started, tasks).await
    })
}

async fn one<S>(
    mut connection: Connection,
    (bounds, started): (Bounds, Instant),
    schedule: &Schedule,
    mut state: S,
    request: &impl AsyncFn(&mut Connection, usize, &mut S) -> io::Result<()>,
) -> io::Result<(Latencies, S)> {
    let alarm = Alarm::new()?;
    let mut latencies = Vec::with_capacity(bounds.requests.min(MOST_AT_ONCE));
    while latencies.len() < bounds.requests && started.elapsed() < bounds.time {
        let due = schedule.due(latencies.len()).map_or_else(clock::now, |after| started + after);
        alarm.at(due).await?;
        request(&mut connection, latencies.len(), &mut state).await?;
        latencies.push(due.elapsed());
    }
    Ok((latencies, state))
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

async fn collect<S: 'static>(
    started: Instant,
    mut tasks: JoinSet<io::Result<(Latencies, S)>>,
) -> Result<(Measured, Vec<S>), Box<dyn Error>> {
    let (mut latencies, mut states) = (Vec::new(), Vec::new());
    while let Some(ended) = tasks.join_next().await {
        let (of_one, state) = ended.map_err(|_| "a connection's task panicked")??;
        latencies.extend(of_one);
        states.push(state);
    }
    let took = started.elapsed();
    latencies.sort_unstable();
    Ok((Measured { requests: latencies.len(), took, latencies }, states))
}
