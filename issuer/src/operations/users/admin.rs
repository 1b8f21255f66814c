//! What administrators do with users.

use super::super::issuer::{Issuer, Parts};
use super::super::rule::to_the_end;
use super::super::{Client, Error, limits};
use super::password::{code_of, parsed};
use super::profile::{self, ProfileRequest};
use super::view::{ResetCodeAnswer, UserAnswer, UserList, UserView};
use crate::audit::Act;
use crate::store::{StoreError, ToldOfUser};
use crate::telemetry::traces::TARGET;
use crate::users::{Amendment, Name, Outcome, Profile, ResetCode, Step, User, UserId};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a user shall be.
#[derive(Default)]
pub struct UserRequest {
    /// User name; `Some(None)` takes it away.
    pub user_name: Option<Option<String>>,
    /// E-mail address; `Some(None)` takes it away.
    pub email: Option<Option<String>>,
    /// Whether the user is disabled.
    pub disabled: Option<bool>,
    /// Whether a new password must be chosen first.
    pub must_reset: Option<bool>,
    /// What the tokens say.
    pub profile: ProfileRequest,
}

impl Issuer {
    /// Makes a user, with a password or without one: then the first comes by a code.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] unless an administrator asks; [`Error::InvalidRequest`], [`Error::NameTaken`],
    /// [`Error::PasswordRefused`], [`Error::HasherBusy`]; [`Error::NoUsers`], [`Error::Store`], [`Error::Entropy`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn create_user(
        &self,
        client: &Client,
        request: UserRequest,
        password: Option<Zeroizing<String>>,
    ) -> Result<UserView, Error> {
        let parts = &self.parts;
        let desk = parts.administered(client)?;
        let now = parts.moments.now()?;
        let amendment = parts.amendment(request)?;
        let id = UserId(parts.env.random()?);
        let (user_name, email) = (amendment.user_name.clone().flatten(), amendment.email.clone().flatten());
        let mut user = User::new(id, user_name, email, Profile::default(), parts.env.random()?, now).amend(amendment);
        if user.outcome == Outcome::Nameless {
            return Err(NAMELESS);
        }
        parts.check_profile(&user.user)?;
        if let Some(password) = password {
            let password = parsed("password", &password)?;
            let names: Vec<&str> = user.user.user_name.iter().chain(&user.user.email).map(Name::shown).collect();
            desk.check_new(&password, &names, &parts.settings.issuer)?;
            user.user.password = Some(desk.hasher.turn()?.hash(password, parts.env.random()?).await?);
            user.user.password_set = Some(now);
        }
        let event = client.did(Act::UserCreated, now).subject(&id.to_string());
        match parts.store.create_user(user.user.clone(), vec![event]).await? {
            Outcome::NameTaken => Err(Error::NameTaken),
            _ => Ok(user.user.into()),
        }
    }

    /// Returns a user.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`], [`Error::NoSuchUser`], [`Error::NoUsers`], [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn user(&self, client: &Client, sub: &str) -> Result<UserView, Error> {
        self.parts.administered(client)?;
        let id = known(sub)?;
        self.parts.store.user(id).await?.map(UserView::from).ok_or(Error::NoSuchUser)
    }

    /// Returns the users behind `after`, at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`]; [`Error::InvalidRequest`] for an `after` that is no `next`; [`Error::NoUsers`],
    /// [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn users(&self, client: &Client, after: Option<&str>, limit: usize) -> Result<UserList, Error> {
        self.parts.administered(client)?;
        let refused = Error::InvalidRequest { field: "after", detail: "is not the 'next' of an answer" };
        let after = after.map(|after| UserId::parse(after).ok_or(refused)).transpose()?.unwrap_or(UserId::NOBODY);
        let mut users = self.parts.store.users(Some(after), limit.saturating_add(1)).await?;
        let more = users.len() > limit;
        users.truncate(limit);
        let next = users.last().filter(|_| more).map(|last| last.id.to_string());
        Ok(UserList { items: users.into_iter().map(UserView::from).collect(), next })
    }

    /// Changes a user. Who is disabled or must reset loses all sessions, before this is answered.
    ///
    /// # Errors
    /// As [`Issuer::create_user`], [`Error::NoSuchUser`]; where sessions end, [`Error::NotReady`] and [`Error::Signing`] when
    /// all is done but could not be published yet.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn amend_user(&self, client: &Client, sub: &str, request: UserRequest) -> Result<UserAnswer, Error> {
        let parts = &self.parts;
        parts.administered(client)?;
        let id = known(sub)?;
        let amendment = parts.amendment(request)?;
        let (issuer, client) = (self.clone(), client.clone());
        // Whoever is disabled loses the sessions also when the caller goes away in between.
        to_the_end(async move { issuer.amend(&client, id, amendment).await }).await
    }

    async fn amend(&self, client: &Client, id: UserId, amendment: Amendment) -> Result<UserAnswer, Error> {
        let bars = amendment.disabled == Some(true) || amendment.must_reset == Some(true);
        let event = client.did(Act::UserChanged, self.parts.moments.shown());
        let event = event.subject(&id.to_string()).detail(&said(&amendment));
        let parts = Arc::clone(&self.parts);
        let change = move |user: User| {
            let step = parts.amended(user, amendment);
            let done = step.changed && step.outcome == Outcome::Done;
            ToldOfUser { events: if done { vec![event] } else { Vec::new() }, step }
        };
        let (user, outcome) = self.parts.store.update_user(id, Box::new(change)).await?.ok_or(Error::NoSuchUser)?;
        match outcome {
            Outcome::Done => {}
            Outcome::NameTaken => return Err(Error::NameTaken),
            Outcome::Nameless => return Err(NAMELESS),
            Outcome::TooLong => return Err(limits::TOO_LONG),
            Outcome::Closed | Outcome::Overtaken | Outcome::WrongCode => return Err(StoreError::Busy.into()),
        }
        let revocation = if bars { Some(self.end_all(client, id).await?) } else { None };
        Ok(UserAnswer { user: user.into(), revocation })
    }

    /// Forgets a user, whose sessions end first and last: one that begins in between is found by the second time.
    ///
    /// # Errors
    /// As [`Issuer::amend_user`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn delete_user(&self, client: &Client, sub: &str) -> Result<super::super::Revocation, Error> {
        self.parts.administered(client)?;
        let id = known(sub)?;
        let (issuer, client) = (self.clone(), client.clone());
        // Whoever is barred loses the sessions also when the caller goes away in between.
        to_the_end(async move { issuer.delete(&client, id).await }).await
    }

    async fn delete(&self, client: &Client, id: UserId) -> Result<super::super::Revocation, Error> {
        let told = |act| client.did(act, self.parts.moments.shown()).subject(&id.to_string());
        let bar = Amendment { disabled: Some(true), ..Amendment::default() };
        let (barred, deleted) = (told(Act::UserChanged).detail(&said(&bar)), told(Act::UserDeleted));
        let change = move |user: User| {
            let step = user.amend(bar);
            ToldOfUser { events: if step.changed { vec![barred] } else { Vec::new() }, step }
        };
        if self.parts.store.update_user(id, Box::new(change)).await?.is_none() {
            return Err(Error::NoSuchUser);
        }
        let revocation = self.end_all(client, id).await?;
        self.parts.store.delete_user(id, vec![deleted]).await?;
        Ok(revocation)
    }

    /// Gives out a one-time code for a new password, in place of any other. The caller brings it to the user.
    ///
    /// # Errors
    /// As [`Issuer::user`]; [`Error::Entropy`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn reset_code(&self, client: &Client, sub: &str) -> Result<ResetCodeAnswer, Error> {
        let parts = &self.parts;
        let desk = parts.administered(client)?;
        let id = known(sub)?;
        let secret = Zeroizing::new(parts.env.random::<16>()?);
        let now = parts.moments.now()?;
        let expires_at = now.plus_secs(desk.settings.reset_code_secs);
        let code = ResetCode {
            hash: Sha256::digest(secret.as_ref()).into(),
            expires_at,
            tries: desk.settings.reset_code_tries,
        };
        let event = client.did(Act::ResetCodeIssued, now).subject(sub);
        let give = move |user: User| ToldOfUser { step: user.give_code(code), events: vec![event] };
        parts.store.update_user(id, Box::new(give)).await?.ok_or(Error::NoSuchUser)?;
        let reset_url = desk.settings.reset_url.clone();
        Ok(ResetCodeAnswer { code: code_of(id, *secret), expires_at: expires_at.as_secs(), reset_url })
    }

    async fn end_all(&self, client: &Client, id: UserId) -> Result<super::super::Revocation, Error> {
        self.end_subject_but(client, id.to_string(), None).await?;
        self.published().await
    }
}

