//! One client: one act after the other, by chance.

use super::users::{MOST_USERS, WORKERS_WITH_USERS};
use super::{Extent, SECRET};
use crate::client::{Client, Request};
use crate::dice::Dice;
use crate::promises::{Heard, Owner, Promises, Public, Session};

/// Requests in a row without an answer, after which it gives up.
const PATIENCE: usize = 3;

/// One client and what it was told.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    /// What its subjects, users and clients are called begins with this.
    pub(crate) name: String,
    pub(crate) dice: Dice,
    pub(crate) promises: Promises,
    /// The latest time that it has seen in a token or a list, in seconds since 1970.
    pub(crate) now: u64,
    /// How many names it has given.
    named: usize,
    /// How many users it may make.
    pub(super) most_users: usize,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Mint,
    Refresh,
    Repeat,
    Reuse,
    RevokeToken,
    End,
    EndBySid,
    EndBySubject,
    EndOthers,
    OwnToken,
    MintBriefly,
    MakeClient,
    RotateSecret,
    RemoveClient,
    MakeUser,
    LogIn,
    ChangePassword,
    RotateKeys,
    WithdrawKey,
}

const ACTS: [(usize, Act); 19] = [
    (20, Act::Mint),
    (40, Act::Refresh),
    (8, Act::Repeat),
    (3, Act::Reuse),
    (6, Act::RevokeToken),
    (5, Act::End),
    (4, Act::EndBySid),
    (2, Act::EndBySubject),
    (2, Act::EndOthers),
    (4, Act::OwnToken),
    (3, Act::MintBriefly),
    (2, Act::MakeClient),
    (2, Act::RotateSecret),
    (1, Act::RemoveClient),
    (1, Act::MakeUser),
    (2, Act::LogIn),
    (1, Act::ChangePassword),
    (1, Act::RotateKeys),
    (1, Act::WithdrawKey),
];

impl Worker {
    pub(crate) fn new(number: usize, seed: u64) -> Self {
        let most_users = if number < WORKERS_WITH_USERS { MOST_USERS } else { 0 };
        let (name, promises) = (format!("w{number}"), Promises::default());
        Self { name, dice: Dice::new(seed), promises, now: 0, named: 0, most_users }
    }

    /// Acts until `is_over`, or until nobody answers; `told` is called for each answer.
    ///
    /// # Errors
    /// An answer that contradicts one that was given before.
    pub(crate) fn work(&mut self, client: Client, is_over: impl Fn() -> bool, told: impl Fn()) -> Result<(), String> {
        let mut silent = 0;
        while !is_over() && silent < PATIENCE {
            match self.act(client)? {
                Heard::Answer => {
                    silent = 0;
                    told();
                }
                Heard::Silence => silent += 1,
                Heard::Nobody => break,
                Heard::Nothing => {}
            }
        }
        Ok(())
    }

    fn act(&mut self, client: Client) -> Result<Heard, String> {
        match self.dice.weighted(&ACTS) {
            Act::Mint => self.mint(client),
            Act::Refresh => self.refresh(client),
            Act::Repeat => self.repeat(client),
            Act::Reuse => self.reuse(client),
            Act::RevokeToken => self.revoke_token(client),
            Act::End => self.end(client),
            Act::EndBySid => self.end_by_sid(client),
            Act::EndBySubject => self.end_by_subject(client),
            Act::EndOthers => self.end_others(client),
            Act::OwnToken => self.own_token(client),
            Act::MintBriefly => self.mint_briefly(client),
            Act::MakeClient => self.make_client(client),
            Act::RotateSecret => self.rotate_secret(client),
            Act::RemoveClient => self.remove_client(client),
            Act::MakeUser => self.make_user(client),
            Act::LogIn => self.log_in(client),
            Act::ChangePassword => self.change_password(client),
            Act::RotateKeys => self.rotate_keys(client),
            Act::WithdrawKey => self.withdraw_key(client),
        }
    }

    /// Returns a name that it has not given before.
    pub(crate) fn new_name(&mut self) -> String {
        self.named += 1;
        format!("{}.{}", self.name, self.named)
    }

    /// Proves with the request to be whom the session belongs to.
    pub(crate) fn proved(&self, request: Request, owner: Owner) -> Request {
        match owner {
            Owner::Admin => request.basic(("admin", SECRET)),
            Owner::Client(number) => {
                let client = &self.promises.clients[number];
                request.basic((&client.id, client.secrets.last().expect("it was made with one")))
            }
            Owner::User(_) => request,
        }
    }

    /// Returns the number of one of the sessions that go on and that `is` chooses.
    pub(crate) fn one_session(&mut self, is: impl Fn(&Session) -> bool) -> Option<usize> {
        let sessions = self.promises.sessions.iter().enumerate();
        let fits = |session: &Session| session.goes_on() && self.promises.may_act(session.owner) && is(session);
        let chosen: Vec<usize> = sessions.filter(|(_, session)| fits(session)).map(|(number, _)| number).collect();
        self.dice.one(&chosen).copied()
    }

    /// Holds the daemon against what this worker's clients, users and sessions were promised; see [`Load::check`](crate::Load::check).
    ///
    /// # Errors
    /// What was promised and does not hold.
    pub(crate) fn check(&mut self, client: Client, public: &Public, extent: Extent) -> Result<(), String> {
        self.check_clients(client, extent)?;
        self.check_sessions(client, public, extent)?;
        self.check_users(client, extent)
    }
}
