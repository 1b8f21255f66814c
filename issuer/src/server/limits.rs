//! The bounds of the accept loop, one field each; `config` fills them, tests use small ones.

use std::time::Duration;

/// Bounds on how many connections there are and how long each may wait. Sizes of bodies are `http`'s.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections open at once; one above is answered 503 and closed.
    pub max_connections: usize,
    /// Connections open at once from one address (an IPv6 /64 counts as one); 0 = no such cap. Loopback is exempt: a
    /// proxy on this machine is one address for everybody.
    pub max_connections_per_address: usize,
    /// From the first byte of a request head, or from the opening of the connection, to the end of the head.
    pub header: Duration,
    /// Between two requests of one connection.
    pub idle: Duration,
    /// Without a single byte taken by the client while an answer waits to be sent.
    pub write_stall: Duration,
    /// From the signal to stop until connections that still answer are cut.
    pub drain: Duration,
    /// After the last answer, how long bytes that the client still sends are thrown away, so that the answer is not lost
    /// to a TCP reset.
    pub linger: Duration,
    /// Bytes of one request head, request line included.
    pub max_head_bytes: usize,
    /// Header fields of one request.
    pub max_head_fields: usize,
    /// Requests of one HTTP/2 connection at once.
    pub max_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 12_000,
            max_connections_per_address: 1_000,
            header: Duration::from_secs(5),
            idle: Duration::from_secs(30),
            write_stall: Duration::from_secs(10),
            drain: Duration::from_secs(5),
            linger: Duration::from_secs(1),
            max_head_bytes: 16 * 1024,
            max_head_fields: 64,
            max_streams: 100,
        }
    }
}
