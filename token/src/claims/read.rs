//! Claims where they stand in a payload: nothing is copied.

use super::{AccessClaims, Facts};
use crate::error::{ClaimFault, Rejection};
use crate::json::{Object, Value};
use crate::time::UnixTime;

/// The claims of one access token where they stand in its payload; the fields are those of [`AccessClaims`].
#[derive(Debug, Clone, Copy)]
pub struct Claims<'t> {
    /// Issuer.
    pub iss: &'t str,
    /// Subject, not empty.
    pub sub: &'t str,
    /// Audiences, at least one.
    pub aud: Texts<'t>,
    /// The client that asked for the token.
    pub client_id: &'t str,
    /// When it was issued.
    pub iat: UnixTime,
    /// The first second at which it is no longer valid, leeway aside.
    pub exp: UnixTime,
    /// The first second at which it is valid.
    pub nbf: Option<UnixTime>,
    /// Identifier.
    pub jti: &'t str,
    /// Session.
    pub sid: Option<&'t str>,
    /// Scope values between single spaces.
    pub scope: Option<&'t str>,
    /// Roles of the subject.
    pub roles: Texts<'t>,
    /// Permissions of the subject.
    pub permissions: Texts<'t>,
    /// When the subject last authenticated.
    pub auth_time: Option<UnixTime>,
    object: Object<'t>,
}

/// The claims that have a field of their own, those that must be there in front.
const FIELDS: [&str; 13] =
    ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "nbf", "sid", "scope", "roles", "permissions", "auth_time"];

impl<'t> Claims<'t> {
    /// Returns the claims that `object` holds.
    ///
    /// Required are `iss sub aud client_id iat exp jti`. Whether they are those asked for is not checked here.
    ///
    /// # Errors
    /// [`Rejection::Claim`] with `missing` or `invalid` for the first claim, in the order above, that is not as it must be.
    pub(crate) fn read(object: Object<'t>) -> Result<Self, Rejection> {
        let mut fields = FIELDS.map(|claim| Field { claim, value: None });
        for (name, value) in object.members() {
            if let Some(field) = fields.iter_mut().find(|field| field.claim == name) {
                field.value = Some(value);
            }
        }
        let [iss, sub, aud, client_id, iat, exp, jti, nbf, sid, scope, roles, permissions, auth_time] = fields;
        Ok(Self {
            iss: iss.required(Field::text)?,
            sub: sub.required(Field::text)?,
            aud: aud.required(Field::audiences)?,
            client_id: client_id.required(Field::text)?,
            iat: iat.required(Field::time)?,
            exp: exp.required(Field::time)?,
            jti: jti.required(Field::text)?,
            nbf: nbf.time()?,
            sid: sid.text()?,
            scope: scope.possibly_empty_text()?,
            roles: roles.texts()?.unwrap_or_default(),
            permissions: permissions.texts()?.unwrap_or_default(),
            auth_time: auth_time.time()?,
            object,
        })
    }

    /// Returns what is asked of the token again and again, it being signed by the key `kid`.
    pub(crate) fn facts(&self, kid: &'t str) -> Facts<'t> {
        let Self { sub, sid, client_id, scope, iat, exp, nbf, .. } = *self;
        Facts { sub, sid, client_id, scope, kid, iat, exp, nbf }
    }

    /// Returns the claims in memory of their own.
    pub fn to_owned(&self) -> AccessClaims {
        let texts = |texts: Texts<'_>| texts.iter().map(str::to_owned).collect();
        let others = self.object.members().filter(|(name, _)| !FIELDS.contains(name));
        AccessClaims {
            iss: self.iss.to_owned(),
            sub: self.sub.to_owned(),
            aud: texts(self.aud),
            client_id: self.client_id.to_owned(),
            iat: self.iat,
            exp: self.exp,
            nbf: self.nbf,
            jti: self.jti.to_owned(),
            sid: self.sid.map(str::to_owned),
            scope: self.scope.map(str::to_owned),
            roles: texts(self.roles),
            permissions: texts(self.permissions),
            auth_time: self.auth_time,
            other: others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }
}

/// The texts of a claim: an array of them, or one, or none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'t>(Option<Value<'t>>);

impl<'t> Texts<'t> {
    /// Returns them in order; none is empty.
    pub fn iter(self) -> impl Iterator<Item = &'t str> {
        let one = self.0.and_then(Value::as_str);
        one.into_iter().chain(self.0.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str))
    }
}

/// A claim of this name, if the token has it.
struct Field<'t> {
    claim: &'static str,
    value: Option<Value<'t>>,
}

impl<'t> Field<'t> {
    fn required<T>(self, read: impl Fn(&Self) -> Result<Option<T>, Rejection>) -> Result<T, Rejection> {
        read(&self)?.ok_or(Rejection::Claim { claim: self.claim, reason: ClaimFault::Missing })
    }

    fn read<T>(&self, read: impl Fn(Value<'t>) -> Option<T>) -> Result<Option<T>, Rejection> {
        self.value.map(|value| read(value).ok_or_else(|| invalid(self.claim))).transpose()
    }

    fn text(&self) -> Result<Option<&'t str>, Rejection> {
        self.read(text)
    }

    fn possibly_empty_text(&self) -> Result<Option<&'t str>, Rejection> {
        self.read(Value::as_str)
    }

    fn time(&self) -> Result<Option<UnixTime>, Rejection> {
        self.read(UnixTime::from_json)
    }

    fn texts(&self) -> Result<Option<Texts<'t>>, Rejection> {
        self.read(|value| value.as_array()?.all(|item| text(item).is_some()).then_some(Texts(Some(value))))
    }

    /// RFC 7519 §4.1.3: an array of strings, or a single string.
    fn audiences(&self) -> Result<Option<Texts<'t>>, Rejection> {
        match self.texts() {
            Ok(Some(audiences)) if audiences.iter().next().is_none() => Err(invalid(self.claim)),
            Ok(audiences) => Ok(audiences),
            Err(_) => self.read(|value| text(value).map(|_| Texts(Some(value)))),
        }
    }
}

fn text(value: Value<'_>) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn invalid(claim: &'static str) -> Rejection {
    Rejection::Claim { claim, reason: ClaimFault::Invalid }
}
