//! Another master key for a daemon that runs.
//!
//! ```text
//! new key readable ─► every key sealed under it ─► all rows replaced, durably ─► in use ─► the next start finds it
//! ```
//!
//! No backup is made meanwhile: its header would be under one master key and its signing keys under another, so that
//! neither restores it.
//!
//! The rows change at once: a process that ends before that starts with the old master key, one that ends after it with
//! the new one, and a start that finds both tries both (`cli/master_key.rs`).

use super::issuer::{Issuer, Parts};
use super::{Client, Error};
use crate::audit::{Act, Event};
use crate::keys::{NewMasterKey, rewrapped};
use crate::telemetry::traces::TARGET;
use serde::Serialize;
use std::sync::Arc;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rewrapped {
    /// So many keys are sealed under the new master key.
    pub keys: usize,
    /// False when the operator has to put the new key in the place of the old one by hand.
    pub installed: bool,
}

impl Issuer {
    /// Says where another master key comes from; the first call counts.
    pub fn set_new_master_key(&self, source: impl NewMasterKey + 'static) {
        drop(self.parts.new_master_key.set(Box::new(source))); // the first one stays
    }

    /// Seals every key under the new master key, which is in use from then on. No request waits for longer than a write.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks; [`Error::InvalidRequest`] when there is none that
    /// can be used, the reason is logged; [`Error::BackupRunning`], [`Error::Store`], [`Error::Entropy`]: the old one
    /// is in use.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn rewrap_keys(&self, client: &Client) -> Result<Rewrapped, Error> {
        self.parts.administrator(client, "keys")?;
        let (parts, event) = (Arc::clone(&self.parts), client.did(Act::MasterKeyReplaced, self.parts.moments.shown()));
        self.parts.ruling.carry_out(async move { parts.rewrap(event).await }).await
    }
}

impl Parts {
    async fn rewrap(&self, event: Event) -> Result<Rewrapped, Error> {
        let _no_backup = self.backups.try_acquire().map_err(|_| Error::BackupRunning)?;
        let _alone = self.ruling.alone().await?; // no key changes meanwhile
        let unusable = || Error::InvalidRequest {
            field: "master_key",
            detail: "has no new file that can be used: the log says why",
        };
        let source = self.new_master_key.get().ok_or_else(unusable)?;
        let new = source.read().map_err(|reason| {
            tracing::error!(reason, "the new master key cannot be used");
            unusable()
        })?;
        let rows = rewrapped(self.keys.ring().rows(), &self.env, &self.keys.master(), &new)?;
        let (keys, next) = (rows.len(), self.keys.ring_under(rows.clone(), &[], &new)?);
        self.store.put_keys(rows, vec![event]).await?;
        self.keys.put_master(Arc::new(new));
        self.keys.put(next, &self.env);
        tracing::warn!(keys, "every key is sealed under the new master key");
        let installed = source.install().inspect_err(|reason| {
            tracing::warn!(
                reason,
                "the new master key is in use, and has to be put in the place of the old one by hand"
            );
        });
        Ok(Rewrapped { keys, installed: installed.is_ok() })
    }
}
