//! Slow, silent and rude clients against the real accept loop, with limits short enough to wait for.
//!
//! No test sleeps: each waits for what the server does to the socket, and a server that does nothing fails by
//! [`PATIENCE`]. The bound on bodies is `http`'s; tests/e2e shows it, with the same shapes against the whole daemon.

mod proxied;
mod secured;
mod streams;

use super::*;
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use warp::Filter as _;

const SHORT: Duration = Duration::from_millis(150);
/// Longer than a machine under load can need; reached only when the loop is broken.
const PATIENCE: Duration = Duration::from_secs(20);
const FAR: Duration = Duration::from_secs(600);
const GET: &[u8] = b"GET /small HTTP/1.1\r\nhost: x\r\n\r\n";

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Drained>,
}

impl Running {
    async fn start(limits: Limits) -> Self {
        Self::start_with(limits, routes()).await
    }

    async fn start_with(limits: Limits, routes: BoxedFilter<(warp::reply::Response,)>) -> Self {
        Self::start_behind(Front::plain(), limits, routes).await
    }

    async fn start_behind(front: Front, limits: Limits, routes: BoxedFilter<(warp::reply::Response,)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(run(listener, routes, limits, front, async { drop(stopped.await) }));
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("sent");
        stream
    }

    async fn stop(self) -> Drained {
        self.stop.send(()).expect("the loop listens");
        timeout(PATIENCE, self.task).await.expect("the loop ends").expect("no panic")
    }
}

fn routes() -> BoxedFilter<(warp::reply::Response,)> {
    let small = warp::path!("small").map(|| "small".into_response());
    let huge = warp::path!("huge").map(|| vec![b'x'; 32 << 20].into_response());
    let peer = warp::path!("peer").and(warp::ext::get()).map(|Peer(address)| address.to_string().into_response());
    let waiting = warp::path!("waiting").then(std::future::pending::<warp::reply::Response>);
    let panicking = warp::path!("panicking").map(|| -> warp::reply::Response { panic!("planted") });
    small.or(huge).unify().or(peer).unify().or(waiting).unify().or(panicking).unify().boxed()
}

/// Every limit that is not under test is far away.
fn patient() -> Limits {
    Limits { header: FAR, idle: FAR, write_stall: FAR, drain: FAR, linger: SHORT, ..Limits::default() }
}

/// Returns everything the server sends until it closes.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut received)).await.expect("the server closes the connection") {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    received
}

