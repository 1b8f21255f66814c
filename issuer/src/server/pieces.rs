//! The bodies that hyper sends under TLS: a whole answer, or the pieces of a source until it ends or the daemon stops.

use super::connection::told;
use super::takeover::{Source, Takeover};
use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;

/// A body that hyper sends.
pub(super) enum Sent<B> {
    /// One that is there.
    Whole(B),
    /// One that comes piece by piece.
    Pieces(Pieces),
}

/// The pieces of a source. The future owns the source while it waits, so that its waker stays registered.
pub(super) struct Pieces {
    next: Pin<Box<dyn Future<Output = Piece> + Send>>,
    stopping: watch::Receiver<bool>,
}

/// The next piece, with the source that goes on; `None` at the end.
type Piece = Option<(Box<dyn Source>, Bytes)>;

impl<B> Sent<B> {
    /// Returns the answer with its body, or with the source that it asks to be sent instead.
    pub(super) fn of(mut answer: Response<B>, stopping: watch::Receiver<bool>) -> Response<Self> {
        match answer.extensions_mut().remove::<Takeover>().and_then(|takeover| takeover.take()) {
            Some(source) => answer.map(|_| Self::Pieces(Pieces::new(source, stopping))),
            None => answer.map(Self::Whole),
        }
    }
}

impl Pieces {
    fn new(source: Box<dyn Source>, stopping: watch::Receiver<bool>) -> Self {
        Self { next: Box::pin(next(source, stopping.clone())), stopping }
    }
}

/// Returns the next piece that is not empty, and the source it came from.
async fn next(mut source: Box<dyn Source>, stopping: watch::Receiver<bool>) -> Piece {
    let pieces = async {
        loop {
            match source.next().await {
                Some(piece) if piece.is_empty() => {}
                next => return next,
            }
        }
    };
    let piece = tokio::select! {
        () = told(stopping) => None,
        piece = pieces => piece,
    };
    piece.map(|piece| (source, piece))
}

impl<B> Body for Sent<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Pieces(pieces) => {
                let Some((source, piece)) = ready!(pieces.next.as_mut().poll(cx)) else { return Poll::Ready(None) };
                pieces.next = Box::pin(next(source, pieces.stopping.clone()));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}
