//! One connection under TLS: its handshake, then HTTP/1.1 or HTTP/2 as ALPN has chosen.
//!
//! The paced stream is beneath TLS, so a client that takes no bytes is found as without it. Streams stay with hyper here:
//! their bytes have to be encrypted in order.

use super::connection::{End, Peer, builder, drive, linger, prepare, told};
use super::head;
use super::http2;
use super::limits::Limits;
use super::pace::{Pace, PacedBody, PacedStream, Phase, pace};
use super::pieces::Sent;
use super::tls::{HTTP_2, Identity};
use crate::telemetry::field;
use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1::Parts;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A connection that has shaken hands.
pub(super) type Secured = TlsStream<PacedStream<TcpStream>>;

/// Serves requests on `stream` until the client leaves, a limit passes or the last answer after `stopping` is sent.
pub(super) async fn serve<S, B>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    limits: Arc<Limits>,
    (identity, handshake): (Identity, Duration),
    stopping: watch::Receiver<bool>,
) where
    TowerToHyperService<S>: Unpin + Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    <TowerToHyperService<S> as Service<Request<Incoming>>>::Future: Send + 'static,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    prepare(&stream);
    let (pace, phases) = pace();
    let paced = PacedStream::new(stream, pace.clone(), limits.write_stall);
    let accepted = tokio::select! {
        () = told(stopping.clone()) => return,
        accepted = timeout(handshake, TlsAcceptor::from(identity.0).accept(paced)) => accepted,
    };
    let tls = match accepted {
        Ok(Ok(tls)) => tls,
        Ok(Err(error)) => {
            tracing::debug!({ field::PEER } = %peer, { field::ERROR } = %error, "connection closed: no TLS handshake");
            return;
        }
        Err(_) => {
            tracing::debug!({ field::PEER } = %peer, "connection closed: the TLS handshake took too long");
            return;
        }
    };
    pace.enter(Phase::Opened); // the limit on a head begins behind the handshake
    let routes = TowerToHyperService::new(service);
    if tls.get_ref().1.alpn_protocol() == Some(HTTP_2) {
        http2::serve(tls, peer, routes, &limits, (pace, phases), stopping).await;
    } else {
        http1(tls, peer, routes, &limits, (pace, phases), stopping).await;
    }
}

async fn http1<S, B>(
    tls: Secured,
    peer: SocketAddr,
    routes: S,
    limits: &Limits,
    (pace, phases): (Pace, watch::Receiver<Phase>),
    stopping: watch::Receiver<bool>,
) where
    S: Unpin + Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let stop = stopping.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        pace.enter(Phase::Exchange);
        request.extensions_mut().insert(Peer(peer));
        head::check(&mut request);
        let (reply, pace, stop) = (routes.call(request), pace.clone(), stop.clone());
        // Boxed, because hyper wants to move it.
        Box::pin(async move {
            let answer = reply.await?;
            Ok::<_, Infallible>(Sent::of(answer, stop).map(|body| PacedBody::new(Some(body), pace)))
        })
    });
    let mut connection = builder(limits).serve_connection(TokioIo::new(tls), service);
    let poll = |cx: &mut Context<'_>, stop: bool| {
        if stop {
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(cx)
    };
    if drive(poll, phases, limits, peer, stopping).await == End::Overdue {
        return;
    }
    let Parts { io, .. } = connection.into_parts();
    let mut tls = io.into_inner();
    // Tells the client that nothing was cut off (RFC 8446 §6.1), if it still listens.
    drop(timeout(limits.linger, tls.shutdown()).await);
    linger(tls.into_inner().0.into_inner(), limits).await;
}
