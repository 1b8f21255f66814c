//! Clients.

use super::Answer;
use crate::audit::Event;

/// Keeps clients.
pub trait Clients {
    /// Returns a client.
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>>;

    /// Returns the clients that follow `after` in the order of their ids, byte by byte, at most `most`; from the first with
    /// `None`.
    fn clients(&self, after: Option<String>, most: usize) -> Answer<Vec<ClientRecord>>;

    /// Stores a client, replacing one of the same id.
    fn put_client(&self, client: ClientRecord, events: Vec<Event>) -> Answer<()>;
}

/// A client as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its name.
    pub client_id: String,
    /// SHA-256 of its secret, which is random.
    pub secret_hash: [u8; 32],
    /// May revoke and introspect every token.
    pub administrator: bool,
}
