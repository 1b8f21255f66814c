//! Built-in users: what an administrator does with them, and what they do themselves. Off unless the settings say otherwise.
//!
//! ```text
//! login      name ─► row, or NOBODY's ─► throttle ─► attempt counted ─► hash ─► right? ─► login noted ─► session ─► pair
//! ```
//!
//! A name that does not exist goes the same way on the row of [`UserId::NOBODY`]: the same reads, the same write, a hash of
//! the same cost, the same answer. What an account is (disabled, to be reset) is told after the right password only.
//!
//! Sessions of users belong to a client that cannot authenticate itself, so nobody else can refresh them.

mod admin;
mod binding;
mod hasher;
mod login;
mod me;
mod password;
mod profile;
mod view;

pub use admin::UserRequest;
pub use login::{LoggedIn, LoginRequest, LoginSession, Renewed};
pub use me::{OwnSessions, SignedIn};
pub use profile::ProfileRequest;
pub use view::{ResetCodeAnswer, UserAnswer, UserList, UserView};

use super::issuer::{Issuer, Parts};
use super::{Client, Error};
use crate::audit::Origin;
use crate::env::Env;
use crate::passwords::{BlockList, Costs, Password, PasswordHash};
use crate::store::{Store, StoreError};
use crate::users::{Name, Place, Profile, Throttle, User, UserId};
use binding::Binding;
use hasher::{Hasher, Turn};
use std::sync::{Mutex, PoisonError};
use token::base64url;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

/// What an operator chooses about users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSettings {
    /// The client that the sessions of users belong to; nobody can authenticate as it.
    pub client_id: String,
    /// Where somebody goes who must choose a new password.
    pub reset_url: Option<String>,
    /// Life of a reset code.
    pub reset_code_secs: u64,
    /// Wrong reset codes before the one that is out opens nothing any more.
    pub reset_code_tries: u32,
    /// Characters that a new password must have.
    pub least_characters: u64,
    /// Passwords that nobody may choose.
    pub block_list: BlockList,
    /// What a hash costs.
    pub costs: Costs,
    /// Hashings at a time; as many as the runtime has threads when there is no number.
    pub hash_at_once: Option<usize>,
    /// Attempts in a row that may fail, 5 to 100.
    pub most_failures: u32,
}

impl Default for UserSettings {
    fn default() -> Self {
        Self {
            client_id: "login".to_owned(),
            reset_url: None,
            reset_code_secs: 900,
            reset_code_tries: 5,
            least_characters: 15, // NIST SP 800-63B-4 §3.1.1.2, where a password is the only factor
            block_list: BlockList::default(),
            costs: Costs::default(),
            hash_at_once: None,
            most_failures: 100, // NIST SP 800-63B-4 §3.2.2
        }
    }
}

/// What the operations on users work with.
pub(super) struct Desk {
    settings: UserSettings,
    hasher: Hasher,
    binding: Binding,
    throttle: Mutex<Throttle>,
    /// The hash that a password is compared with where there is none.
    nothing: PasswordHash,
}

impl Desk {
    /// Opens the desk; the row of nobody and the key are made when they are missing.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when a client has the name that is set for the sessions of users; [`Error::Store`],
    /// [`Error::Entropy`], [`Error::Hashing`].
    pub(super) async fn open(settings: UserSettings, env: &Env, store: &dyn Store) -> Result<Self, Error> {
        if store.client(settings.client_id.clone()).await?.is_some() {
            let detail = "is the id of a client that can authenticate itself";
            return Err(Error::InvalidRequest { field: "users.client_id", detail });
        }
        let binding = Binding::new(store.binding_key(env.random()?).await?);
        if store.user(UserId::NOBODY).await?.is_none() {
            let nobody = User::new(UserId::NOBODY, None, None, Profile::default(), env.random()?, env.now());
            store.create_user(nobody, Vec::new()).await?;
        }
        let random = Zeroizing::new(base64url::encode(&env.random::<32>()?));
        let (salt, costs) = (env.random()?, settings.costs);
        let password = Password::parse(&random).map_err(|_| Error::Hashing)?;
        let hashed = spawn_blocking(move || PasswordHash::of(&password, salt, costs)).await;
        let nothing = hashed.ok().and_then(Result::ok).ok_or(Error::Hashing)?;
        let threads = || tokio::runtime::Handle::current().metrics().num_workers(); // one a processor
        let hasher = Hasher::new(settings.hash_at_once.unwrap_or_else(threads), settings.costs);
        Ok(Self { settings, hasher, binding, throttle: Mutex::new(Throttle::default()), nothing })
    }

