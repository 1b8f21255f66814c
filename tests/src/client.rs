//! A blocking HTTP/1.1 client that sends exactly what it is told, right or wrong.

use crate::document;
use crate::reply::Reply;
use serde_json::Value;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before the test fails; far above what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Speaks to one daemon, with a new connection for every request.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    address: SocketAddr,
}

/// A request that has not been sent.
#[derive(Debug, Clone)]
pub struct Request {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Client {
    /// Speaks to the daemon at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Returns where the daemon listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a connection, for what a [`Request`] cannot say.
    pub fn connect(&self) -> TcpStream {
        self.try_connect().expect("a connection")
    }

    /// Like [`Client::connect`].
    ///
    /// # Errors
    /// Nobody listens.
    pub fn try_connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Begins a request without a body.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request {
            address: self.address,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Sends a GET and returns its answer.
    pub fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send()
    }

    /// Begins a POST with these fields as a form.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        self.post(path, "application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Begins a POST with this value as JSON.
    pub fn json(&self, path: &str, value: &Value) -> Request {
        self.post(path, "application/json", value.to_string())
    }

    /// Begins a POST with this body.
    pub fn post(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
        self.request("POST", path).header("Content-Type", content_type).body(body)
    }
}

impl Request {
    /// Adds a field, even if there is one of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds HTTP Basic credentials, form-urlencoded first as RFC 6749 §2.3.1 asks.
    #[must_use]
    pub fn basic(self, (id, secret): (&str, &str)) -> Self {
        let credentials = format!("{}:{}", escape(id), escape(secret));
        self.header("Authorization", &format!("Basic {}", base64(credentials.as_bytes())))
    }

    /// Sets the body; `Content-Length` follows from it.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Returns the request as it goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.method, self.path, self.address);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }

    /// Sends the request and returns its answer.
    pub fn send(&self) -> Reply {
        self.try_send().unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends the request and returns its answer, or why there was none. The answer is one that docs/openapi.json describes.
    ///
    /// # Errors
    /// The connection was refused, cut, or silent for a minute.
    pub fn try_send(&self) -> std::io::Result<Reply> {
        let mut stream = Client::new(self.address).try_connect()?;
        // A daemon that has seen enough may close before it has taken everything; the answer is what counts.
        let sent = stream.write_all(&self.bytes());
        let reply = Reply::read(&mut BufReader::new(stream), self.method == "HEAD");
        let reply = reply.map_err(|error| sent.err().unwrap_or(error))?;
        if let Some(fault) = document::fault(&self.method, &self.path, &reply, false) {
            panic!(
                "{} {}: docs/openapi.json has no such answer (issuer/src/http/openapi describes it): {fault}",
                self.method, self.path
            );
        }
        Ok(reply)
    }
}

/// Percent-encodes everything but letters, digits and `-._~`.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn base64(bytes: &[u8]) -> String {
    let text = token::base64url::encode(bytes).replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    text + &padding
}
