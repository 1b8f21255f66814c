//! One HTTP/1.1 connection with one request under way, kept alive where the server does so: just enough to load it
//! without costing it the processor.

use std::io::{self, BufRead, BufReader, Error, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No single answer takes longer: a server that hangs ends the benchmark with an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that waits for its next request.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: SocketAddr,
    /// The server said that it closes after its answer.
    over: bool,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(host: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: connected(host)?, host, over: false })
    }

    /// Sends a GET and returns the length of its answer's body.
    ///
    /// # Errors
    /// As [`Connection::post`].
    pub(crate) fn get(&mut self, path: &str) -> io::Result<usize> {
        let host = self.host;
        self.answered(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).map(|body| body.len())
    }

    /// Sends a POST and returns the body of its answer.
    ///
    /// # Errors
    /// When the answer is anything but 200, with its body: a benchmark of refusals would measure nothing.
    pub(crate) fn post(&mut self, path: &str, headers: &str, body: &str) -> io::Result<String> {
        let (host, length) = (self.host, body.len());
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        self.answered(&request).map(|body| String::from_utf8_lossy(&body).into_owned())
    }

    fn answered(&mut self, request: &str) -> io::Result<Vec<u8>> {
        if std::mem::take(&mut self.over) {
            self.stream = connected(self.host)?;
        }
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (status, length) = self.head()?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        if status.split(' ').nth(1) == Some("200") {
            Ok(body)
        } else {
            Err(Error::other(format!("{status}: {}", String::from_utf8_lossy(&body))))
        }
    }

    /// The status line and the Content-Length; notes whether this answer is the last one.
    fn head(&mut self) -> io::Result<(String, usize)> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.trim_end().to_owned();
        let mut length = None;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(Error::other("the server closed the connection"));
            }
            let header = line.trim_end();
            if header.is_empty() {
                return Ok((status, length.ok_or_else(|| Error::other("no Content-Length"))?));
            }
            let Some((name, value)) = header.split_once(':') else { continue };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse().map_err(|_| Error::other(format!("{name} is no number")))?);
            }
            self.over |= name.eq_ignore_ascii_case("connection") && value.trim().eq_ignore_ascii_case("close");
        }
    }
}

fn connected(host: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&host, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}
