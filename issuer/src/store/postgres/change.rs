//! One change on its way: what it wants to have read, what it decides, and who waits for it.

use super::engine::Engine;
use super::load::{Stored, Wanted};
use super::rows::Stop;
use crate::store::StoreError;
use tokio::sync::oneshot;

/// One change: decided by the committer, answered when its group is durable.
pub(super) trait Change: Send {
    /// Returns what it wants to have read.
    fn wanted(&self, engine: &Engine) -> Wanted;
    /// Decides; or returns the keys of what it needs besides, and is run again.
    fn run(&mut self, engine: &mut Engine, found: &[Stored]) -> Result<(), Vec<Vec<u8>>>;
    fn answer(self: Box<Self>, fate: Result<(), StoreError>);
}

/// A change with its answer.
pub(super) struct Typed<T, W, F> {
    pub(super) wanted: W,
    pub(super) decide: F,
    pub(super) result: Option<Result<T, StoreError>>,
    pub(super) caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W, F> Change for Typed<T, W, F>
where
    T: Send,
    W: Fn(&Engine) -> Wanted + Send,
    F: FnMut(&mut Engine, &[Stored]) -> Result<T, Stop> + Send,
{
    fn wanted(&self, engine: &Engine) -> Wanted {
        (self.wanted)(engine)
    }

    fn run(&mut self, engine: &mut Engine, found: &[Stored]) -> Result<(), Vec<Vec<u8>>> {
        self.result = Some(match (self.decide)(engine, found) {
            Ok(value) => Ok(value),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Needs(keys)) => return Err(keys),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, fate: Result<(), StoreError>) {
        let Self { result, caller, .. } = *self;
        let answer = fate.and_then(|()| result.unwrap_or(Err(StoreError::Closed)));
        drop(caller.send(answer)); // a caller that is gone needs no answer
    }
}

/// What the committer is told.
pub(super) enum Message {
    /// To make a change.
    Change(Box<dyn Change>),
    /// To end.
    Close(oneshot::Sender<Result<(), StoreError>>),
}
