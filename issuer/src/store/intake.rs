//! The rows of a backup on their way into a new store, read the same for every engine.

use super::layout;
use super::record::{Count, Record, RevokedBy};
use super::{Row, StoreError};
use crate::audit::Link;
use crate::revocations::Publication;
use crate::session::Session;
use crate::users::User;

/// The kinds of rows that a backup holds behind its head, in this order. The others follow from them.
pub(super) const KINDS: &[u8] = b"acjkprswy";
/// The newest format of all rows together; a change that an older daemon cannot read raises it.
pub(super) const FORMAT: Count = Count(4);

/// What a row is to the store that takes it.
pub(super) enum Taken {
    /// It is left out.
    Nothing,
    /// It is put in as it is.
    Row,
    /// It is put in, and nothing that is announced from now on has this number or a lower one.
    Announced(u64),
    /// It is put in, and with it what finds a session.
    Session(Box<Session>),
    /// It is put in, and with it what finds a user.
    User(Box<User>),
}

/// Reads the rows of one backup, those of the head first.
#[derive(Default)]
pub(super) struct Intake {
    /// The newest event of the head: later ones are left out, so that the chain is whole.
    newest: Link,
}

impl Intake {
    /// Reads the next row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a row that cannot be read or is of no known kind, [`StoreError::Format`] for one of a
    /// later version.
    pub(super) fn read(&mut self, Row { key, record }: &Row) -> Result<Taken, StoreError> {
        match key.first() {
            Some(&layout::STATE) => self.read_head(key, record),
            Some(&layout::EVENTS) if *key > layout::events(self.newest.seq) => Ok(Taken::Nothing),
            Some(&layout::SESSION) => Ok(Taken::Session(Box::new(Session::decode(key, record)?))),
            Some(&layout::USER) => Ok(Taken::User(Box::new(User::decode(key, record)?))),
            Some(&layout::REVOCATION) => {
                RevokedBy::decode(key, record).map(|RevokedBy(number)| Taken::Announced(number))
            }
            Some(kind) if KINDS.contains(kind) => Ok(Taken::Row),
            Some(_) | None => Err(StoreError::damaged("a row of the backup is of no kind there is")),
        }
    }

    fn read_head(&mut self, key: &[u8], record: &[u8]) -> Result<Taken, StoreError> {
        match key {
            // What older formats lack is made again; the new store has the newest.
            layout::FORMAT => match Count::decode(key, record)? {
                Count(format) if format <= FORMAT.0 => Ok(Taken::Nothing),
                Count(format) => Err(StoreError::Format { found: u8::try_from(format).unwrap_or(u8::MAX) }),
            },
            layout::AUDIT_HEAD => {
                self.newest = Link::decode(key, record)?;
                Ok(Taken::Row)
            }
            layout::PUBLICATION => Ok(Taken::Announced(Publication::decode(key, record)?.upto)),
            _ => Ok(Taken::Row),
        }
    }
}
