//! Streams against the real accept loop: what is written, who is dropped, and that nobody waits for anybody.

use super::*;
use crate::server::takeover::{Next, Source, Takeover};
use bytes::Bytes;
use tokio::net::TcpSocket;
use tokio::sync::broadcast;

const FOLLOW: &[u8] = b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n";

/// Pieces for everybody who follows; without the sender every stream ends.
#[derive(Clone)]
pub(super) struct Feed(broadcast::Sender<Bytes>);

struct Fed(broadcast::Receiver<Bytes>);

impl Source for Fed {
    fn next(&mut self) -> Next<'_> {
        Box::pin(async { self.0.recv().await.ok() })
    }
}

impl Feed {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(1024))
    }

    pub(super) fn send(&self, piece: impl Into<Bytes>) {
        self.0.send(piece.into()).expect("somebody follows");
    }

    /// Waits until `count` streams take their pieces from here.
    pub(super) async fn followed_by(&self, count: usize) {
        let reached = async {
            while self.0.receiver_count() != count {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reached).await.expect("so many follow");
    }

    /// Returns routes with a stream of this feed at `/stream`, and the others of these tests.
    pub(super) fn routes(&self) -> BoxedFilter<(warp::reply::Response,)> {
        let feed = self.0.downgrade();
        let stream = warp::path!("stream").map(move || {
            let mut answer = "not sent".into_response();
            let receiver =
                feed.upgrade().map_or_else(|| broadcast::Sender::new(1).subscribe(), |feed| feed.subscribe());
            answer.extensions_mut().insert(Takeover::new(Fed(receiver)));
            answer
        });
        stream.or(routes()).unify().boxed()
    }

    async fn server(&self, limits: Limits) -> Running {
        Running::start_with(limits, self.routes()).await
    }
}

/// Returns the head of an answer, which ends with an empty line.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.expect("a head").expect("not closed"));
    }
    String::from_utf8(head).expect("text").to_ascii_lowercase()
}

async fn following(server: &Running) -> TcpStream {
    let mut stream = server.send(FOLLOW).await;
    head(&mut stream).await;
    stream
}

#[tokio::test]
async fn pieces_arrive_in_order_as_chunks_and_the_last_chunk_ends_them() {
    let feed = Feed::new();
    let server = feed.server(patient()).await;
    let mut stream = server.send(FOLLOW).await;
    let head = head(&mut stream).await;
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    for field in ["\r\ntransfer-encoding: chunked\r\n", "\r\nconnection: close\r\n"] {
        assert!(head.contains(field), "{head}");
    }
    let mut expected = String::new();
    for number in 0..500 {
        let piece = format!("piece {number} {}\n", "x".repeat(number));
        expected.push_str(&format!("{:x}\r\n{piece}\r\n", piece.len()));
        feed.send(piece);
    }
    feed.send(Bytes::new()); // is no last chunk
    feed.send("end");
    expected.push_str("3\r\nend\r\n0\r\n\r\n");
    drop(feed);
    assert_eq!(String::from_utf8(until_closed(&mut stream).await).expect("text"), expected);
}

#[tokio::test]
async fn pieces_arrive_as_they_come_and_not_when_the_next_one_does() {
    let feed = Feed::new();
    let server = feed.server(patient()).await;
    let mut stream = following(&server).await;
    for _ in 0..3 {
        feed.send("now");
        answer(&mut stream, b"3\r\nnow\r\n").await;
    }
}

