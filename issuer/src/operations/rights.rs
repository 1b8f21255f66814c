//! What a client may do, at the moment when it does it.

use super::issuer::Parts;
use super::{Client, Error};
use crate::clients::{Allowed, GrantType};

impl Parts {
    /// Returns what the client may ask for. The gate must be held: whoever disables a client waits for it after the change,
    /// so that nothing is issued to the client once that is answered.
    ///
    /// # Errors
    /// [`Error::InvalidClient`] for a client that has been disabled or removed since it proved who it is;
    /// [`Error::UnauthorizedClient`] for one that may not use this grant; [`Error::Store`].
    pub(super) async fn allowed(&self, client: &Client, grant: GrantType) -> Result<Allowed, Error> {
        let record = self.store.client(client.id().to_owned()).await?;
        let record = record.filter(|record| !record.disabled).ok_or(Error::InvalidClient)?;
        if record.allowed.grants.has(grant) { Ok(record.allowed) } else { Err(Error::UnauthorizedClient) }
    }
}
