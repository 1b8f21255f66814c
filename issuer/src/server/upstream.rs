//! Connections to another daemon, to which this one passes requests on.
//!
//! Each carries one request at a time (HTTP/1.1) and is used again. hyper tells of a request that failed whether any of it was
//! written; a pool that hides this would leave callers to guess whether it may be sent again.

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// Connections that are kept for the next request.
const MOST_IDLE: usize = 64;
/// How long making a connection may take, TLS included: a machine that is off does not even refuse.
const CONNECTING: Duration = Duration::from_secs(1);

/// Another daemon.
pub struct Upstream {
    host: String,
    port: u16,
    authority: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    idle: Mutex<Idle>,
}

/// A connection that waits for a request.
type Sender = SendRequest<Full<Bytes>>;

/// Connections between two requests: those that came lately, and those that came before them.
#[derive(Default)]
struct Idle {
    young: Vec<Sender>,
    old: Vec<Sender>,
}

/// A connection that is taken for one request.
pub struct Line {
    sender: Sender,
    fresh: bool,
    upstream: Weak<Upstream>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// Nothing of the request was sent.
    NotSent(String),
    /// Something of it was: whether it took place is not known.
    Unknown(String),
}

impl Upstream {
    /// Returns the daemon at an origin. Connections that nobody uses for `idle` at most are closed: sooner than the daemon
    /// would close them.
    ///
    /// # Errors
    /// Why that is no origin, or none that can be reached without TLS.
    pub fn new(origin: &str, tls: Option<&TlsConnector>, idle: Duration) -> Result<Arc<Self>, String> {
        let uri: Uri = origin.parse().map_err(|error| format!("`{origin}` is no URL: {error}"))?;
        let authority = uri.authority().ok_or_else(|| format!("`{origin}` names no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (port, tls) = match (uri.scheme_str(), tls) {
            (Some("http"), _) => (80, None),
            (Some("https"), Some(tls)) => {
                let name = ServerName::try_from(host.clone()).map_err(|error| format!("`{origin}`: {error}"))?;
                (443, Some((tls.clone(), name)))
            }
            (Some("https"), None) => return Err(format!("`{origin}` wants TLS, and this machine trusts nobody")),
            _ => return Err(format!("`{origin}` is not one of HTTP")),
        };
        let port = authority.port_u16().unwrap_or(port);
        let upstream =
            Arc::new(Self { host, port, authority: authority.to_string(), tls, idle: Mutex::new(Idle::default()) });
        drop(tokio::spawn(grow_old(Arc::downgrade(&upstream), idle / 2))); // ends with the last owner
        Ok(upstream)
    }

    /// Returns the host and, where it is told, the port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns a connection for one request: one that was used before, or a new one.
    ///
    /// # Errors
    /// [`Unanswered::NotSent`] when none can be made.
    pub async fn line(self: &Arc<Self>) -> Result<Line, Unanswered> {
        let upstream = Arc::downgrade(self);
        if let Some(sender) = self.kept() {
            return Ok(Line { sender, fresh: false, upstream });
        }
        match timeout(CONNECTING, self.connected()).await {
            Ok(connected) => connected
                .map(|sender| Line { sender, fresh: true, upstream })
                .map_err(|reason| Unanswered::NotSent(format!("{}: {reason}", self.authority))),
            Err(_) => Err(Unanswered::NotSent(format!("{}: no connection in time", self.authority))),
        }
    }

    /// Takes the connection that was used last and is still there.
    fn kept(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(sender) = idle.young.pop() {
            if sender.is_ready() {
                return Some(sender);
            }
        }
        std::iter::from_fn(|| idle.old.pop()).find(Sender::is_ready)
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.young.len() < MOST_IDLE {
            idle.young.push(sender);
        }
    }

    async fn connected(&self) -> Result<Sender, String> {
        let words = |error: &dyn std::error::Error| error.to_string();
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| words(&error))?;
        drop(stream.set_nodelay(true)); // a request is written whole; a platform without the option is only slower
        match &self.tls {
            None => shaken(stream).await,
            Some((tls, name)) => shaken(tls.connect(name.clone(), stream).await.map_err(|error| words(&error))?).await,
        }
    }
}

impl Line {
    /// True when no request has gone over it yet.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Sends a request, and returns the answer when its head is there. The connection is used again once its body was read.
    ///
    /// # Errors
    /// [`Unanswered`]
    pub async fn send(mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
        match self.sender.try_send_request(request).await {
            Ok(answer) => {
                drop(tokio::spawn(async move {
                    if self.sender.ready().await.is_ok() {
                        self.upstream.upgrade().inspect(|upstream| upstream.keep(self.sender));
                    }
                }));
                Ok(answer)
            }
            Err(mut failed) => {
                let unsent = failed.take_message().is_some();
                let reason = failed.into_error().to_string();
                Err(if unsent { Unanswered::NotSent(reason) } else { Unanswered::Unknown(reason) })
            }
        }
    }
}

/// Closes connections that nobody has used for one `step` at least, and two at most.
async fn grow_old(upstream: Weak<Upstream>, step: Duration) {
    loop {
        sleep(step).await;
        let Some(upstream) = upstream.upgrade() else { return };
        let mut idle = upstream.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.old = std::mem::take(&mut idle.young);
    }
}

async fn shaken<S>(stream: S) -> Result<Sender, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    drop(tokio::spawn(connection)); // its end is seen by whoever has the sender
    Ok(sender)
}
