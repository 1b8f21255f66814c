//! The revocation list: each way to take a token back, its neighbours left alone, and silence that is not "not revoked".

use crate::forge::{Draft, EXP, NOW, RETIRED_KEY, quoted};
use crate::verdict::{Case, accepted, claim, revoked, stale};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = indices();
    cases.extend(rules());
    cases.extend(staleness());
    cases
}

fn indices() -> Vec<Case> {
    let at = |index: u32| Draft::new().expiring(EXP, index).token();
    let mut cases = Vec::new();
    for (list, listed, free) in [
        ("7 and 1000", vec![7, 1000], vec![0, 6, 8, 999, 1001, 1_000_000]),
        ("all below 2000 but 7", vec![0, 6, 8, 1999], vec![7, 2000, 2001, (1 << 31) - 1]),
        ("0 and the last", vec![0, (1 << 31) - 1], vec![1, 7, (1 << 31) - 2]),
        ("empty", vec![], vec![1, 8]),
    ] {
        for index in listed {
            let name = format!("index {index} is taken back by the list \"{list}\"");
            cases.push(Case::new(name, at(index), revoked("index")).list(list));
        }
        for index in free {
            let name = format!("index {index} is left alone by the list \"{list}\"");
            cases.push(Case::new(name, at(index), accepted()).list(list));
        }
    }
    for (epochs, index, taken) in
        [(-1, 8, true), (-1, 7, false), (1, 7, false), (1, 9, false), (2, 9, true), (3, 9, false)]
    {
        let exp = ((EXP >> 8).checked_add_signed(epochs).unwrap() << 8) + 200;
        let expect = if taken { revoked("index") } else { accepted() };
        let name = format!("index {index} of the epoch {epochs} on is judged by that epoch");
        cases.push(Case::new(name, Draft::new().expiring(exp, index).token(), expect).list("7 and 1000"));
    }
    let resigned = Draft::new().of_key(RETIRED_KEY).claim("sub", "\"user-2\"").claim("sid", "\"session-2\"");
    let spaced = Draft::new();
    let text = [b" ".as_slice(), &spaced.claims_text()].concat();
    cases.extend([
        Case::new("an index is taken back whoever signed the token and for whom", resigned.token(), revoked("index"))
            .list("7 and 1000"),
        Case::new(
            "another text of the same claims is taken back too",
            spaced.claims_bytes(text).token(),
            revoked("index"),
        )
        .list("7 and 1000"),
        Case::new("a revoked token is accepted where revocations are given up", Draft::new().token(), accepted())
            .without_revocations(),
    ]);
    cases
}

