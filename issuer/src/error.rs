//! Why an operation did not do what was asked, by cause. No HTTP here: `http/reply.rs` holds the only mapping to statuses.
//!
//! No text below ever contains a secret or a token. What the outside may not tell apart ([`GrantFault`]) is logged where
//! it is found, once, and carried along only for tests and metrics.

pub use crate::clients::ClientFault;
use crate::passwords::Weakness;
use crate::store::StoreError;
use std::fmt;

/// The reason why an operation was refused or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The client is not known, or its secret is another one; which of the two is not told.
    InvalidClient,
    /// The refresh token buys nothing. Outside, every [`GrantFault`] reads the same.
    InvalidGrant(GrantFault),
    /// The scope asked for is more than the session holds, or not the one of the pair that is answered again.
    InvalidScope,
    /// The client may not do this, for example revoke another client's token.
    UnauthorizedClient,
    /// The client may not have tokens for this audience, or the token exchanged was not for it.
    InvalidTarget,
    /// A client is not what the request needs it to be.
    Client(ClientFault),
    /// As many assertions are remembered as there is room for.
    TooManyAssertions {
        /// When to come back, in seconds.
        retry_after_secs: u64,
    },
    /// There is no session of this name, or none that the client may see; which of the two is not told.
    UnknownSession,
    /// A member of the request breaks a stated limit or rule.
    InvalidRequest {
        /// The member, as the request names it.
        field: &'static str,
        /// What is wrong with it; never its value.
        detail: &'static str,
    },
    /// The session has 512 access tokens that have not expired; the next place is free after this many seconds.
    TooManyLiveTokens {
        /// Seconds until the oldest of them expires, at least 1.
        retry_after_secs: u64,
    },
    /// As many rules as a list can hold are in force, or rules were made so fast that dates would leave the clock behind.
    TooManyRules {
        /// Seconds until there is room, at least 1.
        retry_after_secs: u64,
    },
    /// The daemon cannot keep its promises right now and therefore does not sign.
    NotReady(NotReady),
    /// The store did not do it; nothing is acknowledged.
    Store(StoreError),
    /// More indices of an epoch have been leased than a status list may have. The revocation list has no such bound.
    StatusListTooLarge,
    /// A backup is being made: another is not begun, nor is the master key replaced that it is made under.
    BackupRunning,
    /// A private key cannot be used; found when the daemon starts.
    Keys(KeyFault),
    /// A signature did not verify under its own key, or what was to be signed is beyond a format's bounds.
    Signing,
    /// The system gave no randomness.
    Entropy,
    /// The settings do not turn built-in users on.
    NoUsers,
    /// The name is not known, the password is another one, or the account takes none at the moment; which is not told.
    LoginRefused,
    /// The password was right, but the account is disabled.
    AccountDisabled,
    /// The password was right, but a new one must be chosen first.
    PasswordResetRequired {
        /// Where, as the settings say.
        reset_url: Option<String>,
    },
    /// A new password is refused; why is told.
    PasswordRefused(Weakness),
    /// The password of somebody who is logged in is another one.
    WrongPassword,
    /// The code is not the one that is out, or it has expired; which is not told.
    InvalidResetCode,
    /// Attempts at this account came too fast.
    TooManyAttempts {
        /// Seconds until the next one, at least 1.
        retry_after_secs: u64,
    },
    /// As many passwords are being hashed, and wait for it, as may.
    HasherBusy {
        /// Seconds until there is likely to be room, at least 1.
        retry_after_secs: u64,
    },
    /// A password could not be hashed, or its hash not be read.
    Hashing,
    /// The user name or the address belongs to another user.
    NameTaken,
    /// There is no such user.
    NoSuchUser,
    /// The access token is not one of a login that is valid at this moment.
    InvalidToken,
    /// The access token would have more bytes than it may have there, for a cookie.
    TokenTooLong,
}

/// Which of the failures that read `invalid_grant` it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantFault {
    /// Not a refresh token of this issuer: form, signature, `iss`, `aud` or `typ`.
    NotOurs,
    /// Well signed, but its session is not in the store.
    UnknownSession,
    /// Issued to another client; nothing was changed.
    WrongClient,
    /// The client's registration no longer allows what the session is for; nothing was changed.
    NotAllowed,
    /// The idle clock or the absolute clock of the session has run out.
    Expired,
    /// The session was ended before: revoked, reused or restored.
    Ended,
    /// An old generation came back: the session and its live access tokens were revoked.
    Reused,
    /// A generation the store has not issued: it lost writes; the session was ended.
    AboveNewest,
    /// The user whose login it is has been disabled, must reset the password, has changed it since, or is gone.
    UserBarred,
}

