//! What a store keeps of built-in users.

use super::Answer;
use crate::audit::Event;
use crate::users::{Outcome, Step, User, UserId};

/// A pure decision about a user. It may run while other changes wait, so it must not block.
pub type UserTransition = Box<dyn FnOnce(User) -> ToldOfUser + Send + 'static>;

/// What a transition makes of a user, and the events that are kept with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldOfUser {
    /// What happens.
    pub step: Step,
    /// What the audit log is told, also where the step changes nothing; of a name that is taken it is told nothing.
    pub events: Vec<Event>,
}

/// A step that nobody is told of: an attempt is told when it is known how it ended.
impl From<Step> for ToldOfUser {
    fn from(step: Step) -> Self {
        Self { step, events: Vec::new() }
    }
}

/// Keeps built-in users. No two have the same user name or e-mail address, in the form in which names are compared.
pub trait Users {
    /// Stores a new user, or answers [`Outcome::NameTaken`] and changes nothing. Its id is random; one that exists already is
    /// damage.
    fn create_user(&self, user: User, events: Vec<Event>) -> Answer<Outcome>;

    /// Returns a user.
    fn user(&self, id: UserId) -> Answer<Option<User>>;

    /// Returns the user of this name or address, which is in the form that is compared.
    fn user_named(&self, key: String) -> Answer<Option<User>>;

    /// Returns the users that follow `after` in the order of their ids, at most `most`; from the first with `None`.
    fn users(&self, after: Option<UserId>, most: usize) -> Answer<Vec<User>>;

    /// Replaces a user by what `transition` makes of it, with its names, in one atomic change. A name that belongs to somebody
    /// else makes it [`Outcome::NameTaken`], and nothing changes.
    ///
    /// Transitions of one user never overlap. Returns the user afterwards, or `None` when there is none.
    fn update_user(&self, id: UserId, transition: UserTransition) -> Answer<Option<(User, Outcome)>>;

    /// Forgets a user and its names. Returns whether there was one.
    fn delete_user(&self, id: UserId, events: Vec<Event>) -> Answer<bool>;

    /// Returns the key of what is bound to sessions and devices without a row of its own: the stored one, or `fresh`, which
    /// is stored then.
    fn binding_key(&self, fresh: [u8; 32]) -> Answer<[u8; 32]>;
}