async fn answer(stream: &mut TcpStream, ending: &[u8]) -> Vec<u8> {
    let mut received = Vec::new();
    while !received.ends_with(ending) {
        let read = timeout(PATIENCE, stream.read_buf(&mut received)).await.expect("an answer").expect("no error");
        assert!(read > 0, "closed after {}", received.escape_ascii());
    }
    received
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed() {
    let server = Running::start(Limits { header: SHORT, ..patient() }).await;
    assert_eq!(until_closed(&mut server.connect().await).await, b"");
}

#[tokio::test]
async fn half_a_header_is_not_waited_for() {
    let server = Running::start(Limits { header: SHORT, ..patient() }).await;
    let mut stream = server.send(b"GET /small HTTP/1.1\r\nhost: ").await;
    assert_eq!(until_closed(&mut stream).await, b"");
}

#[tokio::test]
async fn one_byte_at_a_time_does_not_stretch_the_limit_of_a_header() {
    let server = Running::start(Limits { header: SHORT, ..patient() }).await;
    let (mut reading, mut writing) = server.connect().await.into_split();
    let dripping = tokio::spawn(async move {
        // An endless header, until the closed connection takes no more.
        let mut ticks = tokio::time::interval(SHORT / 5);
        while writing.write_all(b"x").await.is_ok() {
            ticks.tick().await;
        }
    });
    let mut received = Vec::new();
    drop(timeout(PATIENCE, reading.read_to_end(&mut received)).await.expect("the server closes the connection"));
    assert_eq!(received, b"");
    timeout(PATIENCE, dripping).await.expect("writing fails").expect("no panic");
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_the_idle_limit_and_not_for_the_one_of_headers() {
    let server = Running::start(Limits { header: FAR, idle: SHORT, ..patient() }).await;
    let mut stream = server.send(GET).await;
    answer(&mut stream, b"small").await;
    assert_eq!(until_closed(&mut stream).await, b"");

    let server = Running::start(Limits { header: SHORT, idle: FAR, ..patient() }).await;
    let mut stream = server.send(GET).await;
    answer(&mut stream, b"small").await;
    assert!(timeout(SHORT * 4, stream.read_u8()).await.is_err(), "still open after four times the header limit");
    stream.write_all(GET).await.expect("sent");
    answer(&mut stream, b"small").await;
}

#[tokio::test]
async fn the_second_request_of_a_connection_has_the_same_limit_for_its_header() {
    let server = Running::start(Limits { header: SHORT, idle: FAR, ..patient() }).await;
    let mut stream = server.send(GET).await;
    answer(&mut stream, b"small").await;
    stream.write_all(b"GET /small HT").await.expect("sent");
    assert_eq!(until_closed(&mut stream).await, b"");
}

#[tokio::test]
async fn an_http_2_preface_is_no_way_in() {
    let server = Running::start(patient()).await;
    let mut stream = server.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let received = until_closed(&mut stream).await;
    assert!(
        !received.starts_with(b"HTTP/2") && !received.windows(4).any(|window| window == b" 200"),
        "{}",
        received.escape_ascii()
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut() {
    let server = Running::start(Limits { write_stall: SHORT, ..patient() }).await;
    let mut stream = server.send(b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n").await;
    stream.read_exact(&mut [0; 12]).await.expect("the answer begins");
    // No more is read; stopping waits for the answer's end, and only the limit on a stalled write can bring that.
    assert_eq!(server.stop().await, Drained::Whole);
    drop(stream);
}

#[tokio::test]
async fn a_client_that_takes_its_answer_slowly_is_not_idle_meanwhile() {
    let server = Running::start(Limits { idle: SHORT, ..patient() }).await;
    let mut stream = server.send(b"GET /huge HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let (mut taken, mut piece) = (0, vec![0; 1 << 20]);
    loop {
        let read = timeout(PATIENCE, stream.read(&mut piece)).await.expect("no patience").expect("a piece");
        taken += read;
        if read == 0 {
            break;
        }
        if taken % (8 << 20) < read {
            sleep(SHORT / 2).await; // all in all longer than an idle connection is kept
        }
    }
    assert!(taken > 32 << 20, "{taken} bytes");
}

#[tokio::test]
async fn an_answer_given_before_the_body_was_read_is_not_lost_to_a_reset() {
    let server = Running::start(Limits { linger: FAR, ..patient() }).await;
    let head = "POST /small HTTP/1.1\r\nhost: x\r\ncontent-length: 400000\r\n\r\n";
    let mut stream = server.send([head.as_bytes(), &[b'x'; 300_000]].concat().as_slice()).await;
    let mut received = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut received)).await.expect("the server ends its side");
    end.expect("an orderly end and not a reset");
    assert!(received.ends_with(b"small"), "{}", received.escape_ascii());
}

#[tokio::test]
async fn too_large_a_head_is_answered_431() {
    let server = Running::start(patient()).await;
    let many = format!("GET /small HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
    let long = format!("GET /small HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "b".repeat(16 * 1024));
    for request in [many, long] {
        let received = until_closed(&mut server.send(request.as_bytes()).await).await;
        assert!(received.starts_with(b"HTTP/1.1 431 "), "{}", received.escape_ascii());
    }
    let most = format!("GET /small HTTP/1.1\r\n{}connection: close\r\n\r\n", "a: b\r\n".repeat(63));
    let received = until_closed(&mut server.send(most.as_bytes()).await).await;
    assert!(received.starts_with(b"HTTP/1.1 200 "), "{}", received.escape_ascii());
}

#[tokio::test]
async fn above_the_cap_a_connection_is_answered_503_until_another_ends() {
    let server = Running::start(Limits { max_connections: 2, ..patient() }).await;
    let mut first = server.send(GET).await;
    answer(&mut first, b"small").await;
    let mut second = server.send(GET).await;
    answer(&mut second, b"small").await;
    let received = until_closed(&mut server.connect().await).await;
    assert!(received.starts_with(b"HTTP/1.1 503 "), "{}", received.escape_ascii());
    drop(first);
    let admitted = async {
        while !until_closed(&mut server.send(b"GET /small HTTP/1.0\r\n\r\n").await).await.ends_with(b"small") {}
    };
    timeout(PATIENCE, admitted).await.expect("the place of the first is free again");
}

#[tokio::test]
async fn handlers_know_who_is_at_the_other_end() {
    let server = Running::start(patient()).await;
    let mut stream = server.send(b"GET /peer HTTP/1.0\r\n\r\n").await;
    let local = stream.local_addr().expect("an address").to_string();
    assert!(until_closed(&mut stream).await.ends_with(local.as_bytes()));
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_only() {
    let server = Running::start(patient()).await;
    let mut other = server.send(GET).await;
    answer(&mut other, b"small").await;
    let mut stream = server.send(b"GET /panicking HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(until_closed(&mut stream).await, b"");
    other.write_all(GET).await.expect("sent");
    answer(&mut other, b"small").await;
}

#[tokio::test]
async fn stopping_closes_idle_and_new_connections_at_once() {
    let server = Running::start(patient()).await;
    let mut idle = server.send(GET).await;
    answer(&mut idle, b"small").await;
    let mut new = server.connect().await;
    let mut another = server.send(GET).await; // accepted after `new`, so `new` is no longer in the backlog
    answer(&mut another, b"small").await;
    assert_eq!(server.stop().await, Drained::Whole);
    assert_eq!(until_closed(&mut idle).await, b"");
    assert_eq!(until_closed(&mut new).await, b"");
}

#[tokio::test]
async fn stopping_waits_for_an_answer_that_has_begun() {
    let server = Running::start(patient()).await;
    let mut slow = server.send(b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut first = [0; 12];
    slow.read_exact(&mut first).await.expect("the answer begins");
    let (drained, rest) = tokio::join!(server.stop(), until_closed(&mut slow));
    assert_eq!(drained, Drained::Whole);
    assert!(rest.len() > 32 << 20, "{} bytes", rest.len());
}

#[tokio::test]
async fn what_has_not_ended_at_the_drain_limit_is_cut() {
    let server = Running::start(Limits { drain: SHORT, linger: Duration::ZERO, ..patient() }).await;
    let mut waiting = server.send(b"GET /waiting HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut served = server.send(GET).await; // answered after `waiting` was accepted
    answer(&mut served, b"small").await;
    assert_eq!(server.stop().await, Drained::Cut(1));
    assert_eq!(until_closed(&mut waiting).await, b"");
}
