//! Logging in, refreshing and logging out.

use super::super::issuer::{Issuer, Parts};
use super::super::mint::Beginning;
use super::super::{Error, Revocation, TokenAnswer, limits};
use super::{Attempt, Desk, profile};
use crate::audit::{Act, Event, Origin};
use crate::clients::Allowed;
use crate::error::GrantFault;
use crate::passwords::{Password, PasswordHash};
use crate::session::{Fresh, Session, SessionId};
use crate::telemetry::traces::TARGET;
use crate::users::{Name, Outcome, User, UserId};
use token::jws;
use zeroize::Zeroizing;

/// What somebody logs in with.
pub struct LoginRequest {
    /// User name or e-mail address.
    pub username: String,
    /// The password, 1 to 1,024 bytes.
    pub password: Zeroizing<String>,
    /// Less than the user's whole scope.
    pub scope: Option<String>,
    /// How the user calls this device: 1 to 255 bytes without control characters.
    pub device: Option<String>,
    /// What this device was given at an earlier login.
    pub device_token: Option<String>,
    /// A session that this login takes the place of.
    pub instead_of: Option<LoginSession>,
    /// Bytes that a token may have: what a cookie holds, or all that verifiers read.
    pub longest_token: usize,
}

/// The name of a session, for who may not look into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginSession(pub(in crate::operations) SessionId);

/// A login that was right.
pub struct LoggedIn {
    /// The first pair.
    pub answer: TokenAnswer,
    /// By it this device is known at the next login, until the password changes.
    pub device_token: String,
    /// What pages of this session send along with what they do.
    pub csrf_token: String,
}

/// The next pair of a login.
pub struct Renewed {
    /// The pair.
    pub answer: TokenAnswer,
    /// What pages of this session send along with what they do.
    pub csrf_token: String,
}

impl Issuer {
    /// Starts a session for the user whose name and password these are, and returns its first pair.
    ///
    /// # Errors
    /// [`Error::LoginRefused`], the same for an unknown name, a wrong password and an account that takes none;
    /// [`Error::AccountDisabled`] and [`Error::PasswordResetRequired`] after the right password; [`Error::TooManyAttempts`] and
    /// [`Error::HasherBusy`]; [`Error::InvalidRequest`], [`Error::InvalidScope`]; [`Error::NoUsers`], [`Error::NotReady`],
    /// [`Error::Store`], [`Error::Signing`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn log_in(&self, origin: &Origin, request: LoginRequest) -> Result<LoggedIn, Error> {
        let desk = self.parts.desk()?;
        let refused =
            Error::InvalidRequest { field: "password", detail: "must be 1 to 1024 bytes without control characters" };
        let password = Password::parse(&request.password).map_err(|_| refused)?;
        if request.scope.as_deref().is_some_and(|scope| !limits::is_scope(scope)) {
            return Err(Error::InvalidScope);
        }
        request.device.iter().try_for_each(|device| limits::check_text("device", device, limits::MAX_NAME))?;
        let proved = self.parts.prove(desk, origin, &request, password.clone()).await;
        let (user, tried) = proved.inspect_err(|error| self.parts.note_refusal(desk, origin, error))?;
        let again = self.parts.hashed_again(desk, &tried, password).await?;
        let logged_in = self.parts.begin_login(desk, origin, &request, (user, tried, again)).await;
        if logged_in.is_ok() && request.instead_of.is_some() {
            drop(self.published().await); // a list that is late is tried again by the next tick: the login stands
        }
        logged_in.inspect_err(|error| self.parts.note_refusal(desk, origin, error))
    }

    /// Exchanges a refresh token of a login for the next pair; the user's rights are read anew.
    ///
    /// # Errors
    /// As [`Issuer::refresh`]; [`Error::NoUsers`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn renew(
        &self,
        origin: &Origin,
        refresh_token: &str,
        scope: Option<&str>,
        longest_token: usize,
    ) -> Result<Renewed, Error> {
        let desk = self.parts.desk()?;
        let client = desk.client(origin);
        let gate = self.parts.ruling.pass().await?;
        if let Some((sid, _)) = self.parts.read_refresh(refresh_token) {
            self.parts.fits(sid, longest_token).await?; // before anything is changed: what cannot be handed over is not made
        }
        let answer = self.parts.refresh(&client, &Allowed::everything(), refresh_token, scope).await?;
        drop(gate);
        let csrf_token = self.parts.csrf_token(desk, &answer)?;
        Ok(Renewed { answer, csrf_token })
    }

    /// Ends the session of a login, with its live access tokens. A token that names none needs no ending.
    ///
    /// # Errors
    /// [`Error::NoUsers`], [`Error::Store`]; [`Error::NotReady`] and [`Error::Signing`] when it has ended but could not be
    /// published yet.
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn log_out(&self, origin: &Origin, session: Option<LoginSession>) -> Result<Revocation, Error> {
        let desk = self.parts.desk()?;
        if let Some(LoginSession(sid)) = session {
            self.parts.end_login(desk, origin, sid).await?;
        }
        self.published().await
    }

    /// Returns the session of a login that a refresh token names, however old the token is.
    pub fn session_of(&self, refresh_token: &str) -> Option<LoginSession> {
        self.parts.read_refresh(refresh_token).map(|(sid, _)| LoginSession(sid))
    }

    /// Returns whether this token was made for pages of this session.
    pub fn is_csrf_token(&self, token: &str, session: LoginSession) -> bool {
        self.parts.desk.as_ref().is_some_and(|desk| desk.binding.is_csrf(token, session.0))
    }
}

