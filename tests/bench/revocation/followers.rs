//! Those who follow over `GET /revocations/events`, each with a verifier of its own.

use crate::clock;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify::{Loaded, Policy, Verifier};

const STACK: usize = 256 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// When a follower's verifier began to hold each list.
pub(crate) type Seen = Vec<(u64, Instant)>;

/// Running followers.
pub(crate) struct Followers {
    threads: Vec<JoinHandle<Result<Seen, String>>>,
    stop: Arc<AtomicBool>,
    streams: Vec<TcpStream>,
}

impl Followers {
    /// Starts `count` of them, and returns when each has had its first event.
    pub(crate) fn start(count: usize, host: SocketAddr, now: UnixTime) -> Result<Self, Box<dyn Error>> {
        let (keys, list) = (fetched(host, "/.well-known/jwks.json")?, fetched(host, "/revocations")?);
        let keys = KeySet::parse(&keys).map_err(|fault| fault.to_string())?;
        let policy = Policy {
            issuer: None,
            audience: None,
            leeway_secs: 5,
            scope: Vec::new(),
            revocations: true,
            max_staleness_secs: None,
        };
        let mut verifier = Verifier::new(policy, keys)?;
        verifier.load_revocations(&list, now).map_err(|fault| format!("{fault:?}"))?;
        let (stop, ready) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (mut threads, mut streams) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let stream = subscribed(host)?;
            streams.push(stream.try_clone()?);
            let (stop, ready, verifier) = (Arc::clone(&stop), Arc::clone(&ready), verifier.clone());
            let follow = move || follow(stream, verifier, now, &stop, &ready);
            threads.push(std::thread::Builder::new().stack_size(STACK).spawn(follow)?);
        }
        let started = clock::now();
        while ready.load(Ordering::Relaxed) < count {
            if started.elapsed() > PATIENCE {
                return Err("the followers did not get their first event".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Self { threads, stop, streams })
    }

    /// Ends them, and returns what each has seen.
    pub(crate) fn end(self) -> Result<Vec<Seen>, Box<dyn Error>> {
        self.stop.store(true, Ordering::Relaxed);
        for stream in &self.streams {
            stream.shutdown(std::net::Shutdown::Both)?;
        }
        let ended =
            self.threads.into_iter().map(|thread| thread.join().map_err(|_| "a follower panicked".to_owned())?);
        Ok(ended.collect::<Result<_, _>>()?)
    }
}

/// A connection on which the events have been asked for.
pub(crate) fn subscribed(host: SocketAddr) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    stream.write_all(format!("GET /revocations/events HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
    Ok(stream)
}

/// Applies every delta and notes when; a hole is an error, since on loopback nothing is lost.
fn follow(
    stream: TcpStream,
    mut verifier: Verifier,
    now: UnixTime,
    stop: &AtomicBool,
    ready: &AtomicUsize,
) -> Result<Seen, String> {
    let mut seen = Seen::new();
    let mut first = true;
    for line in BufReader::with_capacity(2048, stream).lines() {
        let line = match line {
            Ok(line) => line,
            Err(_) if stop.load(Ordering::Relaxed) => break,
            Err(error) => return Err(error.to_string()),
        };
        let Some(delta) = line.strip_prefix("data: ") else { continue };
        let loaded = verifier.load_revocations(delta.as_bytes(), now).map_err(|fault| format!("{fault:?}"))?;
        if loaded == Loaded::Gap {
            return Err("a follower missed an event".to_owned());
        }
        let seq = verifier.list().map_or(0, |list| list.head().seq);
        seen.push((seq, clock::now()));
        if std::mem::take(&mut first) {
            ready.fetch_add(1, Ordering::Relaxed);
        }
    }
    if stop.load(Ordering::Relaxed) { Ok(seen) } else { Err("the daemon ended the stream".to_owned()) }
}

/// The body of a GET.
fn fetched(host: SocketAddr, path: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("no head")?;
    Ok(answer.split_off(end + 4))
}
