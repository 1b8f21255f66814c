//! What a verifier knows, for people and monitoring: numbers, each asked for by its own.

use crate::seconds;
use serde::Serialize as _;
use token::revocation::RevocationList;
use token::time::UnixTime;
use token::verify::Verifier;
use wasm_bindgen::JsValue;

/// Returns a number of the status of `verifier`; null where there is none, as while there is no list.
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
/// One at a time, for arrays bring code on both sides, texts a decoder, and names of members a table that weighs 5 KB; and of one
/// type, that of JavaScript, for each other one brings code as well.
pub(crate) fn number(verifier: &Verifier, number: u32) -> JsValue {
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
    // A number is never refused; an error would bring its text.
    known.map(seconds::number).serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
