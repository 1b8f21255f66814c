//! What a verifier knows, for people and monitoring.

use serde::Serialize as _;
use token::revocation::RevocationList;
use token::time::UnixTime;
use token::verify::Verifier;
use wasm_bindgen::JsValue;

/// Returns the status of `verifier` as the values that pkg/src/bindings.js names, in this order. Null for all but
/// `notBefore` and `keys` while there is no list.
///
/// ```text
/// seq issuedAt expiresAt
/// usableUntil   the first second at which the list says nothing any more, `maxStaleness` considered
/// notBefore     the latest time that a list seen was signed at: the verifier's clock is never behind it
/// bytes entries
/// rules         those that revoke without naming tokens
/// keys          kid of each
/// ```
///
/// An array, for serde-wasm-bindgen keeps the names of an object's members in a table that weighs 5 KB.
pub(crate) fn of(verifier: &Verifier) -> Result<JsValue, JsValue> {
    let list = verifier.list();
    let head = list.map(RevocationList::head);
    let keys: Vec<&str> = verifier.keys().keys().iter().map(|key| key.kid()).collect();
    let status = (
        head.map(|head| head.seq),
        head.map(|head| head.iat.as_secs()),
        head.map(|head| head.exp.as_secs()),
        verifier.usable_until().map(UnixTime::as_secs),
        verifier.now(UnixTime::MIN).as_secs(),
        list.map(RevocationList::length),
        list.map(|list| list.revoked().entries()),
        list.map(|list| list.cut().rules()),
        keys,
    );
    Ok(status.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}