impl Parts {
    async fn prove(
        &self,
        desk: &Desk,
        origin: &Origin,
        request: &LoginRequest,
        password: Password,
    ) -> Result<(User, PasswordHash), Error> {
        let name = Name::parse(&request.username);
        let user = self.user_or_nobody(name.as_ref()).await?;
        let place = desk.binding.place(origin.address);
        let device = request.device_token.as_deref().is_some_and(|token| desk.binding.is_device(token, &user));
        let key = desk.binding.name(name.as_ref().map_or(&request.username, |name| name.key()));
        let known = user.id != UserId::NOBODY && (device || user.knows(place));
        let attempt = Attempt { user: &user, name: key, place, known };
        let proved = self.try_password(desk, attempt, password).await?.ok_or(Error::LoginRefused)?;
        desk.forgive(key, place);
        Ok(proved)
    }

    /// Returns a new hash where costs have risen since the last login.
    async fn hashed_again(
        &self,
        desk: &Desk,
        tried: &PasswordHash,
        password: Password,
    ) -> Result<Option<PasswordHash>, Error> {
        if !tried.is_below(desk.hasher.costs()) {
            return Ok(None);
        }
        match desk.hasher.turn() {
            Ok(turn) => turn.hash(password, self.env.random()?).await.map(Some),
            Err(_) => Ok(None), // too many wait: the next login will do
        }
    }

