//! Which key each row lies under in every engine: one letter per kind, numbers big-endian so that they sort. sled has them in
//! one tree; PostgreSQL has a table for each kind, and columns in place of the rows of `u` and `x`.
//!
//! ```text
//! s sid[16]                    session
//! u subject[16] sid[16]        session of the subject, named by the left half of its SHA-256; empty
//! x due:u64 sid[16]            look at this session and those whose names it holds: they may have expired. Not moved by a
//!                              refresh
//! r epoch:u32 index:u32        revocation
//! p epoch:u32                  pages leased of the epoch
//! w epoch:u32                  how many of them are swept
//! k kid                        signing key, sealed
//! c client_id                  client
//! j until:u64 name[16]         assertion that a client has used; empty
//! a seq:u64                    events of one group, the first of which has this number
//! y id[16]                     user
//! n name                       user of this name or address, in the form that is compared
//! m name                       publication, newest event, the place before the oldest event, rules, binding key, floor
//!                              (the epoch below which pages are forgotten), format or, in its place, restoring
//! ```

use crate::session::SessionId;
use crate::users::UserId;
use sha2::{Digest, Sha256};
use token::id::Jti;
use token::time::UnixTime;

pub(super) const SESSION: u8 = b's';
const SUBJECT: u8 = b'u';
pub(super) const DUE: u8 = b'x';
pub(super) const REVOCATION: u8 = b'r';
pub(super) const PAGES: u8 = b'p';
pub(super) const SWEPT: u8 = b'w';
pub(super) const KEY: u8 = b'k';
/// Rows that there is one of.
pub(super) const STATE: u8 = b'm';
pub(super) const USER_NAME: u8 = b'n';
pub(super) const USER: u8 = b'y';
pub(super) const BINDING: &[u8] = b"mbinding";
pub(super) const ASSERTION: u8 = b'j';
pub(super) const CLIENT: u8 = b'c';
pub(super) const PUBLICATION: &[u8] = b"mpublication";
pub(super) const RULES: &[u8] = b"mrules";
pub(super) const EVENTS: u8 = b'a';
pub(super) const AUDIT_HEAD: &[u8] = b"maudit";
pub(super) const AUDIT_BEFORE: &[u8] = b"maudit-before";
pub(super) const FLOOR: &[u8] = b"mfloor";
/// How far rows of the journal have moved into the tree: sled only, and not part of a backup.
pub(super) const MOVED: &[u8] = b"mmoved";
pub(super) const FORMAT: &[u8] = b"mformat";
/// A backup is being restored, and not all of it is there: sled only, from before the first row until after the last.
pub(super) const RESTORING: &[u8] = b"mrestoring";

pub(super) fn session(sid: SessionId) -> Vec<u8> {
    joined(SESSION, &[&sid.0])
}

pub(super) fn parse_session(key: &[u8]) -> Option<SessionId> {
    let (_, sid) = key.split_first()?;
    sid.try_into().ok().map(SessionId)
}

/// What the rows of a subject begin with. Another subject may share it, so whoever reads the session compares.
pub(super) fn subject(sub: &str) -> Vec<u8> {
    let hash = Sha256::digest(sub);
    let (half, _) = hash.split_at(16);
    joined(SUBJECT, &[half])
}

pub(super) fn of_subject(sub: &str, sid: SessionId) -> Vec<u8> {
    let mut key = subject(sub);
    key.extend_from_slice(&sid.0);
    key
}

pub(super) fn parse_of_subject(key: &[u8]) -> Option<SessionId> {
    let (_, rest) = key.split_first_chunk::<17>()?;
    rest.try_into().ok().map(SessionId)
}

pub(super) fn due(at: UnixTime, sid: SessionId) -> Vec<u8> {
    joined(DUE, &[&at.as_secs().to_be_bytes(), &sid.0])
}

pub(super) fn due_before(at: UnixTime) -> Vec<u8> {
    joined(DUE, &[&at.as_secs().to_be_bytes()])
}

pub(super) fn parse_due(key: &[u8]) -> Option<SessionId> {
    let (_, rest) = key.split_first_chunk::<9>()?;
    rest.try_into().ok().map(SessionId)
}

pub(super) fn revocation(jti: Jti) -> Vec<u8> {
    joined(REVOCATION, &[&jti.epoch.to_be_bytes(), &jti.index.to_be_bytes()])
}

pub(super) fn parse_revocation(key: &[u8]) -> Option<Jti> {
    let (_, rest) = key.split_first()?;
    let (epoch, index) = rest.split_first_chunk()?;
    Some(Jti { epoch: u32::from_be_bytes(*epoch), index: u32::from_be_bytes(index.try_into().ok()?) })
}

pub(super) fn of_epoch(kind: u8, epoch: u32) -> Vec<u8> {
    joined(kind, &[&epoch.to_be_bytes()])
}

pub(super) fn parse_epoch(key: &[u8]) -> Option<u32> {
    let (_, epoch) = key.split_first()?;
    epoch.try_into().ok().map(u32::from_be_bytes)
}

pub(super) fn key(kid: &str) -> Vec<u8> {
    joined(KEY, &[kid.as_bytes()])
}

pub(super) fn client(client_id: &str) -> Vec<u8> {
    joined(CLIENT, &[client_id.as_bytes()])
}

pub(super) fn events(first: u64) -> Vec<u8> {
    joined(EVENTS, &[&first.to_be_bytes()])
}

pub(super) fn user(id: UserId) -> Vec<u8> {
    joined(USER, &[&id.0])
}

pub(super) fn user_name(name: &str) -> Vec<u8> {
    joined(USER_NAME, &[name.as_bytes()])
}

pub(super) fn assertion(until: UnixTime, name: [u8; 16]) -> Vec<u8> {
    joined(ASSERTION, &[&until.as_secs().to_be_bytes(), &name])
}

pub(super) fn assertions_before(at: UnixTime) -> Vec<u8> {
    joined(ASSERTION, &[&at.as_secs().to_be_bytes()])
}

pub(super) fn parse_assertion(key: &[u8]) -> Option<[u8; 16]> {
    let (_, rest) = key.split_first_chunk::<9>()?;
    rest.try_into().ok()
}

fn joined(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}
