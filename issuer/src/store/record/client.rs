//! The record of a client.

use super::{Reader, Record, Unreadable, Writer};
use crate::clients::{Allowed, ClientKey, ClientRecord, ClientSecret, Grants};
use token::time::UnixTime;

impl Record for ClientRecord {
    const KIND: &'static str = "client";
    const VERSION: u8 = 2; // 1 held a name, one secret's hash and whether it is an administrator, who could do everything

    fn write(&self, writer: &mut Writer) {
        writer.text(&self.client_id);
        writer.text(&self.name);
        writer.time(self.created);
        writer.flag(self.administrator);
        writer.flag(self.disabled);
        writer.length(self.secrets.len());
        for secret in &self.secrets {
            writer.array(&secret.hash);
            writer.time(secret.created);
            writer.option(secret.expires_at, Writer::time);
        }
        writer.length(self.keys.len());
        for key in &self.keys {
            writer.text(&key.kid);
            writer.array(&key.public);
        }
        write_allowed(&self.allowed, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        if reader.version() == 1 {
            return read_first(reader);
        }
        Ok(Self {
            client_id: reader.text()?,
            name: reader.text()?,
            created: reader.time()?,
            administrator: reader.flag()?,
            disabled: reader.flag()?,
            secrets: reader.many(|reader| {
                let (hash, created) = (reader.array()?, reader.time()?);
                Ok(ClientSecret { hash, created, expires_at: reader.option(Reader::time)? })
            })?,
            keys: reader.many(|reader| Ok(ClientKey { kid: reader.text()?, public: reader.array()? }))?,
            allowed: read_allowed(reader)?,
        })
    }
}

fn read_first(reader: &mut Reader<'_>) -> Result<ClientRecord, Unreadable> {
    let (client_id, secret) = (reader.text()?, reader.array()?);
    let administrator = reader.flag()?;
    Ok(ClientRecord { administrator, ..ClientRecord::administrator(&client_id, secret, UnixTime::MIN) })
}

fn write_allowed(allowed: &Allowed, writer: &mut Writer) {
    writer.byte(allowed.grants.bits());
    for texts in [&allowed.audiences, &allowed.scopes, &allowed.claims] {
        writer.option(texts.as_deref(), Writer::texts);
    }
    for secs in [allowed.access_ttl_secs, allowed.refresh_ttl_secs, allowed.session_ttl_secs] {
        writer.option(secs, Writer::number);
    }
}

fn read_allowed(reader: &mut Reader<'_>) -> Result<Allowed, Unreadable> {
    Ok(Allowed {
        grants: Grants::from_bits(reader.byte()?).ok_or(Unreadable::Damaged)?,
        audiences: reader.option(Reader::texts)?,
        scopes: reader.option(Reader::texts)?,
        claims: reader.option(Reader::texts)?,
        access_ttl_secs: reader.option(Reader::number)?,
        refresh_ttl_secs: reader.option(Reader::number)?,
        session_ttl_secs: reader.option(Reader::number)?,
    })
}
