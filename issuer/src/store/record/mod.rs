//! Records: the bytes under a key, one format for each thing that is stored.
//!
//! Whoever changes a format raises its version and keeps reading the old one. Nothing here knows an engine.

mod audit;
mod client;
mod codec;
mod rules;
mod session;
#[cfg(test)]
mod tests;
mod user;

pub(crate) use codec::{Reader, Unreadable, Writer};
#[cfg(test)]
pub(crate) use session::write_first as write_session_of_version_1;
pub(crate) use user::BindingKey;

use crate::keys::{Half, KeyState, SealedKey, Signed};
use crate::revocations::Publication;
use crate::store::StoreError;
use token::jwk::{Algorithm, Purpose};
use token::revocation::ListId;

/// Something that is stored under a key.
pub(crate) trait Record: Sized {
    /// What errors call it.
    const KIND: &'static str;
    /// The version that is written; older ones are read.
    const VERSION: u8 = 1;

    /// Writes the payload.
    fn write(&self, writer: &mut Writer);

    /// Reads the payload that [`Record::write`] wrote, in [`Reader::version`].
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable>;

    /// Returns the record that lies under `key`.
    fn encode(&self, key: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new(Self::VERSION);
        self.write(&mut writer);
        writer.finish(key)
    }

    /// Returns what the record under `key` holds.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for anything that [`Record::encode`] did not write, trailing bytes included;
    /// [`StoreError::Format`] for a later version.
    fn decode(key: &[u8], record: &[u8]) -> Result<Self, StoreError> {
        let read = || {
            let mut reader = Reader::open(key, record, Self::VERSION)?;
            let value = Self::read(&mut reader)?;
            reader.finish()?;
            Ok(value)
        };
        read().map_err(|unreadable: Unreadable| unreadable.into_error(Self::KIND))
    }
}

/// The number of the change that revoked a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RevokedBy(pub(crate) u64);

impl Record for RevokedBy {
    const KIND: &'static str = "revocation";

    fn write(&self, writer: &mut Writer) {
        writer.number(self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        reader.number().map(Self)
    }
}

/// How many pages of an epoch have been leased; or the epoch below which all are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u32);

impl Record for Count {
    const KIND: &'static str = "count";

    fn write(&self, writer: &mut Writer) {
        writer.number(u64::from(self.0));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        reader.number_u32().map(Self)
    }
}

impl Record for Publication {
    const KIND: &'static str = "publication";
    const VERSION: u8 = 2; // 1 did not know of rules

    fn write(&self, writer: &mut Writer) {
        writer.number(self.seq);
        writer.time(self.iat);
        writer.time(self.exp);
        writer.array(self.id.as_bytes());
        writer.number(self.upto);
        writer.number(u64::from(self.low));
        writer.option(self.cut_all, Writer::time);
        writer.number(self.rules);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            seq: reader.number()?,
            iat: reader.time()?,
            exp: reader.time()?,
            id: ListId::from_bytes(reader.array()?),
            upto: reader.number()?,
            low: reader.number_u32()?,
            cut_all: reader.option(Reader::time)?,
            rules: if reader.version() > 1 { reader.number()? } else { 0 },
        })
    }
}

impl Record for SealedKey {
    const KIND: &'static str = "key";
    const VERSION: u8 = 2; // 1 knew no `signed`, and private halves only

    fn write(&self, writer: &mut Writer) {
        writer.text(&self.kid);
        writer.flag(match self.purpose {
            Purpose::Token => false,
            Purpose::Revocations => true,
        });
        writer.flag(match self.algorithm {
            Algorithm::EdDsa => false,
            Algorithm::Ed25519 => true,
        });
        writer.byte(match self.state {
            KeyState::Next => 0,
            KeyState::Active => 1,
            KeyState::Retired => 2,
            KeyState::Withdrawn => 3,
            KeyState::Kept => 4,
        });
        writer.time(self.since);
        writer.array(&self.nonce);
        writer.array(&self.sealed);
        writer.option(self.signed, |writer, signed| {
            writer.time(signed.from);
            writer.option(signed.until, Writer::time);
        });
        writer.flag(match self.half {
            Half::Private => false,
            Half::Public => true,
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut key = Self {
            kid: reader.text()?,
            purpose: if reader.flag()? { Purpose::Revocations } else { Purpose::Token },
            algorithm: if reader.flag()? { Algorithm::Ed25519 } else { Algorithm::EdDsa },
            state: match reader.byte()? {
                0 => KeyState::Next,
                1 => KeyState::Active,
                2 => KeyState::Retired,
                3 => KeyState::Withdrawn,
                4 if reader.version() > 1 => KeyState::Kept,
                _ => return Err(Unreadable::Damaged),
            },
            since: reader.time()?,
            signed: None,
            half: Half::Private,
            nonce: reader.array()?,
            sealed: reader.array()?,
        };
        if reader.version() > 1 {
            let signed =
                |reader: &mut Reader<'_>| Ok(Signed { from: reader.time()?, until: reader.option(Reader::time)? });
            key.signed = reader.option(signed)?;
            key.half = if reader.flag()? { Half::Public } else { Half::Private };
        } else if key.state == KeyState::Active {
            key.signed = Some(Signed { from: key.since, until: None });
        }
        Ok(key)
    }
}
