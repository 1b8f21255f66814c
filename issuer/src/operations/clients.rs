//! Clients, as an administrator manages them.

use super::issuer::Issuer;
use super::{Client, Error};
use crate::store::ClientRecord;
use serde::Serialize;

/// A client as its administrators see it; never its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientView {
    /// Its name.
    pub client_id: String,
    /// May revoke and introspect every token, and manage clients.
    pub administrator: bool,
}

/// A part of the list of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientViews {
    /// In the order of their ids.
    pub items: Vec<ClientView>,
    /// Where the next part begins; none when there is no more.
    pub next: Option<String>,
}

impl Issuer {
    /// Returns at most `most` clients that follow `after`, a `next` of an earlier part.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks; [`Error::Store`].
    pub async fn clients(&self, client: &Client, after: Option<String>, most: usize) -> Result<ClientViews, Error> {
        if !client.is_administrator() {
            return Err(Error::UnauthorizedClient);
        }
        let mut records = self.parts.store.clients(after, most.saturating_add(1)).await?;
        let more = records.len() > most;
        records.truncate(most);
        let next = records.last().filter(|_| more).map(|record| record.client_id.clone());
        Ok(ClientViews { items: records.into_iter().map(view).collect(), next })
    }
}

fn view(record: ClientRecord) -> ClientView {
    ClientView { client_id: record.client_id, administrator: record.administrator }
}
