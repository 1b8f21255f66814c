//! Waiting for another daemon's database: whoever asks meanwhile is told so, and for whom.

use super::Failure;
use crate::env::Env;
use crate::error::Error;
use crate::http::standby_routes;
use crate::operations::Issuer;
use crate::server::{self, Front, Limits};
use crate::store::Holder;
use std::pin::Pin;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tokio::sync::{oneshot, watch};

/// Returns the listener and the issuer once it is open, and no issuer when a signal came first. As soon as `holder` names
/// somebody who is waited for, requests are answered that it is so.
///
/// # Errors
/// [`Failure`] of `opening`, and [`Failure::Machine`] when the listener cannot be shared.
pub(super) async fn opened(
    mut opening: Pin<Box<impl Future<Output = Result<Issuer, Failure>>>>,
    listener: TcpListener,
    mut holder: watch::Receiver<Option<Holder>>,
    (limits, front, env): (Limits, Front, Env),
    (terminate, interrupt): &mut (Signal, Signal),
) -> Result<(TcpListener, Option<Issuer>), Failure> {
    tokio::select! {
        opened = &mut opening => return opened.map(|issuer| (listener, Some(issuer))),
        _ = terminate.recv() => return Ok((listener, None)),
        _ = interrupt.recv() => return Ok((listener, None)),
        Ok(()) = holder.changed() => {}
    }
    let failed = |error: std::io::Error| Failure::Machine(format!("cannot listen while standing by: {error}"));
    let shared = listener.into_std().map_err(failed)?;
    let meanwhile = TcpListener::from_std(shared.try_clone().map_err(failed)?).map_err(failed)?;
    let listener = TcpListener::from_std(shared).map_err(failed)?;
    tracing::info!("{}", told(&holder));
    let (said, hearing) = watch::channel(told(&holder));
    let (ends, ended) = oneshot::channel::<()>();
    let routes = standby_routes(hearing, env).map_err(Error::from)?;
    let served = server::run(meanwhile, routes, limits, front, async { drop(ended.await) });
    let waited = async {
        let opened = loop {
            tokio::select! {
                opened = &mut opening => break opened.map(Some),
                _ = terminate.recv() => break Ok(None),
                _ = interrupt.recv() => break Ok(None),
                Ok(()) = holder.changed() => drop(said.send_replace(told(&holder))),
            }
        };
        drop(ends);
        opened
    };
    let (opened, _drained) = tokio::join!(waited, served);
    opened.map(|issuer| (listener, issuer))
}

fn told(holder: &watch::Receiver<Option<Holder>>) -> String {
    match holder.borrow().as_ref() {
        Some(holder) => format!("this daemon stands by for {}, which has the database", holder.name),
        None => "this daemon stands by".to_owned(),
    }
}
