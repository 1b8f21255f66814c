//! The record of a session: some hundred bytes, rewritten with every refresh.

use super::{Reader, Record, Unreadable, Writer};
use crate::session::{Access, EndReason, Ended, Exchanged, Grant, Live, Renewal, Session, SessionId};

impl Record for Session {
    const KIND: &'static str = "session";
    const VERSION: u8 = 4; // 1 had neither `began` nor `status`, 2 no `device`, 3 knew of no exchange

    fn write(&self, writer: &mut Writer) {
        write_first(self, writer);
        writer.time(self.began);
        writer.flag(self.grant.status);
        writer.option(self.device.as_deref(), Writer::text);
        writer.length(self.exchanged.len());
        for token in &self.exchanged {
            writer.time(token.exp);
            writer.number(u64::from(token.index));
            writer.time(token.iat);
            writer.text(&token.client_id);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut session = read_first(reader)?;
        if reader.version() > 1 {
            session.began = reader.time()?;
            session.grant.status = reader.flag()?;
        }
        if reader.version() > 2 {
            session.device = reader.option(Reader::text)?;
        }
        if reader.version() > 3 {
            session.exchanged = reader.many(read_exchanged)?;
        }
        Ok(session)
    }
}

/// Writes what version 1 held, with which every later one begins.
pub(crate) fn write_first(session: &Session, writer: &mut Writer) {
    writer.array(&session.sid.0);
    writer.text(&session.client_id);
    write_grant(&session.grant, writer);
    writer.number(session.access_ttl_secs);
    write_access(&session.last, writer);
    writer.option(session.renewal.as_ref(), |writer, renewal| write_renewal(renewal, writer));
    writer.length(session.live.len());
    for live in &session.live {
        writer.time(live.exp);
        writer.number(u64::from(live.index));
    }
    writer.option(session.ended, write_ended);
}

/// Reads what version 1 held. The newest token is then the only one of whose date it knows, so that is when it began.
fn read_first(reader: &mut Reader<'_>) -> Result<Session, Unreadable> {
    let (sid, client_id) = (SessionId(reader.array()?), reader.text()?);
    let (grant, access_ttl_secs, last) = (read_grant(reader)?, reader.number()?, read_access(reader)?);
    Ok(Session {
        sid,
        client_id,
        began: last.iat,
        grant,
        device: None,
        access_ttl_secs,
        last,
        renewal: reader.option(read_renewal)?,
        live: reader.many(|reader| Ok(Live { exp: reader.time()?, index: reader.number_u32()? }))?,
        exchanged: Vec::new(),
        ended: reader.option(read_ended)?,
    })
}

fn read_exchanged(reader: &mut Reader<'_>) -> Result<Exchanged, Unreadable> {
    Ok(Exchanged { exp: reader.time()?, index: reader.number_u32()?, iat: reader.time()?, client_id: reader.text()? })
}

fn write_grant(grant: &Grant, writer: &mut Writer) {
    writer.text(&grant.sub);
    writer.texts(&grant.aud);
    writer.option(grant.scope.as_deref(), Writer::text);
    writer.texts(&grant.roles);
    writer.texts(&grant.permissions);
    writer.option(grant.auth_time, Writer::time);
    writer.option(grant.nbf, Writer::time);
    writer.text(&grant.claims);
}

fn read_grant(reader: &mut Reader<'_>) -> Result<Grant, Unreadable> {
    Ok(Grant {
        sub: reader.text()?,
        aud: reader.texts()?,
        scope: reader.option(Reader::text)?,
        roles: reader.texts()?,
        permissions: reader.texts()?,
        auth_time: reader.option(Reader::time)?,
        nbf: reader.option(Reader::time)?,
        claims: reader.text()?,
        status: false,
    })
}

fn write_access(access: &Access, writer: &mut Writer) {
    writer.text(&access.kid);
    writer.time(access.iat);
    writer.time(access.exp);
    writer.number(u64::from(access.index));
    writer.option(access.scope.as_deref(), Writer::text);
}

fn read_access(reader: &mut Reader<'_>) -> Result<Access, Unreadable> {
    Ok(Access {
        kid: reader.text()?,
        iat: reader.time()?,
        exp: reader.time()?,
        index: reader.number_u32()?,
        scope: reader.option(Reader::text)?,
    })
}

fn write_renewal(renewal: &Renewal, writer: &mut Writer) {
    writer.number(renewal.idle_secs);
    writer.time(renewal.ends_at);
    writer.number(renewal.generation);
    writer.time(renewal.expires_at);
}

fn read_renewal(reader: &mut Reader<'_>) -> Result<Renewal, Unreadable> {
    Ok(Renewal {
        idle_secs: reader.number()?,
        ends_at: reader.time()?,
        generation: reader.number()?,
        expires_at: reader.time()?,
    })
}

fn write_ended(writer: &mut Writer, ended: Ended) {
    writer.byte(match ended.reason {
        EndReason::Revoked => 0,
        EndReason::Reused => 1,
        EndReason::AboveNewest => 2,
    });
    writer.time(ended.at);
}

fn read_ended(reader: &mut Reader<'_>) -> Result<Ended, Unreadable> {
    let reason = match reader.byte()? {
        0 => EndReason::Revoked,
        1 => EndReason::Reused,
        2 => EndReason::AboveNewest,
        _ => return Err(Unreadable::Damaged),
    };
    Ok(Ended { reason, at: reader.time()? })
}
