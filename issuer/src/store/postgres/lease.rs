//! Who may write: one row says who, by which number, and until when.
//!
//! The number, the fence, is what keeps two from writing: it grows with each holder, and a transaction that carries an older
//! one, or one that another holder got from a database that had forgotten this one, changes nothing. The time only says when another may take over from one that is silent. It is the database's own, so
//! the clocks of the daemons do not matter.

use super::connect::Connection;
use super::fault::Fault;
use super::write::Head;
use crate::revocations::Publication;
use crate::store::record::Record;
use crate::store::{StoreError, layout};
use std::time::Duration;

/// Who holds the right to write while another stands by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// As it calls itself.
    pub name: String,
    /// The origin at which it is reached; none when others cannot reach it.
    pub origin: Option<String>,
    /// Grows with each holder, also when it is the same daemon again.
    pub fence: i64,
    /// In so many milliseconds another may take over unless it is heard of; not above 0 when it may at once.
    pub expires_in_ms: i64,
    /// The number of the newest list that is published.
    pub newest_list: u64,
}

/// Takes the right to write when nobody has it, or an earlier process of the same folder did, and says where its new holder is
/// reached. Returns the head, or `None` while somebody else has it.
///
/// # Errors
/// [`Fault`].
pub(super) async fn take(
    connection: &Connection,
    (holder, origin): (&str, Option<&str>),
    holder_id: [u8; 16],
    lease: Duration,
) -> Result<Option<Head>, Fault> {
    let sql = "UPDATE countersign_head \
        SET fence = fence + 1, holder = $1, holder_id = $2, expires = now() + $3::FLOAT8 * INTERVAL '1 millisecond', \
        origin = $4 \
        WHERE one = 1 AND (expires <= now() OR holder_id = $2) RETURNING number, announced, import, fence, holder_id";
    let lease = lease.as_secs_f64() * 1000.0;
    let rows = connection.rows(sql, &[&holder, &holder_id.as_slice(), &lease, &origin.unwrap_or_default()]).await?;
    rows.first().map(Head::of).transpose()
}

/// Returns who holds the right to write.
pub(super) async fn holder(connection: &Connection) -> Result<Holder, Fault> {
    let sql = "SELECT holder, (extract(epoch FROM expires - now()) * 1000)::BIGINT, \
        (SELECT record FROM countersign_state WHERE key = $1), origin, fence FROM countersign_head WHERE one = 1";
    let name = super::rows::rest(layout::PUBLICATION);
    let rows = connection.rows(sql, &[&name]).await?;
    let row = rows.first().ok_or_else(|| StoreError::damaged("the database has no head"))?;
    let record: Option<&[u8]> = row.try_get(2)?;
    let publication = record.map(|record| Publication::decode(layout::PUBLICATION, record)).transpose()?;
    let origin: String = row.try_get(3)?;
    Ok(Holder {
        name: row.try_get(0)?,
        origin: Some(origin).filter(|origin| !origin.is_empty()),
        fence: row.try_get(4)?,
        expires_in_ms: row.try_get(1)?,
        newest_list: publication.map_or(0, |publication| publication.seq),
    })
}

/// Gives the right to write up, if it is still ours.
pub(super) async fn release(connection: &Connection, ours: Head) -> Result<(), Fault> {
    let sql = "UPDATE countersign_head SET holder = '', holder_id = '', origin = '', expires = now() - INTERVAL '1 hour' \
        WHERE one = 1 AND fence = $1 AND holder_id = $2";
    connection.change(sql, &[&ours.fence, &ours.holder.as_slice()]).await.map(drop)
}
