//! Records out of rows, wherever the rows are read from.

use super::layers::{Look, Span, of_kind};
use super::layout;
use crate::store::record::{Count, Record, RevokedBy};
use crate::store::{Order, Pages, StoreError};
use sled::IVec;
use std::ops::{Bound, RangeInclusive};
use token::id::Jti;

/// Returns the record under `key`.
pub(super) fn read<R: Record>(rows: &impl Look, key: &[u8]) -> Result<Option<R>, StoreError> {
    let row = rows.get(key).map_err(|error| failed(&error))?;
    row.map(|row| R::decode(key, &row)).transpose()
}

/// Returns the first `most` records of a span.
pub(super) fn records<R: Record>(rows: &impl Look, span: &Span, most: usize) -> Result<Vec<R>, StoreError> {
    let rows = rows.rows(span, Order::OldestFirst, most).map_err(|error| failed(&error))?;
    rows.iter().map(|(key, row)| R::decode(key, row)).collect()
}

/// Returns the first `most` keys of a span.
pub(super) fn keys(rows: &impl Look, span: &Span, most: usize) -> Result<Vec<IVec>, StoreError> {
    let rows = rows.rows(span, Order::OldestFirst, most).map_err(|error| failed(&error))?;
    Ok(rows.into_iter().map(|(key, _)| key).collect())
}

/// Returns what is stored of the pages of these epochs.
pub(super) fn pages(rows: &impl Look, epochs: RangeInclusive<u32>) -> Result<Vec<Pages>, StoreError> {
    let bound = |epoch| Bound::Included(layout::of_epoch(layout::PAGES, epoch));
    let (first, last) = epochs.into_inner();
    let found = rows.rows(&(bound(first), bound(last)), Order::OldestFirst, usize::MAX);
    let pages = |(key, row): (IVec, IVec)| {
        let Count(leased) = Count::decode(&key, &row)?;
        let epoch = layout::parse_epoch(&key).ok_or_else(|| StoreError::damaged("an epoch has an odd key"))?;
        let swept = read(rows, &layout::of_epoch(layout::SWEPT, epoch))?.map_or(0, |Count(swept)| swept);
        Ok(Pages { epoch, leased, swept })
    };
    found.map_err(|error| failed(&error))?.into_iter().map(pages).collect()
}

/// Returns the revocations, each with the number of its change.
pub(super) fn entries(rows: &impl Look) -> Result<Vec<(Jti, u64)>, StoreError> {
    let found = rows.rows(&of_kind(layout::REVOCATION), Order::OldestFirst, usize::MAX);
    let entry = |(key, row): (IVec, IVec)| {
        let jti = layout::parse_revocation(&key).ok_or_else(|| StoreError::damaged("a revocation has an odd key"))?;
        RevokedBy::decode(&key, &row).map(|RevokedBy(number)| (jti, number))
    };
    found.map_err(|error| failed(&error))?.into_iter().map(entry).collect()
}

/// What an error of the engine is to callers.
pub(super) fn failed(error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } => StoreError::damaged("the engine found corrupted data"),
        other => StoreError::Failed { detail: other.to_string().into() },
    }
}