    /// Returns the client that sessions of users belong to.
    fn client(&self, origin: &Origin) -> Client {
        Client { id: self.settings.client_id.clone(), administrator: false, origin: origin.clone() }
    }

    fn admit(&self, attempt: &Attempt<'_>, env: &Env) -> Result<(), Error> {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = throttle.admit(attempt.name, attempt.place, attempt.known, env.monotonic());
        admitted.map_err(|retry_after_secs| Error::TooManyAttempts { retry_after_secs })
    }

    fn forgive(&self, name: Place, place: Place) {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).forgive(name, place);
    }

    /// Checks a password that somebody chooses, who has these names.
    ///
    /// # Errors
    /// [`Error::PasswordRefused`].
    fn check_new(&self, password: &Password, names: &[&str], issuer: &str) -> Result<(), Error> {
        let host = issuer.split("//").nth(1).unwrap_or(issuer).split(['/', ':']).next().unwrap_or(issuer);
        let names: Vec<&str> = names.iter().copied().chain([issuer, host]).collect();
        let checked = password.check(self.settings.least_characters, &self.settings.block_list, &names);
        checked.map_err(Error::PasswordRefused)
    }
}

/// One attempt at a password, before anything of it is counted.
struct Attempt<'a> {
    /// The user, or nobody's row.
    user: &'a User,
    name: Place,
    place: Place,
    /// Whether the user has logged in from this place or device.
    known: bool,
}

impl Issuer {
    /// True when the settings turn built-in users on.
    pub fn has_users(&self) -> bool {
        self.parts.desk.is_some()
    }
}

impl Parts {
    /// True for the name of the client that sessions of users belong to.
    pub(super) fn is_of_logins(&self, client_id: &str) -> bool {
        self.desk.as_ref().is_some_and(|desk| desk.settings.client_id == client_id)
    }

    /// # Errors
    /// [`Error::NoUsers`] when the settings do not turn them on.
    fn desk(&self) -> Result<&Desk, Error> {
        self.desk.as_ref().ok_or(Error::NoUsers)
    }

    /// Tries a password. Returns the user as it was when the attempt was counted, and its hash, when it is the right one.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] and [`Error::HasherBusy`], which count nothing; [`Error::Store`], [`Error::Hashing`].
    async fn try_password(
        &self,
        desk: &Desk,
        attempt: Attempt<'_>,
        password: Password,
    ) -> Result<Option<(User, PasswordHash)>, Error> {
        let turn: Turn<'_> = desk.hasher.turn()?;
        desk.admit(&attempt, &self.env)?;
        let (known, most) = (attempt.known, desk.settings.most_failures);
        let counted = self.store.update_user(attempt.user.id, Box::new(move |user| user.attempt(known, most).into()));
        let (user, outcome) = counted.await?.ok_or(Error::LoginRefused)?; // deleted in this very moment
        let tried = match outcome {
            crate::users::Outcome::Done => user.password.clone(),
            _ => None, // closed: nothing is tried, and it takes as long
        };
        let right = turn.compare(tried.clone().unwrap_or_else(|| desk.nothing.clone()), password).await?;
        Ok(tried.filter(|_| right && user.id != UserId::NOBODY).map(|tried| (user, tried)))
    }

    /// Returns the user of this name, or nobody's row.
    async fn user_or_nobody(&self, name: Option<&Name>) -> Result<User, Error> {
        let found = match name {
            Some(name) => self.store.user_named(name.key().to_owned()).await?,
            None => None,
        };
        match found {
            Some(user) => Ok(user),
            None => {
                let nobody = self.store.user(UserId::NOBODY).await?;
                nobody.ok_or_else(|| StoreError::damaged("the row of nobody is gone").into())
            }
        }
    }
}
