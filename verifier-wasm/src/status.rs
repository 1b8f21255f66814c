//! What a verifier knows, for people and monitoring.

use crate::answer::Quoted;
use std::fmt;
use token::revocation::RevocationList;
use token::time::UnixTime;
use token::verify::Verifier;

/// Returns the status of `verifier` as the text of a JSON object. Null for all but `notBefore` and `keys` while there is
/// no list.
///
/// ```text
/// seq issuedAt expiresAt
/// usableUntil   the first second at which the list says nothing any more, `maxStaleness` considered
/// notBefore     the latest time that a list seen was signed at: the verifier's clock is never behind it
/// bytes entries
/// rules         those that revoke without naming tokens
/// keys          kid of each
/// ```
pub(crate) fn of(verifier: &Verifier) -> String {
    let list = verifier.list();
    let head = list.map(RevocationList::head);
    let secs = |time: Option<UnixTime>| OrNull(time.map(UnixTime::as_secs));
    let numbers = format!(
        r#""seq":{},"issuedAt":{},"expiresAt":{},"usableUntil":{},"notBefore":{},"bytes":{},"entries":{},"rules":{}"#,
        OrNull(head.map(|head| head.seq)),
        secs(head.map(|head| head.iat)),
        secs(head.map(|head| head.exp)),
        secs(verifier.usable_until()),
        verifier.now(UnixTime::MIN).as_secs(),
        OrNull(list.map(RevocationList::length)),
        OrNull(list.map(|list| list.revoked().entries())),
        OrNull(list.map(|list| list.cut().rules())),
    );
    let keys: Vec<String> = verifier.keys().keys().iter().map(|key| Quoted(key.kid()).to_string()).collect();
    format!(r#"{{{numbers},"keys":[{}]}}"#, keys.join(","))
}

/// A number of JSON, or null.
struct OrNull<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for OrNull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(number) => number.fmt(f),
            None => f.write_str("null"),
        }
    }
}
