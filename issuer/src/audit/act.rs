//! What can happen: a closed list, each with the stable name that the log, the HTTP answer and the filters use.

use serde::{Serialize, Serializer};
use std::fmt;

/// Declares [`Act`] with the name of each, so that no act is without one.
macro_rules! acts {
    ($($(#[doc = $doc:literal])+ $act:ident = $name:literal,)+) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Act {
            $($(#[doc = $doc])+ $act,)+
        }

        impl Act {
            /// Every act, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$act,)+];

            /// Returns its stable name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$act => $name,)+
                }
            }
        }
    };
}

acts! {
    /// A session began with its first pair, or with an access token alone.
    TokenIssued = "token.issued",
    /// A refresh token bought the next pair.
    TokenRefreshed = "token.refreshed",
    /// A refresh token bought the last pair once more.
    TokenRepeated = "token.repeated",
    /// An access token bought a narrower one for the client `client_id`, of the same session.
    TokenExchanged = "token.exchanged",
    /// A refresh token was refused and nothing changed; `code` says why.
    TokenRefused = "token.refused",
    /// A refresh token came back that must not: the session ended, `code` says which of the two cases it was.
    TokenReused = "token.reused",
    /// An access token was taken back, alone.
    TokenRevoked = "token.revoked",
    /// A session was ended on request, with its live access tokens.
    SessionRevoked = "session.revoked",
    /// All sessions of a subject were asked to end; each that did has an event of its own.
    SubjectRevoked = "subject.revoked",
    /// Everything that the client `target` got so far was taken back.
    ClientRevoked = "client.revoked",
    /// The key `target` was withdrawn, with everything that it signed.
    KeyWithdrawn = "key.withdrawn",
    /// Everything issued so far was taken back.
    AllRevoked = "all.revoked",
    /// A key was made.
    KeyCreated = "key.created",
    /// The key `target` signs from now on; the one before it has retired or was withdrawn.
    KeyActivated = "key.activated",
    /// The key `target` left the key set: every access token that it signed has expired.
    KeyUnpublished = "key.unpublished",
    /// The key `target` was forgotten: nothing that it signed can be valid.
    KeyForgotten = "key.forgotten",
    /// The key `target` came from elsewhere and was published.
    KeyImported = "key.imported",
    /// A backup of everything was begun.
    BackupMade = "backup.made",
    /// Every signing key was sealed under another master key.
    MasterKeyReplaced = "master_key.replaced",
    /// The client `target` was made.
    ClientCreated = "client.created",
    /// The client `target` has another secret.
    ClientSecretReplaced = "client.secret_replaced",
    /// What the client `target` may do was changed; `detail` names the members.
    ClientChanged = "client.changed",
    /// The client `target` was disabled: it proves nothing any more.
    ClientDisabled = "client.disabled",
    /// The client `target` was enabled.
    ClientEnabled = "client.enabled",
    /// A secret of the client `target` was removed; `detail` says which.
    ClientSecretRemoved = "client.secret_removed",
    /// The client `target` was removed, after everything that it got was taken back.
    ClientRemoved = "client.removed",
    /// Somebody did not prove to be the client that `client_id` names.
    ClientRefused = "client.refused",
    /// The client `client_id` asked for what it may not have: `detail` says for what, `code` how it was answered.
    ClientDenied = "client.denied",
    /// Somebody logged in with a password.
    LoginSucceeded = "login.succeeded",
    /// A login was refused; `code` says why.
    LoginFailed = "login.failed",
    /// A user changed the password.
    PasswordChanged = "password.changed",
    /// A password was set by a one-time code.
    PasswordReset = "password.reset",
    /// A password was not changed or not reset; `code` says why.
    PasswordRefused = "password.refused",
    /// The user `sub` was made.
    UserCreated = "user.created",
    /// The user `sub` was changed; `detail` says what of it.
    UserChanged = "user.changed",
    /// The user `sub` was deleted.
    UserDeleted = "user.deleted",
    /// A one-time code was given out for the user `sub`.
    ResetCodeIssued = "user.reset_code_issued",
    /// The store had lost what the last list revoked, and everything issued before the start was taken back.
    StoreBehind = "store.behind",
    /// The daemon started.
    DaemonStarted = "daemon.started",
    /// The daemon stopped in good order.
    DaemonStopped = "daemon.stopped",
    /// There were more refusals than are kept; `detail` says how many are missing.
    AuditDropped = "audit.dropped",
    /// Old events were removed as the settings ask; `detail` says up to which `seq`.
    AuditTrimmed = "audit.trimmed",
}

impl Act {
    /// Returns the act of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.name() == name)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Act {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
