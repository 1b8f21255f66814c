//! Waiting for another daemon's database: requests go to that one meanwhile, and to this one as soon as it has taken over.

use super::Failure;
use super::remote::Peers;
use crate::env::Env;
use crate::error::Error;
use crate::http::{self, Routes, Standby, Standing, standby_routes};
use crate::operations::Issuer;
use crate::server::{self, Drained, Front, Limits};
use crate::store::Holder;
use std::pin::Pin;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// What a daemon needs that may have to stand by.
pub(super) struct Prepared {
    /// Who has the database, once that is known.
    pub(super) holder: watch::Receiver<Option<Holder>>,
    /// The other daemons.
    pub(super) peers: Peers,
    /// Bounds on connections.
    pub(super) limits: Limits,
    /// What is between the listener and HTTP.
    pub(super) front: Front,
    /// Clock and randomness.
    pub(super) env: Env,
}

/// A daemon that has the right to write, or was told to stop before.
pub(super) struct Opened {
    /// Where it listens.
    pub(super) listener: TcpListener,
    /// `None` when a signal came first.
    pub(super) issuer: Option<Issuer>,
    /// What goes on from standing by, if it has.
    pub(super) stood: Option<Stood>,
}

/// Connections that came while the daemon stood by.
pub(super) struct Stood {
    standing: watch::Sender<Standing>,
    relieved: oneshot::Sender<()>,
    ends: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

/// Connections that came while the daemon stood by, and go on although it does not any more.
pub(super) struct Staying {
    ends: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

impl Stood {
    /// Lets the requests that wait be answered by `routes`, and those that still come over their connections. No new
    /// connections are taken.
    pub(super) fn over(self, routes: Routes) -> Staying {
        self.standing.send_replace(Standing::Over(routes));
        drop(self.relieved);
        Staying { ends: self.ends, served: self.served }
    }
}

impl Staying {
    /// Lets the connections end with what they have begun; the answer tells when they have.
    pub(super) fn end(self) -> JoinHandle<Drained> {
        drop(self.ends);
        self.served
    }
}

/// Returns the listener and the issuer once it is open, and no issuer when a signal came first. As soon as somebody is known
/// who is waited for, requests are passed on to him; `standby` makes what that needs.
///
/// # Errors
/// [`Failure`] of `opening`, and [`Failure::Machine`] when the listener cannot be shared.
pub(super) async fn opened(
    mut opening: Pin<Box<impl Future<Output = Result<Issuer, Failure>>>>,
    listener: TcpListener,
    prepared: Prepared,
    standby: impl FnOnce(watch::Receiver<Standing>) -> Standby,
    (terminate, interrupt): &mut (Signal, Signal),
) -> Result<Opened, Failure> {
    let Prepared { mut holder, peers, limits, front, env } = prepared;
    let begun = tokio::select! {
        opened = &mut opening => Some(opened.map(Some)),
        _ = terminate.recv() => Some(Ok(None)),
        _ = interrupt.recv() => Some(Ok(None)),
        Ok(()) = holder.changed() => None,
    };
    if let Some(opened) = begun {
        return opened.map(|issuer| Opened { listener, issuer, stood: None });
    }
    let failed = |error: std::io::Error| Failure::Machine(format!("cannot listen while standing by: {error}"));
    let shared = listener.into_std().map_err(failed)?;
    let meanwhile = TcpListener::from_std(shared.try_clone().map_err(failed)?).map_err(failed)?;
    let listener = TcpListener::from_std(shared).map_err(failed)?;
    let nobody = || Failure::Machine("this daemon stands by for nobody".to_owned()); // it was told of somebody
    let (standing, receiver) = watch::channel(behind(&mut holder, &peers).ok_or_else(nobody)?);
    let (routes, warm) = standby_routes(standby(receiver), env).map_err(Error::from)?;
    let ((relieved, relief), (ends, ended)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let told = (async { drop(relief.await) }, async { drop(ended.await) });
    let served = tokio::spawn(server::run_in_turn(meanwhile, routes, limits, front, told));
    let mut stood = Some(Stood { standing, relieved, ends, served });
    let opened = async {
        loop {
            tokio::select! {
                opened = &mut opening => break opened.map(Some),
                _ = terminate.recv() => break Ok(None),
                _ = interrupt.recv() => break Ok(None),
                Ok(()) = holder.changed() => {
                    let behind = behind(&mut holder, &peers);
                    behind.zip(stood.as_ref()).inspect(|(behind, stood)| drop(stood.standing.send_replace(behind.clone())));
                }
            }
        }
    };
    let opened = tokio::select! {
        opened = opened => opened?,
        () = warm => None, // it never ends by itself
    };
    if let (None, Some(Stood { ends, served, .. })) = (&opened, stood.take_if(|_| opened.is_none())) {
        drop(ends);
        drop(served.await); // requests that had begun are answered, as far as the one that has the database does
    }
    Ok(Opened { listener, issuer: opened, stood })
}

/// Returns for whom this daemon stands by; says so in the log where it is another one.
fn behind(holder: &mut watch::Receiver<Option<Holder>>, peers: &Peers) -> Option<Standing> {
    let holder = holder.borrow_and_update().clone()?;
    let upstream = holder.origin.as_deref().and_then(|origin| peers.at(origin));
    tracing::info!(origin = holder.origin, "this daemon stands by for {}, which has the database", holder.name);
    Some(Standing::Behind(http::Holder { name: holder.name, term: holder.fence, upstream }))
}
