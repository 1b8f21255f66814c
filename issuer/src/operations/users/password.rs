//! A new password: by the old one, or by a one-time code.

use super::super::issuer::{Issuer, Parts};
use super::super::{Client, Error, Revocation};
use super::{Attempt, SignedIn};
use crate::audit::{Act, Event, Origin};
use crate::passwords::Password;
use crate::session::SessionId;
use crate::store::{OfSubject, ToldOfUser, UserTransition};
use crate::telemetry::traces::TARGET;
use crate::users::{Name, Outcome, User, UserId};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use token::base64url;
use zeroize::Zeroizing;

impl Issuer {
    /// Puts a new password in place of the one that is shown, and ends all other sessions of the user.
    ///
    /// # Errors
    /// [`Error::PasswordRefused`] with the reason; [`Error::WrongPassword`]; [`Error::TooManyAttempts`],
    /// [`Error::HasherBusy`]; [`Error::InvalidRequest`]; [`Error::Store`]: where the password is another one already, a repetition
    /// with it ends the sessions; [`Error::NotReady`] and [`Error::Signing`] when all is done but could not be published yet.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn change_password(
        &self,
        origin: &Origin,
        me: &SignedIn,
        current: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<Revocation, Error> {
        let changed = self.put_password(origin, me, current, new).await;
        changed.inspect_err(|error| self.parts.note_password(origin, Some(me.user.id), error))
    }

