//! The routes of the daemon in this process, over the store of a daemon that is stopped.

use super::ask::Ask;
use super::data_dir::DataDir;
use super::{Failure, reload, serve};
use crate::config::{Config, IssuerUrl};
use crate::env::Env;
use crate::error::Error;
use crate::http::Inside;
use crate::operations::Issuer;
use crate::store::Waiting;
use bytes::Bytes;
use http::Response;

/// An issuer that this process has opened for itself.
pub(super) struct Local {
    inside: Inside,
    issuer: Issuer,
}

impl Local {
    /// Opens the store in `data_dir`; every request is one of the client `client_id`.
    ///
    /// # Errors
    /// [`Failure::InUse`] when a daemon has it open; [`Failure::Store`], [`Failure::Machine`], [`Failure::Setting`].
    pub(super) async fn open(config: &Config, data_dir: &DataDir, client_id: &str) -> Result<Self, Failure> {
        let env = Env::system();
        let identifier =
            config.issuer.clone().unwrap_or_else(|| IssuerUrl::of_loopback(config.listen, config.tls.is_some()));
        let issuer = serve::open(config, data_dir, &identifier, &env, Waiting::Refuse).await?;
        let surface = serve::surface(config, reload::unchanging(config), identifier.is_secure());
        let inside = Inside::new(issuer.clone(), env, surface, client_id).map_err(Error::from)?;
        Ok(Self { inside, issuer })
    }

    /// Returns the answer to `ask`.
    ///
    /// # Errors
    /// [`Failure::Setting`] when it can be no request.
    pub(super) async fn answer(&self, ask: &Ask) -> Result<Response<Bytes>, Failure> {
        Ok(self.inside.answer(ask.request("")?).await)
    }

    /// Closes the store once everything is on disk.
    ///
    /// # Errors
    /// [`Failure::Store`].
    pub(super) async fn close(self) -> Result<(), Failure> {
        serve::close(&self.issuer).await
    }
}
