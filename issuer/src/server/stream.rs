//! One connection that hyper has let go of: the pieces of a source go to the socket until one side ends it.
//!
//! There is no queue: a piece is taken from the source when the one before is with the system, and the system's buffer is
//! bounded. A client that takes nothing for the stall limit is dropped; its source decides what one sees that was slow.
//! Nothing is read: a client has no more to say, and whatever it sends (another request, pipelined) ends the connection.

use super::connection::told;
use super::takeover::Source;
use crate::telemetry::field;
use bytes::Bytes;
use http::{Method, Version};
use rustix::net::sockopt;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// What the system may hold of a stream for a client that does not read, in bytes (Linux counts its own with it and
/// doubles this). Left alone it grows to megabytes, and thousands of such clients would take the machine's memory.
const SEND_BUFFER: usize = 32 * 1024;

/// The last chunk, without trailers (RFC 9112 §7.1).
const LAST: &[u8] = b"0\r\n\r\n";

/// A connection whose head is sent, and what follows.
pub(super) struct Handed {
    pub(super) socket: TcpStream,
    pub(super) source: Box<dyn Source>,
    pub(super) framing: Framing,
    pub(super) peer: SocketAddr,
}

/// How a body without a length says where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// In chunks (RFC 9112 §7.1).
    Chunked,
    /// By the close of the connection (RFC 9112 §6.3): the client speaks HTTP/1.0.
    Close,
}

impl Framing {
    /// Returns how the body of an answer to such a request is framed, when nobody knows its length; `None` without a body.
    pub(super) fn of(method: &Method, version: Version) -> Option<Self> {
        let framing = if version == Version::HTTP_11 { Self::Chunked } else { Self::Close };
        (*method != Method::HEAD).then_some(framing)
    }
}

/// Sends what the source gives until it ends, the client leaves or speaks, or `stopping`.
pub(super) async fn send(handed: Handed, stall: Duration, stopping: watch::Receiver<bool>) {
    let Handed { socket, mut source, framing, peer } = handed;
    // A system that cannot do it only keeps more.
    let _ = sockopt::set_socket_send_buffer_size(&socket, SEND_BUFFER);
    let mut told = pin!(told(stopping));
    loop {
        let piece = tokio::select! {
            () = &mut told => None,
            () = spoken(&socket) => return,
            piece = source.next() => piece,
        };
        let Some(piece) = piece else { break };
        if piece.is_empty() {
            continue; // as a chunk it would be the last one
        }
        let sent = match offer(&socket, framing, &piece, 0) {
            Ok(sent) if sent == length(framing, &piece) => continue,
            Ok(sent) => sent,
            Err(_) => return,
        };
        tokio::select! {
            () = &mut told => return, // the rest would not go out in time, and a last chunk inside of another is no end
            // Boxed, so that the many who keep up do not carry the room for it.
            finished = Box::pin(finish(&socket, framing, piece, sent, stall)) => if let Err(error) = finished {
                tracing::debug!({ field::PEER } = %peer, { field::ERROR } = %error, "stream closed: the client does not read");
                return;
            },
        }
    }
    if framing == Framing::Chunked {
        drop(socket.try_write(LAST)); // a client whose buffer is full sees the close
    }
}

/// Completes when the client has closed its side or sent anything.
async fn spoken(socket: &TcpStream) {
    let nothing_yet = |read: io::Result<usize>| read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    while socket.readable().await.is_ok() && nothing_yet(socket.try_read(&mut [0])) {}
}

/// Sends what is left of a piece; an error when the client takes no byte of it for `stall`.
async fn finish(
    socket: &TcpStream,
    framing: Framing,
    piece: Bytes,
    mut sent: usize,
    stall: Duration,
) -> io::Result<()> {
    while sent < length(framing, &piece) {
        match timeout(stall, socket.writable()).await {
            Ok(ready) => ready?,
            Err(_) => return Err(ErrorKind::TimedOut.into()),
        }
        sent = offer(socket, framing, &piece, sent)?;
    }
    Ok(())
}

/// Offers the bytes of a piece from `sent` on, and returns how many are sent then. The piece itself is never copied: it
/// is the same memory for every client.
fn offer(socket: &TcpStream, framing: Framing, piece: &Bytes, sent: usize) -> io::Result<usize> {
    let head = head(framing, piece);
    let mut parts = [IoSlice::new(head.as_bytes()), IoSlice::new(piece), IoSlice::new(tail(framing))];
    let mut parts = parts.as_mut_slice();
    IoSlice::advance_slices(&mut parts, sent);
    match socket.try_write_vectored(parts) {
        Ok(more) => Ok(sent.saturating_add(more)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(sent),
        Err(error) => Err(error),
    }
}

fn head(framing: Framing, piece: &Bytes) -> String {
    match framing {
        Framing::Chunked => format!("{:x}\r\n", piece.len()),
        Framing::Close => String::new(),
    }
}

fn tail(framing: Framing) -> &'static [u8] {
    match framing {
        Framing::Chunked => b"\r\n",
        Framing::Close => b"",
    }
}

fn length(framing: Framing, piece: &Bytes) -> usize {
    head(framing, piece).len().saturating_add(piece.len()).saturating_add(tail(framing).len())
}
