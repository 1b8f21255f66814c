//! An answer that goes on for hours: once its head is sent, the connection is taken from hyper.
//!
//! hyper keeps buffers and the handler's machinery for as long as an answer lasts, some 20 KB a connection. Thousands of
//! clients that wait for the next event of a stream need a socket and a small task each, and that is what is left of a
//! connection here. A handler asks for it by an extension of its answer; nothing else about the answer is special:
//!
//! ```text
//! handler: Response + Takeover(source) ─► hyper sends the head ─► connection ends, its socket goes on ─► stream: source.next() … as chunks
//! ```

use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// The next piece of a stream, `None` at its end.
pub type Next<'a> = Pin<Box<dyn Future<Output = Option<Bytes>> + Send + 'a>>;

/// Where the body of a stream comes from. Dropping it tells that the client has left.
pub trait Source: Send + 'static {
    /// Returns the next piece once there is one. May be dropped and asked again without losing a piece.
    fn next(&mut self) -> Next<'_>;
}

/// Asks the server, as an extension of an answer, to send the pieces of a source as its body. The answer's own body is
/// not sent. The connection closes behind the stream.
#[derive(Clone)]
pub struct Takeover(Arc<Mutex<Option<Box<dyn Source>>>>);

impl Takeover {
    /// Lets `source` be the body.
    pub fn new(source: impl Source) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(source)))))
    }

    /// Returns the source, once.
    pub(super) fn take(&self) -> Option<Box<dyn Source>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Takeover")
    }
}