const NAMELESS: Error = Error::InvalidRequest { field: "user_name", detail: "or an e-mail address must be there" };

/// Returns the id that a path names; what cannot be one is none that exists.
fn known(sub: &str) -> Result<UserId, Error> {
    UserId::parse(sub).filter(|id| *id != UserId::NOBODY).ok_or(Error::NoSuchUser)
}

impl Parts {
    /// Makes a change, unless what tokens say would fit into none from then on. One that leaves that as it is can always be made.
    fn amended(&self, user: User, amendment: Amendment) -> Step {
        let step = user.clone().amend(amendment);
        let fits = step.user.profile == user.profile || self.check_profile(&step.user).is_ok();
        if fits { step } else { Step { user, changed: false, outcome: Outcome::TooLong } }
    }

    fn check_profile(&self, user: &User) -> Result<(), Error> {
        let (grant, _) = profile::grant(user, None, &self.settings, self.moments.shown())?;
        limits::check_grant(&self.settings.issuer, &self.desk()?.settings.client_id, &grant)
    }

    fn administered(&self, client: &Client) -> Result<&super::Desk, Error> {
        let desk = self.desk()?;
        self.administrator(client, "users").map(|()| desk)
    }

    fn amendment(&self, request: UserRequest) -> Result<Amendment, Error> {
        let UserRequest { user_name, email, disabled, must_reset, profile } = request;
        Ok(Amendment {
            user_name: named("user_name", user_name, false)?,
            email: named("email", email, true)?,
            disabled,
            must_reset,
            profile: profile::change(profile, &self.settings, self.moments.now()?)?,
        })
    }
}