    async fn put_password(
        &self,
        origin: &Origin,
        me: &SignedIn,
        current: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<Revocation, Error> {
        let parts = &self.parts;
        let desk = parts.desk()?;
        let (current, new) = (parsed("current_password", &current)?, parsed("new_password", &new)?);
        let SignedIn { user, sid } = me;
        desk.check_new(&new, &names(user), &parts.settings.issuer)?;
        let attempt = Attempt {
            user,
            name: desk.binding.name(&user.id.to_string()), // an account of its own: whoever is in is slowed down by nobody
            place: desk.binding.place(origin.address),
            known: true,
        };
        let (name, place) = (attempt.name, attempt.place);
        let (_, tried) = parts.try_password(desk, attempt, current).await?.ok_or(Error::WrongPassword)?;
        desk.forgive(name, place);
        let hash = desk.hasher.turn()?.hash(new, parts.env.random()?).await?;
        let (now, stamp, kept) = (parts.moments.now()?, parts.env.random()?, *sid);
        let client = desk.client(origin);
        let event = client.did(Act::PasswordChanged, now).subject(&user.id.to_string()).sid(kept);
        let here = Arc::clone(parts);
        let change = move |user: User| {
            let step = user.change_password(&tried, hash, Some(kept), stamp, here.moments.shown());
            ToldOfUser { events: if step.changed { vec![event] } else { Vec::new() }, step }
        };
        match self.replace(&client, user.id, Some(kept), Box::new(change)).await?.ok_or(Error::InvalidToken)? {
            Outcome::Done => self.published().await,
            _ => Err(Error::WrongPassword),
        }
    }

    /// Makes a change that bars the user's sessions, all but the one `kept`, and ends them: before it, since a process that
    /// ends in between must leave none that is refused and whose tokens are accepted, and those that began meanwhile after
    /// it. Returns what came of the change; `None` when there is no such user.
    async fn replace(
        &self,
        client: &Client,
        id: UserId,
        kept: Option<SessionId>,
        change: UserTransition,
    ) -> Result<Option<Outcome>, Error> {
        let these = OfSubject { except: kept, ..OfSubject::all(id.to_string()) };
        self.end_subject(client, these).await?; // one that cannot be read keeps nobody from a new password, and is told below
        let outcome = self.parts.store.update_user(id, change).await?.map(|(_, outcome)| outcome);
        if outcome == Some(Outcome::Done) {
            self.end_subject_but(client, id.to_string(), kept).await?;
        }
        Ok(outcome)
    }

    /// Sets a new password by a one-time code, and ends all sessions of the user.
    ///
    /// # Errors
    /// [`Error::PasswordRefused`] with the reason, which does not use up the code; [`Error::InvalidResetCode`], the same for a
    /// wrong, used and expired one; otherwise as [`Issuer::change_password`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn reset_password(
        &self,
        origin: &Origin,
        code: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<Revocation, Error> {
        let reset = self.redeem(origin, code, new).await;
        reset.inspect_err(|error| self.parts.note_password(origin, None, error))
    }

    async fn redeem(
        &self,
        origin: &Origin,
        code: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<Revocation, Error> {
        let parts = &self.parts;
        let desk = parts.desk()?;
        let new = parsed("new_password", &new)?;
        desk.check_new(&new, &[], &parts.settings.issuer)?;
        let (id, secret) = split(&code).ok_or(Error::InvalidResetCode)?;
        let hash_of_code: [u8; 32] = Sha256::digest(secret.as_ref()).into();
        let now = parts.moments.now()?;
        let tried = parts.store.update_user(id, Box::new(move |user| user.try_code(&hash_of_code, now).into())).await?;
        let Some((user, Outcome::Done)) = tried.filter(|_| id != UserId::NOBODY) else {
            return Err(Error::InvalidResetCode);
        };
        desk.check_new(&new, &names(&user), &parts.settings.issuer)?;
        let hash = desk.hasher.turn()?.hash(new, parts.env.random()?).await?;
        let stamp = parts.env.random()?;
        let client = desk.client(origin);
        let event = client.did(Act::PasswordReset, now).subject(&id.to_string());
        let here = Arc::clone(parts);
        let redeem = move |user: User| {
            let step = user.redeem(&hash_of_code, hash, stamp, here.moments.shown());
            ToldOfUser { events: if step.changed { vec![event] } else { Vec::new() }, step }
        };
        match self.replace(&client, id, None, Box::new(redeem)).await?.ok_or(Error::InvalidResetCode)? {
            Outcome::Done => self.published().await,
            _ => Err(Error::InvalidResetCode),
        }
    }
}

impl Parts {
    /// Tells the audit log that somebody did not get to choose a password. Whom a wrong code was for is not told, for
    /// anything can stand there.
    fn note_password(&self, origin: &Origin, user: Option<UserId>, error: &Error) {
        let told = [(Error::WrongPassword, "wrong_password"), (Error::InvalidResetCode, "invalid_reset_code")];
        let code = told.into_iter().find_map(|(known, code)| (known == *error).then_some(code));
        let too_many = matches!(error, Error::TooManyAttempts { .. }).then_some("too_many_attempts");
        if let Some(code) = code.or(too_many) {
            let event = Event::new(Act::PasswordRefused, origin, self.moments.shown()).code(code);
            self.note(user.into_iter().fold(event, |event, user| event.subject(&user.to_string())));
        }
    }
}

/// A code is the user's `sub`, a dot, and 128 random bits: whom it is for is looked up, and only the rest is secret.
pub(super) fn code_of(id: UserId, secret: [u8; 16]) -> Zeroizing<String> {
    Zeroizing::new(format!("{id}.{}", base64url::encode(&secret)))
}

fn split(code: &str) -> Option<(UserId, Zeroizing<[u8; 16]>)> {
    let (sub, secret) = code.split_once('.')?;
    Some((UserId::parse(sub)?, Zeroizing::new(base64url::decode_array(secret).ok()?)))
}

fn names(user: &User) -> Vec<&str> {
    user.user_name.iter().chain(&user.email).map(Name::shown).collect()
}

pub(super) fn parsed(field: &'static str, text: &str) -> Result<Password, Error> {
    let detail = "must be 1 to 1024 bytes without control characters";
    Password::parse(text).map_err(|_| Error::InvalidRequest { field, detail })
}
