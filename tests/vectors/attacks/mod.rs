//! The attack tokens, by what they attack.

mod accepted;
mod algorithms;
mod claims;
mod clock;
mod encodings;
mod headers;
mod json_text;
mod key_ids;
mod numbers;
mod order;
mod parties;
mod revocations;
mod scopes;
mod signatures;
mod sizes;
mod types;

use crate::verdict::Case;

/// Every case, each under a name of its own.
pub(crate) fn all() -> Vec<Case> {
    let groups: [fn() -> Vec<Case>; 16] = [
        accepted::cases,
        sizes::cases,
        encodings::cases,
        json_text::cases,
        algorithms::cases,
        types::cases,
        headers::cases,
        key_ids::cases,
        signatures::cases,
        claims::cases,
        numbers::cases,
        parties::cases,
        clock::cases,
        scopes::cases,
        revocations::cases,
        order::cases,
    ];
    groups.into_iter().flat_map(|cases| cases()).collect()
}
