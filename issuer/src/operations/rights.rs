//! What a client may do, at the moment when it does it. What it may not is told to the audit log.

use super::issuer::Parts;
use super::{Client, Error, exchange, limits, mint};
use crate::audit::Act;
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
        let record = record.filter(|record| !record.disabled).ok_or(Error::InvalidClient);
        let record = record.map_err(|error| self.denied(client, grant.name(), error))?;
        if record.allowed.grants.has(grant) {
            Ok(record.allowed)
        } else {
            Err(self.denied(client, grant.name(), Error::UnauthorizedClient))
        }
    }

    /// Checks that an administrator asks for `what`.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`], which is told to the audit log.
    pub(super) fn administrator(&self, client: &Client, what: &'static str) -> Result<(), Error> {
        if client.is_administrator() { Ok(()) } else { Err(self.denied(client, what, Error::UnauthorizedClient)) }
    }

    /// Returns `error`, after telling the audit log of it where it says that this client asked for more than it may have.
    pub(super) fn denied(&self, client: &Client, what: &'static str, error: Error) -> Error {
        if let Some(code) = code(&error) {
            self.note(client.did(Act::ClientDenied, self.moments.shown()).code(code).detail(what));
        }
        error
    }
}

/// Returns the code of the answer, for an error that says what a client may not do; what is only wrongly written, or our own
/// fault, is no event.
fn code(error: &Error) -> Option<&'static str> {
    match error {
        Error::InvalidClient => Some("invalid_client"),
        Error::UnauthorizedClient => Some("unauthorized_client"),
        Error::InvalidScope => Some("invalid_scope"),
        Error::InvalidTarget => Some("invalid_target"),
        Error::TooManyLiveTokens { .. } => Some("too_many_live_tokens"),
        Error::InvalidRequest { detail, .. } => {
            [limits::BEYOND, mint::IS_A_CLIENT, exchange::NOT_ITS_BUSINESS].contains(detail).then_some("invalid_request")
        }
        Error::InvalidGrant(_) // has an event of its own, and so have failures of users
        | Error::LoginRefused
        | Error::AccountDisabled
        | Error::PasswordResetRequired { .. }
        | Error::PasswordRefused(_)
        | Error::WrongPassword
        | Error::InvalidResetCode
        | Error::TooManyAttempts { .. }
        | Error::InvalidToken
        | Error::Client(_)
        | Error::TooManyAssertions { .. }
        | Error::UnknownSession
        | Error::TooManyRules { .. }
        | Error::NotReady(_)
        | Error::Store(_)
        | Error::StatusListTooLarge
        | Error::BackupRunning
        | Error::Keys(_)
        | Error::Signing
        | Error::Entropy
        | Error::NoUsers
        | Error::HasherBusy { .. }
        | Error::Hashing
        | Error::NameTaken
        | Error::NoSuchUser
        | Error::TokenTooLong => None,
    }
}
