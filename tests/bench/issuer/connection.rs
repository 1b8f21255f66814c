//! One HTTP/1.1 connection with one request under way, kept alive where the server does so: just enough to load it
//! without costing it the processor. What a request and its answer need in memory is kept for the next.

use std::io::{self, Error, Write as _};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use httparse::{EMPTY_HEADER, Response, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No single answer takes longer: a server that hangs ends the benchmark with an error.
const PATIENCE: Duration = Duration::from_secs(30);
/// Room for so many bytes is there before each reading: most answers come at once.
const AT_ONCE: usize = 8 * 1024;
/// An answer has at most so many header fields.
const FIELDS: usize = 32;

/// A connection that waits for its next request.
pub(crate) struct Connection {
    stream: TcpStream,
    host: SocketAddr,
    /// The server said that it closes after its answer.
    over: bool,
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// What counts of the head of an answer.
struct Head {
    /// Bytes of the head itself.
    bytes: usize,
    /// Bytes of the body behind it.
    length: usize,
    is_200: bool,
    closes: bool,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(host: SocketAddr) -> io::Result<Self> {
        let stream = in_time(connected(host)).await?;
        Ok(Self { stream, host, over: false, request: Vec::new(), answer: Vec::new() })
    }

    /// Sends a GET and returns the body of its answer.
    ///
    /// # Errors
    /// As [`Connection::post`].
    pub(crate) async fn get(&mut self, path: &str) -> io::Result<&[u8]> {
        self.request.clear();
        write!(self.request, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host)?;
        self.answered().await
    }

    /// Sends a POST and returns the body of its answer.
    ///
    /// # Errors
    /// When the answer is anything but 200, with all of it: a benchmark of refusals would measure nothing. When there is none in
    /// time, or it is not laid out as expected.
    pub(crate) async fn post(&mut self, path: &str, headers: &str, body: &str) -> io::Result<&[u8]> {
        let (host, length) = (self.host, body.len());
        self.request.clear();
        write!(
            self.request,
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )?;
        self.answered().await
    }

    async fn answered(&mut self) -> io::Result<&[u8]> {
        let body = in_time(self.exchange()).await?;
        self.answer.get(body).ok_or_else(|| Error::other("the answer is too short"))
    }

    /// Sends the request and reads its answer; returns where its body is.
    async fn exchange(&mut self) -> io::Result<Range<usize>> {
        if std::mem::take(&mut self.over) {
            self.stream = connected(self.host).await?;
        }
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        let head = loop {
            self.read_on().await?;
            if let Some(head) = Head::of(&self.answer)? {
                break head;
            }
        };
        let end = head.bytes.saturating_add(head.length);
        while self.answer.len() < end {
            self.read_on().await?;
        }
        if !head.is_200 || self.answer.len() > end {
            return Err(Error::other(String::from_utf8_lossy(&self.answer)));
        }
        self.over = head.closes;
        Ok(head.bytes..end)
    }

    /// Waits for more of the answer.
    async fn read_on(&mut self) -> io::Result<()> {
        self.answer.reserve(AT_ONCE);
        match self.stream.read_buf(&mut self.answer).await? {
            0 => Err(Error::other("the server closed the connection")),
            _ => Ok(()),
        }
    }
}

impl Head {
    /// Reads the head from what came so far; none where it is not all there yet.
    fn of(received: &[u8]) -> io::Result<Option<Self>> {
        let mut fields = [EMPTY_HEADER; FIELDS];
        let mut answer = Response::new(&mut fields);
        let Status::Complete(bytes) = answer.parse(received).map_err(Error::other)? else { return Ok(None) };
        let field = |name| answer.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        let length = field("content-length").ok_or_else(|| Error::other("no Content-Length"))?;
        let length = std::str::from_utf8(length.value).ok().and_then(|digits| digits.parse().ok());
        Ok(Some(Self {
            bytes,
            length: length.ok_or_else(|| Error::other("Content-Length is no number"))?,
            is_200: answer.code == Some(200),
            closes: field("connection").is_some_and(|field| field.value.eq_ignore_ascii_case(b"close")),
        }))
    }
}

async fn connected(host: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn in_time<T>(what: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, what).await.map_err(|_| Error::other(format!("no answer within {PATIENCE:?}")))?
}
