//! Who is logged in: by the access token of a login, as a Bearer token (RFC 6750 §2.1) or in its cookie.

use super::App;
use super::cookies::{self, Jar};
use super::reply::{Malformed, Refusal};
use crate::error::Error;
use crate::operations::SignedIn;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Returns the user of the token that came with a request which changes something: with a cookie, it must come from a page that may
/// send it.
///
/// # Errors
/// As [`by_token`]; [`Malformed::CrossSite`], [`Malformed::CsrfToken`].
pub(super) async fn acting(app: &App, headers: &HeaderMap) -> Result<SignedIn, Refusal> {
    let jar = app.keeper.read(headers)?;
    let me = by_token(app, headers, &jar).await?;
    if !is_bearer(headers) {
        app.keeper.check_site(headers, &app.changing().cors_origins)?;
        cookies::check_token(app, headers, &jar, me.session())?;
    }
    Ok(me)
}

/// Returns the user of the token that came with a request.
///
/// # Errors
/// [`Error::InvalidToken`] without one and for one that is not valid; [`Malformed::Credentials`] for two; [`Error::NoUsers`].
pub(super) async fn by_token(app: &App, headers: &HeaderMap, jar: &Jar) -> Result<SignedIn, Refusal> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let token = match (fields.next(), fields.next(), &jar.access) {
        (_, Some(_), _) => return Err(Malformed::Credentials("there is more than one Authorization field").into()),
        (Some(field), None, None) => field.to_str().ok().and_then(bearer).ok_or(Error::InvalidToken)?,
        (Some(_), None, Some(_)) => {
            return Err(Malformed::Credentials("the access token is in the Authorization field and in a cookie").into());
        }
        (None, None, Some(token)) => token,
        (None, None, None) => return Err(Error::InvalidToken.into()),
    };
    Ok(app.issuer.signed_in(token).await?)
}

/// True when the request has an `Authorization` field: what it does, it does not do by a cookie.
pub(super) fn is_bearer(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

fn bearer(field: &str) -> Option<&str> {
    let (scheme, token) = field.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}
