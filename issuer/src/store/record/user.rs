//! The record of a user, and the two small ones beside it.

use super::{Reader, Record, Unreadable, Writer};
use crate::passwords::PasswordHash;
use crate::session::SessionId;
use crate::users::{Ended, Name, Place, Profile, ResetCode, User, UserId};
use zeroize::Zeroizing;

impl Record for User {
    const KIND: &'static str = "user";

    fn write(&self, writer: &mut Writer) {
        writer.array(&self.id.0);
        writer.option(self.user_name.as_ref(), write_name);
        writer.option(self.email.as_ref(), write_name);
        writer.flag(self.disabled);
        writer.flag(self.must_reset);
        write_profile(&self.profile, writer);
        writer.option(self.password.as_ref(), |writer, hash| writer.text(hash.as_stored()));
        writer.option(self.code.as_ref(), write_code);
        writer.number(u64::from(self.failures));
        writer.length(self.known.len());
        self.known.iter().for_each(|place| writer.array(&place.0));
        writer.array(&self.stamp);
        writer.time(self.created);
        writer.option(self.password_set, Writer::time);
        writer.option(self.last_login, Writer::time);
        writer.option(self.ended, write_ended);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            id: UserId(reader.array()?),
            user_name: reader.option(read_name)?,
            email: reader.option(read_name)?,
            disabled: reader.flag()?,
            must_reset: reader.flag()?,
            profile: read_profile(reader)?,
            password: reader.option(read_hash)?,
            code: reader.option(read_code)?,
            failures: reader.number_u32()?,
            known: reader.many(|reader| reader.array().map(Place))?,
            stamp: reader.array()?,
            created: reader.time()?,
            password_set: reader.option(Reader::time)?,
            last_login: reader.option(Reader::time)?,
            ended: reader.option(read_ended)?,
        })
    }
}

/// The id that a name leads to.
impl Record for UserId {
    const KIND: &'static str = "user name";

    fn write(&self, writer: &mut Writer) {
        writer.array(&self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        reader.array().map(Self)
    }
}

/// The key of what is bound to sessions and devices.
pub(crate) struct BindingKey(pub(crate) Zeroizing<[u8; 32]>);

impl Record for BindingKey {
    const KIND: &'static str = "binding key";

    fn write(&self, writer: &mut Writer) {
        writer.array(self.0.as_ref());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        reader.array().map(|key| Self(Zeroizing::new(key)))
    }
}

fn write_name(writer: &mut Writer, name: &Name) {
    writer.text(name.shown());
    writer.text(name.key());
}

fn read_name(reader: &mut Reader<'_>) -> Result<Name, Unreadable> {
    Ok(Name::stored(reader.text()?, reader.text()?))
}

fn write_profile(profile: &Profile, writer: &mut Writer) {
    writer.texts(&profile.roles);
    writer.texts(&profile.permissions);
    writer.option(profile.scope.as_deref(), Writer::text);
    writer.texts(&profile.aud);
    writer.text(&profile.claims);
    writer.option(profile.access_ttl, Writer::number);
    writer.option(profile.refresh_ttl, Writer::number);
    writer.option(profile.session_ttl, Writer::number);
}

fn read_profile(reader: &mut Reader<'_>) -> Result<Profile, Unreadable> {
    Ok(Profile {
        roles: reader.texts()?,
        permissions: reader.texts()?,
        scope: reader.option(Reader::text)?,
        aud: reader.texts()?,
        claims: reader.text()?,
        access_ttl: reader.option(Reader::number)?,
        refresh_ttl: reader.option(Reader::number)?,
        session_ttl: reader.option(Reader::number)?,
    })
}

fn read_hash(reader: &mut Reader<'_>) -> Result<PasswordHash, Unreadable> {
    PasswordHash::parse(reader.text()?).map_err(|_| Unreadable::Damaged)
}

fn write_code(writer: &mut Writer, code: &ResetCode) {
    writer.array(&code.hash);
    writer.time(code.expires_at);
    writer.number(u64::from(code.tries));
}

fn read_code(reader: &mut Reader<'_>) -> Result<ResetCode, Unreadable> {
    Ok(ResetCode { hash: reader.array()?, expires_at: reader.time()?, tries: reader.number_u32()? })
}

fn write_ended(writer: &mut Writer, ended: Ended) {
    writer.time(ended.before);
    writer.option(ended.except, |writer, sid| writer.array(&sid.0));
}

fn read_ended(reader: &mut Reader<'_>) -> Result<Ended, Unreadable> {
    Ok(Ended { before: reader.time()?, except: reader.option(|reader| reader.array().map(SessionId))? })
}