fn rules() -> Vec<Case> {
    let token = Draft::new().token();
    let later = Draft::new().claim("iat", &(NOW + 1).to_string()).token();
    let retired = Draft::new().of_key(RETIRED_KEY).token();
    let other_session = Draft::new().claim("sid", "\"session-2\"").token();
    let named = |claim: &str, value: &str| Draft::new().claim(claim, &quoted(value)).token();
    let taken = |name: &str, token: &str, by: &str, list: &str| Case::new(name, token, revoked(by)).list(list);
    let left = |name: &str, token: &str, list: &str| Case::new(name, token, accepted()).list(list);
    vec![
        taken("all until its iat takes a token back", &token, "all", "until now"),
        left("all until the second before its iat does not", &token, "until a second before"),
        left("all until now leaves a token of the next second", &later, "until now"),
        taken("all takes back iat 0", &Draft::new().claim("iat", "0").token(), "all", "until a second before"),
        taken("a withdrawn key takes its token back", &token, "key", "key"),
        taken("a withdrawn key takes back an iat of the future", &later, "key", "key"),
        left("a withdrawn key leaves the other key's token", &retired, "key"),
        taken("a withdrawn key that is still in the set takes its token back", &retired, "key", "retired key"),
        left("the other key's withdrawal leaves our token", &token, "retired key"),
        taken("a subject's tokens until its iat are taken back", &token, "subject", "subject until now"),
        left("a subject's token of the next second is left", &later, "subject until now"),
        left("a subject's tokens until the second before leave this one", &token, "subject until a second before"),
        left("another subject's rule leaves this token", &token, "another subject"),
        left("a subject's rule leaves another subject", &named("sub", "user-2"), "subject until now"),
        left("a subject's rule compares whole names", &named("sub", "user-1 "), "subject until now"),
        left(
            "a rule of a subject is none of a session of that name",
            &Draft::new().claim("sub", "\"u\"").claim("sid", "\"user-1\"").token(),
            "subject until now",
        ),
        left(
            "a rule of a subject is none of a client of that name",
            &Draft::new().claim("sub", "\"u\"").claim("client_id", "\"user-1\"").token(),
            "subject until now",
        ),
        taken("a client's tokens until its iat are taken back", &token, "client", "client until now"),
        left("a client's token of the next second is left", &later, "client until now"),
        left("a client's tokens until the second before leave this one", &token, "client until a second before"),
        left("a client's rule leaves another client", &named("client_id", "other"), "client until now"),
        taken("a session's tokens are taken back", &token, "session", "session"),
        taken("a session's tokens are taken back whatever their iat", &later, "session", "session"),
        left("a session's rule leaves another session", &other_session, "session"),
        left("another session's rule leaves this one", &token, "another session"),
        taken("rules are or-ed: a key though all does not reach", &token, "key", "old rule and key"),
        taken(
            "rules are or-ed: all though the key is another",
            &Draft::new().of_key(RETIRED_KEY).claim("iat", "5").token(),
            "all",
            "old rule and key",
        ),
        left("rules that both do not reach leave a token", &retired, "old rule and key"),
    ]
}

fn staleness() -> Vec<Case> {
    let token = Draft::new().token();
    let case = |name: &str, at: u64, expect| Case::new(name, &token, expect).list("five minutes").at(NOW + at);
    let within = |most: u64, at: u64, expect| {
        case(&format!("{at} s old where {most} s are allowed"), at, expect)
            .with(|options| options.max_staleness = Some(most))
    };
    let foreign = Draft::new().claim("jti", "\"x\"").token();
    vec![
        case("a list is used in the second it is signed", 0, accepted()),
        case("a list is used until the second before its exp", 299, accepted()),
        case("a list is stale in the second of its exp: leeway is for tokens", 300, stale("expired")),
        case("a list is stale after its exp", 301, stale("expired")),
        case("a list that is stale for long is stale, not ignored", 890, stale("expired")),
        within(60, 59, accepted()),
        within(60, 60, accepted()),
        within(60, 61, stale("too_old")),
        within(1, 1, accepted()),
        within(1, 2, stale("too_old")),
        within(1000, 299, accepted()),
        within(1000, 300, stale("expired")),
        within(253_402_300_799, 299, accepted()),
        Case::new("a token without an index under a stale list has no index", foreign, crate::verdict::no_index())
            .list("five minutes")
            .at(NOW + 300),
        Case::new("a required scope is asked for before the list", &token, claim("scope", "check_failed"))
            .list("five minutes")
            .at(NOW + 300)
            .with(|options| options.scope = Some("admin".to_owned())),
        Case::new(
            "a list signed ahead of the clock is used, and the clock with it",
            Draft::new().expiring(NOW + 7200, 7).token(),
            accepted(),
        )
        .list("an hour ahead"),
        Case::new(
            "a list signed ahead of the clock ends by its own time",
            Draft::new().expiring(NOW + 7200, 7).token(),
            accepted(),
        )
        .list("an hour ahead")
        .at(NOW + 3899),
        Case::new(
            "a list signed ahead of the clock is stale in the second of its exp",
            Draft::new().expiring(NOW + 7200, 7).token(),
            stale("expired"),
        )
        .list("an hour ahead")
        .at(NOW + 3900),
    ]
}
