//! One who follows the revocation list: an answer in chunks, read as server-sent events.

use crate::client::Client;
use crate::document;
use crate::reply::Reply;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketType, connect, socket};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection to `/revocations/events`.
#[derive(Debug)]
pub struct Follower {
    /// The head of the answer; its body is empty.
    pub head: Reply,
    stream: BufReader<TcpStream>,
    /// Read, and not an event yet.
    text: String,
}

/// One event of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `message` where the stream names no other.
    pub name: String,
    /// The number of the list.
    pub id: u64,
    /// The delta, or the number again.
    pub data: String,
}

impl Client {
    /// Follows the revocation list, from `last` on if that is given, and returns once the head of the answer is there.
    pub fn follow(&self, last: Option<&str>) -> Follower {
        self.try_follow(last).expect("an answer")
    }

    /// Like [`Client::follow`].
    ///
    /// # Errors
    /// The connection was refused, cut, or silent for a minute.
    pub fn try_follow(&self, last: Option<&str>) -> std::io::Result<Follower> {
        let mut request = self.request("GET", "/revocations/events");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let mut stream = self.connect();
        stream.write_all(&request.bytes())?;
        let mut stream = BufReader::with_capacity(512, stream); // thousands of these are held at once
        let head = Reply::read_head(&mut stream)?;
        let fault = document::fault("GET", "/revocations/events", &head, true);
        assert_eq!(fault, None, "docs/openapi.json has no such answer");
        Ok(Follower { head, stream, text: String::new() })
    }

    /// Asks to follow, and never reads a byte of what comes, into a buffer as small as the system lets it be.
    pub fn follow_and_never_read(&self) -> TcpStream {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        set_socket_recv_buffer_size(&socket, 1).expect("the smallest there is, announced when the connection is made");
        connect(&socket, &self.address()).expect("a connection");
        let mut stream = TcpStream::from(socket);
        stream.write_all(&self.request("GET", "/revocations/events").bytes()).expect("sent");
        stream
    }
}

impl Follower {
    /// Waits for the next event, and returns `None` when the stream ends in good order.
    pub fn event(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (Event::parse(event), rest.to_owned());
                self.text = rest;
                return Some(event);
            }
            let chunk = self.chunk();
            if chunk.is_empty() {
                assert_eq!(self.text, "", "an event was cut");
                assert_eq!(
                    self.stream.read(&mut [0]).expect("closed in good order"),
                    0,
                    "nothing behind the last chunk"
                );
                return None;
            }
            self.text.push_str(&chunk);
        }
    }

    /// Waits until the stream has ended, in good order or cut off.
    pub fn ended(mut self) {
        let _rest = self.stream.read_to_end(&mut Vec::new());
    }

    /// Waits until the event of the list `seq` or a later one is there.
    pub fn event_of(&mut self, seq: u64) -> Event {
        loop {
            let event = self.event().expect("the stream goes on");
            if event.id >= seq {
                return event;
            }
        }
    }

    /// One chunk; empty for the last (RFC 9112 §7.1).
    fn chunk(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a chunk");
        let length = usize::from_str_radix(line.trim_end(), 16).unwrap_or_else(|_| panic!("no chunk: {line:?}"));
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk).expect("a whole chunk");
        assert!(chunk.ends_with(b"\r\n"));
        chunk.truncate(length);
        String::from_utf8(chunk).expect("UTF-8")
    }
}

impl Event {
    fn parse(text: &str) -> Self {
        let mut event = Self { name: "message".to_owned(), id: 0, data: String::new() };
        for line in text.lines() {
            match line.split_once(": ") {
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("id", id)) => event.id = id.parse().expect("a number"),
                Some(("data", data)) => event.data = data.to_owned(),
                _ => panic!("not a line of ours: {line}"),
            }
        }
        event
    }
}
