//! One kept-alive HTTP/1.1 connection with one request under way: just enough to load the daemon without costing it
//! the processor.

use std::io::{self, BufRead, BufReader, Error, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No single answer takes longer: a daemon that hangs ends the benchmark with an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that waits for its next request.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: SocketAddr,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(host: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&host, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), host })
    }

    /// Sends a POST and returns the body of its answer.
    ///
    /// # Errors
    /// When the answer is anything but 200, with its body: a benchmark of refusals would measure nothing.
    pub(crate) fn post(&mut self, path: &str, headers: &str, body: &str) -> io::Result<String> {
        let (host, length) = (self.host, body.len());
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (status, length) = self.head()?;
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        if status.split(' ').nth(1) == Some("200") {
            Ok(answer)
        } else {
            Err(Error::other(format!("{status}: {answer}")))
        }
    }

    /// The status line and the Content-Length.
    fn head(&mut self) -> io::Result<(String, usize)> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.trim_end().to_owned();
        let mut length = None;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(Error::other("the daemon closed the connection"));
            }
            let header = line.trim_end();
            if header.is_empty() {
                return Ok((status, length.ok_or_else(|| Error::other("no Content-Length"))?));
            }
            if let Some((name, value)) =
                header.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = Some(value.trim().parse().map_err(|_| Error::other(format!("{name} is no number")))?);
            }
        }
    }
}
