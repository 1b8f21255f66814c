//! Clients, and what they have proved themselves with.

use super::Answer;
use crate::audit::Event;
pub use crate::clients::ClientRecord;
use crate::clients::{ClientFault, ClientStep};
use token::time::UnixTime;

/// Assertions that are remembered at a time: 300 a second, each for five minutes, and some.
pub const MAX_ASSERTIONS: usize = 100_000;

/// A pure decision about a client, of which `None` is stored when there is none; with the events that are kept with it. It
/// may run while other changes wait, so it must not block.
pub type ClientDecision =
    Box<dyn FnOnce(Option<ClientRecord>) -> Result<(ClientStep, Vec<Event>), ClientFault> + Send + 'static>;

/// What a use of an assertion comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionUse {
    /// It is the first one.
    First,
    /// It is not; nothing changed.
    Again,
    /// [`MAX_ASSERTIONS`] are remembered; nothing changed.
    Full,
}

/// Keeps clients.
pub trait Clients {
    /// Returns a client.
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>>;

    /// Returns the clients that follow `after` in the order of their ids, byte by byte, at most `most`; from the first with
    /// `None`.
    fn clients(&self, after: Option<String>, most: usize) -> Answer<Vec<ClientRecord>>;

    /// Makes of a client what `decide` says, in one atomic change, and returns it as it is afterwards.
    ///
    /// Decisions never overlap. Nothing changes where `decide` finds a fault, and neither where it would leave no enabled
    /// administrator ([`ClientFault::LastAdministrator`]) or add one to [`MAX_CLIENTS`](crate::clients::MAX_CLIENTS)
    /// ([`ClientFault::TooMany`]). A record that is put has the id that was asked for.
    fn update_client(
        &self,
        client_id: String,
        decide: ClientDecision,
    ) -> Answer<Result<Option<ClientRecord>, ClientFault>>;

    /// Remembers until `until` that the assertion of this name was used.
    fn use_assertion(&self, name: [u8; 16], until: UnixTime) -> Answer<AssertionUse>;

    /// Forgets assertions that were remembered until `before` at the latest, at most [`PURGE_STEP`](super::PURGE_STEP);
    /// returns whether there may be more.
    fn purge_assertions(&self, before: UnixTime) -> Answer<bool>;
}
