//! What a verifier knows, for people and monitoring: numbers, each asked for by its own.

use crate::seconds;
use token::revocation::RevocationList;
use token::time::UnixTime;
use token::verify::Verifier;

/// Returns a number of the status of `verifier`; NaN where there is none, as while there is no list.
///
/// ```text
/// 0   the list's sequence number
/// 1   when it was signed
/// 2   when it expires
/// 3   the first second at which it says nothing any more, `maxStaleness` considered
/// 4   the latest time that a list seen was signed at: the verifier's clock is never behind it. There is one always
/// 5   its bytes
/// 6   its entries
/// 7   its rules that revoke without naming tokens
/// ```
///
/// Numbers alone, for values of JavaScript bring code on both sides, and a wrapper that an engine compiles before it has
/// the module ready.
pub(crate) fn number(verifier: &Verifier, number: u32) -> f64 {
    let list = verifier.list();
    let head = list.map(RevocationList::head);
    let known = match number {
        0 => head.map(|head| head.seq),
        1 => head.map(|head| head.iat.as_secs()),
        2 => head.map(|head| head.exp.as_secs()),
        3 => verifier.usable_until().map(UnixTime::as_secs),
        4 => Some(verifier.now(UnixTime::MIN).as_secs()),
        5 => list.map(|list| wide(list.length())),
        6 => list.map(|list| wide(list.revoked().entries())),
        7 => list.map(|list| wide(list.cut().rules())),
        _ => None,
    };
    known.map_or(f64::NAN, seconds::number)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
