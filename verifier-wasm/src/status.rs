//! What a verifier knows, for people and monitoring.

use crate::seconds;
use serde::Serialize as _;
use token::revocation::RevocationList;
use token::time::UnixTime;
use token::verify::Verifier;
use wasm_bindgen::JsValue;

/// Returns the status of `verifier`: an array of numbers, in this order, and one of the `kid` of each key. Null are all
/// numbers but `notBefore` while there is no list.
///
/// ```text
/// seq issuedAt expiresAt
/// usableUntil   the first second at which the list says nothing any more, `maxStaleness` considered
/// notBefore     the latest time that a list seen was signed at: the verifier's clock is never behind it
/// bytes entries
/// rules         those that revoke without naming tokens
/// ```
///
/// Arrays, for serde-wasm-bindgen keeps the names of an object's members in a table that weighs 5 KB; and numbers of one
/// type, that of JavaScript, for each other one brings code.
///
/// # Errors
/// Never in practice: its members are numbers and strings.
pub(crate) fn of(verifier: &Verifier) -> Result<JsValue, JsValue> {
    let list = verifier.list();
    let head = list.map(RevocationList::head);
    let numbers = [
        head.map(|head| head.seq),
        head.map(|head| head.iat.as_secs()),
        head.map(|head| head.exp.as_secs()),
        verifier.usable_until().map(UnixTime::as_secs),
        Some(verifier.now(UnixTime::MIN).as_secs()),
        list.map(|list| wide(list.length())),
        list.map(|list| wide(list.revoked().entries())),
        list.map(|list| wide(list.cut().rules())),
    ];
    let keys: Vec<&str> = verifier.keys().keys().iter().map(|key| key.kid()).collect();
    let status = (numbers.map(|number| number.map(seconds::number)), keys);
    Ok(status.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