#[tokio::test]
async fn http_1_0_knows_no_chunks_and_gets_none() {
    let feed = Feed::new();
    let server = feed.server(patient()).await;
    let mut stream = server.send(b"GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    let head = head(&mut stream).await;
    assert!(!head.contains("transfer-encoding") && head.contains("\r\nconnection: close"), "{head}");
    feed.send("one ");
    feed.send("two");
    drop(feed);
    assert_eq!(until_closed(&mut stream).await, b"one two");
}

#[tokio::test]
async fn head_is_answered_with_the_head_of_a_stream_and_nothing_follows() {
    let feed = Feed::new();
    let server = feed.server(patient()).await;
    let mut stream = server.send(b"HEAD /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let head = head(&mut stream).await;
    assert!(head.starts_with("http/1.1 200 ok\r\n") && !head.contains("content-length"), "{head}");
    assert_eq!(until_closed(&mut stream).await, b"");
    feed.followed_by(0).await;
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let feed = Feed::new();
    let server = feed.server(Limits { max_connections: 1, ..patient() }).await;
    let stream = following(&server).await;
    assert!(until_closed(&mut server.connect().await).await.starts_with(b"HTTP/1.1 503 "), "it holds its place");
    drop(stream);
    feed.followed_by(0).await;
    let admitted = async {
        while !until_closed(&mut server.send(b"GET /small HTTP/1.0\r\n\r\n").await).await.ends_with(b"small") {}
    };
    timeout(PATIENCE, admitted).await.expect("the place is free again");
}

#[tokio::test]
async fn another_request_on_the_connection_of_a_stream_ends_it_unanswered() {
    let feed = Feed::new();
    let server = feed.server(patient()).await;
    let mut pipelined = server.send(&[FOLLOW, GET].concat()).await;
    let received = until_closed(&mut pipelined).await;
    assert!(!received.ends_with(b"small") && received.windows(4).filter(|bytes| bytes == b"HTTP").count() < 2);
    let mut later = following(&server).await;
    later.write_all(GET).await.expect("sent");
    assert_eq!(until_closed(&mut later).await, b"");
    feed.followed_by(0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_nobody_waits_for_it() {
    let (feed, slow_feed) = (Feed::new(), Feed::new());
    let server = feed.server(patient()).await;
    let slow_server = slow_feed.server(Limits { write_stall: SHORT, ..patient() }).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut slow = socket.connect(slow_server.address).await.expect("a connection");
    slow.write_all(FOLLOW).await.expect("sent");
    head(&mut slow).await;
    let (mut first, mut second) = (following(&server).await, following(&slow_server).await);
    let piece = Bytes::from(vec![b'x'; 30_000]);
    for _ in 0..30 {
        for (feed, stream) in [(&feed, &mut first), (&slow_feed, &mut second)] {
            feed.send(piece.clone());
            let mut chunk = vec![0; b"7530\r\n".len() + piece.len() + b"\r\n".len()];
            timeout(PATIENCE, stream.read_exact(&mut chunk)).await.expect("not held up").expect("not closed");
            assert!(chunk.starts_with(b"7530\r\n") && chunk.ends_with(b"xx\r\n"));
        }
    }
    slow_feed.followed_by(1).await;
    feed.followed_by(1).await;
    drop(slow);
}

#[tokio::test]
async fn stopping_ends_streams_with_the_last_chunk_at_once() {
    let feed = Feed::new();
    let server = feed.server(patient()).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(following(&server).await);
    }
    feed.send("last words");
    assert_eq!(server.stop().await, Drained::Whole);
    for stream in &mut streams {
        let received = until_closed(stream).await;
        assert!(received.ends_with(b"0\r\n\r\n"), "{}", received.escape_ascii());
    }
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_client_that_does_not_read() {
    let feed = Feed::new();
    let server = feed.server(patient()).await;
    let stream = following(&server).await;
    feed.send(vec![b'x'; 32 << 20]); // more than the system takes off our hands
    let taken = async {
        while !feed.0.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, taken).await.expect("the piece is being sent");
    assert_eq!(server.stop().await, Drained::Whole);
    drop(stream);
}

#[tokio::test]
async fn a_stream_that_waits_is_small() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let socket = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
    let peer = socket.peer_addr().expect("an address");
    let source = Box::new(Fed(broadcast::Sender::new(1).subscribe()));
    let handed = Handed { socket, source, framing: stream::Framing::Chunked, peer };
    let (_stop, stopping) = watch::channel(false);
    let size = size_of_val(&stream::send(handed, FAR, stopping));
    assert!(size <= 1024, "{size} bytes: times ten thousand, whatever else it keeps");
}
