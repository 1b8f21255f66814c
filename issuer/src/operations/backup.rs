//! A backup of everything, while the daemon goes on.
//!
//! ```text
//! the head, of one moment ─► the rest, some 64 KiB at a time ─► the end, unless old events were removed meanwhile
//! ```
//!
//! Each piece is read, encrypted and handed on before the next is read, so memory stays bounded whatever the store holds.
//! What was acknowledged before the first piece is in it; what changes meanwhile is in it as it was or as it is. That is
//! enough, because a restored store revokes every access token at its first start and leaves out the pages that may have
//! been leased since: only sessions, users, clients, keys and rules go on, and each of these is one row.

use super::issuer::Issuer;
use super::{Client, Error};
use crate::audit::{Act, Link};
use crate::backup::Sealer;
use crate::env::Env;
use crate::keys::MasterKey;
use crate::store::{Row, Store};
use crate::telemetry::traces::TARGET;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes of rows in one piece, about.
const PIECE: usize = 64 * 1024;

/// A backup that is being made.
pub struct Backup {
    store: Arc<dyn Store>,
    sealer: Option<Sealer>,
    began: Option<Link>,
    after: Option<Vec<u8>>,
    step: Step,
    _only: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Header,
    Head,
    Rows,
}

impl Backup {
    /// Begins a backup of a store.
    ///
    /// # Errors
    /// [`Error::Entropy`], [`Error::Signing`].
    pub fn begin(store: Arc<dyn Store>, env: &Env, master: &MasterKey) -> Result<Self, Error> {
        let sealer = Some(Sealer::begin(env, master)?);
        Ok(Self { store, sealer, began: None, after: None, step: Step::Header, _only: None })
    }

    /// Returns the next piece, and `None` behind the last. May be dropped and asked again without losing one.
    ///
    /// # Errors
    /// [`Error`]: the backup has no end, and is refused by whoever reads it.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(sealer) = self.sealer.as_mut() else { return Ok(None) };
        match self.step {
            Step::Header => {
                self.step = Step::Head;
                Ok(Some(Bytes::copy_from_slice(sealer.header())))
            }
            Step::Head => {
                let began = self.store.audit_extent().await?.before;
                let rows = self.store.backup_head().await?;
                (self.began, self.step) = (Some(began), Step::Rows);
                sealer.frame(&rows).map(|frame| Some(frame.into()))
            }
            Step::Rows => {
                let rows = self.store.backup_rows(self.after.clone(), PIECE).await?;
                let Some(Row { key, .. }) = rows.last() else { return self.end().await };
                self.after = Some(key.clone());
                sealer.frame(&rows).map(|frame| Some(frame.into()))
            }
        }
    }

    async fn end(&mut self) -> Result<Option<Bytes>, Error> {
        let before = self.store.audit_extent().await?.before;
        if self.began != Some(before) {
            tracing::warn!("old events were removed while a backup was made: it has no end, make it again");
            return Err(crate::store::StoreError::Busy.into());
        }
        let Some(sealer) = self.sealer.take() else { return Ok(None) };
        let (frame, counts) = sealer.end()?;
        tracing::info!(rows = counts.values().sum::<u64>(), "a backup was made");
        Ok(Some(frame.into()))
    }
}

impl Issuer {
    /// Begins a backup of everything, encrypted under the master key. One is made at a time.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks; [`Error::BackupRunning`] while another is made,
    /// or the master key replaced; [`Error::Store`], [`Error::Entropy`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn backup(&self, client: &Client) -> Result<Backup, Error> {
        self.parts.administrator(client, "backup")?;
        let parts = &self.parts;
        let only = Arc::clone(&parts.backups).try_acquire_owned().map_err(|_| Error::BackupRunning)?;
        parts.store.record(vec![client.did(Act::BackupMade, parts.moments.shown())]).await?;
        let backup = Backup::begin(Arc::clone(&parts.store), &parts.env, &parts.keys.master())?;
        Ok(Backup { _only: Some(only), ..backup })
    }
}