/// Why the daemon is not ready. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotReady {
    /// The store failed for good; the process must be restarted.
    StoreFailed,
    /// The disk is full: revocations are taken and lists signed for a while, and nothing else is written.
    DiskFull,
    /// The published revocation list has passed its `exp`.
    ListExpired,
    /// A new revocation list broke a rule of publication and was held back.
    PublicationStopped,
    /// The wall clock left the monotonic clock by more than a day.
    ClockJumped,
    /// The wall clock is behind the newest signed list by more than a list lives.
    ClockBehind,
    /// Another daemon has the database; this one takes over when that one ends.
    StandingBy,
    /// The daemon is stopping.
    Closing,
}

/// What is wrong with a stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// The key does not open under the master key: another master key, or a damaged row.
    Sealed {
        /// The key's `kid`.
        kid: String,
    },
    /// The private key does not belong to the public key that its `kid` names.
    Mismatch {
        /// The key's `kid`.
        kid: String,
    },
    /// The store has published revocation lists but holds no key for this purpose.
    Missing {
        /// `token` or `revocations`.
        purpose: &'static str,
    },
    /// The store holds two keys that sign for this purpose.
    Several {
        /// `token` or `revocations`.
        purpose: &'static str,
    },
}

impl Error {
    /// True when the same request may succeed later without being changed.
    pub fn retryable(&self) -> bool {
        match self {
            Self::TooManyLiveTokens { .. }
            | Self::TooManyRules { .. }
            | Self::TooManyAssertions { .. }
            | Self::TooManyAttempts { .. }
            | Self::HasherBusy { .. }
            | Self::BackupRunning
            | Self::NotReady(_)
            | Self::Entropy => true,
            Self::Store(fault) => fault.retryable(),
            Self::InvalidClient
            | Self::InvalidGrant(_)
            | Self::InvalidScope
            | Self::UnauthorizedClient
            | Self::InvalidTarget
            | Self::Client(_)
            | Self::UnknownSession
            | Self::InvalidRequest { .. }
            | Self::StatusListTooLarge
            | Self::Keys(_)
            | Self::Signing
            | Self::NoUsers
            | Self::LoginRefused
            | Self::AccountDisabled
            | Self::PasswordResetRequired { .. }
            | Self::PasswordRefused(_)
            | Self::WrongPassword
            | Self::InvalidResetCode
            | Self::Hashing
            | Self::NameTaken
            | Self::NoSuchUser
            | Self::InvalidToken
            | Self::TokenTooLong => false,
        }
    }
}

impl GrantFault {
    /// Returns the word that logs and metrics use.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::UnknownSession => "unknown_session",
            Self::WrongClient => "wrong_client",
            Self::NotAllowed => "not_allowed",
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::Reused => "reused",
            Self::AboveNewest => "above_newest",
            Self::UserBarred => "user_barred",
        }
    }
}

