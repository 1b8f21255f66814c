//! Which part of a list is asked for.
//!
//! ```text
//! ?limit=50&after=<next of the part before>        limit 1 to 200
//! ```

use super::super::reply::Malformed;
use super::Form;

/// The part of a list that a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Page {
    /// Items at most, 1 to 200.
    pub(in crate::http) limit: usize,
    /// The `next` of the part before, as it was answered; the first part without one.
    pub(in crate::http) after: Option<String>,
}

impl Page {
    /// The names that [`Page::take`] takes, for [`Verb::Ask`](super::super::exchange::Verb::Ask).
    pub(in crate::http) const NAMES: &'static [&'static str] = &["limit", "after"];

    const DEFAULT: usize = 50;
    const MAX: usize = 200;
    /// Bytes that a cursor may have.
    const MAX_CURSOR: usize = 512;

    /// Takes `limit` and `after` out of a query.
    ///
    /// # Errors
    /// [`Malformed::Member`].
    pub(in crate::http) fn take(query: &mut Form) -> Result<Self, Malformed> {
        let refused = Malformed::Member("limit", "must be a whole number from 1 to 200");
        let limit = match query.take("limit") {
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0') => {
                text.parse().ok().filter(|limit| *limit <= Self::MAX).ok_or(refused)?
            }
            Some(_) => return Err(refused),
            None => Self::DEFAULT,
        };
        let after = query.take("after").map(|text| text.as_str().to_owned());
        if after.as_ref().is_some_and(|after| after.len() > Self::MAX_CURSOR) {
            return Err(Malformed::Member("after", "is not the 'next' of an answer"));
        }
        Ok(Self { limit, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<Page, Malformed> {
        Page::take(&mut super::super::query(query, Page::NAMES)?)
    }

    #[test]
    fn a_part_has_fifty_items_unless_it_is_told_otherwise() {
        assert_eq!(page(""), Ok(Page { limit: 50, after: None }));
        assert_eq!(page("after=a%20b&limit=1"), Ok(Page { limit: 1, after: Some("a b".to_owned()) }));
        assert_eq!(page("limit=200&after="), Ok(Page { limit: 200, after: None }));
    }

    #[test]
    fn every_other_query_is_refused_by_name() {
        for limit in ["0", "201", "-1", "+1", "01", "1.0", "%20", "1e1", "99999999999999999999999"] {
            assert!(matches!(page(&format!("limit={limit}")), Err(Malformed::Member("limit", _))), "{limit}");
        }
        assert_eq!(page("limit=1&limit=1"), Err(Malformed::Duplicate("limit".to_owned())));
        assert_eq!(page("offset=1"), Err(Malformed::Unknown("offset".to_owned())));
        assert_eq!(page("limit=%"), Err(Malformed::QueryText("has a percent sign that begins no escape")));
        assert_eq!(page("limit=%ff"), Err(Malformed::QueryText("is not UTF-8")));
        assert_eq!(page(&"a".repeat(4097)), Err(Malformed::QueryTooLong(4096)));
        assert!(matches!(page(&format!("after={}", "a".repeat(513))), Err(Malformed::Member("after", _))));
    }
}