    /// Holds the gate from the reading of the user until the pair is signed: whoever ends the sessions of this user
    /// afterwards finds this one.
    async fn begin_login(
        &self,
        desk: &Desk,
        origin: &Origin,
        request: &LoginRequest,
        (user, tried, again): (User, PasswordHash, Option<PasswordHash>),
    ) -> Result<LoggedIn, Error> {
        let client = desk.client(origin);
        let gate = self.ruling.pass().await?;
        let now = self.moments.now()?;
        let place = Some(desk.binding.place(origin.address));
        let event = client.did(Act::LoginSucceeded, now).subject(&user.id.to_string());
        let note = move |user: User| user.log_in(&tried, again, place, now).into();
        let (user, outcome) = self.store.update_user(user.id, Box::new(note)).await?.ok_or(Error::LoginRefused)?;
        if outcome != Outcome::Done {
            return Err(Error::LoginRefused); // the password changed while the old one was tried
        }
        if user.disabled {
            return Err(Error::AccountDisabled);
        }
        if user.must_reset {
            return Err(Error::PasswordResetRequired { reset_url: desk.settings.reset_url.clone() });
        }
        // What it begins is none of the sessions that a new password ended, also where the calendar has gone back since.
        let now = user.ended.map_or(now, |ended| now.max(ended.before));
        let (grant, lives) = profile::grant(&user, request.scope.as_deref(), &self.settings, now)?;
        let beginning = Beginning { longest: request.longest_token, told: Some(event) };
        let answer = self.begin_as(&client, grant, request.device.clone(), lives, now, beginning).await?;
        drop(gate);
        if let Some(LoginSession(old)) = request.instead_of {
            self.end_login(desk, origin, old).await?; // ASVS 5.0 7.2.4
        }
        let csrf_token = self.csrf_token(desk, &answer)?;
        Ok(LoggedIn { answer, device_token: desk.binding.device(&user, self.env.random()?), csrf_token })
    }

    fn csrf_token(&self, desk: &Desk, answer: &TokenAnswer) -> Result<String, Error> {
        let sid = SessionId::parse(&answer.sid).ok_or(Error::Signing)?;
        Ok(desk.binding.csrf(sid, self.env.random()?))
    }

    /// Ends a session if it is one of a login.
    pub(super) async fn end_login(&self, desk: &Desk, origin: &Origin, sid: SessionId) -> Result<(), Error> {
        let ours = self.store.session(sid).await?.is_some_and(|session| session.client_id == desk.settings.client_id);
        if ours {
            self.end(&desk.client(origin), sid).await?;
        }
        Ok(())
    }

    /// Checks that the next access token of a session has at most `longest` bytes.
    ///
    /// # Errors
    /// [`Error::TokenTooLong`].
    async fn fits(&self, sid: SessionId, longest: usize) -> Result<(), Error> {
        let Some(mut session) = self.store.session(sid).await? else { return Ok(()) };
        match self.fresh(&session).await {
            Ok(Some(fresh)) => session.grant = session.grant.refreshed(&fresh),
            Ok(None) | Err(_) => return Ok(()), // it is refused for another reason
        }
        limits::check_length_within(&self.settings.issuer, &session, longest.min(jws::MAX_LENGTH))
    }

    /// Returns what the next tokens of a session say in place of what the last ones said: the user's rights of now. None for
    /// a session that is no user's.
    ///
    /// # Errors
    /// [`Error::InvalidGrant`] for a user who may not go on; [`Error::Store`].
    pub(in crate::operations) async fn fresh(&self, session: &Session) -> Result<Option<Fresh>, Error> {
        if !self.is_of_logins(&session.client_id) {
            return Ok(None);
        }
        let id = UserId::parse(&session.grant.sub);
        let user = match id {
            Some(id) => self.store.user(id).await?,
            None => None,
        };
        match user {
            Some(user) if !user.disabled && !user.must_reset && !user.ends(session.sid, session.began) => {
                Ok(Some(profile::fresh(&user)))
            }
            Some(_) | None => Err(Error::InvalidGrant(GrantFault::UserBarred)),
        }
    }

    /// Tells the audit log of a login that was refused. It is not told which name was tried: people type their password there.
    fn note_refusal(&self, desk: &Desk, origin: &Origin, error: &Error) {
        let code = match error {
            Error::LoginRefused => "invalid_login",
            Error::AccountDisabled => "account_disabled",
            Error::PasswordResetRequired { .. } => "password_reset_required",
            Error::TooManyAttempts { .. } => "too_many_attempts",
            Error::HasherBusy { .. } => "login_busy",
            _ => return,
        };
        let event = Event::new(Act::LoginFailed, origin, self.moments.shown());
        self.note(event.client(&desk.settings.client_id).code(code));
    }
}
