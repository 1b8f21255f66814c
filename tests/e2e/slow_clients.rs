//! Clients that hold on to connections, against the whole daemon. The accept loop's own tests try its limits one by one.

use countersign_tests::{Daemon, Setup};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

/// A daemon that waits as short as settings let it.
fn impatient() -> Daemon {
    let setup = Setup::new()
        .set("header_timeout_seconds", "1")
        .set("body_timeout_seconds", "1")
        .set("idle_timeout_seconds", "1");
    setup.set("write_timeout_seconds", "1").start()
}

/// Returns what the daemon sends until it closes; fails by the client's own timeout if it never does.
fn until_closed(mut stream: &TcpStream) -> String {
    let mut received = Vec::new();
    match stream.read_to_end(&mut received) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&received).into_owned()
}

fn sent(daemon: &Daemon, bytes: &[u8]) -> TcpStream {
    let mut stream = daemon.client().connect();
    stream.write_all(bytes).expect("sent");
    stream
}

/// Sends `byte` again and again until the connection takes no more.
fn drip(stream: &TcpStream, byte: u8) {
    let mut stream = stream.try_clone().expect("a second handle");
    thread::spawn(move || {
        while stream.write_all(&[byte]).is_ok() {
            thread::park_timeout(Duration::from_millis(50)); // the pace of a slow client, not a wait for anything
        }
    });
}

const POST: &str = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";

#[test]
fn all_seven_ways_of_holding_a_connection_open_end() {
    let daemon = impatient();
    let silent = sent(&daemon, b"");
    let half_a_header = sent(&daemon, b"GET /healthz HTTP/1.1\r\nHost: ");
    let byte_by_byte = sent(&daemon, b"GET /healthz HTTP/1.1\r\nHost: ");
    drip(&byte_by_byte, b'x');
    let promised = sent(&daemon, format!("{POST}Content-Length: 100\r\n\r\n").as_bytes());
    let dripped = sent(&daemon, format!("{POST}Content-Length: 10000\r\n\r\n").as_bytes());
    drip(&dripped, b'a');
    let idle = sent(&daemon, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    let preface = sent(&daemon, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    for nothing in [&silent, &half_a_header, &byte_by_byte] {
        assert_eq!(until_closed(nothing), "");
    }
    for slow in [&promised, &dripped] {
        let answer = until_closed(slow);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains(r#""error":"invalid_request""#), "{answer}");
    }
    let answer = until_closed(&idle);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = until_closed(&preface);
    assert!(!answer.contains("200"), "{answer}");
    assert_eq!(daemon.client().get("/healthz").status, 200);
}

#[test]
fn a_chunked_body_that_never_ends_is_bounded_in_time_too() {
    let daemon = impatient();
    let dripped = sent(&daemon, format!("{POST}Transfer-Encoding: chunked\r\n\r\nffff\r\n").as_bytes());
    drip(&dripped, b'a');
    let answer = until_closed(&dripped);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn an_answer_is_given_while_the_body_of_the_request_is_still_coming() {
    let daemon = Daemon::start();
    for head in ["PUT /oauth/token HTTP/1.1", "POST /nothing HTTP/1.1", "POST /v1/tokens HTTP/1.1"] {
        let stream = sent(&daemon, format!("{head}\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx").as_bytes());
        let answer = until_closed(&stream);
        assert!(
            ["405", "404", "415"].iter().any(|status| answer.starts_with(&format!("HTTP/1.1 {status} "))),
            "{answer}"
        );
    }
}

#[test]
fn four_hundred_silent_connections_keep_nobody_else_waiting() {
    let daemon = Setup::new().set("header_timeout_seconds", "60").start();
    let silent: Vec<TcpStream> = (0..400).map(|_| daemon.client().connect()).collect();
    for _ in 0..20 {
        assert_eq!(daemon.client().get("/healthz").status, 200);
    }
    drop(silent);
}

#[test]
fn without_descriptors_for_more_connections_it_waits_and_goes_on() {
    // The wrapper's limit is the hard one, so the daemon cannot raise it.
    let daemon = Setup::new().through(&["sh", "-c", "ulimit -n 48; exec \"$0\" \"$@\""]).start();
    let silent: Vec<TcpStream> = (0..100).map(|_| daemon.client().connect()).collect();
    while !daemon.log().contains("no new connection can be accepted") {
        thread::yield_now();
    }
    drop(silent);
    assert_eq!(daemon.client().get("/healthz").status, 200, "as soon as descriptors are free again");
    let complaints = daemon.log().matches("no new connection can be accepted").count();
    assert!(complaints < 1000, "{complaints} lines: the loop spins");
}

#[test]
fn above_the_cap_the_answer_is_503() {
    let daemon = Setup::new().set("max_connections", "3").start();
    let mut held: Vec<TcpStream> = (0..3).map(|_| sent(&daemon, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    for stream in &mut held {
        stream.read_exact(&mut [0; 12]).expect("an answer begins");
    }
    let answer = until_closed(&daemon.client().connect());
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
    drop(held);
    while daemon.client().request("GET", "/healthz").try_send().map(|reply| reply.status).unwrap_or(503) == 503 {}
}
