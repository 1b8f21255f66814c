//! Who acts when nobody has to prove anything: whoever holds the store and its master key in his hands.

use super::authenticate::proved;
use super::issuer::Issuer;
use super::{Client, Error};
use crate::audit::Origin;

impl Issuer {
    /// Returns this client as if it had proved who it is. Only the command line asks so, over a store that it has opened
    /// itself: it could read and change every row of it without asking.
    ///
    /// # Errors
    /// [`Error::InvalidClient`] when there is no such client, or it is disabled; [`Error::Store`].
    pub async fn operator(&self, client_id: &str, origin: &Origin) -> Result<Client, Error> {
        let known = self.parts.store.client(client_id.to_owned()).await?;
        known.filter(|record| !record.disabled).map(|record| proved(record, origin)).ok_or(Error::InvalidClient)
    }
}
