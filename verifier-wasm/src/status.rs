//! What a verifier knows, for people and monitoring.

use serde::Serialize;
use token::revocation::RevocationList;
use token::time::UnixTime;
use token::verify::Verifier;
use wasm_bindgen::JsValue;

/// Null for all but `notBefore` and `keys` while there is no list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    seq: Option<u64>,
    issued_at: Option<u64>,
    expires_at: Option<u64>,
    /// The first second at which the list says nothing any more, `maxStaleness` considered.
    usable_until: Option<u64>,
    /// The latest time that a list seen was signed at: the verifier's clock is never behind it.
    not_before: u64,
    bytes: Option<usize>,
    entries: Option<usize>,
    /// Rules that revoke without naming tokens.
    rules: Option<usize>,
    keys: Vec<&'a str>,
}

/// Returns the status of `verifier` as a plain object.
pub(crate) fn of(verifier: &Verifier) -> Result<JsValue, JsValue> {
    let list = verifier.list();
    let head = list.map(RevocationList::head);
    let status = Status {
        seq: head.map(|head| head.seq),
        issued_at: head.map(|head| head.iat.as_secs()),
        expires_at: head.map(|head| head.exp.as_secs()),
        usable_until: verifier.usable_until().map(UnixTime::as_secs),
        not_before: verifier.now(UnixTime::MIN).as_secs(),
        bytes: list.map(RevocationList::length),
        entries: list.map(|list| list.revoked().entries()),
        rules: list.map(|list| list.cut().rules()),
        keys: verifier.keys().keys().iter().map(|key| key.kid()).collect(),
    };
    Ok(status.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}