impl NotReady {
    /// Returns the stable code that `/readyz`, logs and metrics use.
    pub fn code(self) -> &'static str {
        match self {
            Self::StoreFailed => "store_failed",
            Self::DiskFull => "disk_full",
            Self::ListExpired => "list_expired",
            Self::PublicationStopped => "publication_stopped",
            Self::ClockJumped => "clock_jumped",
            Self::ClockBehind => "clock_behind",
            Self::StandingBy => "standing_by",
            Self::Closing => "closing",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidClient => f.write_str("the client is not known, or did not prove that it is the one"),
            Self::InvalidGrant(_) => f.write_str("the refresh token is not valid"),
            Self::InvalidScope => f.write_str("the scope is not one that this grant allows"),
            Self::UnauthorizedClient => f.write_str("the client may not do this"),
            Self::InvalidTarget => f.write_str("the audience is not one that this client may have tokens for"),
            Self::Client(fault) => fault.fmt(f),
            Self::TooManyAssertions { .. } => f.write_str("too many assertions are in use at a time"),
            Self::UnknownSession => f.write_str("there is no such session"),
            Self::InvalidRequest { field, detail } => write!(f, "{field} {detail}"),
            Self::TooManyLiveTokens { .. } => {
                f.write_str("the session has too many access tokens that have not expired")
            }
            Self::TooManyRules { .. } => f.write_str("too many revocations of this kind are in force"),
            Self::NotReady(_) => f.write_str("the issuer is not ready"),
            Self::Store(_) => f.write_str("the store did not take the change"),
            Self::StatusListTooLarge => f.write_str("the epoch has more tokens than a status list can hold"),
            Self::BackupRunning => {
                f.write_str("a backup is being made: one is made at a time, and under one master key")
            }
            Self::Keys(_) => f.write_str("a signing key cannot be used"),
            Self::Signing => f.write_str("a signature could not be made"),
            Self::Entropy => f.write_str("the system gave no randomness"),
            Self::NoUsers => f.write_str("this issuer has no users of its own"),
            Self::LoginRefused => f.write_str(
                "the name or the password is wrong, or the account takes no password now; a reset opens it again",
            ),
            Self::AccountDisabled => f.write_str("the account is disabled"),
            Self::PasswordResetRequired { .. } => f.write_str("a new password must be chosen first"),
            Self::PasswordRefused(weakness) => write!(f, "the new password {weakness}"),
            Self::WrongPassword => f.write_str("the current password is wrong, or the account takes none now"),
            Self::InvalidResetCode => f.write_str("the reset code is not valid, or no more"),
            Self::TooManyAttempts { .. } => f.write_str("too many attempts at this account"),
            Self::HasherBusy { .. } => f.write_str("too many logins at a time"),
            Self::Hashing => f.write_str("a password could not be hashed"),
            Self::NameTaken => f.write_str("the user name or the e-mail address belongs to another user"),
            Self::NoSuchUser => f.write_str("there is no such user"),
            Self::InvalidToken => f.write_str("the access token is missing or not valid"),
            Self::TokenTooLong => f.write_str(
                "the access token does not fit into a cookie: give the user fewer claims, or take tokens in the body",
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotReady(source) => Some(source),
            Self::Store(source) => Some(source),
            Self::Keys(source) => Some(source),
            Self::InvalidClient
            | Self::InvalidGrant(_)
            | Self::InvalidScope
            | Self::UnauthorizedClient
            | Self::InvalidTarget
            | Self::Client(_)
            | Self::TooManyAssertions { .. }
            | Self::UnknownSession
            | Self::InvalidRequest { .. }
            | Self::TooManyLiveTokens { .. }
            | Self::StatusListTooLarge
            | Self::BackupRunning
            | Self::TooManyRules { .. }
            | Self::Signing
            | Self::Entropy
            | Self::NoUsers
            | Self::LoginRefused
            | Self::AccountDisabled
            | Self::PasswordResetRequired { .. }
            | Self::PasswordRefused(_)
            | Self::WrongPassword
            | Self::InvalidResetCode
            | Self::TooManyAttempts { .. }
            | Self::HasherBusy { .. }
            | Self::Hashing
            | Self::NameTaken
            | Self::NoSuchUser
            | Self::InvalidToken
            | Self::TokenTooLong => None,
        }
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StoreFailed => "the store failed and must be opened again by a new process",
            Self::DiskFull => {
                "the disk is full; revocations go on for a while, and nothing else is written until there is room"
            }
            Self::ListExpired => "the published revocation list has expired",
            Self::PublicationStopped => "a revocation list broke a rule of publication and was held back",
            Self::ClockJumped => "the system clock jumped by more than a day; a restart confirms the new time",
            Self::ClockBehind => "the system clock is behind the newest signed revocation list",
            Self::StandingBy => "another daemon has the database; this one takes over when that one ends",
            Self::Closing => "the daemon is stopping",
        })
    }
}

impl std::error::Error for NotReady {}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sealed { kid } => {
                write!(
                    f,
                    "key {kid} does not open under this master key: the master key is another one, or the stored key is damaged"
                )
            }
            Self::Mismatch { kid } => write!(f, "the private key stored as {kid} belongs to another public key"),
            Self::Missing { purpose } => {
                write!(f, "the store has been in use but holds no key for {purpose}: it is damaged or not whole")
            }
            Self::Several { purpose } => write!(f, "the store holds two active keys for {purpose}: it is damaged"),
        }
    }
}

impl std::error::Error for KeyFault {}

impl From<StoreError> for Error {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

impl From<NotReady> for Error {
    fn from(reason: NotReady) -> Self {
        Self::NotReady(reason)
    }
}