fn named(field: &'static str, text: Option<Option<String>>, email: bool) -> Result<Option<Option<Name>>, Error> {
    let detail = if email {
        "must be an e-mail address of at most 254 bytes"
    } else {
        "must be at most 254 bytes without white space, @ and characters that are not seen"
    };
    let parse = |text: String| {
        let name = Name::parse(&text).filter(|name| name.is_email() == email);
        name.ok_or(Error::InvalidRequest { field, detail })
    };
    text.map(|text| text.map(parse).transpose()).transpose()
}

/// Returns what the audit log says of a change: the members, and of the two that bar a user also their values.
fn said(amendment: &Amendment) -> String {
    let Amendment { user_name, email, disabled, must_reset, profile } = amendment;
    let mut said = Vec::new();
    let mut say = |changed: bool, what: &str| {
        if changed {
            said.push(what.to_owned());
        }
    };
    say(user_name.is_some(), "user_name");
    say(email.is_some(), "email");
    say(*disabled == Some(true), "disabled");
    say(*disabled == Some(false), "enabled");
    say(*must_reset == Some(true), "must reset");
    say(*must_reset == Some(false), "need not reset");
    say(profile.roles.is_some(), "roles");
    say(profile.permissions.is_some(), "permissions");
    say(profile.scope.is_some(), "scope");
    say(profile.aud.is_some(), "aud");
    say(profile.claims.is_some(), "claims");
    say(profile.access_ttl.or(profile.refresh_ttl).or(profile.session_ttl).is_some(), "lifetimes");
    said.join(", ")
}
