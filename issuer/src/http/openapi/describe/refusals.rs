//! What requests can be refused for, in the groups that occur together.

use crate::error::{Error, GrantFault, NotReady};
use crate::http::reply::{Elsewhere, Malformed, Refusal};
use crate::http::request::{FORM, JSON};
use crate::limits::{Exceeded, Quota, Standing};
use crate::store::StoreError;
use std::time::Duration;

/// What any form can be refused for.
pub(super) fn form() -> Vec<Refusal> {
    body(FORM)
}

/// What any JSON body can be refused for.
pub(super) fn json() -> Vec<Refusal> {
    body(JSON)
}

fn body(media_type: &'static str) -> Vec<Refusal> {
    let mut refusals = acting();
    refusals.extend(requests([
        Malformed::MediaType(media_type),
        Malformed::TooLarge(0),
        Malformed::TooSlow,
        Malformed::CutOff,
        Malformed::Body(""),
        Malformed::Unknown(String::new()),
        Malformed::Duplicate(String::new()),
        Malformed::Missing(""),
        Malformed::Member("", ""),
    ]));
    refusals
}

/// What whatever is not a GET can be refused for: it has no query.
pub(super) fn acting() -> Vec<Refusal> {
    requests([Malformed::Query]).collect()
}

/// What a query that is read can be refused for.
pub(super) fn query() -> Vec<Refusal> {
    requests([
        Malformed::QueryTooLong(0),
        Malformed::QueryText(""),
        Malformed::Unknown(String::new()),
        Malformed::Duplicate(String::new()),
        Malformed::Member("", ""),
    ])
    .collect()
}

/// What a name in the path can be refused for.
pub(super) fn segment() -> Vec<Refusal> {
    requests([Malformed::Path]).collect()
}

/// Who does not prove to be a client.
pub(super) fn client() -> Vec<Refusal> {
    vec![Malformed::Credentials("").into(), Error::InvalidClient.into(), store()]
}

/// Who does not prove to be a client on a form endpoint, where assertions are read.
pub(super) fn client_of_a_form() -> Vec<Refusal> {
    let full = Error::TooManyAssertions { retry_after_secs: 1 };
    client().into_iter().chain([full.into(), Error::NotReady(NotReady::ClockJumped).into()]).collect()
}

/// Who does not prove to be an administrator.
pub(super) fn administrator() -> Vec<Refusal> {
    let mut refusals = client();
    refusals.push(Error::UnauthorizedClient.into());
    refusals
}

/// Another daemon should have answered.
pub(super) fn elsewhere() -> Vec<Refusal> {
    vec![Elsewhere::NotSent.into(), Elsewhere::Lost.into()]
}

/// There is no such thing.
pub(super) fn absent() -> Vec<Refusal> {
    vec![Malformed::NotFound.into()]
}

/// A change that cannot be written, or cannot be told to the verifiers yet.
pub(super) fn change() -> Vec<Refusal> {
    vec![store(), Error::NotReady(NotReady::ClockJumped).into(), Error::Signing.into()]
}

/// Tokens that cannot be signed.
pub(super) fn signature() -> Vec<Refusal> {
    let mut refusals = change();
    refusals.push(Error::Entropy.into());
    refusals
}

/// A refresh token that buys nothing.
pub(super) fn grant() -> Vec<Refusal> {
    vec![Error::InvalidGrant(GrantFault::NotOurs).into(), Error::TooManyLiveTokens { retry_after_secs: 1 }.into()]
}

/// Returns the store's failure.
pub(super) fn store() -> Refusal {
    Error::Store(StoreError::damaged("")).into()
}

/// Returns that a rate limit is reached.
pub(super) fn too_many() -> Refusal {
    let quota = Quota::new(1, Duration::from_secs(1)).unwrap();
    let standing = Standing { policy: "token", quota, remaining: 0, full_in: 1 };
    Refusal::TooManyRequests(Exceeded { standing, retry_after: 1 })
}

fn requests<const N: usize>(faults: [Malformed; N]) -> impl Iterator<Item = Refusal> {
    faults.into_iter().map(Refusal::from)
}
